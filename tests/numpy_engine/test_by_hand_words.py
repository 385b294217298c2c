"""Word vectors learn the analogies of a grammar, and their gradients are right."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def wv():
    from tfs.numpy_engine.by_hand import word_vectors

    return word_vectors


@pytest.fixture(scope="module")
def texts():
    from tfs.numpy_engine.by_hand import analogy_text

    return analogy_text


@pytest.fixture(scope="module")
def near():
    from tfs.numpy_engine.by_hand import nearest

    return nearest


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("method", ["cbow", "skip-gram"])
def test_over_90_percent_of_the_analogies_are_solved(wv, texts, near, method, seed):
    model = wv.WordVectors(texts.analogy_text(seed=seed), wv.WordConfig(method=method, seed=seed))
    words, questions = model.vocabulary.words, texts.analogies()
    before = near.analogy_accuracy(model.vectors, words, questions)
    losses = [step.loss for step in model.train()]
    assert before < 0.05 and len(words) > 140
    assert near.analogy_accuracy(model.vectors, words, questions) > 0.9
    assert np.mean(losses[-50:]) < 0.9 * np.mean(losses[:50])


@pytest.mark.slow
def test_four_words_in_a_plane_form_a_parallelogram_over_20_seeds(wv, texts, near):
    cosines = []
    for seed in range(20):
        model = wv.WordVectors(texts.four_word_text(seed=seed), wv.four_word_config(seed))
        list(model.train())
        paris, france, berlin, germany = (
            model.vectors[model.vocabulary.words.index(word)] for word in texts.FOUR_WORDS
        )
        cosines.append(near.cosine(paris - france, berlin - germany))
    assert min(cosines) > 0.95, cosines


@pytest.mark.parametrize("method", ["cbow", "skip-gram"])
def test_both_tables_have_the_gradients_that_are_measured(wv, method):
    from tfs.numpy_engine.by_hand.check import central_differences

    cfg = wv.WordConfig(method=method, d_model=3, batch=8, negatives=2)
    model = wv.WordVectors("a b c a d b a c d d b a c".split(), cfg)
    model.guessed.weights["W"] += np.random.default_rng(0).normal(size=(4, 3))
    batch = next(model._batches(np.random.default_rng(0)))
    loss = model.forward(*batch)
    written = model.backward()
    for name, table in (("read", model.read), ("guessed", model.guessed)):
        slopes = central_differences(lambda: model.forward(*batch), table.weights["W"])
        np.testing.assert_allclose(written[name], slopes, rtol=0, atol=1e-6)
    assert model.forward(*batch) == loss


@pytest.mark.parametrize("method", ["cbow", "skip-gram"])
def test_the_same_seed_gives_the_same_steps(wv, texts, method):
    cfg = wv.WordConfig(method=method, steps=5, seed=3)
    runs = [list(wv.WordVectors(texts.analogy_text(50, 3), cfg).train()) for _ in range(2)]
    assert runs[0] == runs[1] and [step.step for step in runs[0]] == [1, 2, 3, 4, 5]


def test_windows_are_full_and_have_the_gap_cut_out(wv):
    gaps, around = wv.windows(np.arange(6), 2)
    assert gaps.tolist() == [2, 3]
    assert around.tolist() == [[0, 1, 3, 4], [1, 2, 4, 5]]


def test_frequent_words_are_passed_over_and_rare_ones_drawn_more_than_their_share(wv):
    counts = np.array([900, 99, 1])
    assert wv.kept_shares(counts, 0.1) == pytest.approx([(0.1 / 0.9) ** 0.5, 1, 1])
    assert wv.kept_shares(counts, 1.0).tolist() == [1, 1, 1]
    shares = wv.negative_shares(counts)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] / shares[2] == pytest.approx(900**0.75)


def test_the_words_are_counted_and_ordered(wv):
    known = wv.vocabulary("b a b c a b".split())
    assert known.words == ("b", "a", "c") and known.counts.tolist() == [3, 2, 1]
    assert known.ids(["c", "unknown", "b"]).tolist() == [2, 0]
    assert wv.vocabulary("b a b".split(), most=1).words == ("b",)


def test_every_analogy_of_the_grammar_has_an_answer_in_its_text(texts):
    words, questions = set(texts.analogy_text()), texts.analogies()
    assert len(questions) == len(set(questions)) == 2 * (12 * 11 + 2 * 10 * 9)
    assert all(words >= set(question) for question in questions)
    assert ("paris", "france", "rome", "italy") in questions
    assert ("queen", "king", "woman", "man") in questions


def test_the_three_given_words_are_no_answer(near):
    vectors = np.array([[1.0, 0], [1, 0.1], [0.9, 0], [0, 1]])
    assert near.solve(vectors, 0, 1, 2)[0][0] == 3
    assert [i for i, _ in near.nearest(vectors, vectors[0], without=[0])] == [2, 1, 3]
    assert near.cosine(vectors[0], vectors[3]) == 0


def test_a_plane_keeps_the_distances_of_points_that_lie_in_one(near):
    draw = np.random.default_rng(0)
    flat = draw.normal(size=(6, 2)) @ draw.normal(size=(2, 9))
    points = near.in_a_plane(flat)
    for one in range(6):
        gaps = np.linalg.norm(flat - flat[one], axis=1)
        np.testing.assert_allclose(np.linalg.norm(points - points[one], axis=1), gaps)


@pytest.mark.parametrize("words", [[], ["a"] * 9, ["a", "b"]])
def test_a_text_without_a_neighbourhood_is_refused_in_one_sentence(wv, words):
    with pytest.raises(ValueError, match=f"words: {len(words)}, "):
        wv.WordVectors(words, wv.WordConfig())


@pytest.mark.parametrize(
    ("field", "value"), [("method", "glove"), ("window", 0), ("negatives", 0), ("steps", -1)]
)
def test_a_config_without_sense_is_refused_in_one_sentence(wv, field, value):
    with pytest.raises(ValueError, match=f"{field} is {value!r}; it must be"):
        wv.WordConfig(**{field: value})


def test_analogies_of_another_text_are_refused_in_one_sentence(near, texts):
    with pytest.raises(ValueError, match="none of the analogies"):
        near.analogy_accuracy(np.eye(2), ["x", "y"], texts.analogies())

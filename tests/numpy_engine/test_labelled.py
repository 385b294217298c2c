"""A tagger and a matcher of questions on numpy: batches, scores, trainings, texts of own files."""

import math

import numpy as np
import pytest


@pytest.fixture(scope="module")
def texts():
    from tfs.numpy_engine import texts

    return texts


@pytest.fixture(scope="module")
def recipes():
    from tfs.numpy_engine import recipes

    return recipes


@pytest.fixture(scope="module")
def labelled():
    from tfs.numpy_engine import labelled

    return labelled


def test_batches_are_what_torch_reads(texts) -> None:
    """Of the same texts: tokens, segments and padding; labels where torch asks for one."""
    from tfs.tasks import QuestionPairsTask, TagsTask
    from tfs.templates.entities import tagged_sentences
    from tfs.templates.questions import question_pairs

    for task, made, draw in (
        (TagsTask(), texts.sentences_from_templates(), tagged_sentences),
        (QuestionPairsTask(), texts.pairs_from_templates(), question_pairs),
    ):
        assert made.reader.labels == task.labels and made.n_ctx == task.n_ctx
        tokens, segments, is_token, labels = made.batches.at(5)
        theirs = task.batch(draw(len(tokens), "0 5"))
        assert np.array_equal(tokens.data, theirs.tokens.numpy())
        assert np.array_equal(segments.data, theirs.segments.numpy())
        assert np.array_equal(is_token.data, theirs.token_mask.numpy())
        asked = theirs.labels.where(theirs.loss_mask, -100)
        asked = asked if labels.ndim == 2 else asked[:, 0]
        assert np.array_equal(labels.data, asked.numpy())
        assert made.count == 1000


def test_batches_are_functions_of_seed_and_number(texts, tagged_file) -> None:
    for make in (
        texts.sentences_from_templates,
        texts.pairs_from_templates,
        lambda seed: texts.sentences_of_files(tagged_file, seed=seed),
    ):
        one, again, other = make(3).batches, make(3).batches, make(4).batches
        one.at(2)
        assert all(
            np.array_equal(a.data, b.data) for a, b in zip(one.at(7), again.at(7), strict=True)
        )
        unlike = ((one.at(7), one.at(8)), (one.at(7), other.at(7)))
        assert all(a[0].tolist() != b[0].tolist() for a, b in unlike)


@pytest.mark.parametrize("kind", ["TokenClassifier", "PairClassifier"])
def test_padding_is_in_neither_loss_nor_scores(kind, engine, labelled) -> None:
    """Rows by themselves, unpadded, weigh what they weigh side by side."""
    from tfs.numpy_engine.texts import pairs_from_templates, sentences_from_templates
    from tfs.templates.entities import tagged_sentences
    from tfs.templates.questions import question_pairs

    made, draw = {
        "TokenClassifier": (sentences_from_templates(), tagged_sentences),
        "PairClassifier": (pairs_from_templates(), question_pairs),
    }[kind]
    reader, examples = made.reader, draw(12, 5)
    cfg = engine.Config(
        1,
        8,
        made.n_ctx,
        4,
        reader.tokenizer.d_vocab,
        seed=0,
        dtype="float64",
        initializer_range=0.5,
    )
    model = getattr(engine, kind)(engine.EncoderOnly(cfg), reader.labels)
    whole = reader.batch(examples)
    assert not whole[2].data.all()
    rows = [reader.batch([example]) for example in examples]
    counts = [int((row[3].data != -100).sum()) for row in rows]
    losses = [labelled.label_loss(model, row).item() for row in rows]
    mean = sum(n * loss for n, loss in zip(counts, losses, strict=True)) / sum(counts)
    assert labelled.label_loss(model, whole).item() == pytest.approx(mean, rel=1e-12)
    assert labelled.accuracy(model, [whole]) == pytest.approx(labelled.accuracy(model, rows))
    if kind == "TokenClassifier":
        scores = labelled.tag_scores(model, [whole], reader.labels)
        assert scores == labelled.tag_scores(model, rows, reader.labels)


def test_scores_of_what_is_known(engine, labelled, texts) -> None:
    """A stand-in says B-PER everywhere: right at first words of people, wrong ends elsewhere."""
    reader = texts.sentences_from_templates().reader

    class Stub(engine.Module):
        def forward(self, tokens, segments, is_token):
            logits = np.zeros((*tokens.shape, len(reader.labels)))
            logits[..., reader.labels.index("B-PER")] = 1
            return engine.Tensor(logits)

    sentences = [
        ("Ada met Bo Li .".split(), "B-PER O B-PER I-PER O".split()),
        ("Oslo".split(), ["B-LOC"]),
    ]
    batches = labelled.in_batches(reader, sentences, size=1)
    assert len(batches) == 2
    precision, recall, f1 = labelled.tag_scores(Stub(), batches, reader.labels)
    assert (precision, recall, f1) == pytest.approx((1 / 6, 1 / 3, 2 / 9))
    assert labelled.accuracy(Stub(), batches) == pytest.approx(2 / 6)
    assert labelled.commonest_share(batches) == pytest.approx(2 / 6)  # O and B-PER, twice each


def test_a_tag_that_is_none_of_the_labels(labelled, texts) -> None:
    reader = texts.sentences_from_templates().reader
    with pytest.raises(ValueError, match="'B-ANIMAL' is none of the tags O, B-PER, I-PER"):
        reader.batch([(["Ada"], ["B-ANIMAL"])])


@pytest.mark.parametrize("recipe", ["tags", "pairs"])
@pytest.mark.parametrize("own", [False, True], ids=["templates", "own file"])
def test_resuming_is_bit_for_bit(recipe, own, recipes, texts, request, tmp_path) -> None:
    path = request.getfixturevalue("tagged_file" if recipe == "tags" else "pairs_file")
    of_files = texts.sentences_of_files if recipe == "tags" else texts.pairs_of_files

    def trainer():
        given = of_files(path, seed=2) if own else None
        made = getattr(recipes, f"{recipe}_trainer")(6, 2, given)
        made.eval_every = 2
        return made

    straight = trainer()
    reports = list(straight.steps(6))
    assert [r.held_out is not None for r in reports] == [False, True] * 3
    assert all(math.isfinite(r.loss) for r in reports)
    first = trainer()
    list(first.steps(3))
    first.save(tmp_path)
    second = trainer()
    second.resume(tmp_path)
    assert list(second.steps(6)) == reports[3:]
    for name, weight in straight.model.state_dict().items():
        assert np.array_equal(second.model.state_dict()[name], weight)


def test_a_step_moves_all_that_is_asked_and_nothing_else(recipes) -> None:
    trainer = recipes.pairs_trainer(3)
    before = {n: p.data.copy() for n, p in trainer.model.named_parameters()}
    list(trainer.steps(3))
    still = {n for n, p in trainer.model.named_parameters() if np.array_equal(p.data, before[n])}
    assert still == {n for n in before if n.startswith("encoder.mlm_head.")}


def test_a_matcher_starts_with_heads_that_look_for_their_like(recipes) -> None:
    attn = recipes.pairs_trainer(1).model.encoder.blocks[0].attn
    assert np.array_equal(attn.W_K.data, attn.W_Q.data)
    other = recipes.tags_trainer(1).model.encoder.blocks[0].attn
    assert not np.array_equal(other.W_K.data, other.W_Q.data)


def test_a_tenth_of_a_file_is_held_out_by_the_seed(texts, tagged_file, pairs_file) -> None:
    from tfs.templates.conll import read_conll
    from tfs.templates.qqp import read_qqp

    for read, key in ((read_conll, lambda it: tuple(it[0])), (read_qqp, lambda it: it[:2])):
        path = tagged_file if read is read_conll else pairs_file
        sides = texts.read_sides(read, path, None, 0, key)
        assert sorted(map(repr, sides[0] + sides[1])) == sorted(map(repr, read(path)))
        assert len({key(it) for it in sides[1]}) == 6
        assert not {key(it) for it in sides[0]} & {key(it) for it in sides[1]}
        assert texts.read_sides(read, path, None, 0, key) == sides
        assert texts.read_sides(read, path, None, 1, key) != sides


def test_own_labels_are_those_of_both_files(texts, tagged_file, tmp_path) -> None:
    other = tmp_path / "other.conll"
    other.write_text("Rex I-ANIMAL\n")
    made = texts.sentences_of_files(tagged_file, other)
    assert made.reader.labels[:3] == ("O", "B-ANIMAL", "I-ANIMAL") and made.count == 1
    assert len(made.reader.labels) == 11 and made.held_out[0][3].tolist()[0][1] == 1


def test_long_texts_are_left_out_and_counted(texts, tagged_file, tmp_path) -> None:
    long = tmp_path / "long.conll"
    hundred = "word O\n" * 99 + "Ada B-PER\n"
    long.write_text(tagged_file.read_text() + "\n" + hundred + "\n" + "word O\n" * 300)
    made = texts.sentences_of_files(long, tagged_file)
    assert made.left_out == 1 and 102 <= made.n_ctx <= texts.LONGEST
    assert len(made.batches.examples) == 61


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Ada O\n\nBo O\n", "own.conll names nothing: each of its tags is O; tag the words"),
        ("Ada B-PER\n", "own.conll has one text only, and one must be held out"),
        ("word O\n" * 300 + "Ada B-PER\n\nBo B-PER\n", "has more than 256 tokens, the most"),
        ("", "own.conll has no sentence"),
    ],
)
def test_files_that_nothing_can_be_learnt_from(texts, tmp_path, content, says) -> None:
    path = tmp_path / "own.conll"
    path.write_text(content)
    with pytest.raises(ValueError, match=says) as error:
        texts.sentences_of_files(path)
    assert "\n" not in str(error.value)


def test_answers_of_labels_are_graded_as_they_stand() -> None:
    from tfs.numpy_engine import Tensor
    from tfs.numpy_engine.answers import Right, right_labels
    from tfs.numpy_engine.module import Module

    class Says(Module):
        def __init__(self, labels) -> None:
            self.labels = labels

        def forward(self, tokens, *_):
            return Tensor(np.eye(3)[self.labels])

    tokens = Tensor(np.zeros((2, 2), dtype=np.int64))
    true = Tensor(np.array([[1, -100], [2, 0]]))
    said = np.array([[1, 2], [2, 1]])
    batch = (tokens, tokens, Tensor(np.ones((2, 2), dtype=bool)), true)
    assert right_labels(Says(said), batch) == Right(2 / 3, 0.5)
    of_pairs = (*batch[:3], Tensor(np.array([0, 2])))
    assert right_labels(Says(np.array([0, 1])), of_pairs) == Right(0.5, 0.5)

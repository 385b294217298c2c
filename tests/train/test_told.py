"""What a model says of held-out pairs and labels, against a forward pass here."""

import pytest
import torch


@pytest.fixture
def told_by():
    """told_by(name) -> what a bundled model says of 3 examples, its bundle, task and batch."""
    import tfs
    from tfs.tasks.batch import seed_for
    from tfs.train.checkpoint import BUNDLED
    from tfs.train.recipe import read_recipe
    from tfs.train.told import SPARE, told

    def open_one(name):
        bundle, task = tfs.load(name), read_recipe(BUNDLED / name).make_task()
        drawn = task.sample(SPARE * 3, seed_for(5, "answers"), "held_out")
        return told(bundle.model, task, 3, seed=5), bundle, task, drawn

    return open_one


@pytest.mark.parametrize("name", ["dates", "numbers", "grammar"])
def test_a_text_is_written_as_translate_writes_it(told_by, name) -> None:
    from tfs.translate import translate

    said, bundle, task, drawn = told_by(name)
    for one, source, target in zip(said, drawn.source, drawn.target, strict=False):
        plain = task.tokenizer.plain
        assert one.question == plain(source.tolist())
        (written,) = translate(bundle.model, bundle.tokenizer, [one.question])
        guesses = [piece.guess for piece in one.pieces if piece.guess not in ("</s>", "")]
        truth = [piece.true for piece in one.pieces if piece.true not in ("</s>", "")]
        assert one.glue.join(guesses) == written
        assert one.glue.join(truth) == plain(target.tolist())
    assert sum(one.right for one in said) > 0.9 * sum(len(one.asked) for one in said)


def test_untrained_a_text_has_no_end_and_is_wrong(told_by) -> None:
    from tfs.train.told import NOTHING, told

    _, bundle, task, _ = told_by("dates")
    for one in told(bundle.at_step(0), task, 3):
        assert one.right < len(one.asked) / 2
        assert [piece.true for piece in one.pieces].count(NOTHING) > 0


def test_masked_words_are_those_that_can_be_known(told_by) -> None:
    said, bundle, task, drawn = told_by("masked-words")
    known = [r for r in range(len(drawn.tokens)) if drawn.counted[r].equal(drawn.answers[r])][:3]
    for one, row in zip(said, known, strict=True):
        real = drawn.token_mask[row]
        logits = bundle.model(drawn.tokens[row][real][None])[0]
        places = drawn.answers[row][real].nonzero()[:, 0].tolist()
        words = bundle.tokenizer.str_tokens(logits.argmax(-1).tolist())
        assert [piece.guess for piece in one.asked] == [words[place] for place in places]
        assert len(one.pieces) == real.sum() - 2
    assert sum(one.right for one in said) >= sum(len(one.asked) for one in said) - 1


def test_a_tag_stands_at_its_word(told_by) -> None:
    said, bundle, task, drawn = told_by("tags")
    for one, tokens, real, labels, asked in zip(
        said, drawn.tokens, drawn.token_mask, drawn.labels, drawn.loss_mask, strict=False
    ):
        text = task.tokenizer.plain(tokens[real].tolist()).strip()
        assert [piece.read for piece in one.pieces] == text.split() == one.question.split()
        assert [piece.true for piece in one.pieces] == [task.labels[n] for n in labels[asked]]
        logits = bundle.model(tokens[real][None])[0][asked[real]]
        assert [piece.guess for piece in one.pieces] == [task.labels[n] for n in logits.argmax(-1)]


def test_a_verdict_is_the_larger_logit() -> None:
    from tfs.tasks.batch import seed_for
    from tfs.train.recipe import Recipe
    from tfs.train.told import SPARE, told

    small = {"n_layers": 1, "d_model": 16, "n_heads": 2, "d_head": 8, "seed": 0}
    recipe = Recipe.from_dict({"task": {"name": "question-pairs"}, "model": small})
    task = recipe.make_task()
    model = recipe.kind(task).make()
    drawn = task.sample(SPARE * 4, seed_for(0, "answers"), "held_out")
    for one, row in zip(told(model, task, 4), range(4), strict=True):
        real = drawn.token_mask[row]
        with torch.no_grad():
            logits = model(drawn.tokens[row][real][None], drawn.segments[row][real][None])
        (piece,) = one.pieces
        assert piece.guess == task.labels[logits.argmax()]
        assert piece.true == task.labels[drawn.labels[row, 0]]
        text = task.tokenizer.plain(drawn.tokens[row][real].tolist())
        assert one.question.replace("| ", "") == text

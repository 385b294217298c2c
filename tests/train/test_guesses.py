"""What a model says: guesses against a forward pass here, and a probe that never changes."""

import pytest
import torch


@pytest.mark.parametrize("name", ["mirror", "induction"])
def test_guesses_are_the_largest_logits_at_the_answers(name) -> None:
    import tfs
    from tfs.tasks.batch import seed_for
    from tfs.train.guesses import answers
    from tfs.train.recipes import RECIPES

    model, task = tfs.load(name).model, RECIPES[name].make_task()
    said = answers(model, task, 8, seed=5)
    batch = task.sample(8, seed_for(5, "answers"), "held_out")
    for one, tokens, asked in zip(said, batch.tokens, batch.answer_mask, strict=True):
        logits = model(tokens[None])[0]
        places = asked.nonzero()[:, 0]
        assert one.guesses == [str(logits[p - 1].argmax().item()) for p in places]
        assert one.truth == [str(tokens[p].item()) for p in places]
        assert one.question.split() == [str(t) for t in tokens[: places[0]].tolist()]
    assert sum(one.right for one in said) > 0.95 * sum(len(one.truth) for one in said)


def test_a_model_that_knows_nothing_is_wrong() -> None:
    import tfs
    from tfs.train.guesses import answers

    bundle = tfs.load("mirror")
    said = answers(bundle.at_step(0), _task("mirror"), 8)
    assert sum(one.right for one in said) < 0.2 * sum(len(one.truth) for one in said)


def test_the_probe_is_one_held_out_sequence_of_its_seed() -> None:
    from tfs.train.guesses import probe

    task = _task("ioi")
    assert probe(task) == probe(task) != probe(task, seed=1)
    assert len(probe(task)) == task.n_ctx
    tokens = torch.tensor(probe(task))
    assert tokens.min() >= 0 and tokens.max() < task.d_vocab


def test_text_has_no_answers_to_grade() -> None:
    from tfs.tasks import make_task
    from tfs.train.guesses import is_text

    assert is_text(make_task("text", {"n_ctx": 16})) and not is_text(_task("copy"))


def _task(name):
    from tfs.tasks import make_task

    return make_task(name, {})

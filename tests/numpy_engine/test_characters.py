"""A text letter by letter: windows of it, its recipe, what is written, and what is right."""

import numpy as np
import pytest

TEXT = "she sells sea shells by the sea shore; " * 20


@pytest.fixture(scope="module")
def letters():
    from tfs.numpy_engine import characters

    return characters


def test_windows_are_of_the_text_and_the_same_whenever_they_are_asked_for(letters) -> None:
    tokens = np.arange(100) ** 2
    batches = letters.TextBatches(tokens, 8, 5, seed=1)
    (first,) = batches.at(3)
    assert first.shape == (5, 8) and np.array_equal(first.data, batches.at(3)[0].data)
    assert not np.array_equal(first.data, batches.at(4)[0].data)
    windows = np.lib.stride_tricks.sliding_window_view(tokens, 8).tolist()
    assert all(row in windows for row in first.data.tolist())
    (every,) = letters.TextBatches(tokens[:8], 8, 2).at(0)
    assert every.data.tolist() == [tokens[:8].tolist()] * 2


def test_a_tenth_is_held_out_and_the_loss_falls_below_a_blind_guess(letters) -> None:
    trainer = letters.character_trainer(TEXT, steps=12)
    cut = int(0.9 * len(TEXT))
    assert len(trainer.batches.tokens) == cut
    letters_of = sorted(set(TEXT))
    held_out = "".join(letters_of[i] for i in trainer.held_out[0].data[0])
    assert held_out in TEXT[cut:]
    losses = [step.loss for step in trainer.steps(12)]
    blind = np.log(len(letters_of))
    assert losses[0] == pytest.approx(blind, abs=0.1) and losses[-1] < blind - 0.1


@pytest.mark.parametrize("text", ["too short", "x" * 300])
def test_too_short_a_text_is_one_sentence(letters, text) -> None:
    with pytest.raises(ValueError, match="give a longer text"):
        letters.character_trainer(text)


def test_what_is_written_is_drawn_from_the_models_own_probabilities(letters) -> None:
    from tfs.numpy_engine import Tensor

    model = letters.character_trainer(TEXT).model
    tokens = letters.written(model, [3, 1, 4], 40, temperature=0.5, seed=7)
    assert tokens[:3] == [3, 1, 4] and len(tokens) == 43
    draw = np.random.default_rng(7)
    for place in range(3, 43):
        logits = model(Tensor(np.array([tokens[max(0, place - 32) : place]]))).data[0, -1]
        probs = np.exp(2 * logits.astype(float))
        assert tokens[place] == draw.choice(len(probs), p=probs / probs.sum())


def test_right_answers_are_counted_from_the_first_answer_on() -> None:
    from tfs.numpy_engine import Tensor
    from tfs.numpy_engine.answers import guesses, right_answers

    tokens = Tensor(np.array([[0, 1, 2, 3], [0, 1, 1, 3]]))

    def one_more(seen: Tensor) -> Tensor:
        return Tensor(np.eye(5)[seen.data + 1])

    assert guesses(one_more, tokens).tolist() == [[1, 2, 3], [1, 2, 2]]
    assert right_answers(one_more, tokens) == (4 / 6, 0.5)
    assert right_answers(one_more, tokens, first=3) == (0.5, 0.5)


@pytest.mark.parametrize(("d_vocab", "n_ctx"), [(100, 16), (7, 2), (10, 8)])
def test_no_model_of_the_mirror_task_is_below_its_floor(d_vocab, n_ctx) -> None:
    """One that knows the task: blind in the first half but for its first token, sure after it."""
    from tfs.numpy_engine import MirrorBatches

    each = [np.log(d_vocab)] * (n_ctx // 2 - 1) + [0.0] * (n_ctx // 2)
    assert MirrorBatches(d_vocab, n_ctx).floor() == pytest.approx(np.mean(each))


def test_the_command_writes_and_saves_what_tfs_opens(capsys, tmp_path) -> None:
    import tfs
    from tfs.numpy_engine.__main__ import main

    (tmp_path / "shells.txt").write_text(TEXT)
    letters = len(set(TEXT))
    command = ["characters", "--file", str(tmp_path / "shells.txt"), "--steps", "20"]
    assert main([*command, "--out", str(tmp_path / "shells")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("held-out loss ") and f"a blind guess's {np.log(letters):.4f}" in said
    bundle = tfs.load(tmp_path / "shells")
    assert bundle.tokenizer.d_vocab == bundle.model.cfg.d_vocab == letters
    assert "in the manner of shells.txt" in bundle.card


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "there is no file"), (b"ab", "give a longer text"), (b"\xff", "is no UTF-8")],
)
def test_a_text_that_cannot_be_read_is_one_sentence(capsys, tmp_path, content, says) -> None:
    from tfs.numpy_engine.__main__ import main

    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    assert main(["characters", "--file", str(path)]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1

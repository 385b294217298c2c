import string

import pytest
import torch

TEXT = string.printable  # 100 distinct characters: a window shows where it was taken


@pytest.fixture
def make_task():
    from tfs.tasks import TextTask
    from tfs.tokenizers import CharTokenizer

    def make(text=TEXT, n_ctx=4, **more):
        return TextTask(text, CharTokenizer(sorted(set(text))), n_ctx, **more)

    return make


class TwoCharacters:
    """A tokenizer whose tokens are pairs of characters."""

    d_vocab = 128 * 128

    def encode(self, text):
        pairs = zip(text[::2], text[1::2] + " ", strict=False)
        return [128 * ord(first) + ord(second) for first, second in pairs]

    def decode(self, ids):
        return "".join(chr(i // 128) + chr(i % 128) for i in ids)

    def str_tokens(self, text_or_ids):
        return [self.decode([i]) for i in text_or_ids]


@pytest.mark.parametrize("length", [10, 19, 100, 101])
def test_the_last_tenth_of_the_characters_is_held_out(length):
    from tfs.tasks.text import split_text

    train, held_out = split_text("x" * length)
    assert len(train) == int(0.9 * length) and len(train + held_out) == length


def test_the_split_is_by_characters_whatever_the_tokenizer(make_task):
    from tfs.tasks import TextTask

    pairs, single = TextTask(TEXT, TwoCharacters(), 4), make_task()
    assert pairs.held_out_characters == single.held_out_characters == 10
    assert pairs.tokenizer.decode(pairs.tokens["held_out"].tolist()) == TEXT[90:]
    assert len(pairs.tokens["train"]) == 45 and len(single.tokens["train"]) == 90


@pytest.mark.parametrize(("split", "part"), [("train", TEXT[:90]), ("held_out", TEXT[90:])])
@pytest.mark.parametrize("n_ctx", [4, 10])
def test_windows_are_taken_everywhere_in_their_split_and_nowhere_else(
    make_task, split, part, n_ctx
):
    task = make_task(n_ctx=n_ctx)
    tokens, loss_mask, answer_mask = task.sample(2000, seed=0, split=split)
    windows = {task.tokenizer.decode(window.tolist()) for window in tokens}
    assert windows == {part[i : i + n_ctx] for i in range(len(part) - n_ctx + 1)}
    assert loss_mask[0].tolist() == answer_mask[0].tolist() == [False] + [True] * (n_ctx - 1)


def test_a_batch_is_a_function_of_its_seed(make_task):
    task = make_task()
    draws = [task.sample(8, seed).tokens for seed in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abcd" * 9, "held-out part of the text has 4 tokens, fewer than n_ctx = 5"),
        ("abcd", "train part of the text has 3 tokens, fewer than n_ctx = 5"),
    ],
)
def test_a_text_that_is_too_short(make_task, text, message):
    with pytest.raises(ValueError, match=message):
        make_task(text, n_ctx=5)


def test_a_text_task_knows_its_name_and_vocabulary_but_no_floor(make_task):
    task = make_task(name="printable")
    assert (task.name, task.d_vocab, task.n_ctx, task.floor()) == ("printable", 100, 4, None)

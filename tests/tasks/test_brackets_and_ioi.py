"""Brackets that match, and the small grammar of two names."""

import math
from itertools import product

import pytest
import torch


def test_every_string_matches_and_answers_are_what_closes(t) -> None:
    task = t.BracketsTask(kinds=2, length=12)
    tokens, loss_mask, answer_mask = task.sample(500, seed=0)
    for text in (task.tokenizer.decode(row).replace(" ", "") for row in tokens.tolist()):
        while "()" in text or "[]" in text:
            text = text.replace("()", "").replace("[]", "")
        assert not text
    assert torch.equal(answer_mask, tokens >= 2)
    assert loss_mask[:, 1:].all() and not loss_mask[:, 0].any()


@pytest.mark.parametrize(("kinds", "length"), [(2, 6), (3, 4)])
def test_the_floor_by_counting_every_string(t, kinds, length) -> None:
    """All strings with their probabilities, from the words of the docstring."""
    task, entropy, total = t.BracketsTask(kinds, length), 0.0, 0.0
    for string in product(range(2 * kinds), repeat=length):
        p, stack = 1.0, []
        for place, token in enumerate(string):
            free = 0 < len(stack) < length - place
            if token < kinds and len(stack) < length - place:
                p *= (0.5 if free else 1.0) / kinds
                stack.append(token)
            elif token >= kinds and stack and stack.pop() == token - kinds:
                p *= 0.5 if free else 1.0
            else:
                p = 0.0
                break
        total += p
        entropy -= p * math.log(p * kinds) if p else 0.0  # the first bracket is not predicted
    assert total == pytest.approx(1.0)
    assert task.floor() == pytest.approx(entropy / (length - 1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"kinds": 1}, "kinds .* not 1"), ({"kinds": 5}, "not 5"), ({"length": 7}, "length .* not 7")],
)
def test_brackets_that_cannot_be(t, fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        t.BracketsTask(**fields)


def test_the_answer_is_the_name_that_is_not_repeated(t) -> None:
    from tfs.tasks.ioi import NAMES, TEMPLATES

    task = t.IOITask()
    tokens, loss_mask, answer_mask = task.sample(600, seed=0)
    assert (answer_mask.sum(1) == 1).all()
    seen = {"templates": set(), "giver is first": 0}
    for row, counted, answer in zip(tokens.tolist(), loss_mask, answer_mask, strict=True):
        words = task.tokenizer.str_tokens(row)
        names = [word for word in words if word in NAMES]
        first, second, giver, receiver = names
        assert first != second and {giver, receiver} == {first, second}
        place = answer.nonzero().item()
        assert words[place] == receiver and place == max(
            i for i, word in enumerate(words) if word in NAMES
        )
        assert words[0] == "<s>" and all(word == "." for word in words[place + 1 :])
        assert counted.nonzero().squeeze(1).tolist() == list(range(1, place + 1))
        seen["templates"].add(words[1])
        seen["giver is first"] += giver == first
    assert seen["templates"] == {template[0] for template in TEMPLATES}
    assert seen["giver is first"] / 600 == pytest.approx(0.5, abs=0.08)


def test_a_fifth_of_the_pairs_of_names_is_held_out(t) -> None:
    from tfs.tasks.ioi import NAMES

    task = t.IOITask()
    sides = {}
    for split in ("train", "held_out"):
        pairs = set()
        for row in task.sample(3000, seed=1, split=split).tokens.tolist():
            words = task.tokenizer.str_tokens(row)
            pairs.add(frozenset(word for word in words if word in NAMES))
        sides[split] = pairs
    assert not sides["train"] & sides["held_out"]
    counts = {split: len(pairs) for split, pairs in task.pairs.items()}
    assert sum(counts.values()) == len(NAMES) * (len(NAMES) - 1) // 2
    assert counts["held_out"] / sum(counts.values()) == pytest.approx(0.2, abs=0.03)
    for split in counts:
        assert task.pairs[split].unique().tolist() == list(range(len(NAMES)))
    vocab = task.tokenizer.vocab
    assert vocab[task.first_name : task.first_name + len(NAMES)] == NAMES

"""Masked words: how many, what becomes of them, and which can be told."""

import pytest
import torch


@pytest.fixture(scope="module")
def task(t):
    return t.MaskedWordsTask()


def test_a_batch_is_marked_as_promised(t, task) -> None:
    assert isinstance(task, t.LabelledTask) and task.floor() is None
    assert len(task.labels) == task.d_vocab and task.labels[3] == "[MASK]"
    tokens, token_mask, segments, labels, loss_mask, answer_mask = task.sample(500, seed=0)
    pad, cls, sep = (task.tokenizer.mark_id(mark) for mark in ("[PAD]", "[CLS]", "[SEP]"))
    assert torch.equal(token_mask, tokens != pad) and not segments.any()
    assert (tokens[:, 0] == cls).all() and tokens.shape[1] <= task.n_ctx
    last = token_mask.sum(1) - 1
    assert (tokens[torch.arange(500), last] == sep).all()
    assert (labels[loss_mask] >= 4).all()
    assert torch.equal(tokens[~loss_mask], labels[~loss_mask])
    assert not (answer_mask & ~loss_mask).any()
    words = token_mask.sum(1) - 2
    assert torch.equal(loss_mask.sum(1), (0.15 * words).round().clamp(min=1).long())
    same, other = task.sample(500, seed=0), task.sample(500, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(same, task.sample(500, seed=0), strict=True))
    assert not torch.equal(same.tokens[:, :5], other.tokens[:, :5])


def test_of_the_chosen_words_80_percent_are_masked_and_10_random(task) -> None:
    tokens, _, _, labels, chosen, _ = task.sample(8000, seed=2)
    shown, true = tokens[chosen], labels[chosen]
    n = len(shown)
    assert n > 8000
    masked = shown == task.tokenizer.mark_id("[MASK]")
    assert masked.sum().item() / n == pytest.approx(0.8, abs=0.02)
    replaced = ~masked & (shown != true)
    assert replaced.sum().item() / n == pytest.approx(0.1, abs=0.015)
    assert set(shown[replaced].tolist()) == set(range(4, task.d_vocab))
    assert chosen.any(0)[1:-1].all()


def test_what_can_be_known_follows_from_the_words_left_standing(task) -> None:
    """The article from its noun, "ne" from "pa": by the rules of the language, word by word."""
    from tfs.tasks.two_languages import ARTICLES, FEMININE, VELU_NOUNS

    tokens, _, _, labels, chosen, known = task.sample(3000, seed=4)
    kinds = set()
    for row in range(len(tokens)):
        words = task.tokenizer.str_tokens(labels[row].tolist())
        for place in known[row].nonzero().flatten().tolist():
            word = words[place]
            kinds.add(word)
            if word in ("ne", "pa"):
                other = place + (2 if word == "ne" else -2)
                assert not chosen[row, other]
                assert words[other] == {"ne": "pa", "pa": "ne"}[word]
                continue
            noun = words[place + 1]
            assert not chosen[row, place + 1]
            plural = noun not in VELU_NOUNS
            number = VELU_NOUNS.index(noun.removesuffix("im") if plural else noun)
            case = next(name for name, forms in ARTICLES.items() if word in forms)
            assert ARTICLES[case][(number in FEMININE) + 2 * plural] == word
    assert kinds == {"ne", "pa"} | {word for forms in ARTICLES.values() for word in forms}


def test_held_out_sentences_are_the_grammars(t, task) -> None:
    from tfs.tasks.grammar import draw_sentences
    from tfs.tasks.two_languages import text_of, velu

    sides = {}
    for split in ("train", "held_out"):
        batch = task.sample(300, seed=7, split=split)
        sides[split] = {task.tokenizer.plain(row) for row in batch.labels.tolist()}
        assert sides[split] == {text_of(velu(tree)) for tree in draw_sentences(300, 7, split)}
    assert not sides["train"] & sides["held_out"]

"""Named entities whose names never occur in training."""

import re

import pytest
import torch


@pytest.fixture(scope="module")
def task(t):
    return t.TagsTask()


def sentences(task, batch):
    """(words, tags) of each row, from the tensors alone."""
    for row in range(len(batch.tokens)):
        first = batch.loss_mask[row].nonzero().flatten().tolist()
        end = int(batch.token_mask[row].sum()) - 1
        ids = batch.tokens[row].tolist()
        bounds = [*first, end]
        words = [
            task.tokenizer.plain(ids[a:b]).strip()
            for a, b in zip(bounds[:-1], bounds[1:], strict=True)
        ]
        yield words, [task.labels[label] for label in batch.labels[row, first].tolist()]


def test_a_batch_is_marked_as_promised(t, task) -> None:
    assert isinstance(task, t.LabelledTask) and task.floor() is None
    batch = task.sample(300, seed=0)
    pad, cls, sep = (task.tokenizer.mark_id(mark) for mark in ("[PAD]", "[CLS]", "[SEP]"))
    assert torch.equal(batch.token_mask, batch.tokens != pad) and not batch.segments.any()
    assert (batch.tokens[:, 0] == cls).all() and (batch.tokens == sep).sum() == 300
    assert torch.equal(batch.answer_mask, batch.loss_mask)
    assert not batch.labels[~batch.loss_mask].any()
    assert not (batch.loss_mask & ((batch.tokens == sep) | (batch.tokens == cls))).any()
    assert batch.tokens.shape[1] <= task.n_ctx and int(batch.tokens.max()) < task.d_vocab
    again = t.TagsTask().sample(300, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert not torch.equal(batch.tokens[:, :5], task.sample(300, seed=1).tokens[:, :5])


def test_a_sentence_literally(task) -> None:
    words = "Tomira Vedan flew from Port Kaselo to Bali on 3 May 1994 .".split()
    tags = "B-PER I-PER O O B-LOC I-LOC O B-LOC O B-DATE I-DATE I-DATE O".split()
    batch = task.batch([(words, tags)])
    assert list(sentences(task, batch)) == [(words, tags)]
    ids, first = task.read(words)
    assert ids == batch.tokens[0].tolist()
    assert task.tokenizer.decode(ids) == "[CLS] " + " ".join(words) + "[SEP]"
    assert len(first) == 13 and first[0] == 1 and len(ids) > 15  # some words have several pieces


def test_names_of_the_two_sides_have_nothing_in_common(task) -> None:
    from tfs.templates.entities import MONTHS, TEMPLATES

    common = {word for template in TEMPLATES for word in template} | set(MONTHS)
    common |= set("Port New on Bank & Sons University of".split())
    names = {}
    for split in ("train", "held_out"):
        spoken = sentences(task, task.sample(1000, seed=2, split=split))
        words = {word for words, _ in spoken for word in words} - common
        names[split] = {word for word in words if re.fullmatch("[A-Z][a-z]+", word)}
        assert names[split] <= set(task.names[split])
        rest = words - names[split]
        assert all(re.fullmatch(r"\d+|[A-Z]\.", word) for word in rest)
    assert len(names["train"]) > 1500 and len(names["held_out"]) > 1200
    assert not names["train"] & names["held_out"]
    everybody = task.names["train"] + task.names["held_out"]
    assert len(everybody) == len(set(everybody)) == 29_400
    assert len(task.names["held_out"]) / len(everybody) == pytest.approx(0.2, abs=0.01)
    assert not set(everybody) & common


def test_every_sentence_has_a_name_so_that_the_sides_share_no_text(task) -> None:
    from tfs.templates.entities import TEMPLATES

    assert all({"PER", "LOC", "ORG"} & set(template) for template in TEMPLATES)


def test_what_stands_around_a_name_tells_its_kind() -> None:
    from tfs.templates.entities import KINDS, TEMPLATES

    blank = [tuple("_" if word in KINDS else word for word in words) for words in TEMPLATES]
    assert len(set(blank)) == len(TEMPLATES)


def test_the_same_names_are_people_places_and_companies(t, task) -> None:
    seen = {kind: set() for kind in ("PER", "LOC", "ORG", "DATE")}
    for words, tags in sentences(task, task.sample(3000, seed=3)):
        assert len(words) == len(tags)
        for kind, start, end in t.entity_spans(tags):
            assert tags[start] == f"B-{kind}" and 1 <= end - start <= 3
            seen[kind].add(" ".join(words[start:end]))
    dates = r"(\d{1,2} )?([A-Z][a-z]+ )?\d{4}"
    assert all(re.fullmatch(dates, date) for date in seen["DATE"])
    assert seen["PER"] & seen["LOC"] and seen["LOC"] & seen["ORG"]


def test_a_sentence_that_is_too_long_or_a_tag_that_is_none(task) -> None:
    with pytest.raises(ValueError, match="has 102 tokens; 96 are allowed"):
        task.read(["."] * 100)
    with pytest.raises(ValueError):
        task.batch([(["Ada"], ["B-ANIMAL"])])


def test_its_tokenizer_survives_the_disk(task, tmp_path) -> None:
    from tfs.tokenizers import load_tokenizer, save_tokenizer

    save_tokenizer(task.tokenizer, tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    for row in task.sample(20, seed=0, split="held_out").tokens.tolist():
        assert loaded.encode(task.tokenizer.decode(row)) == row

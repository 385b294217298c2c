"""The checkpoints that come with the project are as good as their cards say."""

import os
import re
from pathlib import Path

import pytest
import torch

NAMES = ["induction", "induction-4-heads", "mirror", "mirror-no-positions", "shakespeare"]
PAIRS = ["dates", "grammar", "numbers"]
LABELS = ["masked-words", "tags"]
MOST_BYTES, MOST_BYTES_OF_THE_OTHERS = 30 * 10**6, 25 * 10**6


@pytest.fixture
def bundle():
    import tfs

    return tfs.load


def stated(card: str, what: str) -> float:
    return float(re.search(rf"\*\*{what}\*\*: ([\d.]+)", card)[1])


def test_all_are_there_and_small_enough_together() -> None:
    from tfs.train.checkpoint import BUNDLED, bundled_names

    assert bundled_names() == sorted(NAMES + PAIRS + LABELS)
    assert bundled_names("decoder-only") == NAMES
    for names, most in ((NAMES, MOST_BYTES), (PAIRS + LABELS, MOST_BYTES_OF_THE_OTHERS)):
        files = (file for name in names for file in (BUNDLED / name).rglob("*"))
        assert sum(file.stat().st_size for file in files if file.is_file()) < most


@pytest.mark.parametrize("name", NAMES + PAIRS + LABELS)
def test_each_card_says_how_it_was_made(bundle, name) -> None:
    card = bundle(name).card
    assert f"python -m tfs train {name}" in card
    for part in ("Model", "Data", "Training", "Time", "Held-out loss", "Limits", "seed"):
        assert part in card


@pytest.mark.parametrize(
    ("name", "loss", "accuracy"),
    [
        ("mirror", 2.17, 0.99),
        ("mirror-no-positions", 2.2, 0.98),
        ("induction", 1.975, 0.99),
        ("induction-4-heads", 1.975, 0.99),
    ],
)
def test_synthetic_tasks_are_learned(bundle, name, loss, accuracy) -> None:
    from tfs.train import evaluate
    from tfs.train.recipes import RECIPES

    batch = RECIPES[name].make_task().sample(2048, seed=1, split="held_out")
    measured = evaluate(bundle(name).model, batch)
    assert measured.loss < loss and measured.accuracy > accuracy
    assert measured.loss == pytest.approx(stated(bundle(name).card, "Held-out loss"), abs=0.02)


@pytest.mark.parametrize("name", ["mirror", "induction", "induction-4-heads", *PAIRS, *LABELS])
def test_snapshots_lead_from_the_start_to_the_model(bundle, name) -> None:
    opened = bundle(name)
    assert opened.snapshots[0] == 0 and len(opened.snapshots) >= 10
    last = opened.at_step(opened.snapshots[-1])
    assert all(torch.equal(p, last.get_parameter(n)) for n, p in opened.model.named_parameters())
    first = dict(opened.at_step(0).named_parameters())
    assert any(not torch.equal(p, first[name]) for name, p in opened.model.named_parameters())


@pytest.mark.parametrize(("name", "exact"), [("dates", 0.98), ("numbers", 0.99), ("grammar", 0.97)])
def test_pairs_never_seen_are_written_token_by_token(bundle, name, exact) -> None:
    """What the card says was measured with the true tokens before each; this is not."""
    from tfs.tasks import make_pair_task
    from tfs.translate import translate

    opened, task = bundle(name), make_pair_task(name, {})
    batch, plain = task.sample(1000, seed=1, split="held_out"), opened.tokenizer.plain
    sources, targets = ([plain(row) for row in rows.tolist()] for rows in (batch[0], batch.target))
    written = translate(opened.model, opened.tokenizer, sources)
    right = sum(text == target for text, target in zip(written, targets, strict=True))
    assert right / len(targets) > exact


def test_names_never_seen_are_found(bundle) -> None:
    from tfs.tasks import TagsTask, span_scores

    opened, task = bundle("tags"), TagsTask()
    assert opened.model.labels == task.labels
    batch = task.sample(1000, seed=1, split="held_out")
    said = batch.predictions(opened.model).argmax(-1)
    said, true = (
        [
            [task.labels[label] for label in row[asked].tolist()]
            for row, asked in zip(labels, batch.loss_mask, strict=True)
        ]
        for labels in (said, batch.labels)
    )
    assert span_scores(said, true, kinds=("PER", "LOC", "ORG")).f1 > 0.95


def test_masked_words_are_told_where_they_can_be_known(bundle) -> None:
    from tfs.tasks import MaskedWordsTask
    from tfs.train import evaluate

    batch = MaskedWordsTask().sample(1000, seed=1, split="held_out")
    assert evaluate(bundle("masked-words").model, batch).accuracy > 0.98


LOSS_MARGIN, EXACT_MARGIN = 2.0, 0.9  # nats per counted token; share of texts that are all right


@pytest.mark.parametrize("name", PAIRS + LABELS)
def test_what_was_trained_beats_the_same_model_untrained_by_far(bundle, name) -> None:
    """On 500 examples that neither saw: 2 nats less per counted token, and at least 90 points more
    of the examples right as a whole, of which a random model gets none.
    """
    from tfs.model import kind_of
    from tfs.tasks import make_labelled_task, make_pair_task
    from tfs.train import evaluate

    model = bundle(name).model
    make_task = make_pair_task if name in PAIRS else make_labelled_task
    batch = make_task(name, {}).sample(500, seed=2, split="held_out")
    trained, untrained = evaluate(model, batch), evaluate(kind_of(model).make(), batch)
    assert untrained.loss - trained.loss > LOSS_MARGIN
    assert trained.exact - untrained.exact > EXACT_MARGIN


def test_induction_has_a_previous_token_head_and_an_induction_head(bundle) -> None:
    from tfs.interp import head_scores
    from tfs.tasks import RepeatedTokensTask

    tokens = RepeatedTokensTask().sample(64, seed=2).tokens
    scores = head_scores(bundle("induction").model, tokens)
    assert scores["previous token"][0].max() > 0.3
    assert scores["induction"][1].max() > 0.8


@pytest.mark.slow
def test_shakespeare_costs_what_its_card_says(bundle) -> None:
    if not Path(os.environ.get("TFS_DATA_DIR", ""), "tinyshakespeare.txt").is_file():
        pytest.skip("Tiny Shakespeare is not in TFS_DATA_DIR")
    from tfs.tasks.corpus import tiny_shakespeare
    from tfs.tasks.text import split_text
    from tfs.train import nats_per_character

    opened = bundle("shakespeare")
    held_out = split_text(tiny_shakespeare())[1]
    tokens = torch.tensor(opened.tokenizer.encode(held_out))
    measured = nats_per_character(opened.model, tokens, len(held_out))
    assert measured < 1.45
    assert measured == pytest.approx(stated(opened.card, "Held-out loss"), abs=1e-3)

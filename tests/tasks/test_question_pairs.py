"""Two questions that ask the same, or the same words that do not."""

import pytest
import torch


@pytest.fixture(scope="module")
def task(t):
    return t.QuestionPairsTask()


def questions(task, batch):
    """(first, second, same) of each row, from the tensors alone."""
    for row in range(len(batch.tokens)):
        ids, second = batch.tokens[row], batch.segments[row].bool()
        halves = [ids[batch.token_mask[row] & ~second], ids[second]]
        first, other = (task.tokenizer.plain(half.tolist()) for half in halves)
        yield first, other, bool(batch.labels[row, 0])


def test_a_pair_literally(t, task) -> None:
    assert isinstance(task, t.LabelledTask) and task.labels == ("different", "same")
    assert task.floor() == 0.0
    pair = ("is Ada older than Ben ?", "is Ben younger than Ada ?", True)
    batch = task.batch([pair, ("did Ada teach Ben ?", "is Ben the teacher of Ada ?", False)])
    shown = [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
    assert shown[0] == "[CLS] is Ada older than Ben ? [SEP] is Ben younger than Ada ? [SEP]"
    assert batch.segments[0].tolist() == [0] * 8 + [1] * 7
    assert shown[1].endswith("of Ada ? [SEP]")
    assert batch.labels[:, 0].tolist() == [1, 0] and not batch.labels[:, 1:].any()
    assert batch.loss_mask[:, 0].all() and not batch.loss_mask[:, 1:].any()
    assert list(questions(task, batch))[0] == pair


def test_batches_are_seeded_and_marked(t, task) -> None:
    batch = task.sample(400, seed=0)
    again = t.QuestionPairsTask().sample(400, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert not torch.equal(batch.tokens[:, :6], task.sample(400, seed=1).tokens[:, :6])
    assert torch.equal(batch.token_mask, batch.tokens != task.tokenizer.mark_id("[PAD]"))
    assert not (batch.segments.bool() & ~batch.token_mask).any()
    assert ((batch.tokens == task.tokenizer.mark_id("[SEP]")).sum(1) == 2).all()
    assert batch.tokens.shape[1] <= task.n_ctx
    assert batch.labels[:, 0].float().mean() == pytest.approx(0.5, abs=0.07)
    assert torch.equal(batch.answer_mask, batch.loss_mask)


MEANINGS = {  # what each form says of (first name, second name); written from the forms alone
    "older": ("is X older than Y ?", "is it X who is older than Y ?", "was X born before Y ?"),
    "younger": ("is X younger than Y ?",),
    "taught": ("did X teach Y ?", "is X the teacher of Y ?"),
    "was taught by": ("did X learn from Y ?", "was X taught by Y ?"),
}


def test_forms_mean_what_a_reader_says(task) -> None:
    """Of two relations, every pair is judged again by who is the elder, or the teacher."""
    judged = 0
    for first, second, same in questions(task, task.sample(4000, seed=3)):
        facts = [_fact(first), _fact(second)]
        if None not in facts:
            judged += 1
            assert (facts[0] == facts[1]) == same
    assert judged > 800


def _fact(question):
    from tfs.tasks.ioi import NAMES

    one, other = dict.fromkeys(word for word in question.split() if word in NAMES)
    form = " ".join({one: "X", other: "Y"}.get(word, word) for word in question.split())
    meaning = next((key for key, forms in MEANINGS.items() if form in forms), None)
    facts = {
        "older": ("older", one, other),
        "younger": ("older", other, one),
        "taught": ("taught", one, other),
        "was taught by": ("taught", other, one),
    }
    return facts.get(meaning)


def test_the_words_without_their_order_tell_nothing(task) -> None:
    """Naive Bayes of the words of both questions and their pairs, trained on 6,000, is at chance;
    and each bag of words of a pair is as often the same as not.
    """
    train, test = (
        list(questions(task, task.sample(n, seed=9, split=split)))
        for n, split in ((6000, "train"), (3000, "held_out"))
    )
    counts = {True: {}, False: {}}
    for first, second, same in train:
        for feature in _features(first, second):
            counts[same][feature] = counts[same].get(feature, 0) + 1
    right = 0
    for first, second, same in test:
        score = 0.0
        for feature in _features(first, second):
            yes, no = (1 + counts[label].get(feature, 0) for label in (True, False))
            score += torch.log(torch.tensor(yes / no)).item()
        right += (score > 0) == same
    assert right / len(test) == pytest.approx(0.5, abs=0.04)


def _features(first, second):
    bags = [sorted(set(question.split())) for question in (first, second)]
    yield from (("first", word) for word in bags[0])
    yield from (("second", word) for word in bags[1])
    yield (*bags[0], "|", *bags[1])


def test_each_bag_of_words_is_as_often_the_same_as_not(t) -> None:
    task = t.QuestionPairsTask()
    task.names["train"] = task.names["train"][:6]
    labels_of = {}
    for first, second, same in questions(task, task.sample(10_000, seed=5)):
        bag = tuple(tuple(sorted(question.split())) for question in (first, second))
        labels_of.setdefault(bag, []).append(same)
    shares = torch.tensor([sum(labels) / len(labels) for labels in labels_of.values()])
    counts = torch.tensor([len(labels) for labels in labels_of.values()])
    assert len(labels_of) == 6 * (29 * 2 + 24) and counts.min() > 4
    spread = (shares - 0.5) * counts.sqrt() * 2  # of order 1 where the share is a half
    assert spread.square().mean().item() == pytest.approx(1.0, abs=0.3)


def test_held_out_pairs_have_names_and_forms_that_never_met(task) -> None:
    from tfs.tasks.ioi import NAMES

    met = {}
    for split in ("train", "held_out"):
        names, forms = set(), set()
        for first, second, _ in questions(task, task.sample(6000, seed=6, split=split)):
            people = [word for word in first.split() if word in NAMES]
            names.add(frozenset(people))
            blank = [
                " ".join("_" if word in NAMES else word for word in question.split())
                for question in (first, second)
            ]
            forms.add(frozenset(blank))
        met[split] = names, forms
    assert not met["train"][0] & met["held_out"][0]
    assert not met["train"][1] & met["held_out"][1]
    assert len(met["train"][1]) == 29 + 24 and len(met["held_out"][1]) == 7
    single = [{form for pair in met[split][1] for form in pair} for split in met]
    assert single[1] <= single[0]  # each form by itself is known

"""Two questions that ask the same; or the same words exchanged; or something else, or of others."""

import random

import pytest
import torch

KINDS = ("same", "exchanged", "another relation", "other people")


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


def taken_apart(question):
    """(people in order, the words without them)"""
    from tfs.templates.questions import PEOPLE

    words = question.split()
    form = " ".join("_" if word in PEOPLE else word for word in words)
    return [word for word in words if word in PEOPLE], form


def test_a_pair_literally(t, task) -> None:
    assert isinstance(task, t.LabelledTask) and task.labels == ("different", "same")
    assert task.floor() == 0.0
    pair = ("is Ada older than Edith ?", "was Ada born before Edith ?", True)
    batch = task.batch([pair, ("did Ada teach Edith ?", "is Edith the teacher of Ada ?", False)])
    shown = [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
    assert shown[0] == "[CLS] is Ada older than Edith ? [SEP] was Ada born before Edith ? [SEP]"
    assert batch.segments[0].tolist() == [0] * 8 + [1] * 7
    assert shown[1].endswith("teacher of Ada ? [SEP]")
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


RELATION = {  # what each form asks of _ and _, in this order; written by hand
    "is _ older than _ ?": "older",
    "was _ born before _ ?": "older",
    "has _ lived longer than _ ?": "older",
    "is _ taller than _ ?": "taller",
    "does _ tower over _ ?": "taller",
    "has _ grown higher than _ ?": "taller",
    "did _ lend money to _ ?": "lender",
    "is _ owed money by _ ?": "lender",
    "did _ give _ a loan ?": "lender",
    "did _ sell _ a house ?": "seller",
    "did _ sell a house to _ ?": "seller",
    "did the house of _ go to _ ?": "seller",
    "is _ the mother of _ ?": "mother",
    "did _ give birth to _ ?": "mother",
    "does _ call _ her child ?": "mother",
    "did _ teach _ ?": "teacher",
    "is _ the teacher of _ ?": "teacher",
    "did _ give lessons to _ ?": "teacher",
    "did _ beat _ ?": "winner",
    "did _ win against _ ?": "winner",
    "was _ too strong for _ ?": "winner",
    "did _ write to _ ?": "writer",
    "did _ send _ a letter ?": "writer",
    "has _ posted a letter to _ ?": "writer",
}


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_every_label_is_what_a_reader_says(task, split) -> None:
    """The same: the same relation of the same two, in the same order."""
    met = set()
    for first, second, same in questions(task, task.sample(3000, seed=3, split=split)):
        (people, form), (others, other) = taken_apart(first), taken_apart(second)
        assert (people == others and RELATION[form] == RELATION[other]) == same
        met |= {form, other}
    assert met == set(RELATION)


def test_kinds_of_difference_come_in_their_shares(task) -> None:
    counts = dict.fromkeys(KINDS, 0)
    for first, second, same in questions(task, task.sample(8000, seed=4)):
        (people, form), (others, other) = taken_apart(first), taken_apart(second)
        if RELATION[form] != RELATION[other]:
            counts["another relation"] += people == others
        elif set(people) != set(others):
            counts["other people"] += 1
        else:
            counts["same" if same else "exchanged"] += 1
            assert same == (people == others)
    shares = [count / 8000 for count in counts.values()]
    assert shares == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 8], abs=0.02)


def test_the_words_without_their_order_are_right_of_three_in_four(task) -> None:
    """The best that can be said of the two bags of words: the same where they name the same people
    and relation. Exchanged names are such a pair, too, so it is wrong about every fourth one.
    """
    right = 0
    for first, second, same in questions(task, task.sample(8000, seed=5, split="held_out")):
        (people, form), (others, other) = taken_apart(first), taken_apart(second)
        says = set(people) == set(others) and RELATION[form] == RELATION[other]
        right += says == same
    assert right / 8000 == pytest.approx(0.75, abs=0.02)


def test_a_logistic_regression_on_words_is_at_chance(task) -> None:
    """One weight for each word of each question, trained on 6,000 pairs: no word tells anything."""

    def bags(batch):
        rows = torch.zeros(len(batch.tokens), 2 * task.d_vocab)
        places = batch.tokens + task.d_vocab * batch.segments
        return rows.scatter_add_(1, places, batch.token_mask.float()), batch.labels[:, 0].float()

    (x, y), (x_out, y_out) = (
        bags(task.sample(n, 9, split)) for n, split in ((6000, "train"), (3000, "held_out"))
    )
    weight = torch.zeros(x.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([weight], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(x @ weight, y).backward()
        optimizer.step()
    right = ((x_out @ weight > 0) == (y_out > 0)).float().mean().item()
    assert right == pytest.approx(0.5, abs=0.05)


def test_held_out_people_never_met_in_training(task) -> None:
    met = {}
    for split in ("train", "held_out"):
        pairs = set()
        for first, second, _ in questions(task, task.sample(6000, seed=6, split=split)):
            pairs |= {frozenset(taken_apart(question)[0]) for question in (first, second)}
        met[split] = pairs
    assert not met["train"] & met["held_out"]
    assert len(met["train"]) == 115 and len(met["held_out"]) == 21
    assert set().union(*met["held_out"]) <= set().union(*met["train"])  # each by itself is known


LEARNED = 0.93  # of the held-out pairs; words without their order are right of 0.75
OF_EACH_KIND = 0.8


@pytest.mark.slow
def test_a_small_encoder_learns_it(task) -> None:
    """The recipe, a minute and a half on one thread; most of every kind, exchanged names too."""
    import tfs
    from tfs.templates.questions import question_pair
    from tfs.train import evaluate
    from tfs.train.pair_recipes import QUESTION_PAIRS as RECIPE

    model = RECIPE.kind(task).make()
    for _ in tfs.train(model, task, RECIPE.train):
        pass
    held_out = task.sample(2000, seed=77, split="held_out")
    assert evaluate(model, held_out).accuracy > LEARNED
    for kind in KINDS:
        pairs = [question_pair(kind, random.Random(i), "held_out") for i in range(400)]
        assert evaluate(model, task.batch(pairs)).accuracy > OF_EACH_KIND, kind

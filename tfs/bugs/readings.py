"""Readings of a lab: what a person who looks for a fault would measure, each as numbers to draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from tfs.bugs import fixed
from tfs.bugs.lab import (
    D_HEAD,
    D_MODEL,
    HEADS,
    LONGEST,
    PERIOD,
    VALUES,
    Lab,
    Parts,
    Trained,
    floor,
    post_norm,
    same_draws,
    sequences,
    train_lab,
)

FLOOR = "honest floor"  # what lab.floor() is called beside a loss
FRESH = 99_991  # the seed of sequences that no training has seen
DEEP, DEEP_STEPS, DEEP_PEAK = 8, 120, 5e-3


@dataclass(frozen=True)
class Symptom:
    """Numbers to look at: a value for each label, or a curve, or an attention pattern.

    kind: "bars" [label], "curve" [step] or "pattern" [query_pos key_pos]; what: what the numbers
    are; levels: values to compare a curve with.
    """

    kind: str
    what: str
    values: Float[Tensor, "..."]
    labels: Sequence[str] = ()
    levels: tuple[tuple[str, float], ...] = ()

    def at(self, label: str) -> float:
        """The value of a label. Raises ValueError for a label that is not there."""
        return self.values[list(self.labels).index(label)].item()


def whole(batch: int = 64) -> Int[Tensor, "batch pos"]:
    """Sequences without padding, as they should be put together."""
    rows = torch.stack(sequences(4 * batch, FRESH + 1))
    return rows[:, :PERIOD][:batch].repeat(1, LONGEST // PERIOD)


@torch.no_grad()
def training_loss(trained: Trained) -> Symptom:
    """What the training loop wrote down, step by step, as its own loss function has it."""
    values = torch.tensor(trained.losses)
    return Symptom("curve", "loss", values, levels=((FLOOR, floor()),))


@torch.no_grad()
def loss_when_run(trained: Trained) -> Symptom:
    """The mean of training's last 20 losses as it reported them, and the true loss afterwards.

    The true one is measured on 64 fresh sequences, by a loss function that is right.
    """
    reported = sum(trained.losses[-20:]) / len(trained.losses[-20:])
    tokens = torch.stack(sequences(64, FRESH))
    run = fixed.loss(trained.lab(tokens), tokens).item()
    values = torch.tensor([reported, run, floor()])
    labels = ["reported in training", "measured when run", FLOOR]
    return Symptom("bars", "loss (nats per token)", values, labels)


@torch.no_grad()
def attention(trained: Trained) -> Symptom:
    """How much each token takes from each, in the first head of the first block, after training.

    The sequence is one of the task; rows are the tokens that look, columns those looked at.
    """
    trained.lab(whole(1))
    pattern = trained.lab.blocks[0].attn.last_pattern[0, 0]
    return Symptom("pattern", "attention weight", pattern, [str(n) for n in whole(1)[0].tolist()])


@torch.no_grad()
def attention_at_start(trained: Trained) -> Symptom:
    """The largest weight that each query gives, before any training; 1 leaves nothing to others.

    It is the mean over both heads of the second block, and over 64 sequences.
    """
    lab = Lab(trained.lab.parts).eval()
    lab(whole())
    largest = lab.blocks[1].attn.last_pattern.amax(-1).mean((0, 1))
    return Symptom("bars", "largest attention weight", largest, places())


@torch.no_grad()
def sums_of_rows(trained: Trained) -> Symptom:
    """What each query's attention weights add up to: the mean over the first block's heads."""
    trained.lab(whole())
    sums = trained.lab.blocks[0].attn.last_pattern.sum(-1).mean((0, 1))
    return Symptom("bars", "sum of a query's weights", sums, places())


@torch.no_grad()
def reach_of_last_token(trained: Trained) -> Symptom:
    """How far a logit of each place moves at most when only the last token is changed."""
    tokens = whole()
    changed = tokens.clone()
    changed[:, -1] = changed[:, -1] % VALUES + 1
    with same_draws():
        before = trained.lab(tokens)
    with same_draws():
        after = trained.lab(changed)
    return Symptom(
        "bars", "largest change of a logit", (after - before).abs().amax((0, 2)), places()
    )


@torch.no_grad()
def writing(trained: Trained) -> Symptom:
    """Two rounds are given; the share of right tokens in each place that the lab then writes."""
    tokens, known = whole(), 2 * PERIOD
    written = tokens[:, :known]
    for _ in range(known, LONGEST):
        chosen = trained.lab.parts.next_token(trained.lab(written))
        written = torch.cat([written, chosen[:, None]], dim=1)
    right = (written == tokens).float().mean(0)[known:]
    return Symptom("bars", "share of right tokens", right, places()[known:])


@torch.no_grad()
def run_twice(trained: Trained) -> Symptom:
    """How far a logit of each place differs at most when the same tokens are read twice."""
    with same_draws():
        first, second = trained.lab(whole()), trained.lab(whole())
    return Symptom("bars", "largest difference", (first - second).abs().amax((0, 2)), places())


@torch.no_grad()
def weights(trained: Trained) -> Symptom:
    """Numbers in the weights: computed with, given to the optimiser, and saved in a file."""
    lab = trained.lab
    used = [lab.W_E, lab.W_U] + [weight for block in lab.blocks for weight in block.parameters()]
    lists = [used, list(lab.parameters()), list(lab.state_dict(keep_vars=True).values())]
    values = [sum(weight.numel() for weight in distinct(each)) for each in lists]
    labels = ["computed with", "given to the optimiser", "in a saved file"]
    return Symptom("bars", "numbers in weights", torch.tensor(values).float(), labels)


@torch.no_grad()
def sizes(trained: Trained) -> Symptom:
    """Root mean square of tokens' vectors, of positions, and of the stream after each block.

    The weights are those before any training.
    """
    lab, tokens = Lab(trained.lab.parts).eval(), whole()
    found = {
        "token vectors": lab.parts.embedded(tokens, lab.W_E),
        "positions": lab.parts.positions(tokens, D_MODEL),
    }
    found |= {f"stream after block {n}": s for n, s in enumerate(lab.streams(tokens)) if n}
    values = torch.stack([x.square().mean().sqrt() for x in found.values()])
    return Symptom("bars", "root mean square, untrained", values, list(found))


@torch.no_grad()
def distance_of_places(trained: Trained) -> Symptom:
    """How far the position vector of each place lies from that of the first, in one sequence."""
    found = trained.lab.parts.positions(whole(1), D_MODEL)[0]
    distances = (found - found[0]).norm(dim=-1).expand(LONGEST)
    return Symptom("bars", "distance from the first place", distances, places())


@torch.no_grad()
def batch_read(trained: Trained) -> Symptom:
    """The shape of the batch that training puts together from 32 sequences."""
    batch, pos = trained.lab.parts.batched(sequences(32, FRESH)).shape
    labels = ["sequences", "tokens in each"]
    return Symptom("bars", "size", torch.tensor([float(batch), float(pos)]), labels)


@torch.no_grad()
def loss_of_known_cases(trained: Trained) -> Symptom:
    """The loss that training would report of three models whose true loss is known.

    "Sure and right" gives nearly all to the next token. "Right but for padding" does too where a
    token follows, and where padding follows it gives every token the same; padding should not
    count. "Repeats what it read" is as sure of the token just read, which is seldom the next.
    """
    tokens = whole(4)
    ahead, padded = tokens.roll(-1, dims=1), tokens.clone()
    padded[:, LONGEST // 2 :] = fixed.PAD
    sure, same = (20.0 * F.one_hot(asked, VALUES + 1).float() for asked in (ahead, tokens))
    blind_to_padding = 20.0 * F.one_hot(padded.roll(-1, dims=1), VALUES + 1).float()
    blind_to_padding[:, LONGEST // 2 - 1 :] = 0
    loss = trained.lab.parts.loss
    values = [loss(sure, tokens), loss(blind_to_padding, padded), loss(same, tokens)]
    labels = ["sure and right", "right but for padding", "repeats what it read"]
    return Symptom("bars", "loss (nats per token)", torch.stack(values), labels)


def faint_input(trained: Trained) -> Symptom:
    """The norm's gradient for vectors that hardly vary, down to one of equal numbers.

    A vector's numbers lie evenly between minus its spread and its spread. Bars are the share of its
    gradient's numbers that are finite, not NaN: anything below 1 spoils the weights.
    """
    shares, spreads = [], (1.0, 1e-2, 1e-4, 0.0)
    for spread in spreads:
        vector = (torch.linspace(-1, 1, D_MODEL) * spread).requires_grad_()
        trained.lab.parts.norm(vector).square().sum().backward()
        shares.append(vector.grad.isfinite().float().mean())
    labels = [f"spread {spread:g}" for spread in spreads]
    return Symptom("bars", "finite share of the gradient", torch.stack(shares), labels)


@torch.no_grad()
def rates(trained: Trained) -> Symptom:
    """The learning rate that the optimiser was given at each step."""
    return Symptom("curve", "learning rate", torch.tensor(trained.rates))


def slices_read(trained: Trained) -> Symptom:
    """How strongly the queries of the first head of the first block depend on parts of the stream.

    A vector of the stream is cut into as many parts as there are heads. A bar is the root of the
    summed squares of all slopes of the query's numbers by the numbers of one part.
    """
    lab = trained.lab
    resid = torch.randn(1, 1, D_MODEL, generator=torch.Generator().manual_seed(0))
    resid.requires_grad_()
    q = lab.parts.into_heads(resid, lab.blocks[0].attn.W_Q.detach())
    rows = [torch.autograd.grad(q[0, 0, 0, i], resid, retain_graph=True)[0] for i in range(D_HEAD)]
    strength = torch.stack(rows).square().sum(0).flatten().unflatten(0, (HEADS, -1)).sum(-1).sqrt()
    labels = [f"numbers {n * D_HEAD} to {(n + 1) * D_HEAD - 1}" for n in range(HEADS)]
    return Symptom("bars", "strength of dependence", strength, labels)


@torch.no_grad()
def deep_training(trained: Trained) -> Symptom:
    """The loss of a deeper lab in the first Transformer's order of norms, from this lab's parts.

    It has 8 blocks instead of 2, and is trained for 120 steps at half the peak rate.
    """
    parts = replace(trained.lab.parts, sublayer=post_norm)
    with torch.enable_grad():
        deep = train_lab(parts, n_layers=DEEP, steps=DEEP_STEPS, peak=DEEP_PEAK)
    return Symptom("curve", "loss", torch.tensor(deep.losses), levels=((FLOOR, floor()),))


READINGS: dict[str, Callable[[Trained], Symptom]] = {
    "Loss while training": training_loss,
    "Loss when run": loss_when_run,
    "Loss of known cases": loss_of_known_cases,
    "Learning rate": rates,
    "Loss of a deep post-norm lab": deep_training,
    "Attention pattern": attention,
    "Attention before training": attention_at_start,
    "Sums of attention rows": sums_of_rows,
    "Reach of the last token": reach_of_last_token,
    "What it writes": writing,
    "The same tokens twice": run_twice,
    "Weights": weights,
    "Sizes": sizes,
    "Position vectors": distance_of_places,
    "Shape of a batch": batch_read,
    "The norm's gradient": faint_input,
    "What a head reads": slices_read,
}


def read(name: str, trained: Trained) -> Symptom:
    """The reading of that name. Raises ValueError for a name that is not in READINGS."""
    if name not in READINGS:
        raise ValueError(f"there is no reading {name!r}; take one of {', '.join(READINGS)}")
    with same_draws():
        return READINGS[name](trained)


def trained_with(form: Callable) -> Trained:
    """A lab in which `form` takes the place of the part of its name, after its training."""
    return train_lab(Parts().exchanged(form))


def places() -> list[str]:
    return [f"place {n}" for n in range(LONGEST)]


def distinct(weights: Sequence[Tensor]) -> list[Tensor]:
    return list({id(weight): weight for weight in weights}.values())

"""A small decoder put together from exchangeable parts, and a task that it learns in a second.

The task: a few random values, said again and again to the end. The first round cannot be known;
all that follows is found by looking back one round. So there is a lowest honest loss (`floor`), and
a loss below it is a sign that somebody has seen the answer.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.bugs import fixed

VALUES = 10  # tokens 1 ... VALUES; 0 is padding
PERIOD = 4
SHORTEST, LONGEST = 8, 16  # tokens of a sequence before it is padded
D_MODEL, HEADS, D_HEAD, D_MLP = 32, 2, 16, 64
BATCH, STEPS, PEAK = 32, 200, 1e-2
ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True)
class Parts:
    """What a Lab is made of: a function for each part, as in tfs/bugs/fixed.py."""

    batched: Callable = fixed.batched
    embedded: Callable = fixed.embedded
    positions: Callable = fixed.positions
    into_heads: Callable = fixed.into_heads
    scores: Callable = fixed.scores
    mask: Callable = fixed.mask
    pattern: Callable = fixed.pattern
    dropped: Callable = fixed.dropped
    norm: Callable = fixed.norm
    sublayer: Callable = fixed.sublayer
    make_mlps: Callable = fixed.make_mlps
    stacked: Callable = fixed.stacked
    loss: Callable = fixed.loss
    next_token: Callable = fixed.next_token
    rate: Callable = fixed.rate

    def exchanged(self, form: Callable) -> "Parts":
        """The same with another form of the part of that name."""
        return replace(self, **{form.__name__: form})


def sequences(batch: int, seed: int) -> list[Int[Tensor, " pos"]]:
    """Values that repeat after PERIOD, cut off somewhere and padded to LONGEST."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(1, VALUES + 1, (batch, PERIOD), generator=generator)
    tokens = values.repeat(1, LONGEST // PERIOD)
    lengths = torch.randint(SHORTEST, LONGEST + 1, (batch, 1), generator=generator)
    return list(tokens.where(torch.arange(LONGEST) < lengths, fixed.PAD))


def floor() -> float:
    """The lowest honest loss: all but the first value of the first round are guessed."""
    lengths = range(SHORTEST, LONGEST + 1)
    predictions = sum(length - 1 for length in lengths) / len(lengths)
    return (PERIOD - 1) * math.log(VALUES) / predictions


class Attention(nn.Module):
    """Attention made of the parts; it keeps the last pattern that it made."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts
        reading, writing = (HEADS, D_MODEL, D_HEAD), (HEADS * D_HEAD, D_MODEL)
        self.W_Q, self.W_K, self.W_V = (matrix(*reading) for _ in range(3))
        self.W_O = matrix(*writing)
        self.last_pattern = torch.empty(0)

    def forward(
        self, resid: Float[Tensor, "batch pos d_model"], mask: Bool[Tensor, "pos pos"]
    ) -> Float[Tensor, "batch pos d_model"]:
        q, k, v = (self.parts.into_heads(resid, W) for W in (self.W_Q, self.W_K, self.W_V))
        pattern = self.parts.pattern(self.parts.scores(q, k), mask)
        self.last_pattern = pattern.detach()
        return (pattern @ v.transpose(1, 2)).transpose(1, 2).flatten(2) @ self.W_O


class MLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.W_in, self.W_out = matrix(D_MODEL, D_MLP), matrix(D_MLP, D_MODEL)

    def forward(
        self, resid: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        return (resid @ self.W_in).relu() @ self.W_out


class Block(nn.Module):
    def __init__(self, parts: Parts, mlp: nn.Module) -> None:
        super().__init__()
        self.parts, self.attn, self.mlp = parts, Attention(parts), mlp

    def forward(
        self, resid: Float[Tensor, "batch pos d_model"], mask: Bool[Tensor, "pos pos"]
    ) -> Float[Tensor, "batch pos d_model"]:
        add, norm, drop = self.parts.sublayer, self.parts.norm, self.parts.dropped
        resid_mid = add(resid, norm, lambda x: drop(self.attn(x, mask), self.training))
        return add(resid_mid, norm, lambda x: drop(self.mlp(x), self.training))


class Lab(nn.Module):
    """A decoder of `n_layers` blocks; its weights are drawn by `seed`."""

    def __init__(self, parts: Parts | None = None, n_layers: int = 2, seed: int = 0) -> None:
        super().__init__()
        self.parts = parts = parts or Parts()
        with same_draws(seed):
            self.W_E = matrix(VALUES + 1, D_MODEL, spread=0.4 * D_MODEL**-0.5)
            mlps = parts.make_mlps(MLP, n_layers)
            self.blocks = parts.stacked([Block(parts, mlp) for mlp in mlps])
            self.W_U = matrix(D_MODEL, VALUES + 1)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab"]:
        return self.parts.norm(self.streams(tokens)[-1]) @ self.W_U

    def streams(self, tokens: Int[Tensor, "batch pos"]) -> list[Float[Tensor, "batch pos d_model"]]:
        """The stream before the first block, and after each."""
        resid = self.parts.embedded(tokens, self.W_E) + self.parts.positions(tokens, D_MODEL)
        mask = self.parts.mask(tokens.shape[1], self.training)
        streams = [resid]
        for block in self.blocks:
            if block.training != self.training:  # blocks in a list are not told
                block.train(self.training)
            streams.append(block(streams[-1], mask))
        return streams


@dataclass
class Trained:
    """A lab after its training: the loss of each step, and the rate."""

    lab: Lab
    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


def train_lab(
    parts: Parts, n_layers: int = 2, steps: int = STEPS, peak: float = PEAK, seed: int = 0
) -> Trained:
    """A lab trained from random weights with Adam; the same numbers every time."""
    trained = Trained(Lab(parts, n_layers, seed))
    lab = trained.lab
    optimizer = torch.optim.Adam(lab.parameters(), lr=peak, betas=(0.9, 0.98))
    with same_draws(seed):
        for step in range(steps):
            tokens = parts.batched(sequences(BATCH, seed=1000 * seed + step))
            loss = parts.loss(lab(tokens), tokens)
            optimizer.param_groups[0]["lr"] = parts.rate(step, peak)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            trained.losses.append(loss.item())
            trained.rates.append(optimizer.param_groups[0]["lr"])
    lab.eval()
    return trained


def post_norm(
    resid: Float[Tensor, "batch pos d_model"], norm: Callable, layer: Callable
) -> Float[Tensor, "batch pos d_model"]:
    """The first Transformer's order: the norm stands on the stream itself (Vaswani 2017, 3.1)."""
    return norm(resid + layer(resid))


def matrix(*shape: int, spread: float | None = None) -> nn.Parameter:
    """Weights from N(0, spread), 1 / sqrt(numbers read) unless told."""
    return nn.Parameter(torch.randn(*shape) * (spread or shape[-2] ** -0.5))


@contextmanager
def same_draws(seed: int = 0) -> Iterator[None]:
    """What is drawn at random inside is the same every time, and changes nothing outside.

    torch's generator belongs to the whole process, and F.dropout takes no other: so one thread at a
    time may be here.
    """
    with ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield

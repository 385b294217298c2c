"""The parts of a small decoder as they should be: short functions, any of which can be exchanged.

Each file of tfs/bugs/broken holds one of them again, with one line wrong.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.sinusoids import sinusoidal

PAD = 0  # the token that fills up short sequences
DROPOUT = 0.1
WARM_UP = 50  # steps
EPS = 1e-5


def batched(rows: Sequence[Int[Tensor, " pos"]]) -> Int[Tensor, "batch all_pos"]:
    """Sequences of one length as a batch."""
    tokens = torch.stack(list(rows))
    return torch.atleast_2d(tokens)


def embedded(
    tokens: Int[Tensor, "batch pos"], W_E: Float[Tensor, "d_vocab d_model"]
) -> Float[Tensor, "batch pos d_model"]:
    """Each token's vector, large enough beside the positions added to it (Vaswani 2017, 3.4)."""
    vectors = F.embedding(tokens, W_E)
    return vectors * math.sqrt(W_E.shape[1])


def positions(
    tokens: Int[Tensor, "batch pos"], d_model: int
) -> Float[Tensor, "#batch #pos d_model"]:
    """Where each token stands, as sines and cosines (Vaswani 2017, 3.5)."""
    batch, pos = tokens.shape
    places = torch.arange(pos)[None, :]
    return sinusoidal(max(batch, pos), d_model)[places]


def into_heads(
    resid: Float[Tensor, "batch pos d_model"], W: Float[Tensor, "head d_model d_head"]
) -> Float[Tensor, "batch pos head d_head"]:
    """Queries, keys or values: every head reads the whole vector."""
    head = len(W)
    read = resid[:, :, None].expand(-1, -1, head, -1)
    return einsum(read, W, "batch pos head d_model, head d_model d_head -> batch pos head d_head")


def scores(
    q: Float[Tensor, "batch query_pos head d_head"], k: Float[Tensor, "batch key_pos head d_head"]
) -> Float[Tensor, "batch head query_pos key_pos"]:
    """How well each query fits each key (Vaswani 2017, 3.2.1)."""
    axes = "batch query_pos head d_head, batch key_pos head d_head -> batch head query_pos key_pos"
    products = einsum(q, k, axes)
    return products / math.sqrt(q.shape[-1])


def mask(pos: int, training: bool) -> Bool[Tensor, "query_pos key_pos"]:
    """True where a query may see a key: itself and what came before."""
    everyone = torch.ones(pos, pos, dtype=torch.bool)
    return everyone.tril()


def pattern(
    scores: Float[Tensor, "batch head query_pos key_pos"],
    mask: Bool[Tensor, "query_pos key_pos"],
) -> Float[Tensor, "batch head query_pos key_pos"]:
    """How much each query takes from each key that it may see."""
    closed = ~mask
    return scores.masked_fill(closed, -1e9).softmax(-1)


def dropped(x: Float[Tensor, "*shape"], training: bool) -> Float[Tensor, "*shape"]:
    """Numbers put to zero at random, while the model is trained (Srivastava 2014)."""
    return F.dropout(x, DROPOUT, training)


def norm(resid: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
    """Each vector with mean 0 and variance 1 (Ba et al. 2016)."""
    centred = resid - resid.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return centred / (variance + EPS).sqrt()


def sublayer(
    resid: Float[Tensor, "batch pos d_model"], norm: Callable, layer: Callable
) -> Float[Tensor, "batch pos d_model"]:
    """The stream after a layer has read it, normalised, and added to it (Radford et al. 2019)."""
    return resid + layer(norm(resid))


def make_mlps(make_mlp: Callable[[], nn.Module], n_layers: int) -> list[nn.Module]:
    """A feed-forward network for each block."""
    return [make_mlp() for _ in range(n_layers)]


def stacked(blocks: Sequence[nn.Module]) -> Sequence[nn.Module] | nn.ModuleList:
    """The blocks, in a container that the model knows of."""
    return nn.ModuleList(blocks)


def loss(
    logits: Float[Tensor, "batch pos d_vocab"], tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, ""]:
    """Mean of -ln p(next token), in nats, over the tokens that are no padding."""
    guesses, targets = logits[:, :-1], tokens[:, 1:]
    asked = targets != PAD
    log_probs = guesses.log_softmax(-1)
    surprise = -log_probs.gather(-1, targets[..., None]).squeeze(-1)
    return surprise[asked].mean()


def next_token(logits: Float[Tensor, "batch pos d_vocab"]) -> Int[Tensor, " batch"]:
    """The likeliest continuation of what was read."""
    return logits[:, -1].argmax(-1)


def rate(step: int, peak: float) -> float:
    """The learning rate of a step: it rises to its peak, and stays."""
    share = min(1.0, (step + 1) / WARM_UP)
    return peak * share

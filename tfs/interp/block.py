"""One block from within: the size of what it adds, what its norms do, and which neurons speak.

Each block adds two vectors to the residual stream. Their lengths against the stream's say how much
a block can still move: a stream that grows from layer to layer makes each later addition matter
less, since the next norm divides by the whole. A long vector is not yet an important one. It may
lie along a direction that the norm removes (the mean), or that everyone writes and no one reads.

An MLP is a sum over neurons: an activation times a fixed vector, the neuron's row of W_out. Through
the unembedding that row reads as a list of tokens that it makes more or less likely (Geva et al.
2022, "Transformer Feed-Forward Layers Build Predictions by Promoting Concepts in the Vocabulary
Space"). A clear theme among the first tokens suggests what the neuron is for. It misleads in early
layers, whose rows are written for later layers and not for the unembedding, and any list of ten
words invites a story: look at where the neuron is active as well, and compare with random ones.
"""

from typing import NamedTuple

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor

from tfs.hooks import Openable
from tfs.hooks.stream import check_linear_end, is_post_norm
from tfs.interp.cache import Cache


class StreamNorms(NamedTuple):
    """Lengths of the vectors at every position, layer by layer."""

    resid_pre: Float[Tensor, "layer *batch pos"]  # the stream as the block finds it
    attn_out: Float[Tensor, "layer *batch pos"]  # what attention adds to it
    mlp_out: Float[Tensor, "layer *batch pos"] | None  # what the MLP adds; None without MLPs
    resid_post: Float[Tensor, "layer *batch pos"]  # the stream as the block leaves it


class LayerNormSteps(NamedTuple):
    """One norm, step by step: normalized = (before - mean) / scale, after = normalized * w + b."""

    before: Float[Tensor, "*batch pos d_model"]  # the residual stream
    mean: Float[Tensor, "*batch pos 1"]  # of each vector's entries; 0 where none is taken away
    scale: Float[Tensor, "*batch pos 1"]  # sqrt(their variance + eps), or of their mean square
    normalized: Float[Tensor, "*batch pos d_model"]  # length about sqrt(d_model)
    after: Float[Tensor, "*batch pos d_model"]  # what attention or the MLP reads


class NeuronTokens(NamedTuple):
    """The tokens at the two ends of a neuron's effect on the logits, strongest first."""

    promoted: Float[Tensor, " k"]  # logit per unit of activation, before ln_final's scale
    promoted_ids: Int[Tensor, " k"]
    suppressed: Float[Tensor, " k"]
    suppressed_ids: Int[Tensor, " k"]


def stream_norms(cache: Cache, n_layers: int) -> StreamNorms:
    """The length of the residual stream, and of what attention and MLP wrote into it.

    Lengths do not add up, since vectors may cancel: resid_post can be shorter than resid_pre, and
    then the block has erased something. mlp_out is None where the run had no such activation, as in
    a model of attention only. A post-norm block leaves the stream normalised; that is resid_post
    here. Raises KeyError where the cache lacks another of the four.
    """
    left = "normalized_resid_post"
    left = left if f"blocks.0.hook_{left}" in cache else "resid_post"

    def lengths(name: str) -> Tensor:
        return torch.stack([cache[name, layer].norm(dim=-1) for layer in range(n_layers)])

    has_mlp = "blocks.0.hook_mlp_out" in cache
    return StreamNorms(
        lengths("resid_pre"),
        lengths("attn_out"),
        lengths("mlp_out") if has_mlp else None,
        lengths(left),
    )


@torch.no_grad()
def head_norms(model: Openable, cache: Cache) -> Float[Tensor, "layer head *batch pos"]:
    """The length of what each head adds to the residual stream, z W_O, at every position.

    Heads of a layer may cancel: their lengths do not add up to attn_out's. Raises KeyError where z
    was not cached.
    """

    def of_layer(layer: int) -> Tensor:
        return lengths_of_heads(cache["z", layer], model.blocks[layer].attn.W_O)

    return torch.stack([of_layer(layer) for layer in range(model.cfg.n_layers)])


@torch.no_grad()
def lengths_of_heads(
    z: Float[Tensor, "*batch pos head d_head"], W_O: Float[Tensor, "head d_head d_model"]
) -> Float[Tensor, "head *batch pos"]:
    """The length of what each head of one attention adds, z W_O, without the bias they share."""
    results = einsum(z, W_O, "... head d_head, head d_head d_model -> head ... d_model")
    return results.norm(dim=-1)


@torch.no_grad()
def layer_norm_steps(model: Openable, cache: Cache, layer: int, which: str) -> LayerNormSteps:
    """What "ln1" (attention's) or "ln2" (the MLP's) does to every vector of the stream.

    Ba et al. 2016, "Layer Normalization", section 3, over the entries of one position. scale and
    normalized are what the run used. The vector's length and its mean are lost; a large scale says
    that everything written so far is made that much smaller for the next reader. w and b are the
    norm's own; with normalization_type "LNPre" it has none, and after is normalized. "RMS" and
    "RMSPre" (Zhang & Sennrich 2019, section 4) take no mean away, so that it is 0 here, and have no
    b. In a parallel block ln2 reads resid_pre, as ln1 does; in a post-norm block each reads the sum
    that it follows. Raises ValueError for a model without norms and for another `which`, KeyError
    where the stream or the norm was not cached.
    """
    if (kind := model.cfg.normalization_type) not in ("LN", "LNPre", "RMS", "RMSPre"):
        raise ValueError(f"this model has no layer norm and no RMS norm, but {kind!r}")
    readable = ("ln1",) if model.cfg.attn_only else ("ln1", "ln2")
    if which not in readable:
        raise ValueError(f"a norm of this model's blocks is {' or '.join(readable)}, not {which!r}")
    before = cache[_read_by(model, which), layer]
    normalized = cache["normalized", layer, which]
    norm = getattr(model.blocks[layer], which)
    return LayerNormSteps(
        before=before,
        mean=before.mean(-1, keepdim=True) * (kind in ("LN", "LNPre")),
        scale=cache["scale", layer, which],
        normalized=normalized,
        after=_times_own_weights(normalized, norm, kind),
    )


def _read_by(model: Openable, which: str) -> str:
    """The name of the stream that one of a block's norms reads."""
    if is_post_norm(model):
        return "resid_post" if which == "ln2" or model.cfg.attn_only else "resid_mid"
    in_parallel = getattr(model.cfg, "parallel_attn_mlp", False)
    return "resid_pre" if which == "ln1" or in_parallel else "resid_mid"


def _times_own_weights(normalized: Tensor, norm: torch.nn.Module, kind: str) -> Tensor:
    if kind == "LN":
        return normalized * norm.w + norm.b
    return normalized * norm.w if kind == "RMS" else normalized


def top_neurons(
    cache: Cache, layer: int, k: int = 10
) -> tuple[Float[Tensor, "*batch pos k"], Int[Tensor, "*batch pos k"]]:
    """The k most active neurons at each position: their activations, and their indices, best first.

    Active is what comes out of the activation function, hook_post. A neuron with a large activation
    and a short row of W_out says little. Of an MLP with fewer neurons than k, all of them. Raises
    KeyError where the cache has no hook_post, as for a model of attention only.
    """
    activations = cache["post", layer]
    best = activations.topk(min(k, activations.shape[-1]), dim=-1)
    return best.values, best.indices


@torch.no_grad()
def neuron_promotes(model: Openable, layer: int, neuron: int, k: int = 10) -> NeuronTokens:
    """The k tokens whose logits a neuron raises most, and the k that it lowers most.

    Its row of W_out is centred and multiplied by ln_final's w, as ln_final does, then by W_U (Geva
    et al. 2022). Times the activation, divided by ln_final's scale at a position, this is exactly
    the neuron's share of a logit in direct_logit_attribution. So it is an approximation of what the
    neuron does in two ways: the scale is left out, and so is all that later layers make of it. A
    negative activation turns promotion and suppression around, and only differences between tokens
    count. Of a vocabulary smaller than k, all of it. Raises ValueError for a neuron that is not
    there, for a mixture of experts, and where more than ln_final follows: in a post-norm model and
    in an encoder.
    """
    check_linear_end(model)
    if is_post_norm(model):
        raise ValueError(
            "this model is post-norm: what a neuron writes is normalised with the stream in every "
            "block after it, so its row of W_out has no fixed effect on the logits; logit_lens "
            "reads the stream itself"
        )
    d_mlp = 0 if model.cfg.attn_only else model.cfg.d_mlp
    if not 0 <= neuron < d_mlp:
        raise ValueError(f"this MLP has {d_mlp} neurons, counted from 0; there is no {neuron}")
    if getattr(model.cfg, "num_experts", None):
        raise ValueError(
            f"this layer has {model.cfg.num_experts} experts instead of one MLP; read the row of "
            "W_out of one of model.blocks[layer].mlp.experts"
        )
    row = model.blocks[layer].mlp.W_out[neuron]
    if model.cfg.normalization_type in ("LN", "LNPre"):
        row = row - row.mean()
    if model.cfg.normalization_type in ("LN", "RMS"):
        row = row * model.ln_final.w
    effects = row @ model.W_U
    highest = effects.topk(min(k, len(effects)))
    lowest = effects.topk(min(k, len(effects)), largest=False)
    return NeuronTokens(*highest, *lowest)

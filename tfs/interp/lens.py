"""The logit lens: what the model would answer if it had to stop at an earlier layer.

The residual stream keeps one basis from the first block to the last, so the end of the model,
ln_final and the unembedding, can read any of its intermediate states. Layer by layer one sees when
an answer appears, and what stood in its place (nostalgebraist 2020, "interpreting GPT: the logit
lens").

A token that leads from some layer on is information which is in the stream there, in the direction
that the unembedding reads. The absence of a token means less than it seems:
- early layers need not use the unembedding's basis; what they know may be written in another one
  (the tuned lens of Belrose et al. 2023 learns a translation, and finds more);
- ln_final was trained for the last layer, whose vectors are longer: its scale, computed afresh from
  an early stream, makes early predictions look surer than anything that later layers rely on;
- with tied embeddings the stream still holds the input token at first, so the lens tends to repeat
  the input. That is the skip connection speaking and not a prediction.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.hooks import Openable
from tfs.interp.cache import Cache
from tfs.scores import soft_capped


@torch.no_grad()
def logit_lens(
    model: Openable, cache: Cache, *, incl_mid: bool = False
) -> Float[Tensor, "component *batch pos d_vocab"]:
    """Logits (not yet probabilities: take their softmax) read from the stream at every depth.

    Row i is the stream before block i, the last row the end of the model, which equals its logits.
    incl_mid: also between each block's attention and its MLP, where one comes after the other. An
    encoder's stream goes through its masked-token head too. In a post-norm model the stream is read
    after each norm, as the next part reads it.
    Raises KeyError where the cache lacks the residual stream.
    """
    stream = cache.accumulated_resid(incl_mid=incl_mid and _has_mid(model))
    if model.cfg.normalization_type is not None:
        stream = model.ln_final(stream)
    if hasattr(model, "mlm_head"):
        stream = torch.stack([model.mlm_head(row) for row in stream])
    logits = stream @ model.W_U + model.b_U
    return soft_capped(logits, getattr(model.cfg, "output_logits_soft_cap", -1.0))


def lens_labels(model: Openable, *, incl_mid: bool = False) -> list[str]:
    """The names of logit_lens's rows, as in TransformerLens: 0_pre, 0_mid, ..., final_post."""
    parts = ["pre", "mid"] if incl_mid and _has_mid(model) else ["pre"]
    labels = [f"{layer}_{part}" for layer in range(model.cfg.n_layers) for part in parts]
    return [*labels, "final_post"]


def _has_mid(model: Openable) -> bool:
    """Whether attention is added to the stream before the MLP reads it."""
    return not (model.cfg.attn_only or getattr(model.cfg, "parallel_attn_mlp", False))


def top_tokens(
    logits: Float[Tensor, "*place d_vocab"], k: int = 5
) -> tuple[Float[Tensor, "*place k"], Int[Tensor, "*place k"]]:
    """The k most probable tokens at each place: their probabilities, and their ids, best first.

    Of a vocabulary smaller than k, all of it.
    """
    best = logits.softmax(-1).topk(min(k, logits.shape[-1]), dim=-1)
    return best.values, best.indices


def token_ranks(
    logits: Float[Tensor, "*place d_vocab"], token: int
) -> tuple[Float[Tensor, "*place"], Int[Tensor, "*place"]]:
    """One token's probability at each place, and its rank: 1 where no other is more probable."""
    probability = logits.softmax(-1)[..., token]
    rank = (logits > logits[..., token, None]).sum(-1) + 1
    return probability, rank

"""Direct logit attribution: which part of the model pushed a logit up or down, and by how much.

The final residual stream is a sum of what the embeddings, every head and every MLP wrote, and a
logit is a linear function of it once the final norm's scale is held at the value it had:

    logit = sum over parts of ((part - its mean) / scale) . (w * W_U[:, token])
            + b . W_U[:, token] + b_U[token]

so each part has a share, and the shares add up to the logit exactly (Elhage et al. 2021, "A
mathematical framework for transformer circuits"; the folding of w and b is TransformerLens's). A
large positive share means that the part wrote in the direction of this token.

It misleads in three ways. "Direct" leaves out every effect through later layers: a head that the
next layer reads may have a share of 0. The scale is shared, so a part that makes the whole stream
longer lowers everybody's share. And one logit says little, since adding a constant to all logits
changes no probability: compare two tokens (incorrect_tokens) wherever there is a rival.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.hooks import Openable
from tfs.hooks.stream import check_linear_end
from tfs.interp.cache import Cache

Tokens = int | Int[Tensor, "..."]


@torch.no_grad()
def direct_logit_attribution(
    model: Openable,
    cache: Cache,
    tokens: Tokens,
    incorrect_tokens: Tokens | None = None,
    *,
    by: str = "component",
) -> tuple[Float[Tensor, "component *batch pos"], list[str]]:
    """Each part's share of the logit of `tokens`, or of its lead over `incorrect_tokens`; its name.

    tokens: one id, or an id for each [*batch] or [*batch pos]. by "component": embeddings, each
    layer's attention and MLP; by "head": attention split into heads and the layer's bias b_O. The
    last row, "bias", is what the final norm's b and b_U add; the rows sum to the logit.
    Raises ValueError for another `by`, for tokens whose shape does not fit, and for a post-norm
    model or an encoder, whose logits are no sum over parts.
    """
    if by not in ("component", "head"):
        raise ValueError(f'by must be "component" or "head", not {by!r}')
    parts, labels = cache.decompose_resid(return_labels=True)
    if by == "head":
        parts, labels = _split_into_heads(model, cache, parts, labels)
    direction, bias = logit_direction(model, tokens)
    if incorrect_tokens is not None:
        other_direction, other_bias = logit_direction(model, incorrect_tokens)
        direction, bias = direction - other_direction, bias - other_bias
    direction, bias = (_over_positions(t, parts.shape[1:-1]) for t in (direction, bias[..., None]))
    scaled = cache.apply_ln_to_stack(parts)
    shares = (scaled * direction).sum(-1)
    bias_share = bias[..., 0].expand(shares.shape[1:])
    return torch.cat([shares, bias_share[None]]), [*labels, "bias"]


def logit_direction(
    model: Openable, tokens: Tokens
) -> tuple[Float[Tensor, "*batch d_model"], Float[Tensor, "*batch"]]:
    """The direction in the normalised stream that raises a token's logit, and the constant with it.

    With normalization_type "LN" the norm's w and b are folded in: w * W_U, and b W_U + b_U; with
    "RMS", which has no b, w alone. Where logits are soft-capped, it is the logit before the cap.
    Raises ValueError for an encoder, whose head is not linear.
    """
    check_linear_end(model)
    tokens = torch.as_tensor(tokens, device=model.W_U.device)
    columns = model.W_U.T[tokens]
    constant = model.b_U[tokens]
    if model.cfg.normalization_type == "LN":
        return columns * model.ln_final.w, columns @ model.ln_final.b + constant
    if model.cfg.normalization_type == "RMS":
        return columns * model.ln_final.w, constant
    return columns, constant


def _split_into_heads(
    model: Openable, cache: Cache, parts: Tensor, labels: list[str]
) -> tuple[Tensor, list[str]]:
    """Replace every layer's attn_out by its heads, and keep what the heads leave of it: b_O."""
    head_rows = cache.stack_head_results(layer=model.cfg.n_layers)
    n_heads = model.cfg.n_heads
    rows, names = [], []
    for part, label in zip(parts, labels, strict=True):
        if not label.endswith("_attn_out"):
            rows.append(part[None])
            names.append(label)
            continue
        layer = int(label.removesuffix("_attn_out"))
        heads = head_rows[layer * n_heads : (layer + 1) * n_heads]
        rows += [heads, (part - heads.sum(0))[None]]
        names += [f"L{layer}H{head}" for head in range(n_heads)] + [f"{layer}_b_O"]
    return torch.cat(rows), names


def _over_positions(vectors: Tensor, places: torch.Size) -> Tensor:
    """[d], [*batch d] or [*batch pos d] -> a shape that broadcasts over [*batch pos d]."""
    given = vectors.shape[:-1]
    if given in (torch.Size(), places):
        return vectors
    if given == places[:-1]:
        return vectors[..., None, :]
    raise ValueError(
        f"tokens must be one id, or ids of shape {list(places[:-1])} or {list(places)}; "
        f"these have shape {list(given)}"
    )

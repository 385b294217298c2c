"""Does a head of cross-attention look where the written word comes from, and is it missed?

Where it is known from which source position each target token comes, the weight on these cells is a
score of a head, to be compared with what attention spread evenly would give. A high score is not
yet an explanation (Jain & Wallace 2019, "Attention is not Explanation"): the word may reach the
decoder by another way, for the encoder has spread it, or another head may read it as well. So the
head is taken out, and the probability of the same text is measured again.

It misleads where words have a fixed place: a head that looks at the place alone scores as high. And
a single head that is not missed may have a double, so that only both together would be.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tfs.hooks import HookedModel
from tfs.interp.heads import mean_attention


def aligned_cells(
    alignment: Sequence[int | None], target_pos: int, source_pos: int
) -> Bool[Tensor, "target_pos source_pos"]:
    """True where the token that a target position writes comes from a source position.

    alignment: that source position for each target position, None for one that comes from nowhere;
    it may be shorter than the target, whose end comes from nowhere. Raises ValueError for more of
    them than there are target positions, and for a place outside the source.
    """
    if len(alignment) > target_pos:
        raise ValueError(
            f"{len(alignment)} places are aligned, but there are {target_pos} to write"
        )
    cells = torch.zeros(target_pos, source_pos, dtype=torch.bool)
    for place, source in enumerate(alignment):
        if source is None:
            continue
        if source not in range(source_pos):
            raise ValueError(
                f"position {place} is aligned with {source}, outside 0 ... {source_pos - 1}"
            )
        cells[place, source] = True
    return cells


def alignment_scores(
    pattern: Float[Tensor, "*batch head target_pos source_pos"],
    aligned: Bool[Tensor, "*batch target_pos source_pos"],
) -> Float[Tensor, "*batch head"]:
    """The share of its weight that each head of cross-attention spends on the aligned cells.

    Averaged over the target positions that have one; NaN where none has. In [0, 1].
    """
    return mean_attention(pattern, aligned)


def alignment_by_chance(
    aligned: Bool[Tensor, "*batch target_pos source_pos"],
) -> Float[Tensor, "*batch"]:
    """The score of a head that looks at every source position alike; NaN where none is aligned."""
    uniform = torch.full(aligned.shape, 1 / aligned.shape[-1])
    return mean_attention(uniform[..., None, :, :], aligned)[..., 0]


@torch.no_grad()
def written_log_probs(
    model: HookedModel,
    tokens: Int[Tensor, "batch source_pos"],
    decoder_input: Int[Tensor, "batch target_pos"],
    written: Int[Tensor, "batch target_pos"],
) -> Float[Tensor, "batch target_pos"]:
    """ln p of each written token, given the source and what stands before it; in nats.

    decoder_input: what the decoder has read when it writes each: the start, then what was written.
    """
    log_probs = model(tokens, decoder_input).log_softmax(-1)
    return log_probs.gather(-1, written[..., None])[..., 0]


@torch.no_grad()
def log_probs_without_heads(
    model: HookedModel,
    tokens: Int[Tensor, "1 source_pos"],
    decoder_input: Int[Tensor, "1 target_pos"],
    written: Int[Tensor, "1 target_pos"],
) -> Float[Tensor, "layer head target_pos"]:
    """ln p of each written token when one head of cross-attention after the other is taken out.

    The z of that head becomes zero at every target position, so that it brings nothing of the
    source. The heads of a layer are taken out side by side, as rows of one batch.
    """
    n_heads = model.cfg.n_heads
    head = torch.arange(n_heads)
    copies = [ids.expand(n_heads, -1) for ids in (tokens, decoder_input, written)]

    def without_own(z: Tensor, hook: object) -> Tensor:
        ablated = z.clone()  # [batch target_pos head d_head]; row i does without head i
        ablated[head, :, head] = 0.0
        return ablated

    found = []
    for layer in range(model.cfg.n_layers):
        with model.hooks(fwd_hooks=[(f"decoder.{layer}.cross_attn.hook_z", without_own)]):
            found.append(written_log_probs(model, *copies))
    return torch.stack(found)

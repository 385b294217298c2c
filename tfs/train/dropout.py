"""Dropout as an intervention (Srivastava et al. 2014; Vaswani et al. 2017, section 5.4).

The model knows nothing of it: training hooks what each part writes into the residual stream, and
zeroes numbers at random. So it cannot be left on by mistake, and its draws depend on the run's
seed, the step, and where in the batch a part of it begins, which is what lets a run resume bit for
bit, on several processes too.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from tfs.hooks import HookPoint
from tfs.tasks.batch import generator, seed_for

BEFORE_BLOCK_0 = tuple(f"{stack}.0.hook_resid_pre" for stack in ("blocks", "encoder", "decoder"))
WRITERS = ("hook_attn_out", "hook_cross_attn_out", "hook_mlp_out")


def writes_to_stream(name: str) -> bool:
    """Whether a point is the sum of the embeddings, an attention layer's output or an MLP's."""
    return name in BEFORE_BLOCK_0 or name.endswith(WRITERS)


def dropout_hooks(
    p: float, seed: int, step: int, row: int = 0
) -> list[tuple[Callable[[str], bool], Callable[[Tensor, HookPoint], Tensor]]]:
    """Hooks that zero each number with probability p and scale the others by 1 / (1 - p).

    row: the sequence of the update's batch that a forward pass begins with. Draws are made on the
    CPU, so that they are the same whatever the model runs on.
    """
    if p == 0:
        return []
    draws = generator(seed_for(seed, "dropout", step, *([row] if row else [])))

    def drop(activation: Tensor, hook: HookPoint) -> Tensor:
        keep = torch.empty(activation.shape).bernoulli_(1 - p, generator=draws)
        return activation * keep.div_(1 - p).to(activation)

    return [(writes_to_stream, drop)]

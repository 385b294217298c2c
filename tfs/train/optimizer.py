"""The optimisers: AdamW, and plain gradient descent with momentum; decay on matrices only."""

import torch
from torch import Tensor

from tfs.hooks import HookedModel
from tfs.model.base import is_matrix
from tfs.train.config import TrainConfig

MOMENTS = {  # what each keeps of the gradients so far, by torch's names
    torch.optim.AdamW: ("exp_avg", "exp_avg_sq"),
    torch.optim.SGD: ("momentum_buffer",),
}


def make_optimizer(model: HookedModel, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019), or SGD with momentum (Sutskever et al. 2013).

    Biases and norm weights are not decayed. What asks for no gradient is left out.
    """
    named = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    decayed = [name for name in named if is_matrix(name)]
    rest = [name for name in named if name not in decayed]
    if not config.weight_decay:  # one group is one call of the fused kernel
        decayed, rest = list(named), []
    groups = [
        {"params": [named[name] for name in names], "weight_decay": decay}
        for names, decay in ((decayed, config.weight_decay), (rest, 0.0))
        if names
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.betas[0], fused=True)
    return torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=True)


def moments_of(optimizer: torch.optim.Optimizer) -> tuple[str, ...]:
    """The names of what it keeps for each parameter."""
    return MOMENTS[type(optimizer)]


def optimizer_tensors(model: HookedModel, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The moments by parameter name, as safetensors can hold them."""
    return {
        f"{moment}.{name}": optimizer.state[parameter][moment]
        for name, parameter in model.named_parameters()
        for moment in moments_of(optimizer)
        if parameter in optimizer.state
    }


def restore_optimizer(
    model: HookedModel, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], step: int
) -> None:
    """The inverse: moments laid out in memory as their parameters are, and the step count.

    Before the first update there are none.
    """
    if step == 0:
        return
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        state = {"step": torch.tensor(float(step), device=parameter.device)}
        for moment in moments_of(optimizer):
            state[moment] = torch.empty_like(parameter).copy_(tensors[f"{moment}.{name}"]).detach()
        optimizer.state[parameter] = state

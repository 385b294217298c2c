"""Optimisers: how parameters follow their gradients downhill. Updates equal torch's.

An optimiser keeps a few arrays for each parameter, its moments, under torch's names.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np

from tfs.numpy_engine.module import Parameter

Number = float | int
Moments = dict[str, np.ndarray]


class Optimizer:
    """step() updates every parameter that has a gradient; zero_grad() forgets the gradients.

    Raises ValueError for a learning rate or a decay below 0, and where there is nothing to train.
    """

    moments: tuple[str, ...] = ()

    def __init__(self, parameters: Iterable[Parameter], lr: Number, weight_decay: Number) -> None:
        self.parameters = [p for p in parameters if p.requires_grad]
        if not self.parameters:
            raise ValueError("there is no parameter that asks for a gradient, so nothing to train")
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must be 0 or more, not {value!r}")
        self.lr, self.weight_decay = lr, weight_decay
        self.updates = [0] * len(self.parameters)
        self.state: list[Moments] = [
            {name: np.zeros_like(p.data) for name in self.moments} for p in self.parameters
        ]

    def step(self) -> None:
        for i, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                self.updates[i] += 1
                parameter.data -= self.change(
                    parameter.data, parameter.grad.data, self.state[i], self.updates[i]
                )

    def change(self, x: np.ndarray, grad: np.ndarray, state: Moments, update: int) -> np.ndarray:
        """What to take away from parameter x; keeps `state` up to date. Updates count from 1."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray]:
        """Its moments and the number of updates of each parameter, by number."""
        arrays = {f"{i}.{n}": array for i, s in enumerate(self.state) for n, array in s.items()}
        return arrays | {"updates": np.array(self.updates, dtype=np.int64)}

    def load_state_dict(self, arrays: dict[str, np.ndarray]) -> None:
        """Raises ValueError where the arrays are not those of such an optimiser and model."""
        own = {name: array.shape for name, array in self.state_dict().items()}
        if own != {name: array.shape for name, array in arrays.items()}:
            raise ValueError("these moments are of another optimiser, or of another model")
        self.updates = arrays["updates"].tolist()
        for i, state in enumerate(self.state):
            for name in state:
                state[name] = arrays[f"{i}.{name}"].copy()


class SGD(Optimizer):
    """Down the slope; with momentum, a running sum of slopes (Sutskever et al. 2013)."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: Number = 1e-3,
        momentum: Number = 0,
        weight_decay: Number = 0,
    ) -> None:
        self.momentum = momentum
        self.moments = ("momentum_buffer",) if momentum else ()
        super().__init__(parameters, lr, weight_decay)

    def change(self, x: np.ndarray, grad: np.ndarray, state: Moments, update: int) -> np.ndarray:
        if self.weight_decay:
            grad = grad + self.weight_decay * x
        if self.momentum:
            state["momentum_buffer"] *= self.momentum
            state["momentum_buffer"] += grad
            grad = state["momentum_buffer"]
        return self.lr * grad


class RMSprop(Optimizer):
    """Each slope over the root of its mean square of late (Hinton 2012, lecture 6e)."""

    moments = ("square_avg",)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: Number = 1e-2,
        alpha: Number = 0.99,
        eps: Number = 1e-8,
        weight_decay: Number = 0,
    ) -> None:
        self.alpha, self.eps = alpha, eps
        super().__init__(parameters, lr, weight_decay)

    def change(self, x: np.ndarray, grad: np.ndarray, state: Moments, update: int) -> np.ndarray:
        if self.weight_decay:
            grad = grad + self.weight_decay * x
        state["square_avg"] *= self.alpha
        state["square_avg"] += (1 - self.alpha) * grad * grad
        return self.lr * grad / (np.sqrt(state["square_avg"]) + self.eps)


class Adam(Optimizer):
    """Mean slope over root mean square, both corrected for their start at 0 (Kingma & Ba 2015)."""

    moments = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: Number = 1e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0,
    ) -> None:
        self.betas, self.eps = betas, eps
        super().__init__(parameters, lr, weight_decay)

    def change(self, x: np.ndarray, grad: np.ndarray, state: Moments, update: int) -> np.ndarray:
        if self.weight_decay:
            grad = grad + self.weight_decay * x
        return self.step_of(grad, state, update)

    def step_of(self, grad: np.ndarray, state: Moments, update: int) -> np.ndarray:
        beta1, beta2 = self.betas
        state["exp_avg"] *= beta1
        state["exp_avg"] += (1 - beta1) * grad
        state["exp_avg_sq"] *= beta2
        state["exp_avg_sq"] += (1 - beta2) * grad * grad
        root = np.sqrt(state["exp_avg_sq"])
        root /= math.sqrt(1 - beta2**update)
        root += self.eps
        return state["exp_avg"] / root * (self.lr / (1 - beta1**update))


class AdamW(Adam):
    """Adam, its weight decay apart from the slope (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: Number = 1e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def change(self, x: np.ndarray, grad: np.ndarray, state: Moments, update: int) -> np.ndarray:
        step = self.step_of(grad, state, update)
        return step + self.lr * self.weight_decay * x if self.weight_decay else step


def clip_grad_norm_(parameters: Iterable[Parameter], max_norm: Number) -> float:
    """Scale all gradients so that, as one vector, they are no longer than max_norm.

    Returns how long that vector was.
    """
    grads = [p.grad.data for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads))
    if norm > max_norm:
        for grad in grads:
            grad *= max_norm / (norm + 1e-6)
    return norm


def constant(lr: Number) -> Callable[[int], Number]:
    """The same learning rate at every step."""
    return lambda step: lr


def warmup_cosine(lr: Number, warmup_steps: int, steps: int) -> Callable[[int], Number]:
    """Up from 0 in a straight line, then along a cosine to 0 at `steps`; steps count from 1."""

    def at(step: int) -> Number:
        if step <= warmup_steps:
            return lr * step / warmup_steps
        progress = min((step - warmup_steps) / max(steps - warmup_steps, 1), 1.0)
        return lr * (1 + math.cos(math.pi * progress)) / 2

    return at

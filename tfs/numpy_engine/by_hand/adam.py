"""The rule that turns gradients into steps."""

import numpy as np


class Adam:
    """Each weight steps by its mean gradient, in units of how large that usually is.

        m = b1 m + (1 - b1) g,    v = b2 v + (1 - b2) g^2
        w = w - lr M / (sqrt(V) + eps)

    with M = m / (1 - b1^t) and V = v / (1 - b2^t), since both means begin at 0 (Kingma & Ba 2015,
    "Adam"). The arrays of `weights` are changed in place, so that layers see it.
    """

    def __init__(
        self, weights: dict[str, np.ndarray], lr: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.weights, self.lr, self.betas, self.steps = weights, lr, betas, 0
        self.mean = {name: np.zeros_like(weight) for name, weight in weights.items()}
        self.square = {name: np.zeros_like(weight) for name, weight in weights.items()}

    def step(self, gradients: dict[str, np.ndarray]) -> None:
        self.steps += 1
        (beta_1, beta_2), steps = self.betas, self.steps
        for name, gradient in gradients.items():
            mean, square = self.mean[name], self.square[name]
            mean += (1 - beta_1) * (gradient - mean)
            square += (1 - beta_2) * (gradient**2 - square)
            size = np.sqrt(square / (1 - beta_2**steps)) + 1e-8
            self.weights[name] -= self.lr * mean / (1 - beta_1**steps) / size

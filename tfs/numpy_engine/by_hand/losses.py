"""What a model is told about its errors: one number, and the gradient that starts the way back."""

import numpy as np
from jaxtyping import Float, Int


class CrossEntropy:
    """Minus the logarithm of the right answer's probability, as a mean over the batch.

        L = -1 / n sum_b y_b(t_b)

    with y the log-probabilities and t_b the right category of example b:

        dL/dy_bc = -1 / n [c = t_b]

    Sent back through LogSoftmax, that becomes 1 / n (p_bc - [c = t_b]): what was said, less what
    is right.
    """

    def forward(
        self,
        log_probabilities: Float[np.ndarray, "batch category"],
        targets: Int[np.ndarray, " batch"],
    ) -> float:
        """The mean loss; 0 for an empty batch."""
        self.shape, self.targets = log_probabilities.shape, targets
        right = log_probabilities[np.arange(len(targets)), targets]
        return float(-right.sum() / max(len(targets), 1))

    def backward(self) -> Float[np.ndarray, "batch category"]:
        gradient = np.zeros(self.shape)
        gradient[np.arange(len(self.targets)), self.targets] = -1 / max(len(self.targets), 1)
        return gradient


class BinaryCrossEntropy:
    """Of yes-or-no questions, each a logit x and a label t of 1 or 0, as a mean over the batch.

        L = 1 / n sum_bk (log(1 + exp(x_bk)) - t_bk x_bk)

    which is -log s for a yes and -log(1 - s) for a no, with s = 1 / (1 + exp(-x)). Its slope is
    what was said, less what is right:

        dL/dx_bk = 1 / n (s_bk - t_bk)

    Negative sampling asks it of the true neighbour (1) and of k drawn words (0): Mikolov et al.
    2013, "Distributed representations of words and phrases and their compositionality".
    """

    def forward(
        self, logits: Float[np.ndarray, "batch word"], labels: Float[np.ndarray, "batch word"]
    ) -> float:
        """The sum over words, as a mean over the batch; 0 for an empty batch."""
        self.logits, self.labels = logits, labels
        each = np.logaddexp(0, logits) - labels * logits
        return float(each.sum() / max(len(logits), 1))

    def backward(self) -> Float[np.ndarray, "batch word"]:
        said = 0.5 * (1 + np.tanh(0.5 * self.logits))
        return (said - self.labels) / max(len(self.logits), 1)

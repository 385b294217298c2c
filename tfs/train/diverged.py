"""When a training is lost: its numbers are no numbers any more, or its loss ran away.

The loss that counts is the training loss. The held-out loss may rise far above its best and come
down again: that is what a model does that first learns by heart (see the modular-addition recipe).
"""

import math
from collections.abc import Iterable

import torch

from tfs.hooks import HookedModel

FAR = 3  # times ln d_vocab above the best: as wrong as no guess at random would be
UPDATES_TOO_FAR = 50


class Diverged(ValueError):
    """A training that was stopped because it diverged: the step, and the loss it had there."""

    def __init__(self, message: str, step: int, loss: float) -> None:
        super().__init__(message)
        self.step, self.loss = step, loss


class Watch:
    """Looks at every update. Stops a training

    - at once, where loss, gradient norm or weights are not finite;
    - after 50 updates in a row with a loss above the best so far + 3 ln d_vocab.

    d_vocab: of the task. kept: the steps whose weights are kept, None where nothing is.
    losses: of the updates before, so that a resumed run is judged as one that never stopped.
    """

    def __init__(self, d_vocab: int, kept: list[int] | None, losses: Iterable[float] = ()) -> None:
        self.margin, self.kept = FAR * math.log(d_vocab), kept
        self.best, self.in_a_row = math.inf, 0
        for loss in losses:
            self._count(loss)

    def look(self, step: int, loss: float, grad_norm: float, lr: float, model: HookedModel) -> None:
        """After update `step`, before anything of it is written. Raises Diverged."""
        if not math.isfinite(loss) or not math.isfinite(grad_norm):
            name, value = ("gradient", grad_norm) if math.isfinite(loss) else ("loss", loss)
            raise self._diverged(step, loss, f"its {name} is {value}", step - 2, lr)
        if not torch.nn.utils.get_total_norm(list(model.parameters())).isfinite():
            reason = "its weights are no finite numbers any more"
            raise self._diverged(step, loss, reason, step - 1, lr)
        self._count(loss)
        if self.in_a_row >= UPDATES_TOO_FAR:
            reason = (
                f"its loss, now {loss:.4g}, has been far above its best, {self.best:.4g}, for "
                f"{self.in_a_row} updates"
            )
            raise self._diverged(step, loss, reason, step - self.in_a_row - 1, lr)

    def is_far(self, loss: float) -> bool:
        """Whether a loss is as far above the best so far as that of a lost training."""
        return not loss <= self.best + self.margin

    def _count(self, loss: float) -> None:
        self.best = min(self.best, loss)
        self.in_a_row = self.in_a_row + 1 if self.is_far(loss) else 0

    def _diverged(self, step: int, loss: float, reason: str, good: int, lr: float) -> Diverged:
        """good: the last step whose weights had a loss that was still right."""
        way_out = f"lower the learning rate (it was {lr:.3g})"
        if self.kept is not None:
            snapshot = max(kept for kept in self.kept if kept <= max(good, 0))
            way_out += f", then resume, or branch from snapshot {snapshot}, which was still good"
        return Diverged(f"the training diverged at step {step}: {reason}; {way_out}", step, loss)

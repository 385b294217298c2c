"""Training is a generator: it yields after every update, and to stop is not to call next."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tfs.numpy_engine.data import Batch, HasBatches
from tfs.numpy_engine.files import load_arrays, save_arrays
from tfs.numpy_engine.layers import Dropout
from tfs.numpy_engine.losses import cross_entropy
from tfs.numpy_engine.module import Module
from tfs.numpy_engine.optim import Optimizer, clip_grad_norm_
from tfs.numpy_engine.tensor import Tensor, no_grad

Loss = Callable[[Module, Batch], Tensor]
LAST = "trainer.safetensors"


class Step(NamedTuple):
    """What one update reports; the model now has had exactly `step` updates."""

    step: int
    loss: float  # on this update's batch, before the update
    lr: float | int
    grad_norm: float  # before clipping
    held_out: float | None  # after the update, every eval_every steps


def next_token_loss(model: Module, batch: Batch) -> Tensor:
    """Mean of -ln p(token | what came before it) over a batch of (tokens [batch pos],), in nats."""
    (tokens,) = batch
    return cross_entropy(model(tokens[:, :-1]), tokens[:, 1:])


class Trainer:
    """Trains `model` in place; `for step in trainer.steps(300): ...`.

    loss          (model, batch) -> a tensor of one number
    schedule      learning rate of update `step`, from 1; None leaves the optimiser's as it is
    grad_clip     largest norm of the whole gradient; None lets any pass
    held_out      a batch that is never trained on; its loss is found every eval_every updates
    patience      stop after so many of these in a row without a new lowest; None goes on
    seed          of dropout

    All that is random in update n is a function of the seeds and n, so a training that was saved
    and resumed goes on bit for bit as if it had never stopped.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        batches: HasBatches,
        loss: Loss = next_token_loss,
        *,
        schedule: Callable[[int], float | int] | None = None,
        grad_clip: float | int | None = None,
        held_out: Batch | None = None,
        eval_every: int = 25,
        patience: int | None = None,
        seed: int = 0,
    ) -> None:
        self.model, self.optimizer, self.batches, self.loss = model, optimizer, batches, loss
        self.schedule, self.grad_clip, self.seed = schedule, grad_clip, seed
        self.held_out, self.eval_every, self.patience = held_out, eval_every, patience
        self.done = 0  # updates so far
        self.lowest = float("inf")  # held-out loss so far
        self.without_progress = 0  # evaluations since then

    def steps(self, until: int, progress_bar: bool = False) -> Iterator[Step]:
        """Update after update, up to number `until`, or until held-out loss stops falling.

        Raises ValueError where the loss is no longer a finite number.
        """
        with tqdm(total=until, initial=self.done, disable=not progress_bar) as bar:
            while self.done < until and not self.is_over():
                step = self.update()
                bar.update()
                bar.set_postfix_str(f"loss {step.loss:.4f}")
                yield step

    def is_over(self) -> bool:
        return self.patience is not None and self.without_progress >= self.patience

    def update(self) -> Step:
        """Batch, forward, backward, clip, step."""
        self._seed_dropout()
        if self.schedule is not None:
            self.optimizer.lr = self.schedule(self.done + 1)
        loss = self.loss(self.model.train(), self.batches.at(self.done))
        if not np.isfinite(loss.item()):
            raise ValueError(
                f"the loss of update {self.done + 1} is {loss.item()}: training ran away; take a "
                "lower learning rate, or set grad_clip"
            )
        self.optimizer.zero_grad()
        loss.backward()
        most = float("inf") if self.grad_clip is None else self.grad_clip
        grad_norm = clip_grad_norm_(self.optimizer.parameters, most)
        self.optimizer.step()
        self.done += 1
        return Step(self.done, loss.item(), self.optimizer.lr, grad_norm, self._evaluated())

    def _evaluated(self) -> float | None:
        """The held-out loss, if it is time; keeps count of how long it has not fallen."""
        if self.held_out is None or self.done % self.eval_every:
            return None
        loss = self.held_out_loss(self.held_out)
        self.without_progress = 0 if loss < self.lowest else self.without_progress + 1
        self.lowest = min(self.lowest, loss)
        return loss

    def held_out_loss(self, batch: Batch) -> float:
        """Of the model as it stands, without dropout, and leaving no graph."""
        with no_grad():
            return self.loss(self.model.eval(), batch).item()

    def _seed_dropout(self) -> None:
        layers = (module for module in self.model.modules() if isinstance(module, Dropout))
        for number, layer in enumerate(layers):
            layer.generator = np.random.default_rng((self.seed, self.done, number))

    def save(self, directory: str | Path) -> None:
        """All that resume needs, in one file, so that its parts always belong together."""
        counts = {"done": self.done, "without_progress": self.without_progress}
        arrays = {f"weights.{n}": p.data for n, p in self.model.named_parameters()}
        arrays |= {f"moments.{n}": array for n, array in self.optimizer.state_dict().items()}
        arrays |= {f"trainer.{n}": np.array(count, dtype=np.int64) for n, count in counts.items()}
        save_arrays(arrays | {"trainer.lowest": np.float64(self.lowest)}, Path(directory) / LAST)

    def resume(self, directory: str | Path) -> None:
        """Take up where `save` left off. Raises ValueError where there is nothing, or not this."""
        arrays = load_arrays(Path(directory) / LAST)
        parts: dict[str, dict[str, np.ndarray]] = {"weights": {}, "moments": {}, "trainer": {}}
        for path, array in arrays.items():
            part, _, name = path.partition(".")
            parts.setdefault(part, {})[name] = array
        if parts["trainer"].keys() != {"done", "without_progress", "lowest"}:
            raise ValueError(f"{Path(directory) / LAST} was not written by a Trainer")
        self.optimizer.load_state_dict(parts["moments"])
        Module.load_state_dict(self.model, parts["weights"])
        self.done = parts["trainer"]["done"].item()
        self.without_progress = parts["trainer"]["without_progress"].item()
        self.lowest = parts["trainer"]["lowest"].item()

"""How to train: everything a run needs besides the model and the task."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "linear", "constant", "inverse_sqrt")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """Immutable, and checked when made: ValueError names the field and the number.

    steps                 updates of the weights
    batch_size            sequences per update
    lr                    peak learning rate
    warmup_steps          updates in which it rises to that from 0
    schedule              how it then falls: cosine, linear, inverse_sqrt (Vaswani et al. 2017,
                          equation 3), or constant, which does not
    final_lr_fraction     of lr, what is left at the last step; inverse_sqrt does not ask for it
    optimizer             adamw (Loshchilov & Hutter 2019), or sgd: plain descent with momentum
    betas                 AdamW's memories of the gradient and of its square; sgd's momentum is the
                          first
    weight_decay          of the matrices only, apart from the gradient (adamw) or added to it (sgd)
    grad_clip             largest global norm of the gradient; None lets any pass
    dropout               chance of zeroing a number written into the residual stream, in training
    label_smoothing       share of the target that is spread over all tokens alike, in training
                          (Szegedy et al. 2016; Vaswani et al. 2017, section 5.4)
    precision             float32, or bfloat16 for matrix products where the device has it
                          (torch.autocast); weights stay float32
    accumulate            parts that a batch is taken in, one after the other, to save memory; the
                          update is the same, but for dropout's draws
    compile               let torch.compile make one program of the forward and backward pass
    eval_every            updates between evaluations
    eval_size             held-out sequences that an evaluation reads
    save_every            updates between writes of `last/`, from which a run resumes
    snapshots_per_octave  kept weights: 2 keeps steps 0 1 2 3 4 6 8 12 16 ... and the last
    snapshots_from        of those, none between step 0 and this one
    target_loss           stop once the held-out loss is at or below it; None never stops early
    seed                  of the data and of dropout
    """

    steps: int = 300
    batch_size: int = 64
    lr: float = 1e-2
    warmup_steps: int = 30
    schedule: str = "cosine"
    final_lr_fraction: float = 0.0
    optimizer: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.0
    grad_clip: float | None = 1.0
    dropout: float = 0.0
    label_smoothing: float = 0.0
    precision: str = "float32"
    accumulate: int = 1
    compile: bool = False
    eval_every: int = 25
    eval_size: int = 512
    save_every: int = 1000
    snapshots_per_octave: int = 2
    snapshots_from: int = 1
    target_loss: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        for field in (
            "steps",
            "batch_size",
            "eval_every",
            "eval_size",
            "save_every",
            "snapshots_from",
            "accumulate",
        ):
            self._check(field, getattr(self, field) >= 1, "at least 1")
        most = f"at most batch_size = {self.batch_size}"
        self._check("accumulate", self.accumulate <= self.batch_size, most)
        self._check("snapshots_per_octave", self.snapshots_per_octave in (1, 2, 4), "1, 2 or 4")
        self._check("warmup_steps", self.warmup_steps >= 0, "0 or more")
        for field in ("lr", "grad_clip"):
            value = getattr(self, field)
            is_off = field == "grad_clip" and value is None
            self._check(
                field, is_off or (math.isfinite(value) and value > 0), "a finite number above 0"
            )
        self._check("weight_decay", 0 <= self.weight_decay < math.inf, "0 or more")
        for field in ("dropout", "label_smoothing"):
            self._check(field, 0 <= getattr(self, field) < 1, "at least 0 and below 1")
        self._check("final_lr_fraction", 0 <= self.final_lr_fraction <= 1, "between 0 and 1")
        self._check("betas", all(0 <= beta < 1 for beta in self.betas), "at least 0 and below 1")
        self._check("optimizer", self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}")
        self._check("schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}")
        self._check("precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")
        if self.compile and self.dropout:
            raise ValueError(
                "compile does not go with dropout, which is a hook of each run and cannot be part "
                "of a fixed program; set dropout to 0, or leave out compile"
            )

    def _check(self, field: str, holds: bool, wanted: str) -> None:
        if not holds:
            raise ValueError(f"{field} must be {wanted}, not {getattr(self, field)!r}")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TrainConfig":
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(fields) - known):
            raise ValueError(f"unknown training field: {', '.join(unknown)}")
        betas = tuple(fields.get("betas", cls.betas))  # JSON has no tuples
        return cls(**fields | {"betas": betas})

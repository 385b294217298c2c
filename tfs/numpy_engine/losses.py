"""What training lowers: one number that says how wrong the predictions are."""

import numpy as np

from tfs.numpy_engine.functions import squashed
from tfs.numpy_engine.reductions import log_softmax_of
from tfs.numpy_engine.tensor import Tensor, result

IGNORED = -100  # no class's number


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = IGNORED) -> Tensor:
    """Mean of -ln p(target) in nats; logits [... classes], targets [...] whole numbers.

    Where a target is ignore_index it does not count; where none counts the mean is NaN, as
    torch's. The gradient of one row is softmax(logits) minus 1 at the target, so it is made from
    what forward knows. Raises ValueError where shapes do not fit or a target is no class.
    """
    wanted, classes = targets.data.reshape(-1), logits.shape[-1] if logits.ndim else 0
    if logits.shape[:-1] != targets.shape or logits.ndim == 0:
        raise ValueError(
            f"cross_entropy: shapes {logits.shape} and {targets.shape} do not fit together; logits "
            "have one axis more, the classes, at the end"
        )
    counted: slice | np.ndarray = slice(None)
    are_classes = _are_classes(wanted, classes)
    if not are_classes or 0 <= ignore_index < classes:
        counted = np.flatnonzero(wanted != ignore_index)
        wanted = wanted[counted]
        are_classes = _are_classes(wanted, classes)
    if not are_classes:
        raise ValueError(
            f"cross_entropy: targets must be whole numbers from 0 to {classes - 1}, or "
            f"{ignore_index} where none counts"
        )
    log_probs = log_softmax_of(logits.data.reshape(targets.numel(), classes)[counted], -1)
    each = np.arange(len(wanted))
    at_target = log_probs[each, wanted]
    value = -at_target.sum() / logits.dtype.type(len(wanted)) if len(wanted) else np.nan
    value = np.asarray(value, dtype=logits.dtype)

    def _backward(grad: np.ndarray) -> tuple:
        share = np.exp(log_probs)
        share[each, wanted] -= 1
        share *= grad / max(len(wanted), 1)
        if len(wanted) < targets.numel():
            spread = np.zeros((targets.numel(), classes), dtype=share.dtype)
            spread[counted] = share
            share = spread
        return (share.reshape(logits.shape),)

    return result(value, "cross_entropy", (logits,), _backward)


def _are_classes(wanted: np.ndarray, classes: int) -> bool:
    return wanted.dtype.kind in "iu" and (
        not wanted.size or bool(wanted.min() >= 0 and wanted.max() < classes)
    )


def binary_cross_entropy_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean of -ln of the probability given to what is true; targets in 0 ... 1, of one shape.

    -(t ln s(x) + (1 - t) ln(1 - s(x))) = max(x, 0) - t x + ln(1 + exp(-|x|)), which does not
    overflow. Raises ValueError where the shapes differ.
    """
    _check_same("binary_cross_entropy_with_logits", logits, targets)
    x, t = logits.data, targets.data.astype(logits.dtype, copy=False)
    value = (np.maximum(x, 0) - t * x + np.log1p(np.exp(-np.abs(x)))).mean()

    def _backward(grad: np.ndarray) -> tuple:
        return ((squashed(x) - t) * (grad / max(x.size, 1)),)

    return result(value, "binary_cross_entropy_with_logits", (logits,), _backward)


def mse_loss(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean squared difference. Raises ValueError where the shapes differ."""
    _check_same("mse_loss", predictions, targets)
    return (predictions - targets).square().mean()


def negative_sampling(centre: Tensor, context: Tensor, negatives: Tensor) -> Tensor:
    """Word2vec's loss (Mikolov et al. 2013, equation 4), averaged over the batch.

    centre, context [batch d]: vectors of words that stood together; negatives [batch n d]: of words
    drawn at random. The first pair's product should be large, the others' small.
    """
    together = (centre * context).sum(-1)
    apart = (negatives @ centre.unsqueeze(-1)).squeeze(-1)
    return (_softplus(-together) + _softplus(apart).sum(-1)).mean()


def _softplus(x: Tensor) -> Tensor:
    """ln(1 + exp(x)) = -ln sigmoid(-x)."""
    value = np.logaddexp(x.data, x.dtype.type(0))

    def _backward(grad: np.ndarray) -> tuple:
        return (grad * squashed(x.data),)

    return result(value, "softplus", (x,), _backward)


def _check_same(op: str, a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise ValueError(f"{op}: shapes {a.shape} and {b.shape} must be the same")

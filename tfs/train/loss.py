"""Cross-entropy of the next token: what training lowers, in nats."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.model import DecoderOnly
from tfs.model.products import linear
from tfs.tasks.batch import Examples

LOGITS_AT_ONCE = 2**24  # numbers: 64 MiB in float32
NOT_ASKED = -100  # no token's number
FEW_LOGITS = 2**21  # numbers: below, taking them in slices costs more than it gains


def next_token_loss(
    logits: Float[Tensor, "batch pos d_vocab"],
    tokens: Int[Tensor, "batch pos"],
    loss_mask: Bool[Tensor, "batch pos"],
    all_counted: int | None = None,
) -> Float[Tensor, ""]:
    """Mean over the masked tokens of -ln p(token | what came before it), in nats.

    all_counted: the sum is divided by this number instead. Where a batch is taken in parts, and it
    is the number of masked tokens of the whole, the parts' losses add up to that of the whole.
    """
    return mean_loss(logits[:, :-1], tokens[:, 1:], loss_mask[:, 1:], all_counted)


def mean_loss(
    logits: Float[Tensor, "*batch d_vocab"],
    targets: Int[Tensor, "*batch"],
    counted: Bool[Tensor, "*batch"],
    all_counted: int | None = None,
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Mean of -ln p(target) over what is counted, in nats; all_counted as in next_token_loss.

    label_smoothing: a target is the true token with 1 - label_smoothing, and any token, the true
    one too, with an equal part of the rest (Szegedy et al. 2016, section 7).
    """
    asked = targets.where(counted, NOT_ASKED)
    total = F.cross_entropy(
        logits.flatten(0, -2),
        asked.flatten(),
        reduction="sum",
        ignore_index=NOT_ASKED,
        label_smoothing=label_smoothing,
    )
    return total / (all_counted or counted.sum())


def training_loss(
    model: nn.Module,
    batch: Examples,
    all_counted: int | None = None,
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """mean_loss of a model on any kind of batch.

    A DecoderOnly's is taken without holding all logits, where nobody watches them and nothing is
    smoothed: with a vocabulary of 50,257 the logits of a batch are by far the largest tensor of an
    update. UnembedLoss makes them a slice at a time and keeps only their gradients' products. It
    knows no output_logits_soft_cap: such a model holds them all.
    """
    is_plain = isinstance(model, DecoderOnly) and not label_smoothing
    is_plain = is_plain and not model.cfg.output_logits_soft_cap > 0
    if not is_plain or model.unembed.hook_in.is_watched() or model.unembed.hook_out.is_watched():
        logits = batch.predictions(model)
        return mean_loss(logits, batch.targets, batch.counted, all_counted, label_smoothing)
    resid = model.ln_final(model.resid(batch.tokens))[:, :-1].flatten(0, 1)
    targets, counted = batch.targets.flatten(), batch.counted.flatten()
    if len(resid) * model.W_U.shape[1] <= FEW_LOGITS:
        return mean_loss(linear(resid, model.W_U, model.b_U), targets, counted, all_counted)
    weight = (counted.double() / (all_counted or counted.sum())).to(model.W_U.dtype)
    return UnembedLoss.apply(resid, model.W_U, model.b_U, targets, weight)


class UnembedLoss(torch.autograd.Function):
    """sum_i weight_i * cross_entropy(resid_i W_U + b_U, target_i), rows taken a slice at a time.

    The gradient of a row's loss with respect to its logits is softmax(logits) - onehot(target), so
    forward can finish the whole gradient while a slice's logits are at hand.
    """

    @staticmethod
    def forward(
        ctx: Any, resid: Tensor, W_U: Tensor, b_U: Tensor, targets: Tensor, weight: Tensor
    ) -> Tensor:
        rows = max(1, LOGITS_AT_ONCE // W_U.shape[1])
        loss = torch.zeros((), dtype=W_U.dtype, device=W_U.device)
        grad_resid = torch.empty_like(resid, dtype=W_U.dtype)
        grad_W_U, grad_b_U = torch.zeros_like(W_U), torch.zeros_like(b_U)
        for start in range(0, len(resid), rows):
            part = slice(start, start + rows)
            probs, losses = _softmax_and_loss(linear(resid[part], W_U), b_U, targets[part])
            loss += losses @ weight[part]
            grad_logits = probs  # reused in place
            grad_logits[torch.arange(len(losses), device=losses.device), targets[part]] -= 1
            grad_logits *= weight[part, None]
            grad_resid[part] = linear(grad_logits, W_U.T)
            grad_W_U += linear(resid[part].T, grad_logits)
            grad_b_U += grad_logits.sum(0)
        ctx.save_for_backward(grad_resid.to(resid.dtype), grad_W_U, grad_b_U)
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        grad_resid, grad_W_U, grad_b_U = ctx.saved_tensors
        return grad_resid * grad_loss, grad_W_U * grad_loss, grad_b_U * grad_loss, None, None


def _softmax_and_loss(logits: Tensor, b_U: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities and cross-entropies of rows, from one exponential."""
    logits = logits.to(b_U.dtype).add_(b_U)
    logits -= logits.amax(-1, keepdim=True)
    at_target = logits.gather(1, targets[:, None]).squeeze(1)
    probs = logits.exp_()
    total = probs.sum(-1, keepdim=True)
    return probs.div_(total), total.squeeze(1).log() - at_target

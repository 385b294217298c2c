"""Cross-entropy of the next token: what training lowers, in nats."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.model import DecoderOnly
from tfs.model.base import TransformerModel
from tfs.model.products import add_transposed_product, linear
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
    """mean_loss of a model on any kind of batch, without logits that nobody asks for.

    With a vocabulary of 50,257 the logits of a batch are by far the largest tensor of an update. So
    they are made only where a prediction counts (of masked words that is one in seven), and if they
    still are many, UnembedLoss makes them a slice at a time and keeps only their gradients'
    products. Where somebody watches them, and with an output_logits_soft_cap, all are made.
    """
    if not isinstance(model, TransformerModel) or model.head_is_watched() or _caps(model):
        logits = batch.predictions(model)
        return mean_loss(logits, batch.targets, batch.counted, all_counted, label_smoothing)
    resid = batch.predictions(model.final_stream).flatten(0, 1)
    targets, counted = batch.targets.flatten(), batch.counted.flatten()
    if resid.device.type == "cpu" and not torch.compiler.is_compiling() and not counted.all():
        resid, targets, counted = resid[counted], targets[counted], counted[counted]
    resid = model.for_unembed(resid[None])[0]
    W_U, b_U = model.W_U, None if model.cfg.tie_word_embeddings else model.b_U
    if len(resid) * W_U.shape[1] <= FEW_LOGITS:
        logits = linear(resid, W_U, b_U)
        return mean_loss(logits, targets, counted, all_counted, label_smoothing)
    weight = (counted.double() / (all_counted or counted.sum())).to(W_U.dtype)
    return UnembedLoss.apply(resid, W_U, b_U, targets, weight, label_smoothing)


def _caps(model: nn.Module) -> bool:
    return isinstance(model, DecoderOnly) and model.cfg.output_logits_soft_cap > 0


class UnembedLoss(torch.autograd.Function):
    """sum_i weight_i * cross_entropy(resid_i W_U + b_U, target_i), rows taken a slice at a time.

    The gradient of a row's loss with respect to its logits is softmax(logits) - target, and the
    target is onehot(target_i), or, with label smoothing, a mixture of that and all tokens alike. So
    forward can finish the whole gradient while a slice's logits are at hand. The weights go into
    the narrow matrices beside the logits, which are passed over as seldom as can be.
    """

    @staticmethod
    def forward(
        ctx: Any,
        resid: Tensor,
        W_U: Tensor,
        b_U: Tensor | None,
        targets: Tensor,
        weight: Tensor,
        label_smoothing: float,
    ) -> Tensor:
        rows = max(1, LOGITS_AT_ONCE // W_U.shape[1])
        loss = torch.zeros((), dtype=W_U.dtype, device=W_U.device)
        grad_resid = torch.empty_like(resid, dtype=W_U.dtype)
        grad_W_U, grad_b_U = (None if W is None else torch.zeros_like(W) for W in (W_U, b_U))
        for start in range(0, len(resid), rows):
            part = slice(start, start + rows)
            log_probs = linear(resid[part], W_U, b_U).to(W_U.dtype).log_softmax(-1)
            at_target = log_probs.gather(1, targets[part, None]).squeeze(1)
            if label_smoothing:
                at_target = at_target.lerp(log_probs.mean(-1), label_smoothing)
            loss -= at_target @ weight[part]
            grad_logits = log_probs.exp_()  # reused in place
            if label_smoothing:
                grad_logits -= label_smoothing / W_U.shape[1]
            here = torch.arange(len(at_target), device=loss.device)
            grad_logits[here, targets[part]] -= 1 - label_smoothing
            grad_resid[part] = linear(grad_logits, W_U.T) * weight[part, None]
            add_transposed_product(grad_W_U, resid[part] * weight[part, None], grad_logits)
            if grad_b_U is not None:
                grad_b_U += weight[part] @ grad_logits
        ctx.save_for_backward(grad_resid.to(resid.dtype), grad_W_U, grad_b_U)
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        grads = (None if grad is None else grad * grad_loss for grad in ctx.saved_tensors)
        return *grads, None, None, None

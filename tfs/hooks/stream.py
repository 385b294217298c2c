"""What may be taken apart: where norms stand, and what reads the stream at the end."""

from typing import Any


def is_post_norm(model: Any) -> bool:
    """Whether blocks normalise the stream itself, after each sum (Vaswani et al. 2017).

    Such blocks have a hook point of their own, here and in TransformerLens's BertBlock. Without
    norms the stream is a sum wherever they would stand.
    """
    has_own_point = "blocks.0.hook_normalized_resid_post" in model.hook_dict
    return has_own_point and model.cfg.normalization_type is not None


def check_linear_end(model: Any) -> None:
    """Raises ValueError where more than a norm stands between the stream and the unembedding."""
    if hasattr(model, "mlm_head"):
        raise ValueError(
            "between this encoder's stream and its logits stands its masked-token head, whose GELU "
            "mixes what the parts wrote, so no part has a share of a logit; logit_lens reads the "
            "stream through that head"
        )

"""Embeddings as they are."""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def embedded(
    tokens: Int[Tensor, "batch pos"], W_E: Float[Tensor, "d_vocab d_model"]
) -> Float[Tensor, "batch pos d_model"]:
    """Each token's vector, large enough beside the positions added to it (Vaswani 2017, 3.4)."""
    vectors = F.embedding(tokens, W_E)
    return vectors

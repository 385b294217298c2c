"""tfs: Transformers from scratch, with every activation in reach."""

from tfs.model import DecoderOnly, TransformerConfig

__all__ = ["DecoderOnly", "TransformerConfig"]

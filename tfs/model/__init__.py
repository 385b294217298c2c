"""The models, leaves first: config, layers, positions, block, decoder."""

from tfs.model.config import TransformerConfig
from tfs.model.decoder import DecoderOnly
from tfs.model.kv_cache import KeyValueCache

__all__ = ["DecoderOnly", "KeyValueCache", "TransformerConfig"]

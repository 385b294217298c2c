"""The models, leaves first: config, layers, block, decoder."""

from tfs.model.config import TransformerConfig
from tfs.model.decoder import DecoderOnly
from tfs.model.kv_cache import KeyValueCache

__all__ = ["DecoderOnly", "KeyValueCache", "TransformerConfig"]

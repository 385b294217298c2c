"""The models, leaves first: config, layers, positions, blocks, then decoder, encoder and both."""

from tfs.model.architectures import Kind, kind_of
from tfs.model.config import TransformerConfig
from tfs.model.decoder import DecoderOnly
from tfs.model.encoder import EncoderOnly, PairClassifier, TokenClassifier
from tfs.model.encoder_decoder import EncoderDecoder
from tfs.model.kv_cache import DecodingCache, KeyValueCache
from tfs.model.presets_paper import paper_config

__all__ = [
    "DecoderOnly",
    "DecodingCache",
    "EncoderDecoder",
    "EncoderOnly",
    "KeyValueCache",
    "Kind",
    "PairClassifier",
    "TokenClassifier",
    "TransformerConfig",
    "kind_of",
    "paper_config",
]

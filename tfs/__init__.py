"""tfs: Transformers from scratch, with every activation in reach.

bundle = tfs.load("mirror")
logits, cache = bundle.model.run_with_cache(tokens)
cache["pattern", 0]  # [batch head query_pos key_pos]
"""

from tfs.model import (
    DecoderOnly,
    EncoderDecoder,
    EncoderOnly,
    KeyValueCache,
    PairClassifier,
    TokenClassifier,
    TransformerConfig,
)
from tfs.sample import generate, generate_stream
from tfs.train import TrainConfig, TrainStep, evaluate, train
from tfs.train.checkpoint import Bundle, CheckpointError, load, save

__all__ = [
    "Bundle",
    "CheckpointError",
    "DecoderOnly",
    "EncoderDecoder",
    "EncoderOnly",
    "KeyValueCache",
    "PairClassifier",
    "TokenClassifier",
    "TrainConfig",
    "TrainStep",
    "TransformerConfig",
    "evaluate",
    "generate",
    "generate_stream",
    "load",
    "save",
    "train",
]

"""What a Transformer costs, worked out from its config alone: no weights, no run.

>>> from tfs.model.config import TransformerConfig
>>> cfg = TransformerConfig(n_layers=4, d_model=128, n_ctx=64, n_heads=4, d_head=32, d_vocab=100)
>>> query_weights = parameter_terms(cfg)[4]
>>> query_weights.name, query_weights.formula
('blocks.*.attn.W_Q', 'n_layers * n_heads * d_model * d_head')
>>> query_weights.substituted, query_weights.value
('4 * 4 * 128 * 32', 65536)
>>> readable_count(total(parameter_terms(cfg))), readable_count(training_flops(cfg, pos=64))
('827.2 K', '332.1 M')

parameters  how many numbers are learned, and where they sit
flops       how many multiplications and additions a pass costs
memory      how many bytes the weights, the training and the KV cache hold

parameter_terms_of and weight_shapes_of know encoders and encoder-decoders, too.
"""

from tfs.arithmetic.architectures import parameter_terms_of, weight_shapes_of
from tfs.arithmetic.encoder_flops import (
    encoder_decoder_flops_terms,
    masked_words_flops_terms,
    pair_classifier_flops_terms,
    token_classifier_flops_terms,
)
from tfs.arithmetic.flops import forward_flops_terms, training_flops, training_flops_6nd
from tfs.arithmetic.memory import (
    decoding_cache_terms,
    kv_cache_terms,
    training_memory_terms,
    weight_bytes,
)
from tfs.arithmetic.parameters import parameter_terms, weight_shapes
from tfs.arithmetic.readable import readable_bytes, readable_count
from tfs.arithmetic.terms import Term, total

__all__ = [
    "Term",
    "decoding_cache_terms",
    "encoder_decoder_flops_terms",
    "forward_flops_terms",
    "kv_cache_terms",
    "masked_words_flops_terms",
    "pair_classifier_flops_terms",
    "parameter_terms",
    "parameter_terms_of",
    "readable_bytes",
    "readable_count",
    "token_classifier_flops_terms",
    "total",
    "training_flops",
    "training_flops_6nd",
    "training_memory_terms",
    "weight_bytes",
    "weight_shapes",
    "weight_shapes_of",
]

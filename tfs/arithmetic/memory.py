"""How many bytes a Transformer holds on to, while it trains and while it generates.

Training keeps four numbers per parameter: the weight, its gradient, and Adam's two running
averages. So a model that fits in memory may still not train there.

Generating keeps the keys and values of every position so far, so that a new token computes only
its own. Unlike the weights this KV cache grows with the text and with each reader: at long
contexts it, not the model, decides how many people one machine can serve.

Both counts are of what must be kept. The activations of a pass come on top, and depend on how
the pass is run rather than on the config alone.
"""

from dataclasses import replace

from tfs.arithmetic.parameters import parameter_terms
from tfs.arithmetic.terms import Term, sizes_of
from tfs.model.config import TransformerConfig


def kv_cache_terms(
    cfg: TransformerConfig, pos: int, batch: int = 1, bytes_per_element: int | None = None
) -> list[Term]:
    """Bytes of the keys and values (hence the 2) of `pos` positions, in every layer and head.

    Where query heads share keys and values, n_key_value_heads takes the place of n_heads.

    A cache that takes its room in advance, as KeyValueCache does, holds pos = n_ctx from the start.
    bytes_per_element: None takes those of cfg.dtype (4 for float32, 2 for bfloat16).

    Raises ValueError unless pos is in 1..n_ctx and the others at least 1.
    Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", the section
    on incremental multihead attention.
    """
    if bytes_per_element is None:
        bytes_per_element = cfg.dtype.itemsize
    sizes = sizes_of(cfg, pos=pos, batch=batch, bytes_per_element=bytes_per_element)
    heads = "n_key_value_heads" if cfg.n_key_value_heads else "n_heads"
    factors = (2, "n_layers", heads, "d_head", "pos", "batch", "bytes_per_element")
    return [Term.product("blocks.*.attn.hook_k + hook_v", factors, sizes)]


def decoding_cache_terms(
    cfg: TransformerConfig,
    pos: int,
    source_pos: int,
    batch: int = 1,
    bytes_per_element: int | None = None,
) -> list[Term]:
    """Bytes that an encoder-decoder keeps while it writes: for self- and for cross-attention.

    The first grows with each of the `pos` tokens that are written; the second, the keys and values
    of the encoder's output, has the size of the `source_pos` tokens that were read, from the first
    token to the last. Raises ValueError as kv_cache_terms does, of source_pos as of pos.
    """
    (written,) = kv_cache_terms(cfg, pos, batch, bytes_per_element)
    (read,) = kv_cache_terms(cfg, source_pos, batch, bytes_per_element)
    return [
        replace(written, name="decoder.*.attn.hook_k + hook_v"),
        replace(
            read,
            name="decoder.*.cross_attn.hook_k + hook_v",
            formula=read.formula.replace("pos", "source_pos"),
        ),
    ]


def weight_bytes(cfg: TransformerConfig, bytes_per_element: int | None = None) -> int:
    """Bytes of all weights; a tied embedding is held once.

    bytes_per_element: None takes those of cfg.dtype (4 for float32, 2 for bfloat16).

    Raises ValueError if bytes_per_element is below 1.
    """
    return training_memory_terms(cfg, bytes_per_element)[0].value


def training_memory_terms(
    cfg: TransformerConfig, bytes_per_element: int | None = None
) -> list[Term]:
    """Bytes kept between training steps: weights, gradients and Adam's two moments.

    Fixed positions ("sinusoidal") are a weight without the other three.
    exp_avg and exp_avg_sq are torch.optim.Adam's names for the running averages of the gradient
    and of its square. Left out: activations, and mixed precision, which keeps some of the four in
    another dtype. SGD without momentum needs the first two terms only.

    bytes_per_element: None takes those of cfg.dtype (4 for float32, 2 for bfloat16).

    Raises ValueError if bytes_per_element is below 1.
    Source: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1;
    Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
    section 3.1.
    """
    if bytes_per_element is None:
        bytes_per_element = cfg.dtype.itemsize
    sizes = sizes_of(cfg, bytes_per_element=bytes_per_element)
    terms = {term.name: term.value for term in parameter_terms(cfg)}
    sizes["n_parameters"] = sum(terms.values())
    trained = "n_parameters"
    if cfg.positional_embedding_type == "sinusoidal":
        trained = "n_trained"
        sizes["n_trained"] = sizes["n_parameters"] - terms["pos_embed.W_pos"]
    return [
        Term.product("weights", ("n_parameters", "bytes_per_element"), sizes),
        *(
            Term.product(kept, (trained, "bytes_per_element"), sizes)
            for kept in ("gradients", "adam.exp_avg", "adam.exp_avg_sq")
        ),
    ]

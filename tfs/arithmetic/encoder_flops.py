"""How much arithmetic a pass takes through a model that encodes a text.

What flops.py says of a product holds here, too. Two things are new. In cross-attention the queries
come from the text that is written and the keys from the one that was read, so that its scores grow
with target_pos * source_pos. And beside its blocks an encoder has a head to pay for: a matrix and
the unembedding for masked words, one small matrix for labels.
"""

from tfs.arithmetic.flops import Products, attention_products, mlp_products
from tfs.arithmetic.terms import Term, sizes_of
from tfs.model.config import TransformerConfig


def encoder_decoder_flops_terms(
    cfg: TransformerConfig, source_pos: int, target_pos: int, batch: int = 1
) -> list[Term]:
    """FLOPs of each matrix product of an EncoderDecoder: a source read, a target's logits computed.

    Raises ValueError unless both lengths are in 1..n_ctx and batch at least 1.
    """
    for pos in (source_pos, target_pos):
        sizes = sizes_of(cfg, pos=pos, batch=batch)
    sizes |= {"source_pos": source_pos, "target_pos": target_pos}
    source, target = "source_pos", "target_pos"
    products = {
        **attention_products(cfg, "encoder.*.attn", source, source, (source, source)),
        **mlp_products(cfg, "encoder.*.mlp", source),
        **attention_products(cfg, "decoder.*.attn", target, target, (target, target)),
        **attention_products(cfg, "decoder.*.cross_attn", target, source, (target, source)),
        **mlp_products(cfg, "decoder.*.mlp", target),
        "unembed.W_U": (2, "batch", target, "d_model", "d_vocab"),
    }
    return [Term.product(name, factors, sizes) for name, factors in products.items()]


def masked_words_flops_terms(cfg: TransformerConfig, pos: int, batch: int = 1) -> list[Term]:
    """FLOPs of each matrix product of an EncoderOnly, logits at every position included.

    Raises ValueError unless pos is in 1..n_ctx and batch at least 1.
    """
    head: Products = {
        "mlm_head.W": (2, "batch", "pos", "d_model", "d_model"),
        "unembed.W_U": (2, "batch", "pos", "d_model", "d_vocab"),
    }
    return _encoder_terms(cfg, pos, batch, "", head)


def token_classifier_flops_terms(
    cfg: TransformerConfig, pos: int, labels: int, batch: int = 1
) -> list[Term]:
    """FLOPs of each matrix product of a TokenClassifier: every position gets its labels' logits.

    Raises ValueError unless pos is in 1..n_ctx, labels and batch at least 1.
    """
    head: Products = {"classifier.W": (2, "batch", "pos", "d_model", "labels")}
    return _encoder_terms(cfg, pos, batch, "encoder.", head, labels=labels)


def pair_classifier_flops_terms(
    cfg: TransformerConfig, pos: int, labels: int, batch: int = 1
) -> list[Term]:
    """FLOPs of each matrix product of a PairClassifier: only position 0 reaches its head.

    Raises ValueError unless pos is in 1..n_ctx, labels and batch at least 1.
    """
    head: Products = {
        "pooler.W": (2, "batch", "d_model", "d_model"),
        "classifier.W": (2, "batch", "d_model", "labels"),
    }
    return _encoder_terms(cfg, pos, batch, "encoder.", head, labels=labels)


def _encoder_terms(
    cfg: TransformerConfig, pos: int, batch: int, prefix: str, head: Products, **of_the_head: int
) -> list[Term]:
    """The blocks, whose weights have this prefix, and a head."""
    sizes = sizes_of(cfg, pos=pos, batch=batch, **of_the_head) | {"query_pos": pos, "key_pos": pos}
    products = attention_products(cfg, f"{prefix}blocks.*.attn")
    if not cfg.attn_only:
        products |= mlp_products(cfg, f"{prefix}blocks.*.mlp")
    products |= head
    return [Term.product(name, factors, sizes) for name, factors in products.items()]

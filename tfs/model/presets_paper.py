"""The two sizes of "Attention Is All You Need" (Vaswani et al. 2017, table 3)."""

from tfs.model.config import TransformerConfig

SIZES = {
    "base": {"d_model": 512, "n_heads": 8, "d_mlp": 2048},
    "big": {"d_model": 1024, "n_heads": 16, "d_mlp": 4096},
}


def paper_config(size: str, d_vocab: int = 37_000, n_ctx: int = 512) -> TransformerConfig:
    """A config for EncoderDecoder: "base" or "big", post-norm, sines, tied embeddings, ReLU.

    With the 37,000 tokens that section 5.1 names, 63.1 and 214.2 million numbers are trained.
    Table 3 says 65 and 213 million; no single vocabulary gives both: base rounds to 65 from 39,769
    to 41,721 tokens, big to 213 from 35,296 to 36,272. Raises ValueError for another size.
    """
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(SIZES)}, not {size!r}")
    return TransformerConfig(
        n_layers=6,
        d_head=64,
        n_ctx=n_ctx,
        d_vocab=d_vocab,
        act_fn="relu",
        normalization_type="LN",
        positional_embedding_type="sinusoidal",
        tie_word_embeddings=True,
        initializer_range=SIZES[size]["d_model"] ** -0.5,
        norm_first=False,
        scale_embedding=True,
        **SIZES[size],
    )

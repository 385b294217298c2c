"""Where a Transformer's parameters sit.

Three things are worth looking for in the list.

- The embedding grows with the vocabulary, and not with depth. In a small model with a large
  vocabulary it is most of the model: 38.6 of GPT-2 small's 124.4 million.
- A block's matrices hold 4 * d_model^2 numbers in attention and 8 * d_model^2 in the MLP, where
  n_heads * d_head = d_model and d_mlp = 4 * d_model as usual: two thirds of a block are its MLP.
  Splitting d_model into more, narrower heads changes neither.
- Biases and LayerNorm are vectors beside matrices: in GPT-2 small, about one parameter in 1000.

n_ctx appears once, in W_pos: attention itself has no parameter that depends on the sequence length.
"""

from tfs.arithmetic.terms import Term, sizes_of
from tfs.model.config import TransformerConfig


def weight_shapes(cfg: TransformerConfig) -> dict[str, tuple[str, ...]]:
    """Name to shape, in axis words, of every weight; "blocks.*" once, with one block's shape.

    Names and shapes are HookedTransformer's. A tied model (`tie_word_embeddings`) has no
    unembed.W_U, since W_E serves twice, and no b_U. LayerNorm has weights only with
    normalization_type "LN": "LNPre" and None have none. W_pos is counted where it is fixed
    ("sinusoidal"), too: it is kept and saved like the others, though not trained.
    """
    head_shape = ("n_heads", "d_model", "d_head")
    shapes = {"embed.W_E": ("d_vocab", "d_model")}
    if cfg.positional_embedding_type != "none":
        shapes["pos_embed.W_pos"] = ("n_ctx", "d_model")
    shapes |= _norm_shapes(cfg, "blocks.*.ln1")
    shapes |= {f"blocks.*.attn.{name}": head_shape for name in ("W_Q", "W_K", "W_V")}
    shapes["blocks.*.attn.W_O"] = ("n_heads", "d_head", "d_model")
    shapes |= {f"blocks.*.attn.{name}": ("n_heads", "d_head") for name in ("b_Q", "b_K", "b_V")}
    shapes["blocks.*.attn.b_O"] = ("d_model",)
    if not cfg.attn_only:
        shapes |= _norm_shapes(cfg, "blocks.*.ln2")
        shapes["blocks.*.mlp.W_in"] = ("d_model", "d_mlp")
        shapes["blocks.*.mlp.b_in"] = ("d_mlp",)
        shapes["blocks.*.mlp.W_out"] = ("d_mlp", "d_model")
        shapes["blocks.*.mlp.b_out"] = ("d_model",)
    shapes |= _norm_shapes(cfg, "ln_final")
    if not cfg.tie_word_embeddings:
        shapes["unembed.W_U"] = ("d_model", "d_vocab")
        shapes["unembed.b_U"] = ("d_vocab",)
    return shapes


def _norm_shapes(cfg: TransformerConfig, norm: str) -> dict[str, tuple[str, ...]]:
    if cfg.normalization_type != "LN":
        return {}
    return {f"{norm}.w": ("d_model",), f"{norm}.b": ("d_model",)}


def parameter_terms(cfg: TransformerConfig) -> list[Term]:
    """How many numbers each weight holds; their total is the model's parameter count.

    The sizes to compare with: Radford et al. 2019, "Language Models are Unsupervised Multitask
    Learners", table 2 (it says 117M for the smallest; counted with ties, it is 124,439,808).
    """
    sizes = sizes_of(cfg)
    terms = []
    for name, shape in weight_shapes(cfg).items():
        copies = ("n_layers",) if name.startswith("blocks.*.") else ()
        terms.append(Term.product(name, (*copies, *shape), sizes))
    return terms

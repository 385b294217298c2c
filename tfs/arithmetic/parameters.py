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

    So are "experts.*", with one expert's.

    Names and shapes are HookedTransformer's. A tied model (`tie_word_embeddings`) has no
    unembed.W_U, since W_E serves twice, and no b_U. Norms have weights only with
    normalization_type "LN" and "RMS", which has no b. W_pos is counted where it is fixed
    ("sinusoidal"), too: it is kept and saved like the others, though not trained.
    """
    shapes = {"embed.W_E": ("d_vocab", "d_model")}
    if cfg.positional_embedding_type in ("standard", "sinusoidal"):
        shapes["pos_embed.W_pos"] = ("n_ctx", "d_model")
    shapes |= norm_shapes(cfg, "blocks.*.ln1")
    shapes |= attention_shapes(cfg, "blocks.*.attn")
    if not cfg.attn_only:
        shapes |= norm_shapes(cfg, "blocks.*.ln2") | mlp_shapes(cfg, "blocks.*.mlp")
    shapes |= norm_shapes(cfg, "ln_final")
    if not cfg.tie_word_embeddings:
        shapes["unembed.W_U"] = ("d_model", "d_vocab")
        shapes["unembed.b_U"] = ("d_vocab",)
    return shapes


def norm_shapes(cfg: TransformerConfig, norm: str) -> dict[str, tuple[str, ...]]:
    """The weights of the norm of that name; {} where it has none."""
    names = {"LN": "wb", "RMS": "w"}.get(cfg.normalization_type or "", "")
    return {f"{norm}.{name}": ("d_model",) for name in names}


def attention_shapes(cfg: TransformerConfig, attn: str) -> dict[str, tuple[str, ...]]:
    """The weights of the attention of that name."""
    key_value = ("_", "n_key_value_heads") if cfg.n_key_value_heads else ("", "n_heads")
    heads = {"Q": ("", "n_heads"), "K": key_value, "V": key_value}
    shapes: dict[str, tuple[str, ...]] = {
        f"{prefix}W_{name}": (count, "d_model", "d_head") for name, (prefix, count) in heads.items()
    }
    shapes["W_O"] = ("n_heads", "d_head", "d_model")
    shapes |= {f"{prefix}b_{name}": (count, "d_head") for name, (prefix, count) in heads.items()}
    shapes["b_O"] = ("d_model",)
    return {f"{attn}.{name}": shape for name, shape in shapes.items()}


def mlp_shapes(cfg: TransformerConfig, mlp: str) -> dict[str, tuple[str, ...]]:
    """The weights of the MLP of that name, or of its experts."""
    into, out_of = ("d_model", "d_mlp"), ("d_mlp", "d_model")
    if cfg.num_experts:
        shapes = {"W_gate.weight": ("num_experts", "d_model")}
        shapes |= {f"experts.*.{name}.weight": out_of for name in ("W_gate", "W_in")}
        shapes["experts.*.W_out.weight"] = into
    else:
        shapes = {"W_gate": into} if cfg.gated_mlp else {}
        shapes |= {"W_in": into, "b_in": ("d_mlp",), "W_out": out_of, "b_out": ("d_model",)}
    return {f"{mlp}.{name}": shape for name, shape in shapes.items()}


def parameter_terms(cfg: TransformerConfig) -> list[Term]:
    """How many numbers each weight holds; their total is the model's parameter count.

    The sizes to compare with: Radford et al. 2019, "Language Models are Unsupervised Multitask
    Learners", table 2 (it says 117M for the smallest; counted with ties, it is 124,439,808).
    """
    sizes = sizes_of(cfg)
    terms = []
    for name, shape in weight_shapes(cfg).items():
        copies = ("n_layers",) if name.startswith("blocks.*.") else ()
        copies += ("num_experts",) if ".experts.*." in name else ()
        terms.append(Term.product(name, (*copies, *shape), sizes))
    return terms

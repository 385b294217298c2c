"""Where the parameters of all three architectures sit, and of the classifiers on an encoder.

They are made of the same parts, so they differ in which parts they have. An encoder has a vector
for each of two texts, a norm on its embedding, and a head that is one more matrix. A decoder that
asks an encoder has a second attention in every block: 4 * d_model^2 numbers more, as many again as
its self-attention has.
"""

from tfs.arithmetic.parameters import attention_shapes, mlp_shapes, norm_shapes, weight_shapes
from tfs.arithmetic.terms import Term, sizes_of
from tfs.model.architectures import DECODER_ONLY, Kind
from tfs.model.config import TransformerConfig

Shapes = dict[str, tuple[str | int, ...]]


def weight_shapes_of(kind: Kind) -> Shapes:
    """Name to shape, in axis words, of every weight; a layer's once, with "*" for its number.

    Tied embeddings are counted once. A classifier keeps its encoder's masked-token head, unused.
    Raises ValueError for an unknown kind.
    """
    cfg, encoder = kind.cfg, "encoder."
    made = {
        DECODER_ONLY: lambda: dict(weight_shapes(cfg)),
        "encoder-only": lambda: _encoder_shapes(cfg),
        "encoder-decoder": lambda: _encoder_decoder_shapes(cfg),
        "token-classifier": lambda: _encoder_shapes(cfg, encoder) | _classifier_shapes(),
        "pair-classifier": lambda: (
            _encoder_shapes(cfg, encoder) | _matrix_shapes("pooler") | _classifier_shapes()
        ),
    }
    if kind.architecture not in made:
        raise ValueError(
            f"there is no architecture {kind.architecture!r:.60}; there are {', '.join(made)}"
        )
    return made[kind.architecture]()


def parameter_terms_of(kind: Kind) -> list[Term]:
    """How many numbers each weight holds; their total is the model's parameter count.

    Of a decoder-only model they are `parameter_terms`. Raises ValueError for an unknown kind.
    """
    sizes = sizes_of(kind.cfg) | {"labels": len(kind.labels)}
    terms = []
    for name, shape in weight_shapes_of(kind).items():
        stacks = ("blocks.*.", "encoder.*.", "decoder.*.")
        copies = ("n_layers",) if any(stack in name for stack in stacks) else ()
        copies += ("num_experts",) if ".experts.*." in name else ()
        terms.append(Term.product(name, (*copies, *shape), sizes))
    return terms


def _encoder_shapes(cfg: TransformerConfig, prefix: str = "") -> Shapes:
    """Of an EncoderOnly, whose names begin with `prefix` where it is a part of another model."""
    shapes: Shapes = {"embed.embed.W_E": ("d_vocab", "d_model")}
    shapes |= _position_shapes(cfg, "embed.pos_embed")
    shapes["embed.token_type_embed.W_token_type"] = (2, "d_model")
    shapes |= norm_shapes(cfg, "embed.ln")
    shapes |= norm_shapes(cfg, "blocks.*.ln1") | attention_shapes(cfg, "blocks.*.attn")
    if not cfg.attn_only:
        shapes |= norm_shapes(cfg, "blocks.*.ln2") | mlp_shapes(cfg, "blocks.*.mlp")
    if cfg.norm_first:
        shapes |= norm_shapes(cfg, "ln_final")
    shapes |= _matrix_shapes("mlm_head") | norm_shapes(cfg, "mlm_head.ln") | _unembed_shapes(cfg)
    return {prefix + name: shape for name, shape in shapes.items()}


def _encoder_decoder_shapes(cfg: TransformerConfig) -> Shapes:
    shapes: Shapes = {"embed.W_E": ("d_vocab", "d_model")} | _position_shapes(cfg, "pos_embed")
    for stack, attentions in (("encoder", ("attn",)), ("decoder", ("attn", "cross_attn"))):
        for number, attention in enumerate(attentions, start=1):
            shapes |= norm_shapes(cfg, f"{stack}.*.ln{number}")
            shapes |= attention_shapes(cfg, f"{stack}.*.{attention}")
        shapes |= norm_shapes(cfg, f"{stack}.*.ln{len(attentions) + 1}")
        shapes |= mlp_shapes(cfg, f"{stack}.*.mlp")
        if cfg.norm_first:
            shapes |= norm_shapes(cfg, f"{stack}_final_ln")
    return shapes | _unembed_shapes(cfg)


def _position_shapes(cfg: TransformerConfig, name: str) -> Shapes:
    has_vectors = cfg.positional_embedding_type in ("standard", "sinusoidal")
    return {f"{name}.W_pos": ("n_ctx", "d_model")} if has_vectors else {}


def _unembed_shapes(cfg: TransformerConfig) -> Shapes:
    if cfg.tie_word_embeddings:
        return {}
    return {"unembed.W_U": ("d_model", "d_vocab"), "unembed.b_U": ("d_vocab",)}


def _matrix_shapes(name: str) -> Shapes:
    return {f"{name}.W": ("d_model", "d_model"), f"{name}.b": ("d_model",)}


def _classifier_shapes() -> Shapes:
    return {"classifier.W": ("d_model", "labels"), "classifier.b": ("labels",)}

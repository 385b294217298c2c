"""The shape of a model, in the field's own words.

Fields, meanings and values are those of TransformerLens's HookedTransformerConfig, so a config can
be handed from one to the other. One spelling per axis serves the whole project:

===========  =====================================================================
batch        independent sequences
pos          positions (tokens) of a sequence; query_pos and key_pos inside attention
d_model      width of the residual stream
head         attention heads of a layer
d_head       width of one head's queries, keys and values
d_mlp        hidden units (neurons) of an MLP
d_vocab      tokens in the vocabulary
layer        blocks, counted from 0
===========  =====================================================================
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import torch

ACT_FNS = ("relu", "gelu", "gelu_new", "silu")
NORMALIZATION_TYPES = ("LN", "LNPre", None)
POSITIONAL_EMBEDDING_TYPES = ("standard", "sinusoidal", "none")
ATTENTION_DIRS = ("causal", "bidirectional")
SWITCHES = ("attn_only", "use_residual", "use_attn_result", "use_attn_scale", "tie_word_embeddings")
OWN_CHOICES = ("norm_first", "scale_embedding")  # None: what the architecture is known for
DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and choices of a Transformer; immutable, and checked when it is made.

    n_heads, d_mlp and attn_scale may be left at -1 or None: they become d_model // d_head,
    4 * d_model and sqrt(d_head), as in HookedTransformerConfig. Two defaults differ from it:
    `initializer_range` is GPT-2's 0.02 (there -1, which means 0.8 / sqrt(d_model), and means that
    here too), and positional_embedding_type has two values that it lacks: "none", and "sinusoidal",
    the fixed vectors of Vaswani et al. 2017, section 3.5 (there both are a W_pos of one's own).

    n_layers                   blocks
    d_model                    width of the residual stream
    n_ctx                      longest sequence that it can read
    d_head                     width of one head's queries, keys and values
    n_heads                    attention heads of a layer
    d_mlp                      hidden units (neurons) of an MLP
    d_vocab                    tokens in the vocabulary
    act_fn                     activation of the MLP: relu, gelu, gelu_new or silu
    normalization_type         LN, LNPre (centre and scale only), or None for no norm
    positional_embedding_type  standard (a learned vector for each position), sinusoidal (fixed
                               ones, from sines), or none
    attention_dir              causal, or bidirectional: no mask, so that every position sees the
                               whole text, even the token that it is to predict: for reading only
    attn_only                  blocks have no MLP
    use_residual               attention and MLP add to the stream; without it, which is ours
                               alone, each replaces the stream with what it writes
    norm_first                 norms stand before attention and MLP (pre-norm), or after the sum
                               (post-norm); None: before in DecoderOnly, after in the other two
    scale_embedding            token vectors are multiplied by sqrt(d_model) (Vaswani et al. 2017,
                               section 3.4); None: in EncoderDecoder only. Both are ours alone
    use_attn_result            compute what each head writes by itself (hook_result); slower
    use_attn_scale             divide the attention scores by attn_scale
    attn_scale                 the divisor of the attention scores
    eps                        added to the variance in a norm, so that it never divides by 0
    tie_word_embeddings        W_U is W_E transposed and there is no b_U, as in GPT-2
    initializer_range          standard deviation of the random weights at the start
    seed                       of those random weights; None draws others every time
    dtype                      of the weights: float32, float64 or bfloat16

    Raises ValueError, naming the field and the numbers, where sizes cannot fit together.
    """

    n_layers: int
    d_model: int
    n_ctx: int
    d_head: int
    n_heads: int = -1
    d_mlp: int | None = None
    d_vocab: int = -1
    act_fn: str = "relu"
    normalization_type: str | None = "LN"
    positional_embedding_type: str = "standard"
    attention_dir: str = "causal"
    attn_only: bool = False
    use_residual: bool = True
    norm_first: bool | None = None
    scale_embedding: bool | None = None
    use_attn_result: bool = False
    use_attn_scale: bool = True
    attn_scale: float = -1.0
    eps: float = 1e-5
    tie_word_embeddings: bool = False
    initializer_range: float = 0.02
    seed: int | None = None
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        for field in ("n_layers", "d_model", "n_ctx", "d_head"):
            self._check_size(field)
        self._fill_in("n_heads", -1, self.d_model // self.d_head)
        self._fill_in("d_mlp", None, 4 * self.d_model)
        self._fill_in("attn_scale", -1.0, math.sqrt(self.d_head))
        self._fill_in("initializer_range", -1.0, 0.8 / math.sqrt(self.d_model))
        for field in ("n_heads", "d_mlp", "d_vocab"):
            self._check_size(field)
        for field, allowed in (
            ("act_fn", ACT_FNS),
            ("normalization_type", NORMALIZATION_TYPES),
            ("positional_embedding_type", POSITIONAL_EMBEDDING_TYPES),
            ("attention_dir", ATTENTION_DIRS),
            *((switch, (False, True)) for switch in SWITCHES),
            *((choice, (None, False, True)) for choice in OWN_CHOICES),
            ("dtype", tuple(DTYPES.values())),
        ):
            if getattr(self, field) not in allowed:
                choices = ", ".join(map(str, allowed))
                raise ValueError(f"{field} must be one of {choices}, not {getattr(self, field)!r}")
        for field in ("attn_scale", "eps", "initializer_range"):
            value = getattr(self, field)
            if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise ValueError(f"{field} must be a finite number above 0, not {value!r}")
        if self.n_heads * self.d_head > 16 * self.d_model:
            raise ValueError(
                f"n_heads * d_head is {self.n_heads} * {self.d_head} = "
                f"{self.n_heads * self.d_head}, more than 16 times d_model = {self.d_model}"
            )

    def _check_size(self, field: str) -> None:
        size = getattr(self, field)
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{field} must be a whole number of at least 1, not {size!r}")

    def _fill_in(self, field: str, unset: Any, value: Any) -> None:
        if getattr(self, field) == unset:
            object.__setattr__(self, field, value)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON can hold them (dtype by its name)."""
        return dataclasses.asdict(self) | {"dtype": str(self.dtype).removeprefix("torch.")}

    def hooked_fields(self) -> dict[str, Any]:
        """What to give HookedTransformerConfig for a model that takes this one's state_dict.

        It knows positions of its own only as "standard": "sinusoidal" weights are in the
        state_dict, and for "none" W_pos must be set to zeros. It draws no weights (seed None).
        Raises ValueError for what it cannot be: a model without residual connections, with norms
        chosen to stand after the sum, or with embeddings chosen to be scaled.
        """
        if not self.use_residual:
            raise ValueError(
                "use_residual is False, and a HookedTransformer always adds what a block writes to "
                "the stream; convert a model that has its residual connections"
            )
        if self.norm_first is False:
            raise ValueError(
                "norm_first is False, and a HookedTransformer always normalises before attention "
                "and MLP; leave norm_first at None"
            )
        if self.scale_embedding:
            raise ValueError(
                "scale_embedding is True, and a HookedTransformer never scales its embeddings; "
                "multiply W_E by sqrt(d_model) and leave scale_embedding at None"
            )
        theirs = {"positional_embedding_type": "standard", "seed": None}
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        ours = ("use_residual", *OWN_CHOICES)
        return {k: v for k, v in (fields | theirs).items() if k not in ours}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TransformerConfig":
        """The inverse of to_dict. Raises ValueError for a field that is unknown or missing."""
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(fields) - known):
            raise ValueError(f"unknown config field: {', '.join(unknown)}")
        needed = {"n_layers", "d_model", "n_ctx", "d_head", "d_vocab"}
        if missing := sorted(needed - set(fields)):
            raise ValueError(f"missing config field: {', '.join(missing)}")
        fields = dict(fields)
        if isinstance(fields.get("dtype"), str):
            if fields["dtype"] not in DTYPES:
                raise ValueError(
                    f"dtype must be one of {', '.join(DTYPES)}, not {fields['dtype']!r}"
                )
            fields["dtype"] = DTYPES[fields["dtype"]]
        return cls(**fields)

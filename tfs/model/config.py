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
key_head     heads of keys and values: as many as head, or fewer where query heads share them
expert       MLPs of a mixture, of which each token visits a few
token        positions of all sequences of a batch, one after the other
===========  =====================================================================
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import torch

from tfs.model.choices import check_choices

ACT_FNS = ("relu", "gelu", "gelu_new", "silu")
NORMALIZATION_TYPES = ("LN", "LNPre", "RMS", "RMSPre", None)
POSITIONAL_EMBEDDING_TYPES = ("standard", "sinusoidal", "none", "rotary", "alibi")
ATTENTION_DIRS = ("causal", "bidirectional")
SWITCHES = ("attn_only", "use_residual", "use_attn_result", "use_attn_scale", "tie_word_embeddings")
OWN_CHOICES = ("norm_first", "scale_embedding")  # None: what the architecture is known for
SWITCHES += ("rotary_adjacent_pairs", "gated_mlp", "use_local_attn", "parallel_attn_mlp")
SWITCHES += ("norm_topk_prob",)
DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and choices of a Transformer; immutable, and checked when it is made.

    n_heads, d_mlp, attn_scale and rotary_dim may be left at -1 or None: they become
    d_model // d_head, 4 * d_model, sqrt(d_head) and d_head, as in HookedTransformerConfig. Two
    defaults differ from it: `initializer_range` is GPT-2's 0.02 (there -1, which means
    0.8 / sqrt(d_model), and means that here too), and positional_embedding_type has two values that
    it lacks: "none", and "sinusoidal", the fixed vectors of Vaswani et al. 2017, section 3.5 (there
    both are a W_pos of one's own).

    n_layers                   blocks
    d_model                    width of the residual stream
    n_ctx                      longest sequence that it can read
    d_head                     width of one head's queries, keys and values
    n_heads                    attention heads of a layer
    d_mlp                      hidden units (neurons) of an MLP
    d_vocab                    tokens in the vocabulary
    act_fn                     activation of the MLP: relu, gelu, gelu_new or silu
    normalization_type         LN, LNPre (centre and scale only), RMS (scale by the root mean
                               square, times a weight), RMSPre (scale only), or None for no norm
    positional_embedding_type  standard (a learned vector for each position), sinusoidal (fixed
                               ones, from sines), none, rotary (queries and keys are turned), or
                               alibi (scores fall with distance)
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
    rotary_dim                 how many entries of a head rotary positions turn, from the first on
    rotary_base                the slowest pair turns nearly once in 2 pi times as many positions
    rotary_adjacent_pairs      pair neighbouring entries, rather than the halves of a head
    n_key_value_heads          heads of keys and values, which groups of query heads share; None
                               gives each head its own
    gated_mlp                  a second matrix, W_gate, decides how much of a neuron comes through
    use_local_attn             layers whose attn_types say local see window_size positions only
                               (in causal models; a bidirectional one has no mask at all)
    window_size                positions that a local layer sees, the query's own among them
    attn_types                 global or local, for each layer
    attn_scores_soft_cap       scores stay within it, by a tanh; -1 for no cap
    output_logits_soft_cap     logits stay within it, by a tanh; -1 for no cap
    parallel_attn_mlp          attention and MLP read the same stream, side by side
    num_experts                MLPs of a layer, gated ones, of which a token visits a few; None for
                               one MLP
    experts_per_token          how many of them a token visits
    norm_topk_prob             the weights of the experts that a token visits are made to sum to 1

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
    rotary_dim: int | None = None
    rotary_base: float | int = 10000
    rotary_adjacent_pairs: bool = False
    n_key_value_heads: int | None = None
    gated_mlp: bool = False
    use_local_attn: bool = False
    window_size: int | None = None
    attn_types: tuple[str, ...] | list[str] | None = None
    attn_scores_soft_cap: float | int = -1.0
    output_logits_soft_cap: float | int = -1.0
    parallel_attn_mlp: bool = False
    num_experts: int | None = None
    experts_per_token: int | None = None
    norm_topk_prob: bool = False

    def __post_init__(self) -> None:
        for field in ("n_layers", "d_model", "n_ctx", "d_head"):
            self._check_size(field)
        self._fill_in("n_heads", -1, self.d_model // self.d_head)
        self._fill_in("d_mlp", None, 4 * self.d_model)
        self._fill_in("attn_scale", -1.0, math.sqrt(self.d_head))
        self._fill_in("initializer_range", -1.0, 0.8 / math.sqrt(self.d_model))
        if self.positional_embedding_type == "rotary":
            self._fill_in("rotary_dim", None, self.d_head)
        if self.attn_types is not None:
            object.__setattr__(self, "attn_types", tuple(self.attn_types))
        optional = ("rotary_dim", "n_key_value_heads", "window_size")
        optional += ("num_experts", "experts_per_token")
        given = [field for field in optional if getattr(self, field) is not None]
        for field in ("n_heads", "d_mlp", "d_vocab", *given):
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
        for field in ("attn_scale", "eps", "initializer_range", "rotary_base"):
            value = getattr(self, field)
            if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise ValueError(f"{field} must be a finite number above 0, not {value!r}")
        if self.n_heads * self.d_head > 16 * self.d_model:
            raise ValueError(
                f"n_heads * d_head is {self.n_heads} * {self.d_head} = "
                f"{self.n_heads * self.d_head}, more than 16 times d_model = {self.d_model}"
            )

        check_choices(self)

    def _check_size(self, field: str) -> None:
        size = getattr(self, field)
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{field} must be a whole number of at least 1, not {size!r}")

    def _fill_in(self, field: str, unset: Any, value: Any) -> None:
        if getattr(self, field) == unset:
            object.__setattr__(self, field, value)

    @property
    def key_heads(self) -> int:
        """Heads of keys and values: n_key_value_heads, or n_heads where each has its own."""
        return self.n_key_value_heads or self.n_heads

    @property
    def windows(self) -> tuple[int | None, ...]:
        """How many positions a query of each layer sees; None where it sees all before it."""
        if not self.use_local_attn:
            return (None,) * self.n_layers
        return tuple(self.window_size if kind == "local" else None for kind in self.attn_types)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON can hold them (dtype by its name)."""
        fields = dataclasses.asdict(self) | {"dtype": str(self.dtype).removeprefix("torch.")}
        return fields | {"attn_types": self.attn_types and list(self.attn_types)}

    def hooked_fields(self) -> dict[str, Any]:
        """What to give HookedTransformerConfig for a model that takes this one's state_dict.

        It knows positions of its own only as "standard": "sinusoidal" weights are in the
        state_dict, and for "none" W_pos must be set to zeros. It draws no weights (seed None). What
        is None, as it is by default, is left out.
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
        fields = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.default is not None or getattr(self, field.name) is not None
        }
        for ours in ("use_residual", *OWN_CHOICES):
            fields.pop(ours, None)
        if self.positional_embedding_type in ("sinusoidal", "none"):
            fields["positional_embedding_type"] = "standard"
        if self.attn_types is not None:
            fields["attn_types"] = list(self.attn_types)
        return fields | {"seed": None}

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

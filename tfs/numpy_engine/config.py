"""The shape of a model: the fields of tfs.TransformerConfig that this engine can do.

The same config.json describes a model to both. What this engine does not do is refused, by name.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

CHOICES = {
    "act_fn": ("relu", "gelu", "gelu_new", "silu"),
    "normalization_type": ("LN", "LNPre", None),
    "positional_embedding_type": ("standard", "sinusoidal", "none"),
    "attention_dir": ("causal", "bidirectional"),
    "dtype": ("float32", "float64"),
}
LEFT_OUT = {  # fields of tfs.TransformerConfig, and the values that mean "without it"
    "rotary_dim": (None,),
    "rotary_base": (10000,),
    "rotary_adjacent_pairs": (False,),
    "n_key_value_heads": (None,),
    "gated_mlp": (False,),
    "use_local_attn": (False,),
    "window_size": None,  # says nothing while use_local_attn is False
    "attn_types": None,
    "attn_scores_soft_cap": (-1.0,),
    "output_logits_soft_cap": (-1.0,),
    "parallel_attn_mlp": (False,),
    "num_experts": (None,),
    "experts_per_token": (None,),
    "norm_topk_prob": (False,),
}
SIZES = ("n_layers", "d_model", "n_ctx", "d_head", "n_heads", "d_mlp", "d_vocab")


@dataclass(frozen=True)
class Config:
    """Sizes and choices; names, meanings and defaults are those of tfs.TransformerConfig.

    Raises ValueError, naming the field, for a size below 1 and a choice that is not there.
    """

    n_layers: int
    d_model: int
    n_ctx: int
    d_head: int
    d_vocab: int
    n_heads: int = -1
    d_mlp: int | None = None
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
    attn_scale: float | int = -1.0
    eps: float = 1e-5
    tie_word_embeddings: bool = False
    initializer_range: float = 0.02
    seed: int | None = None
    dtype: str = "float32"

    def __post_init__(self) -> None:
        self._fill_in("n_heads", -1, self.d_model // max(self.d_head, 1))
        self._fill_in("d_mlp", None, 4 * self.d_model)
        self._fill_in("attn_scale", -1.0, math.sqrt(max(self.d_head, 1)))
        self._fill_in("initializer_range", -1.0, 0.8 / math.sqrt(max(self.d_model, 1)))
        for field in SIZES:
            size = getattr(self, field)
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise ValueError(f"{field} must be a whole number of at least 1, not {size!r}")
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f"the numpy engine does {field} {', '.join(map(str, allowed))}, not "
                    f"{getattr(self, field)!r}; tfs.load may open this model"
                )

    def _fill_in(self, field: str, unset: Any, value: Any) -> None:
        if getattr(self, field) == unset:
            object.__setattr__(self, field, value)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Config":
        """The inverse, for a config of tfs, too.

        Raises ValueError for a field that is missing, unknown, or asks for what is not done here.
        """
        own = {field.name: field for field in dataclasses.fields(cls)}
        for name, neutral in LEFT_OUT.items():
            if neutral is not None and fields.get(name, neutral[0]) not in neutral:
                raise ValueError(
                    f"the numpy engine has no {name} (here {fields[name]!r}); tfs.load may open "
                    "this model"
                )
        if unknown := sorted(set(fields) - set(own) - set(LEFT_OUT)):
            raise ValueError(f"unknown config field: {unknown[0]}")
        needed = [name for name, field in own.items() if field.default is dataclasses.MISSING]
        if missing := [name for name in needed if name not in fields]:
            raise ValueError(f"missing config field: {missing[0]}")
        return cls(**{name: value for name, value in fields.items() if name in own})

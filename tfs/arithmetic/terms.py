"""A count as a list of named products, so that each part of a sum can be shown and checked.

"124 million parameters" teaches little. The same number as a list, with one product per weight,
answers the questions that follow from it: which part is the largest, what grows when d_model is
doubled, and what does not. Every count in this folder is such a list; its sum is `total`.

The factors are written once, as a tuple of names. The formula, the formula with its numbers and
the value are all made from that tuple, so they cannot contradict each other.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tfs.model.config import TransformerConfig

SIZE_FIELDS = ("n_layers", "d_model", "n_ctx", "d_head", "n_heads", "d_mlp", "d_vocab")
SIZE_FIELDS += ("n_key_value_heads", "num_experts", "experts_per_token")  # None without them


@dataclass(frozen=True)
class Term:
    """One product of a count: "n_layers * d_model", "4 * 128", 512.

    name: what is counted, in the weights' names; "blocks.*" is all blocks together.
    """

    name: str
    formula: str
    substituted: str
    value: int

    @classmethod
    def product(cls, name: str, factors: tuple[str | int, ...], sizes: Mapping[str, int]) -> "Term":
        """The product of `factors`: whole numbers, and names that `sizes` gives a number to.

        Raises KeyError for a name that `sizes` lacks.

        >>> Term.product("keys", (2, "pos", "d_head"), {"pos": 16, "d_head": 32})
        Term(name='keys', formula='2 * pos * d_head', substituted='2 * 16 * 32', value=1024)
        """
        numbers = [sizes[factor] if isinstance(factor, str) else factor for factor in factors]
        return cls(
            name=name,
            formula=" * ".join(map(str, factors)),
            substituted=" * ".join(map(str, numbers)),
            value=math.prod(numbers),
        )


def total(terms: Iterable[Term]) -> int:
    """The sum of the terms' values, in whatever unit they count."""
    return sum(term.value for term in terms)


def sizes_of(cfg: TransformerConfig, **of_the_run: int) -> dict[str, int]:
    """The numbers that formulas refer to: the config's sizes, and those of one run (pos, batch).

    Raises ValueError where a size of the run is not a whole number of at least 1, or where pos is
    more than n_ctx, the most positions that the model was made for.
    """
    for field, size in of_the_run.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(
                f"{field} must be a whole number of at least 1, not {size!r}: give 1 or more"
            )
    pos = of_the_run.get("pos", 1)
    if pos > cfg.n_ctx:
        raise ValueError(
            f"pos must be at most n_ctx = {cfg.n_ctx}, not {pos}: "
            "give fewer positions, or a config with a larger n_ctx"
        )
    sizes = {field: getattr(cfg, field) for field in SIZE_FIELDS}
    return {field: size for field, size in sizes.items() if size is not None} | of_the_run

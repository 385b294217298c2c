"""A question about a token's nearest neighbour, whose rivals do not give it away."""

from collections.abc import Sequence

from torch import Tensor

from pages._ui.controls import View
from pages._ui.layout import quoted
from pages._ui.predict import predict

RIVALS = 3


def ask_for_the_nearest(view: View, place: int, cosines: Tensor, near: Tensor) -> bool:
    """Which of up to four tokens lies nearest to the one here? near: all others, nearest first."""
    if not len(near):
        return True
    texts = view.bundle.tokenizer.str_tokens(near.tolist())
    few = sorted([0, *rivals(texts)], key=lambda rank: int(near[rank]))
    options = {rank: repr(texts[rank]) for rank in few}
    if len(set(options.values())) < len(options):
        options = {rank: f"{text} (token {int(near[rank])})" for rank, text in options.items()}
    return len(few) < 2 or predict(
        f"Whose vector points most nearly the same way as that of {quoted(view.labels[place])}?",
        list(options.values()),
        options[0],
        f"The cosine is {cosines[0]:.3f}; the average over all {len(near)} other tokens is "
        f"{cosines.mean():.3f}.",
        key="predict nearest",
    )


def rivals(texts: Sequence[str]) -> list[int]:
    """Ranks from the middle half of the neighbours, of the nearest one's own sort if there are any.

    >>> rivals([" king", "<0xB7>", " queen", " of", "17"])
    [2, 3]
    """
    alike = [rank for rank in range(1, len(texts)) if sort_of(texts[rank]) == sort_of(texts[0])]
    ranks = alike or list(range(1, len(texts)))
    quarter = len(ranks) // 4
    middle = ranks[quarter : len(ranks) - quarter]
    if len(middle) <= RIVALS:
        return middle
    return [middle[i * (len(middle) - 1) // (RIVALS - 1)] for i in range(RIVALS)]


def sort_of(text: str) -> tuple[bool, ...]:
    """Begins a word, is letters, is digits, is a byte: what tells tokens apart at a glance."""
    word = text.strip()
    return text.startswith(" "), word.isalpha(), word.isdigit(), word.startswith("<0x")

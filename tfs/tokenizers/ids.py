"""The check that every tokenizer makes before it decodes."""

import operator
import reprlib
from collections.abc import Iterable


def checked_ids(ids: Iterable[int], d_vocab: int) -> list[int]:
    """`ids` as a list of plain ints.

    Raises ValueError, naming the id and its position, unless each is in 0 ... d_vocab - 1.
    """
    checked = []
    for position, token_id in enumerate(ids):
        try:
            number = operator.index(token_id)
        except TypeError:
            raise ValueError(
                f"{reprlib.repr(token_id)} at position {position} is no token id: "
                f"ids are whole numbers from 0 to {d_vocab - 1}."
            ) from None
        if not 0 <= number < d_vocab:
            raise ValueError(
                f"Token id {reprlib.repr(number)} at position {position} is out of range: "
                f"this tokenizer has {d_vocab} tokens, 0 to {d_vocab - 1}."
            )
        checked.append(number)
    return checked

"""Which side of a split a whole number falls on, the same everywhere and for ever."""

from typing import TypeVar

Whole = TypeVar("Whole")  # an int, or integers in an array or a tensor
TWO_TO_32 = 2**32


def mixed(number: Whole) -> Whole:
    """32 bits that follow no pattern, each number's a function of it alone.

    They are mixed as in the 32-bit finaliser of MurmurHash3 (Appleby 2011).
    """
    mask = TWO_TO_32 - 1
    number = number & mask
    for multiplier in (0x85EBCA6B, 0xC2B2AE35):
        number = (number ^ (number >> 16)) * multiplier & mask
    return number ^ (number >> 16)


def mixed_bits(number: int) -> float:
    """The same as a number in [0, 1): below 0.2 for a fifth of all whole numbers."""
    return mixed(number) / TWO_TO_32

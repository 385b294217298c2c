"""A parser whose every refusal is one sentence, and the numbers that it reads."""

import argparse
import math
import re
import reprlib
from functools import partial
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Leave it to `main` to say, in one sentence; argparse would print its usage before."""
        raise ValueError(f"{message}; see {self.prog} --help")


def whole_number(text: str, low: int, high: int) -> int:
    """For argparse, which puts the option's name before the sentence."""
    number = int(text) if re.fullmatch(r"-?[0-9]{1,20}", text) else None
    if number is None or not low <= number <= high:
        raise argparse.ArgumentTypeError(
            f"give a whole number from {low} to {high}, not {reprlib.repr(text)}"
        )
    return number


def finite_number(text: str) -> float:
    """For argparse, likewise."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"give a finite number, not {reprlib.repr(text)}")
    return number


LARGEST_COUNT = 10**9  # of steps or tokens; more is a slip of the finger
COUNT = partial(whole_number, low=1, high=LARGEST_COUNT)
SEED = partial(whole_number, low=0, high=2**64 - 1)  # 64 bits: -1 would be 2**64 - 1 once more
THREADS = partial(whole_number, low=1, high=1024)  # with far more, OpenMP ends the process

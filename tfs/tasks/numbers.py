"""Numbers in English words, to be written in digits."""

import torch

from tfs.tasks.batch import generator, mixed_bits
from tfs.tasks.pairs import MARKS, PairBatch, pair_batch
from tfs.tokenizers import CharTokenizer, MarkedTokenizer

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
LIMITS = (10_000, 100_000, 1_000_000)
HELD_OUT = 0.1  # of the numbers from a thousand on
SMALL_SHARE = 0.25


class NumbersTask:
    """A whole number below `limit` in words -> in digits, character by character.

    twelve thousand and five -> 12005. A tenth of the numbers is held out by a hash, all of them of
    a thousand or more: a rule of arithmetic such as n mod 10 would hide whole patterns of digits
    from training, and the numbers below a thousand are what the others are made of.
    Raises ValueError unless limit is 10,000, 100,000 or 1,000,000.
    """

    name = "numbers"

    def __init__(self, limit: int = 100_000) -> None:
        if limit not in LIMITS:
            raise ValueError(f"limit must be one of {', '.join(map(str, LIMITS))}, not {limit}")
        self.limit = limit
        letters = set("".join([*SMALL, *TENS, "hundred", "thousand", "and"]))
        self.tokenizer = MarkedTokenizer(CharTokenizer([*"0123456789 -", *sorted(letters)]), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        longest = [max((in_words(n) for n in range(end)), key=len) for end in (limit // 1000, 1000)]
        self.n_ctx = len(f"{longest[0]} thousand {longest[1]}")
        numbers = torch.arange(limit)
        held_out = (mixed_bits(numbers) < HELD_OUT) & (numbers >= 1000)
        self.numbers = {"train": numbers[~held_out], "held_out": numbers[held_out]}

    def sample(self, n: int, seed: int, split: str = "train") -> PairBatch:
        """n numbers of one side of the split, each as likely as any other. But of those to learn
        from a quarter is small, below 10, 100 or 1,000 alike: these are what people type first, and
        one in a hundred would be too few to learn them.
        """
        numbers, g = self.numbers[split], generator(seed)
        drawn = numbers[torch.randint(len(numbers), (n,), generator=g)]
        if split == "train":
            below = 10 ** torch.randint(1, 4, (n,), generator=g)
            small = (torch.rand(n, generator=g) * below).long()
            drawn = torch.where(torch.rand(n, generator=g) < SMALL_SHARE, small, drawn)
        pairs = [(in_words(number), str(number)) for number in drawn.tolist()]
        return pair_batch(pairs, self.tokenizer)

    def floor(self) -> float:
        """0: the words tell the number, and nothing else is asked for."""
        return 0.0


def in_words(number: int) -> str:
    """A number from 0 to 999,999 as it is said: 12,005 is "twelve thousand and five"."""
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _below_1000(rest)
    words = f"{_below_1000(thousands)} thousand"
    if not rest:
        return words
    return f"{words} {'and ' if rest < 100 else ''}{_below_1000(rest)}"


def _below_1000(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_100(rest)
    words = f"{SMALL[hundreds]} hundred"
    return f"{words} and {_below_100(rest)}" if rest else words


def _below_100(number: int) -> str:
    if number < 20:
        return SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{TENS[tens - 2]}-{SMALL[ones]}" if ones else TENS[tens - 2]

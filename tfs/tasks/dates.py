"""Dates as people write them, to be written as computers do (ISO 8601)."""

import datetime

import torch

from tfs.tasks.batch import generator, mixed_bits
from tfs.tasks.pairs import MARKS, PairBatch, pair_batch
from tfs.tokenizers import CharTokenizer, MarkedTokenizer

MONTHS = (
    "January February March April May June July August September October November December"
).split()
ROMAN = "I II III IV V VI VII VIII IX X XI XII".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
STYLES = (
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "the {nth} of {month}, {year}",
    "{nth} {month} {year}",
    "{day} {mon} {year}",
    "{mon} {day}, {year}",
    "{weekday}, {day} {month} {year}",
    "{wkd} {mon} {day} {year}",
    "{month} the {nth}, {year}",
    "{year}, {month} {day}",
    "{day}.{roman}.{year}",
    "{day:02}-{mon}-{year}",
)
FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
HELD_OUT = 0.1  # of the days


class DatesTask:
    """A day in one of twelve styles -> the day in ISO 8601, character by character.

    the 7th of March, 1994 -> 1994-03-07. No style leaves a doubt: one such as 03/07/1994, which
    is in March here and in July there, is not among them, and no year is cut to two digits. A tenth
    of the days from 1900 to 2099 is held out, in all styles.
    """

    name = "dates"

    def __init__(self) -> None:
        texts = [*MONTHS, *ROMAN, *WEEKDAYS, "the of st nd rd th 0123456789,.-"]
        characters = sorted(set("".join(texts)))
        self.tokenizer = MarkedTokenizer(CharTokenizer(characters), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = len("Wednesday, 10 September 2000")
        days = torch.arange(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1)
        held_out = mixed_bits(days) < HELD_OUT
        self.days = {"train": days[~held_out], "held_out": days[held_out]}

    def sample(self, n: int, seed: int, split: str = "train") -> PairBatch:
        """n dates of one side of the split, each in a style of its own."""
        g = generator(seed)
        days = self.days[split]
        days = days[torch.randint(len(days), (n,), generator=g)].tolist()
        styles = torch.randint(len(STYLES), (n,), generator=g).tolist()
        dates = map(datetime.date.fromordinal, days)
        pairs = [
            (written(date, STYLES[style]), date.isoformat())
            for date, style in zip(dates, styles, strict=True)
        ]
        return pair_batch(pairs, self.tokenizer)

    def floor(self) -> float:
        """0: every style tells the day, and nothing but the day is asked for."""
        return 0.0


def written(date: datetime.date, style: str) -> str:
    """A day in one of STYLES: (1994-03-07, "{nth} {month} {year}") -> "7th March 1994"."""
    month, weekday = MONTHS[date.month - 1], WEEKDAYS[date.weekday()]
    return style.format(
        day=date.day,
        nth=ordinal(date.day),
        month=month,
        mon=month[:3],
        roman=ROMAN[date.month - 1],
        year=date.year,
        weekday=weekday,
        wkd=weekday[:3],
    )


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ..., 11th, 12th, 13th, ..., 21st."""
    teens = 11 <= number % 100 <= 13
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"

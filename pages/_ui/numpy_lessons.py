"""What a Transformer on numpy can be taught while one watches, and what it answers then."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
import streamlit as st

import tfs
from pages._ui.given_text import Given, given_text
from pages._ui.lab_samples import in_pieces
from pages._ui.numpy_labels import Questions, Tags
from tfs.numpy_engine import Step, Tensor, Trainer
from tfs.numpy_engine.answers import Right, first_text, guesses, right_answers
from tfs.numpy_engine.characters import (
    BATCH,
    CHARACTERS_STEPS,
    N_CTX,
    character_trainer,
    written,
)
from tfs.numpy_engine.recipes import mirror_trainer
from tfs.tokenizers import CharTokenizer, IntegerTokenizer, Tokenizer
from tfs.train.branch import TEXT_FILE
from tfs.train.recipe import Recipe
from tfs.train.recipes import RECIPES
from tfs.train.schedule import snapshot_steps
from tfs.train.told import Example, Piece

SLICES = 15
STRINGS, BEGINNING, LETTERS = 3, 8, 200  # answered; read before it writes; written


class Lesson(Protocol):
    """A task, and all that the page asks of it.

    key        all that the training depends on: two of one key learn alike, update for update
    steps      updates in all
    tokenizer  of what the model reads
    text       of a reader, which a run keeps beside its model
    per        what a loss is a mean over
    imports    of a program, and what sets `trainer` to what `make` returns
    """

    key: tuple
    steps: int
    tokenizer: Tokenizer
    text: str | None
    per: str
    imports: str
    program: str

    def make(self) -> Trainer:
        """Before its first update. Raises ValueError where there is too little to learn from."""
        ...

    def references(self, trainer: Trainer) -> dict[str, float]:
        """Losses to compare with, in nats."""
        ...

    def grade(self, trainer: Trainer) -> Right:
        """Of the batch that is held out."""
        ...

    def answer(self, trainer: Trainer) -> None:
        """Show what the model says now."""
        ...

    def score(self, trainer: Trainer) -> dict[str, str]:
        """What more is measured when it is over, by its name."""
        ...

    def recipe(self, trainer: Trainer) -> Recipe:
        """What a run of it is, for the list of runs and for whoever goes on from it."""
        ...


class Mirror:
    """A string of numbers, then the same backwards."""

    text, per = None, "token"

    def __init__(self, seed: int) -> None:
        recipe = RECIPES["mirror"]
        model, train = replace(recipe.model, seed=seed), replace(recipe.train, seed=seed)
        self.known = replace(recipe, model=model, train=train)
        self.key, self.steps = ("mirror", seed), train.steps
        self.tokenizer, self.half = IntegerTokenizer(model.d_vocab), model.n_ctx // 2
        self.imports = f"from {mirror_trainer.__module__} import mirror_trainer"
        self.program = f"trainer = mirror_trainer({self.steps}, seed={seed})"

    def make(self) -> Trainer:
        return mirror_trainer(self.steps, self.known.train.seed)

    def references(self, trainer: Trainer) -> dict[str, float]:
        blind = math.log(trainer.model.cfg.d_vocab)
        return {"blind guess": blind, "floor": trainer.batches.floor()}

    def grade(self, trainer: Trainer) -> Right:
        return right_answers(trainer.model, trainer.held_out[0], self.half)

    def answer(self, trainer: Trainer) -> None:
        tokens = trainer.held_out[0][:STRINGS]
        said, words = guesses(trainer.model, tokens), self.tokenizer.str_tokens
        for row, row_said in zip(tokens.data, said, strict=True):
            true, guessed = words(row.tolist()), words(row_said.tolist())
            pieces = [Piece(word) for word in true[: self.half]]
            for place in range(self.half, len(true)):
                pieces.append(Piece("", guessed[place - 1], true[place]))
            st.markdown(in_pieces(Example("", pieces, " ")))
        st.caption(
            "The first half is given, and the second should be the same numbers backwards. At each "
            "of its places stands the likeliest token, after the true ones before it: in bold "
            "where it is right, struck through on red where it is wrong."
        )

    def score(self, trainer: Trainer) -> dict[str, str]:
        return {}

    def recipe(self, trainer: Trainer) -> Recipe:
        return self.known


class Characters:
    """A text, letter by letter."""

    steps, per = CHARACTERS_STEPS, "token"

    def __init__(self, seed: int, given: Given) -> None:
        self.seed, self.given, self.text = seed, given, given.text
        self.key, self.tokenizer = ("characters", seed, given), CharTokenizer.train(given.text)
        self.imports = f"from {character_trainer.__module__} import character_trainer"
        made = f"trainer = character_trainer(given, {self.steps}, seed={seed})"
        self.program = f"{given.program}\n{made}"

    def make(self) -> Trainer:
        return character_trainer(self.text, self.steps, self.seed)

    def references(self, trainer: Trainer) -> dict[str, float]:
        return {"blind guess": math.log(trainer.model.cfg.d_vocab)}

    def grade(self, trainer: Trainer) -> Right:
        return right_answers(trainer.model, trainer.held_out[0])

    def answer(self, trainer: Trainer) -> None:
        start = trainer.held_out[0].data[0, :BEGINNING].tolist()
        tokens = written(trainer.model, start, LETTERS)
        st.code(self.tokenizer.decode(tokens), language=None, wrap_lines=True)
        st.caption(
            f"The first {BEGINNING} letters are from the part of the text that is held out; it "
            f"writes the {LETTERS} that follow, each drawn at temperature 0.8."
        )

    def score(self, trainer: Trainer) -> dict[str, str]:
        return {}

    def recipe(self, trainer: Trainer) -> Recipe:
        """Its text lies beside it, whosever that is."""
        about = f"One layer that writes, letter by letter, in the manner of {self.given.name}."
        model = tfs.TransformerConfig.from_dict(trainer.model.cfg.to_dict())
        train = tfs.TrainConfig(steps=self.steps, batch_size=BATCH, seed=self.seed)
        options = {"corpus": TEXT_FILE, "n_ctx": N_CTX}
        return Recipe("characters", about, "text", model, train, options)


def _characters(seed: int) -> Characters | None:
    given = given_text("letters")
    return None if given is None else Characters(seed, given)


# A name, and what makes a lesson of a seed; None while the reader has not said all it needs.
LESSONS: dict[str, Callable[[int], Lesson | None]] = {
    "mirror": Mirror,
    "characters": _characters,
    "tags": Tags,
    "question pairs": Questions,
}


class Pupil:
    """A lesson that is being learned, a line of its log for every update, and by step the weights
    that a run of it keeps."""

    slices = SLICES

    def __init__(self, lesson: Lesson) -> None:
        self.lesson, self.trainer, self.until = lesson, lesson.make(), lesson.steps
        self.log: list[tuple[Step, Right | None]] = []
        self.keeps = {*snapshot_steps(lesson.recipe(self.trainer).train)}
        self.kept = {0: self._weights()}
        self.runs: dict[int, str] = {}  # names of those that were kept, by updates
        self.scores: dict[str, str] | None = None  # when it is over

    def updates(self) -> Iterator[Step]:
        return self.trainer.steps(self.until)

    def see(self, update: Step) -> None:
        measured = update.held_out is not None
        self.log.append((update, self.lesson.grade(self.trainer) if measured else None))
        if update.step in self.keeps:
            self.kept[update.step] = self._weights()

    def _weights(self) -> dict[str, np.ndarray]:
        """Each once, also where two parts share them, as files have them."""
        return {name: p.data.copy() for name, p in self.trainer.model.named_parameters()}

    def scored(self) -> dict[str, str]:
        """The lesson's scores, measured once: for when it is over."""
        if self.scores is None:
            self.scores = self.lesson.score(self.trainer)
        return self.scores

    def example(self) -> tuple[Tensor, ...]:
        """Of one held-out text, what the model is called with."""
        return first_text(self.trainer.held_out)

"""What a run says, or writes, at kept steps of its training: the same questions each time."""

from typing import Any, NamedTuple

import streamlit as st

from pages._ui import state
from pages._ui.layout import counted, literal
from pages._ui.watched import Watched, answers_can_be_graded
from tfs.model.architectures import ENCODER_DECODER, ENCODER_ONLY, PAIR_CLASSIFIER, TOKEN_CLASSIFIER
from tfs.sample import generate
from tfs.tasks.pairs import END
from tfs.train.guesses import Said, answers
from tfs.train.told import NOTHING, Example, Piece, told

QUESTIONS, LONGEST_SAMPLE, LONGEST_TITLE = 3, 80, 160
STEPS_OF_SAMPLES = 8
MOST_GUESSES, MOST_PIECES, MOST_BEYOND = 20, 40, 3
GUESSED = (
    "Each token of an answer is guessed from the true tokens before it; wrong ones are struck "
    "through, on red."
)


class Kind(NamedTuple):
    """How samples of one kind of model are headed, and what is said below them."""

    title: str
    meaning: str


KINDS = {
    ENCODER_DECODER: Kind(
        "What it writes",
        "Each text is written by the model alone, token by token, from what it read; a token that "
        "is not the true one at its place is struck through, on red.",
    ),
    ENCODER_ONLY: Kind(
        "What it fills in",
        "In bold, or struck through on red where it is another one than stood there: the "
        "likeliest word at each place that was asked for. Most of these were masked.",
    ),
    TOKEN_CLASSIFIER: Kind(
        "What it says of each word",
        "Behind each word its likeliest tag, in bold; a wrong one is struck through, on red. The "
        "tag O, for no name, is left out where it is right.",
    ),
    PAIR_CLASSIFIER: Kind(
        "What it says of two texts",
        "The likeliest label of each pair; a wrong one is struck through, on red.",
    ),
}


def samples(run: Watched) -> None:
    """What it answered, or wrote, at kept steps."""
    opened = run.opened()
    if opened is None or not (steps := opened.bundle.snapshots):
        return
    every = max(1, -(-len(steps) // STEPS_OF_SAMPLES))
    few = sorted({*steps[::-1][::every]})
    after = [counted(step, "update") for step in few]
    if (kind := KINDS.get(run.recipe.architecture)) is None:
        graded = answers_can_be_graded(run)
        kind = Kind("What it says", GUESSED) if graded else Kind("What it writes", "")
        columns = _columns([_row(run, step) for step in few])
    else:
        examples = [_examples(run, step) for step in few]
        titles = _distinct([f"`{_short(one.question, LONGEST_TITLE)}`" for one in examples[-1]])
        rows = [[in_pieces(one) for one in then] for then in examples]
        rows.append([in_pieces(_true(one)) for one in examples[-1]])
        columns = dict(zip(titles, map(list, zip(*rows, strict=True)), strict=True))
        after.append("**the truth**")
    st.subheader(kind.title)
    st.table({"after": after} | columns)
    if kind.meaning:
        st.caption(kind.meaning)


def _columns(rows: list[list[tuple[str, str]]]) -> dict[str, list[str]]:
    titles = [row[0] for row in rows[-1]]
    return {title: [row[place][1] for row in rows] for place, title in enumerate(titles)}


def _distinct(titles: list[str]) -> list[str]:
    """Each with as many blanks behind it as there are equal ones before it: a table needs that."""
    return [title + " " * titles[:place].count(title) for place, title in enumerate(titles)]


def _row(run: Watched, step: int) -> list[tuple[str, str]]:
    """For one kept step a pair of title and cell for each question."""
    opened = state.open_model(run.name, step)
    if answers_can_be_graded(run):
        return [
            (f"`{_short(said.question)}`", _struck(said))
            for said in _answers(opened.bundle.model, opened.fingerprint, run.task, run.name)
        ]
    written = _written(opened.bundle, opened.fingerprint, run.task, run.name)
    return [("continues the held-out text", literal(written))]


def _short(text: str, most: int = 48) -> str:
    """The end of a text that is too long: what a decoder goes on from."""
    cut = text if len(text) <= most else "… " + text[2 - most :]
    return cut.replace("`", "'").strip() or "(nothing)"


def _struck(said: Said) -> str:
    """The guesses in Markdown, some of them where there are many."""
    pairs = list(zip(said.guesses, said.truth, strict=True))[:MOST_GUESSES]
    words = [literal(guess) if guess == true else _wrong(guess) for guess, true in pairs]
    return said.glue.join(words) + (" …" if len(said.truth) > MOST_GUESSES else "")


def _wrong(guess: str) -> str:
    """Struck through, and on red, since a bracket that is struck through alone looks like a plus.
    A blank could not be seen."""
    return f":red-background[~~{literal(guess.strip() or '␣')}~~]"


def in_pieces(example: Example) -> str:
    """An example in Markdown: what was read, with what the model said of it, right or wrong."""
    room = min(MOST_PIECES, len(example.pieces) - _too_many(example))
    pieces = example.pieces[:room]
    among_words = any(piece.true is None or piece.read for piece in pieces)
    shown = (_piece(piece, "**" if among_words else "") for piece in pieces)
    more = " …" if len(example.pieces) > room else ""
    return example.glue.join(filter(None, shown)) + more


def _too_many(example: Example) -> int:
    """Of a text that does not come to its end, the pieces that need not be shown."""
    beyond = sum(piece.true == NOTHING for piece in example.pieces)
    return max(0, beyond - MOST_BEYOND)


def _piece(piece: Piece, mark: str) -> str:
    """One piece; mark: what stands around a right guess. What needs no word is ""."""
    if piece.true is None:
        return literal(piece.read)
    is_right = piece.guess == piece.true
    if piece.guess == NOTHING or (is_right and piece.guess == END):
        return ""
    said = f"{mark}{literal(piece.guess)}{mark}" if is_right else _wrong(piece.guess)
    if not piece.read:
        return said
    return literal(piece.read) + ("" if is_right and piece.guess == "O" else f" {said}")


def _true(example: Example) -> Example:
    """The same example, answered as it should be."""
    known = (piece for piece in example.pieces if piece.true != NOTHING)
    pieces = [piece._replace(guess=piece.true) for piece in known]
    return example._replace(pieces=pieces)


def _examples(run: Watched, step: int) -> list[Example]:
    opened = state.open_any(run.name, step)
    return _told(opened.bundle.model, opened.fingerprint, run.task, run.name)


@st.cache_data(show_spinner=False, max_entries=2048)
def _told(_model: Any, fingerprint: str, _task: Any, name: str) -> list[Example]:
    return told(_model, _task, QUESTIONS)


@st.cache_data(show_spinner=False, max_entries=2048)
def _answers(_model: Any, fingerprint: str, _task: Any, name: str) -> list[Said]:
    return answers(_model, _task, QUESTIONS)


@st.cache_data(show_spinner=False, max_entries=1024)
def _written(_bundle: Any, fingerprint: str, _task: Any, name: str) -> str:
    n_ctx = _bundle.model.cfg.n_ctx
    start = _task.sample(1, 0, "held_out").tokens[:, : max(1, min(8, n_ctx // 2))]
    tokens = generate(_bundle.model, start, LONGEST_SAMPLE, temperature=0.8, seed=0)
    return _bundle.tokenizer.decode(tokens[0].tolist())

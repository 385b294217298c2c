"""What a model says: its answers to held-out questions, and what it writes of itself."""

from typing import NamedTuple

import torch

from tfs.model import DecoderOnly
from tfs.tasks import Task, TextTask
from tfs.tasks.batch import seed_for


class Said(NamedTuple):
    """One sequence: what it was given as text, and, token by token, its guess and the truth."""

    question: str
    guesses: list[str]
    truth: list[str]
    glue: str  # what stands between two tokens of the text: a space, or nothing

    @property
    def right(self) -> int:
        return sum(guess == true for guess, true in zip(self.guesses, self.truth, strict=True))


@torch.no_grad()
def answers(model: DecoderOnly, task: Task, n: int, seed: int = 0) -> list[Said]:
    """Its likeliest token wherever an answer stands in n held-out sequences.

    Each answer is guessed from the true tokens before it, as the accuracy counts it.
    """
    batch = task.sample(n, seed_for(seed, "answers"), "held_out")
    guessed = model(batch.tokens)[:, :-1].argmax(-1)
    words = task.tokenizer.str_tokens
    said = []
    for row, tokens in enumerate(batch.tokens):
        asked = batch.answer_mask[row]
        asked[0] = False
        first = int(asked.nonzero()[0]) if asked.any() else len(tokens)
        said.append(
            Said(
                task.tokenizer.decode(tokens[:first].tolist()),
                words(guessed[row][asked[1:]].tolist()),
                words(tokens[asked].tolist()),
                _glue(task, tokens.tolist()),
            )
        )
    return said


def _glue(task: Task, tokens: list[int]) -> str:
    written = task.tokenizer.decode(tokens)
    return "" if "".join(task.tokenizer.str_tokens(tokens)) == written else " "


def probe(task: Task, seed: int = 0) -> tuple[int, ...]:
    """One held-out sequence, the same for a task and a seed: what a training is watched on."""
    return tuple(task.sample(1, seed_for(seed, "probe"), "held_out").tokens[0].tolist())


def is_text(task: Task) -> bool:
    """Whether it has no answers to grade, so that a model is judged by what it writes."""
    return isinstance(task, TextTask)

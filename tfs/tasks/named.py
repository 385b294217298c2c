"""A task as data: its name and its options, so that a file can hold it and a run can be resumed."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfs.tasks.addition import AdditionTask
from tfs.tasks.batch import Task
from tfs.tasks.brackets import BracketsTask
from tfs.tasks.copy import CopyTask
from tfs.tasks.corpus import own_prose, read_text, tiny_shakespeare
from tfs.tasks.dates import DatesTask
from tfs.tasks.grammar import GrammarTask
from tfs.tasks.ioi import IOITask
from tfs.tasks.labelled import LabelledTask
from tfs.tasks.masked import MaskedWordsTask
from tfs.tasks.mirror import MirrorTask
from tfs.tasks.modular import ModularAdditionTask
from tfs.tasks.numbers import NumbersTask
from tfs.tasks.pairs import PairTask
from tfs.tasks.parallel import ParallelTask
from tfs.tasks.question_pairs import QuestionPairsTask
from tfs.tasks.repeated import RepeatedTokensTask
from tfs.tasks.sort import SortTask
from tfs.tasks.tags import TagsTask
from tfs.tasks.text import TextTask, split_text
from tfs.tokenizers import (
    BPETokenizer,
    CharTokenizer,
    GPT2Tokenizer,
    MarkedTokenizer,
    Tokenizer,
)

CORPORA: dict[str, Callable[[], str]] = {"prose": own_prose, "shakespeare": tiny_shakespeare}
TOKENIZERS = ("characters", "bpe", "gpt2")


def text_task(
    corpus: str = "prose",
    tokenizer: str | Tokenizer = "characters",
    n_ctx: int = 64,
    d_vocab: int = 512,
) -> TextTask:
    """Text through one of three tokenizers, or one that is there already.

    corpus: "prose", "shakespeare", or the path of a UTF-8 file.
    tokenizer: "characters" of the whole text; "bpe", trained on its first 90% only; or "gpt2",
    which has its own 50,257 tokens. d_vocab: of the BPE alone.
    Raises ValueError for an unknown tokenizer or a text that it cannot take.
    """
    text = CORPORA[corpus]() if corpus in CORPORA else read_text(corpus)
    name = corpus if corpus in CORPORA else Path(corpus).name
    if isinstance(tokenizer, str):
        tokenizer = _tokenizer(tokenizer, text, d_vocab)
    return TextTask(text, tokenizer, n_ctx, name)


def _tokenizer(name: str, text: str, d_vocab: int) -> Tokenizer:
    if name == "characters":
        return CharTokenizer.train(text)
    if name == "bpe":
        return BPETokenizer.train(split_text(text)[0], d_vocab)
    if name == "gpt2":
        return GPT2Tokenizer()
    raise ValueError(f"tokenizer must be one of {', '.join(TOKENIZERS)}, not {name!r}")


TASKS: dict[str, Callable[..., Task]] = {
    "mirror": MirrorTask,
    "induction": RepeatedTokensTask,
    "copy": CopyTask,
    "sort": SortTask,
    "addition": AdditionTask,
    "modular-addition": ModularAdditionTask,
    "brackets": BracketsTask,
    "ioi": IOITask,
    "text": text_task,
}
PAIR_TASKS: dict[str, Callable[..., PairTask]] = {
    "dates": DatesTask,
    "numbers": NumbersTask,
    "grammar": GrammarTask,
    "parallel": ParallelTask,
}
LABELLED_TASKS: dict[str, Callable[..., LabelledTask]] = {
    "masked-words": MaskedWordsTask,
    "tags": TagsTask,
    "question-pairs": QuestionPairsTask,
}


ALL_TASKS: dict[str, Callable[..., Any]] = TASKS | PAIR_TASKS | LABELLED_TASKS


FILE_OPTIONS = {"text": "corpus", "parallel": "path"}  # of tasks that may read a file


def file_of(name: str, options: Mapping[str, Any]) -> str | None:
    """The file that a task with these options reads; None where it needs none of this machine."""
    if name not in FILE_OPTIONS:
        return None
    option = FILE_OPTIONS[name]
    file = options.get(option, task_options(name)[option])
    return None if file in CORPORA else str(file)


def task_options(name: str, tasks: Mapping[str, Callable[..., Any]] = ALL_TASKS) -> dict[str, Any]:
    """The options of a task and their defaults. Raises ValueError for an unknown task."""
    if name not in tasks:
        raise ValueError(f"there is no task {name!r}; the tasks are {', '.join(sorted(tasks))}")
    parameters = inspect.signature(tasks[name]).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def make_task(
    name: str,
    options: Mapping[str, Any],
    directory: Path | None = None,
    tokenizer: Tokenizer | None = None,
) -> Task:
    """The task of that name.

    directory: where a corpus that is a relative path lies; the current directory by default.
    tokenizer: one that a text is read with, if it reads text, instead of the option's.
    Raises ValueError for an unknown name or option, or a value that the task refuses.
    """
    check_options(name, options, task_options(name, TASKS))
    options = dict(options)
    corpus = options.get("corpus", "prose")
    if directory is not None and corpus not in CORPORA:
        options["corpus"] = str(directory / corpus)
    if name == "text" and isinstance(tokenizer, CharTokenizer | BPETokenizer | GPT2Tokenizer):
        options["tokenizer"] = tokenizer
    return TASKS[name](**options)


def make_pair_task(
    name: str,
    options: Mapping[str, Any],
    directory: Path | None = None,
    tokenizer: Tokenizer | None = None,
) -> PairTask:
    """The task of that name in PAIR_TASKS.

    directory: where a file of pairs that is a relative path lies; the current one by default.
    tokenizer: one that a file of pairs is read with, if it reads one, instead of the option's.
    Raises ValueError for an unknown name or option, or a value that the task refuses.
    """
    check_options(name, options, task_options(name, PAIR_TASKS))
    options = dict(options)
    if directory is not None and options.get("path"):
        options["path"] = str(directory / options["path"])
    if name == "parallel" and isinstance(tokenizer, MarkedTokenizer):
        options["tokenizer"] = tokenizer
    return PAIR_TASKS[name](**options)


def make_labelled_task(name: str, options: Mapping[str, Any]) -> LabelledTask:
    """The task of that name in LABELLED_TASKS; ValueError as in make_pair_task."""
    check_options(name, options, task_options(name, LABELLED_TASKS))
    return LABELLED_TASKS[name](**options)


def check_options(name: str, options: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raises ValueError for an option that is not known, or not of the type of its default."""
    for option, value in options.items():
        if option not in known:
            which = ", ".join(known) or "none"
            raise ValueError(f"the task {name} has no option {option!r}; it has: {which}")
        if type(value) is not type(known[option]) and not (
            isinstance(known[option], float) and type(value) is int
        ):
            wanted = type(known[option]).__name__
            raise ValueError(
                f"the option {option} of {name} must be of type {wanted}, not {value!r}"
            )

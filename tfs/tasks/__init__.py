"""What models are trained on: synthetic tasks, one per file, and texts.

A Task is for a model that goes on with a sequence, a PairTask for one that reads one text and
writes another, a LabelledTask for one that reads and says something of each word or of the whole.
"""

from tfs.tasks.addition import AdditionTask
from tfs.tasks.batch import Batch, Task
from tfs.tasks.brackets import BracketsTask
from tfs.tasks.copy import CopyTask
from tfs.tasks.dates import DatesTask
from tfs.tasks.grammar import GrammarTask
from tfs.tasks.ioi import IOITask
from tfs.tasks.labelled import LabelledBatch, LabelledTask
from tfs.tasks.masked import MaskedWordsTask
from tfs.tasks.mirror import MirrorTask
from tfs.tasks.modular import ModularAdditionTask
from tfs.tasks.named import (
    LABELLED_TASKS,
    PAIR_TASKS,
    TASKS,
    make_labelled_task,
    make_pair_task,
    make_task,
    task_options,
    text_task,
)
from tfs.tasks.numbers import NumbersTask
from tfs.tasks.pairs import PairBatch, PairTask
from tfs.tasks.parallel import ParallelTask
from tfs.tasks.question_pairs import QuestionPairsTask
from tfs.tasks.repeated import RepeatedTokensTask
from tfs.tasks.sort import SortTask
from tfs.tasks.tags import TagsTask
from tfs.tasks.text import TextTask
from tfs.templates.spans import Span, SpanScores, entity_spans, span_scores

__all__ = [
    "LABELLED_TASKS",
    "PAIR_TASKS",
    "TASKS",
    "AdditionTask",
    "Batch",
    "BracketsTask",
    "CopyTask",
    "DatesTask",
    "GrammarTask",
    "IOITask",
    "LabelledBatch",
    "LabelledTask",
    "MaskedWordsTask",
    "MirrorTask",
    "ModularAdditionTask",
    "NumbersTask",
    "PairBatch",
    "PairTask",
    "ParallelTask",
    "QuestionPairsTask",
    "RepeatedTokensTask",
    "SortTask",
    "Span",
    "SpanScores",
    "TagsTask",
    "Task",
    "TextTask",
    "entity_spans",
    "make_labelled_task",
    "make_pair_task",
    "make_task",
    "span_scores",
    "task_options",
    "text_task",
]

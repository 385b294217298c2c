"""What models are trained on: synthetic tasks, one per file, and text."""

from tfs.tasks.addition import AdditionTask
from tfs.tasks.batch import Batch, Task
from tfs.tasks.brackets import BracketsTask
from tfs.tasks.copy import CopyTask
from tfs.tasks.ioi import IOITask
from tfs.tasks.mirror import MirrorTask
from tfs.tasks.modular import ModularAdditionTask
from tfs.tasks.named import TASKS, make_task, task_options, text_task
from tfs.tasks.repeated import RepeatedTokensTask
from tfs.tasks.sort import SortTask
from tfs.tasks.text import TextTask

__all__ = [
    "TASKS",
    "AdditionTask",
    "Batch",
    "BracketsTask",
    "CopyTask",
    "IOITask",
    "MirrorTask",
    "ModularAdditionTask",
    "RepeatedTokensTask",
    "SortTask",
    "Task",
    "TextTask",
    "make_task",
    "task_options",
    "text_task",
]

"""What models are trained on: synthetic tasks, one per file, and text."""

from tfs.tasks.batch import Batch, Task
from tfs.tasks.mirror import MirrorTask
from tfs.tasks.repeated import RepeatedTokensTask
from tfs.tasks.text import TextTask

__all__ = ["Batch", "MirrorTask", "RepeatedTokensTask", "Task", "TextTask"]

"""A question, a separator, an answer: the shape of the tasks that rewrite a sequence."""

import torch
from jaxtyping import Int
from torch import Tensor

from tfs.tasks.batch import Batch


def answered(
    question: Int[Tensor, "batch question_pos"],
    separator: int,
    answer: Int[Tensor, "batch answer_pos"],
    whole: bool,
) -> Batch:
    """The three as one sequence. The answer counts; where `whole`, the question does as well.

    A separator that always stands at the same place costs nothing to predict.
    """
    between = torch.full((len(question), 1), separator)
    tokens = torch.cat([question, between, answer], dim=1)
    answers = torch.zeros_like(tokens, dtype=torch.bool)
    answers[:, -answer.shape[1] :] = True
    predicted = torch.ones_like(answers)
    predicted[:, 0] = False
    return Batch(tokens, predicted if whole else answers, answers)

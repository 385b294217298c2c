"""Two questions: do they ask the same? tfs.templates.questions for a model."""

import torch

from tfs.tasks.labelled import LabelledBatch
from tfs.tasks.pairs import padded
from tfs.templates.questions import LABELS, N_CTX, question_pairs, words_of_questions
from tfs.templates.rows import MARKS, PAD, pair_row
from tfs.tokenizers import MarkedTokenizer, WordTokenizer


class QuestionPairsTask:
    """Two questions about two people each, and whether they ask the same.

    [CLS] is Ada older than Edith ? [SEP] was Ada born before Edith ? [SEP] is the same. Half of the
    others have the two names exchanged, a quarter ask for another relation of the same two, and a
    quarter the same of two other people. Exchanged names leave every word as it was: who reads the
    words without their order cannot be right of more than three in four. Held out are a fifth of
    the pairs of people, who never met in training; each form is met there.

    It can be learned in parts, names and relations first and their order then. With forms that name
    B first ("is B younger than A ?") the order says nothing before the forms are known, nor the
    forms before the order.
    """

    name = "question-pairs"
    labels = LABELS

    def __init__(self) -> None:
        self.tokenizer = MarkedTokenizer(WordTokenizer(words_of_questions()), MARKS)
        self.d_vocab = self.tokenizer.d_vocab
        self.n_ctx = N_CTX

    def sample(self, n: int, seed: int, split: str = "train") -> LabelledBatch:
        """n pairs of questions; each is the same with probability 1/2."""
        return self.batch(question_pairs(n, seed, split))

    def batch(self, pairs: list[tuple[str, str, bool]]) -> LabelledBatch:
        """Two questions each, and whether they ask the same -> tensors.

        Raises ValueError for a word that the vocabulary does not have.
        """
        read = [pair_row(one, other, self.tokenizer) for one, other, _ in pairs]
        tokens, token_mask = padded([ids for ids, _ in read], self.tokenizer.mark_id(PAD))
        segments, _ = padded([segments for _, segments in read], 0)
        labels, asked = torch.zeros_like(tokens), torch.zeros_like(token_mask)
        labels[:, 0] = torch.tensor([int(same) for _, _, same in pairs])
        asked[:, 0] = True
        return LabelledBatch(tokens, token_mask, segments, labels, asked, asked.clone())

    def floor(self) -> float:
        """0: the questions tell whether they are the same."""
        return 0.0

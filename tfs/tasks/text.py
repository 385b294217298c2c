"""Text as a task: windows of a corpus, its last tenth held out."""

import torch

from tfs.tasks.batch import Batch, generator
from tfs.tokenizers import Tokenizer


class TextTask:
    """Random windows of n_ctx tokens from the first 90% of a text; its last 10% is held out.

    The split is by characters, before tokenizing, so that losses per character of any two
    tokenizers speak of the same text.
    """

    def __init__(self, text: str, tokenizer: Tokenizer, n_ctx: int, name: str = "text") -> None:
        self.name = name
        self.n_ctx = n_ctx
        self.tokenizer = tokenizer
        self.d_vocab = tokenizer.d_vocab
        train_text, held_out_text = split_text(text)
        self.held_out_characters = len(held_out_text)
        self.tokens = {
            "train": torch.tensor(tokenizer.encode(train_text)),
            "held_out": torch.tensor(tokenizer.encode(held_out_text)),
        }
        for split, tokens in self.tokens.items():
            if len(tokens) < n_ctx:
                raise ValueError(
                    f"the {split.replace('_', '-')} part of the text has {len(tokens)} tokens, "
                    f"fewer than n_ctx = {n_ctx}; give a longer text or a smaller n_ctx"
                )

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n windows at random places of a split, [n n_ctx]; every token after the first counts."""
        tokens = self.tokens[split]
        starts = torch.randint(len(tokens) - self.n_ctx + 1, (n, 1), generator=generator(seed))
        windows = tokens[starts + torch.arange(self.n_ctx)]
        predicted = torch.ones_like(windows, dtype=torch.bool)
        predicted[:, 0] = False
        return Batch(windows, predicted, predicted)

    def floor(self) -> None:
        """Nobody knows the entropy of English."""
        return None


def split_text(text: str) -> tuple[str, str]:
    """The first 90% of the characters, to learn from, and the last 10%, held out."""
    cut = int(0.9 * len(text))
    return text[:cut], text[cut:]

"""Who gets it? Sentences of a small grammar with two names, one of which comes twice.

Wang et al. 2023, "Interpretability in the Wild: a Circuit for Indirect Object Identification in
GPT-2 small". A model that is trained on this grammar alone need not find their circuit: here the
name that comes twice is always the last one said, which is a shorter way to the answer.
"""

import math

import torch

from tfs.tasks.batch import Batch, generator, mixed_bits
from tfs.templates.first_names import NAMES
from tfs.tokenizers import WordTokenizer

PLACES = "bakery beach castle garden harbour library market museum school station".split()
OBJECTS = "ball basket book flower key lamp letter map ring ticket".split()
TEMPLATES = [
    template.split()
    for template in (
        "When A and B went to the PLACE , S gave a OBJECT to IO",
        "After A and B came back from the PLACE , S handed a OBJECT to IO",
        "While A and B were waiting at the PLACE , S showed a OBJECT to IO",
        "Once A and B had left the PLACE , S passed a OBJECT to IO",
        "Because A and B met near the PLACE , S offered a OBJECT to IO",
        "Before A and B closed the PLACE , S threw a OBJECT to IO",
    )
]
SLOTS = ("A", "B", "PLACE", "S", "OBJECT", "IO")
START, END = "<s>", "."
HELD_OUT = 0.2  # of the pairs of names


class IOITask:
    """Two people, one of whom gives something to the other.

    <s> When Mary and John went to the market , John gave a book to Mary. The last name is the
    answer: the one that is not repeated. Either of the two may be the giver. A fifth of all pairs
    of names is held out, in both orders. Shorter sentences are filled up with ".", uncounted.
    """

    name = "ioi"

    def __init__(self) -> None:
        words = {word for template in TEMPLATES for word in template} - set(SLOTS)
        vocab = [START, END, *NAMES, *PLACES, *OBJECTS, *sorted(words)]
        self.tokenizer = WordTokenizer(vocab)
        self.d_vocab = len(vocab)
        self.n_ctx = 1 + max(map(len, TEMPLATES))
        low, high = torch.triu_indices(len(NAMES), len(NAMES), offset=1)
        held_out = mixed_bits(low * len(NAMES) + high) < HELD_OUT
        pairs = torch.stack([low, high], dim=1)
        self.pairs = {"train": pairs[~held_out], "held_out": pairs[held_out]}
        self._templates = torch.tensor([self._ids(template) for template in TEMPLATES])

    def sample(self, n: int, seed: int, split: str = "train") -> Batch:
        """n sentences, [n n_ctx], with pairs of names of one side of the split."""
        g = generator(seed)

        def draw(count: int) -> torch.Tensor:
            return torch.randint(count, (n,), generator=g)

        pairs = self.pairs[split][draw(len(self.pairs[split]))]
        first, giver = draw(2), draw(2)  # which of the pair is said first, which of them gives
        row = torch.arange(n)
        fillers = [
            self.first_name + pairs[row, first],
            self.first_name + pairs[row, 1 - first],
            self.first_place + draw(len(PLACES)),
            self.first_name + pairs[row, giver],
            self.first_object + draw(len(OBJECTS)),
            self.first_name + pairs[row, 1 - giver],
        ]
        tokens = self._templates[draw(len(TEMPLATES))]
        answers = tokens == self._slot("IO")
        for slot, filler in zip(SLOTS, fillers, strict=True):
            tokens = torch.where(tokens == self._slot(slot), filler[:, None], tokens)
        predicted = tokens != self.tokenizer.id_of[END]
        predicted[:, 0] = False
        return Batch(tokens, predicted, answers)

    def floor(self) -> float:
        """What a sentence tells, over its mean length, in nats per predicted token.

        The template, two different names in order, which of them gives, place and object are all
        drawn; all else follows. Whoever learns by heart which pairs are held out can be lower on
        the others, by -ln(1 - HELD_OUT) per sentence at most.
        """
        names = len(NAMES)
        told = len(TEMPLATES) * names * (names - 1) * 2 * len(PLACES) * len(OBJECTS)
        return math.log(told) / (sum(map(len, TEMPLATES)) / len(TEMPLATES))

    @property
    def first_name(self) -> int:
        return self.tokenizer.id_of[NAMES[0]]

    @property
    def first_place(self) -> int:
        return self.tokenizer.id_of[PLACES[0]]

    @property
    def first_object(self) -> int:
        return self.tokenizer.id_of[OBJECTS[0]]

    def _slot(self, slot: str) -> int:
        """A number for a slot that no token has."""
        return -1 - SLOTS.index(slot)

    def _ids(self, template: list[str]) -> list[int]:
        known = self.tokenizer.id_of
        ids = [self._slot(word) if word in SLOTS else known[word] for word in template]
        return [known[START], *ids] + [known[END]] * (self.n_ctx - 1 - len(ids))

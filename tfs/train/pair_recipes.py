"""Ready-made recipes of models that read one text and write another, or say something of it.

Each takes less than two minutes on one thread; the cards of the bundled checkpoints say how long.
The models of pairs are the first Transformer's in small: post-norm, sinusoidal positions, tied and
scaled embeddings (Vaswani et al. 2017).
"""

from typing import Any

from tfs.train.recipe import Recipe
from tfs.train.recipes import RECIPES

SMALL = {"d_model": 64, "n_heads": 4, "d_head": 16, "d_mlp": 128, "initializer_range": -1.0}
WRITES = SMALL | {
    "n_layers": 1,
    "positional_embedding_type": "sinusoidal",
    "tie_word_embeddings": True,
    "seed": 0,
}
READS = SMALL | {"n_layers": 2, "act_fn": "gelu", "tie_word_embeddings": True, "seed": 0}
TRAINED = {
    "batch_size": 64,
    "lr": 3e-3,
    "warmup_steps": 100,
    "weight_decay": 0.01,
    "eval_every": 50,
    "eval_size": 96,
    "snapshots_from": 64,
}


def _recipe(
    name: str, about: str, model: dict[str, Any], d_vocab: int, n_ctx: int, **train: Any
) -> Recipe:
    model = model | {"d_vocab": d_vocab, "n_ctx": n_ctx}
    fields = {"model": model, "train": TRAINED | train, "task": {"name": name}}
    return Recipe.from_dict({"name": name, "about": about} | fields)


DATES = _recipe(
    "dates",
    "One layer that reads and one that writes: dates as people write them, as 1994-03-07.",
    WRITES,
    d_vocab=50,
    n_ctx=28,
    steps=1500,
)
NUMBERS = _recipe(
    "numbers",
    "One layer that reads and one that writes: number words below 100,000 in digits.",
    WRITES,
    d_vocab=34,
    n_ctx=54,
    steps=1500,
)
GRAMMAR = _recipe(
    "grammar",
    "One layer that reads and one that writes: English into a language with another word order.",
    WRITES,
    d_vocab=189,
    n_ctx=14,
    steps=1000,
)
MASKED_WORDS = _recipe(
    "masked-words",
    "Two layers that read both ways: which word was masked?",
    READS,
    d_vocab=115,
    n_ctx=14,
    steps=800,
)
TAGS = _recipe(
    "tags",
    "Two layers that read both ways: which words name people, places, organisations and dates?",
    READS,
    d_vocab=512,
    n_ctx=96,
    steps=1000,
    batch_size=32,
    lr=2e-3,
)
QUESTION_PAIRS = _recipe(
    "question-pairs",
    "Two layers that read both ways: do two questions ask the same?",
    READS,
    d_vocab=69,
    n_ctx=21,
    steps=3500,
    lr=1e-3,
)
OWN_PAIRS = Recipe.from_dict(
    {
        "name": "own-pairs",
        "about": "One layer that reads and one that writes, trained on a file of pairs.",
        "model": WRITES | {"d_vocab": 8000, "n_ctx": 64},
        "train": TRAINED | {"steps": 1500},
        "task": {"name": "parallel"},
    }
)

PAIR_RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (DATES, NUMBERS, GRAMMAR, MASKED_WORDS, TAGS, QUESTION_PAIRS)
}
ALL_RECIPES = RECIPES | PAIR_RECIPES  # all that need no file; OWN_PAIRS does

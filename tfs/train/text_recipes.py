"""Ready-made recipes of text, from a minute to over an hour on one CPU thread.

Losses, in nats per character of the held-out tenth, and CPU time were measured once, at seed 0, on
one thread of a 2-core server. Only those of one text can be compared: prose has another than the
three recipes of Shakespeare.

prose                   1.61 after 1 minute; by then it begins to learn its text by heart
shakespeare-characters  1.75 after 2 minutes
shakespeare-gpt2        about 1.65 after 12 minutes, on a sample; 88% of its arithmetic is W_U's
shakespeare             1.43 after an hour or more: a bundled checkpoint, with its card
"""

from tfs.model import TransformerConfig
from tfs.train.config import TrainConfig
from tfs.train.recipe import Recipe

PROSE = Recipe(
    name="prose",
    about="Two layers that write, letter by letter, in the manner of this project's own prose.",
    task="text",
    model=TransformerConfig(
        n_layers=2,
        d_model=128,
        n_ctx=64,
        n_heads=4,
        d_head=32,
        d_vocab=128,  # room for a few letters more than it has had; tfs train fits it exactly
        act_fn="gelu_new",
        seed=0,
    ),
    train=TrainConfig(
        steps=1000,
        batch_size=32,
        lr=3e-3,
        warmup_steps=50,
        betas=(0.9, 0.99),
        weight_decay=0.1,
        dropout=0.1,
        eval_every=100,
        eval_size=128,
    ),
)

SHAKESPEARE_CHARACTERS = Recipe(
    name="shakespeare-characters",
    about="Four layers that write, letter by letter, in the manner of Shakespeare.",
    task="text",
    task_options={"corpus": "shakespeare"},
    model=TransformerConfig(
        n_layers=4,
        d_model=128,
        n_ctx=64,
        n_heads=4,
        d_head=32,
        d_vocab=65,
        act_fn="gelu_new",
        seed=0,
    ),
    train=TrainConfig(
        steps=2000,
        batch_size=16,
        lr=3e-3,
        warmup_steps=100,
        betas=(0.9, 0.99),
        weight_decay=0.1,
        eval_every=200,
        eval_size=128,
    ),
)

SHAKESPEARE_GPT2 = Recipe(
    name="shakespeare-gpt2",
    about="Two layers that write in the manner of Shakespeare, in GPT-2's 50,257 tokens.",
    task="text",
    task_options={"corpus": "shakespeare", "tokenizer": "gpt2", "n_ctx": 128},
    model=TransformerConfig(
        n_layers=2,
        d_model=256,
        n_ctx=128,
        n_heads=8,
        d_head=32,
        d_vocab=50_257,
        act_fn="gelu_new",
        tie_word_embeddings=True,
        seed=0,
    ),
    train=TrainConfig(
        steps=800,
        batch_size=8,
        lr=2e-3,
        warmup_steps=50,
        schedule="linear",
        betas=(0.9, 0.99),
        weight_decay=0.1,
        dropout=0.1,
        precision="bfloat16",
        eval_every=200,
        eval_size=32,
        save_every=200,
        snapshots_from=100,
    ),
)

SHAKESPEARE = Recipe(
    name="shakespeare",
    about="Four layers that write in the manner of Shakespeare, in 1,024 byte-pair tokens.",
    task="text",
    task_options={"corpus": "shakespeare", "tokenizer": "bpe", "n_ctx": 128, "d_vocab": 1024},
    model=TransformerConfig(
        n_layers=4,
        d_model=256,
        n_ctx=128,
        n_heads=8,
        d_head=32,
        d_vocab=1024,
        act_fn="gelu_new",
        tie_word_embeddings=True,
        seed=0,
    ),
    train=TrainConfig(
        steps=10_000,
        batch_size=16,
        lr=2e-3,
        warmup_steps=100,
        schedule="linear",
        final_lr_fraction=0.02,
        betas=(0.9, 0.99),
        weight_decay=1.5,
        dropout=0.25,
        precision="bfloat16",
        eval_every=500,
        eval_size=256,
        save_every=500,
        snapshots_from=10_000,
    ),
)

"""Ready-made experiments, by name. Each run takes seconds to two minutes on one core.

`python -m tfs.train.experiment NAME` does one of them and prints the table that `found` speaks of;
the numbers there are of one thread, and another machine rounds differently.
"""

import dataclasses

from tfs.train.experiment import Experiment
from tfs.train.recipes import (
    ADDITION,
    INDUCTION,
    MIRROR,
    MIRROR_LARGE,
    MODULAR_ADDITION,
    SORT,
)
from tfs.train.text_recipes import SHAKESPEARE

POSITIONS = Experiment(
    name="positions",
    question="Does a model need positions to write the mirror of what it has read?",
    look_for=(
        "Without positions, only the causal mask tells places apart: compare how soon each choice "
        "answers 99%, what a second pair of layers changes, and what a start token changes, from "
        "which a model can count. Open a run without either while it learns: in the first half it "
        "begins to bet on the token that it saw last, since it cannot tell where the middle is."
    ),
    found=(
        "Learned positions: 99% after 50 or 100 steps; sinusoidal ones: after 200 or 250. None: "
        "82% of the answers after 3,000 steps with 2 layers, 92% with 4. None, but a start token: "
        "99% after 750 steps with 2 layers, after 550 with 4. (One seed.)"
    ),
    base=dataclasses.replace(
        MIRROR_LARGE,
        about="A mirrored string of 8 tokens, with or without positions.",
        task_options={"d_vocab": 21, "n_ctx": 8},
        model=dataclasses.replace(
            MIRROR_LARGE.model, d_model=64, d_head=16, d_mlp=256, n_ctx=8, d_vocab=21
        ),
        train=dataclasses.replace(MIRROR_LARGE.train, steps=3000, warmup_steps=100, eval_every=50),
    ),
    axes={
        "positions": {
            "learned": {"train": {"steps": 600}},
            "sinusoidal": {
                "model": {"positional_embedding_type": "sinusoidal"},
                "train": {"steps": 600},
            },
            "none": {"model": {"positional_embedding_type": "none"}},
        },
        "start token": {
            "no start": {},
            "start": {"task": {"n_ctx": 9, "start_token": True}},
        },
        "layers": {"2 layers": {"model": {"n_layers": 2}}, "4 layers": {"model": {"n_layers": 4}}},
    },
)

GROKKING = Experiment(
    name="grokking",
    question="Does understanding come long after knowing by heart?",
    look_for=(
        "Two curves of one run: the accuracy on training pairs (seen) and on pairs that it never "
        "saw. Between them lies the time in which it only remembers; its held-out loss rises far "
        "above ln 59 = 4.08, a blind guess. What does weight decay have to do with the second?"
    ),
    found=(
        "Weight decay 1: more than 99% of the seen pairs at step 150, when 1.2% of the others are "
        "right and their loss is 7.05; 99% of the others at step 600. Decay 0.3: 70% at step "
        "1,200. None: 0.2%, at a loss of 22.6, with all seen pairs right. (One seed.)"
    ),
    base=MODULAR_ADDITION,
    axes={
        "weight decay": {
            "decay 1": {},
            "decay 0.3": {"train": {"weight_decay": 0.3}},
            "no decay": {"train": {"weight_decay": 0.0}},
        }
    },
)

SCALE = Experiment(
    name="attention-scale",
    question="Why are the scores divided by sqrt(d_head)?",
    look_for=(
        "Scores are sums of d_head products: undivided, they grow with sqrt(d_head), and softmax "
        "puts everything on one key before anything is learned, where its gradient is all but 0 "
        "(Vaswani et al. 2017, section 3.2.1). So it should matter more for wide heads than for "
        "narrow ones."
    ),
    found=(
        "Divided, heads of 8, 64 and 512 all reach 99%, after 150 to 275 steps. Undivided, heads "
        "of 8 do as well (200 to 250); a head of 64 has 58% to 91% of the answers right after 600 "
        "steps, one of 512 has 25% to 43%. (Three seeds.)"
    ),
    base=dataclasses.replace(
        SORT,
        about="One layer that sorts, with entries of its scores of variance d_head at the start.",
        model=dataclasses.replace(SORT.model, initializer_range=SORT.model.d_model**-0.5),
        train=dataclasses.replace(SORT.train, steps=600),
    ),
    axes={
        "scores": {"divided": {}, "undivided": {"model": {"use_attn_scale": False}}},
        "width": {
            "d_head 8": {"model": {"n_heads": 8, "d_head": 8}},
            "d_head 64": {"model": {"n_heads": 1, "d_head": 64}},
            "d_head 512": {"model": {"n_heads": 1, "d_head": 512}},
        },
    },
    seeds=(0, 1, 2),
)

RESIDUAL = Experiment(
    name="residual",
    question="What are the residual connections for?",
    look_for=(
        "Without them every part must pass on all that later ones need, and the gradient has no "
        "short way back. Does depth still help, or does it begin to harm?"
    ),
    found=(
        "With them, 99% after 50 to 100 steps whatever the depth. Without them, one layer does as "
        "well (50 steps), two take 100 steps, and four are at 1% after 600, which is what a blind "
        "guess has. (Three seeds each.)"
    ),
    base=dataclasses.replace(MIRROR, train=dataclasses.replace(MIRROR.train, steps=600, lr=3e-3)),
    axes={
        "stream": {"residual": {}, "no residual": {"model": {"use_residual": False}}},
        "layers": {
            "1 layer": {"model": {"n_layers": 1}},
            "2 layers": {"model": {"n_layers": 2}},
            "4 layers": {"model": {"n_layers": 4}},
        },
    },
    seeds=(0, 1, 2),
)

INDUCTION_DEPTH = Experiment(
    name="induction-depth",
    question="Does induction take two layers?",
    look_for=(
        "One layer can look for equal tokens, but not for what came after them: that takes a first "
        "layer to mark it. Then look at blocks of one fixed length, and ask how one layer did that."
    ),
    found=(
        "Blocks of any length: 13% with one layer, 99% at step 325 with two. Blocks of length 16: "
        "99% at step 125 with one layer as with two, for looking 15 places back needs no "
        "induction. (One seed.)"
    ),
    base=dataclasses.replace(
        INDUCTION, train=dataclasses.replace(INDUCTION.train, steps=800, snapshots_from=1)
    ),
    axes={
        "layers": {"1 layer": {"model": {"n_layers": 1}}, "2 layers": {}},
        "blocks": {
            "any length": {},
            "length 16": {"task": {"shortest": 16, "longest": 16}},
        },
    },
)

DIGITS = Experiment(
    name="digits",
    question="Is a sum easier to write from its last digit?",
    look_for=(
        "Backwards, each digit needs two digits and a carry that is already written; forwards, "
        "the first digit needs all carries at once. Compare when 99% of the digits are right, and "
        "which place of the answer is learned first."
    ),
    found=(
        "Reversed, 99% of the digits are right after 800 steps with one layer and after 600 with "
        "two; as written, after 1,000 and 900. With two layers, steps to 99% at each place: "
        "reversed, the thousands 50 (the hundreds, written before, tell of their carry), the ones "
        "450, the tens 600, the hundreds 800; as written, the ones 400, the thousands 500, the "
        "tens 900 and the hundreds 1,350. (One seed.)"
    ),
    base=dataclasses.replace(ADDITION, train=dataclasses.replace(ADDITION.train, steps=2500)),
    axes={
        "order": {"reversed": {}, "as written": {"task": {"reversed": False}}},
        "layers": {"1 layer": {"model": {"n_layers": 1}}, "2 layers": {}},
    },
)

TEXT_SIZES = {"n_ctx": 64, "d_vocab": 512}
FIRST_STAGE = dataclasses.replace(
    SHAKESPEARE,
    about="Two layers that read Shakespeare before they read our own prose.",
    task_options=dict(SHAKESPEARE.task_options) | TEXT_SIZES,
    model=dataclasses.replace(
        SHAKESPEARE.model, n_layers=2, d_model=128, n_heads=4, d_mlp=512, **TEXT_SIZES
    ),
    train=dataclasses.replace(
        SHAKESPEARE.train,
        steps=800,
        weight_decay=0.1,
        dropout=0.0,
        precision="float32",
        eval_every=50,
        eval_size=128,
        snapshots_from=1,
    ),
)

FINETUNING = Experiment(
    name="finetuning",
    question="What does a model bring along from another text?",
    look_for=(
        "All read the same text through the same tokens, for as long: from random weights, and "
        "from weights that have read Shakespeare, at two learning rates. Compare the first "
        "evaluations with the last ones, and which parts have moved (weight_change)."
    ),
    found=(
        "Held-out loss after 25 and after 300 steps, in nats per token: 5.42 and 3.23 from random "
        "weights, 3.78 and 2.72 from Shakespeare's, 4.16 and 2.97 at a quarter of the rate. Our "
        "own prose grows with the code, so these numbers will move. (One seed.)"
    ),
    base=dataclasses.replace(
        FIRST_STAGE,
        about="Our own prose, read from random weights or after Shakespeare.",
        task_options=dict(FIRST_STAGE.task_options) | {"corpus": "prose"},
        train=dataclasses.replace(FIRST_STAGE.train, steps=300, eval_every=25),
    ),
    axes={
        "begins with": {
            "random weights": {"begin_at": 0},
            "Shakespeare's": {"begin_at": "last"},
            "Shakespeare's, a quarter of the rate": {"begin_at": "last", "train": {"lr": 5e-4}},
        }
    },
    before=FIRST_STAGE,
)

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        POSITIONS,
        GROKKING,
        SCALE,
        RESIDUAL,
        INDUCTION_DEPTH,
        DIGITS,
        FINETUNING,
    )
}

"""The page of the numpy Transformer: its loss, every head on one sequence, and what it answers."""

from functools import partial

import numpy as np
import streamlit as st
import torch

from pages._ui.all_heads import columns_of, head_names
from pages._ui.components import attention_mosaic
from pages._ui.in_slices import InSlices
from pages._ui.layout import behind, figure, metrics
from pages._ui.numpy_lessons import Pupil
from tfs.numpy_engine import Attention, Trainer, no_grad
from tfs.numpy_engine.answers import first_text
from tfs.plots import attention_grid, loss_curve

PATTERN = "blocks.{}.attn.hook_pattern"


def pictures(pupil: Pupil, live: InSlices | None) -> None:
    """All that is shown of the moment; live: None before the training."""
    if live is not None and live.done:
        numbers(pupil, live)
        loss(pupil)
    st.subheader("What it answers")
    pupil.lesson.answer(pupil.trainer)
    st.subheader("Every head, as it forms")
    heads(pupil)


def program(pupil: Pupil, lines: str) -> str:
    """Lines that have the trainer as it now is, and every `step` so far, in a fresh interpreter."""
    lesson = pupil.lesson
    return (
        "import numpy as np\n"
        "from tfs.numpy_engine.by_hand.threads import one_blas_thread\n"
        f"{lesson.imports}\n"
        f"{lesson.program}\n"
        "one_blas_thread()\n"
        f"steps = list(trainer.steps({len(pupil.log)}))\n"
        f"{lines}"
    )


def numbers(pupil: Pupil, live: InSlices) -> None:
    """Of the last update, and of the last look at what is held out."""
    measured = [(step.held_out, right) for step, right in pupil.log if right is not None]
    held_out, right = measured[-1] if measured else (None, None)
    metrics(
        {
            "Training loss": f"{live.losses[-1]:.3f}",
            "Held-out loss": "not yet" if held_out is None else f"{held_out:.3f}",
            "Answers right": "not yet" if right is None else f"{right.accuracy:.1%}",
            "Seconds trained": f"{live.seconds:.1f}",
        }
        | (pupil.scored() if live.is_over else {})
    )


def loss(pupil: Pupil) -> None:
    """On every batch, and on the sequences that are held out; below it, the answers."""
    steps = [step for step, _ in pupil.log]
    held_out = [(step.step, step.held_out) for step in steps if step.held_out is not None]
    figure(
        loss_curve(
            [step.step for step in steps],
            [step.loss for step in steps],
            held_out,
            pupil.lesson.references(pupil.trainer),
            per=pupil.lesson.per,
        ),
        key="losses",
        code=[Trainer.update, Trainer.steps, pupil.trainer.loss],
        program=program(
            pupil,
            "result = [step.loss for step in steps]\n"
            "result += [step.held_out for step in steps if step.held_out is not None]",
        ),
    )


def heads(pupil: Pupil) -> None:
    """On one sequence that is held out, the same all the time."""
    example, cfg = pupil.example(), pupil.trainer.model.cfg
    patterns = all_patterns(pupil)
    labels = pupil.lesson.tokenizer.str_tokens(example[0].data[0].tolist())
    layers = [PATTERN.format(layer) for layer in range(cfg.n_layers)]
    attention_mosaic(
        torch.tensor(patterns).flatten(0, 1),
        labels,
        key="heads",
        names=head_names(cfg.n_layers, cfg.n_heads),
        columns=columns_of(cfg.n_heads, cfg.n_layers),
    )
    st.caption(
        "A row is a token that asks, a column one that it looks at; on one sequence that is held "
        "out, the same all the time."
    )
    behind(
        {"all heads": partial(attention_grid, torch.tensor(patterns), labels)},
        key="heads",
        code=[Attention.forward],
        reads=f"{PATTERN.format('*')} [batch head query_pos key_pos]",
        program=program(
            pupil,
            f"from {first_text.__module__} import first_text\n"
            "example = first_text(trainer.held_out)\n"
            "_, cache = trainer.model.eval().run_with_cache(*example)\n"
            f"result = [cache[name].data[0] for name in {layers}]",
        ),
    )


def all_patterns(pupil: Pupil) -> np.ndarray:
    """Of the example, [layer head query_pos key_pos]."""
    with no_grad():
        _, cache = pupil.trainer.model.eval().run_with_cache(*pupil.example())
    layers = range(pupil.trainer.model.cfg.n_layers)
    return np.stack([cache[PATTERN.format(layer)].data[0] for layer in layers])

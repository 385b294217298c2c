"""How the heads of a model formed: its loss, its heads' scores and their patterns over training."""

from functools import partial

import streamlit as st
import torch
from torch import Tensor

import tfs
from pages._ui import state
from pages._ui.components import attention_mosaic
from pages._ui.controls import View
from pages._ui.layout import behind, figure
from pages._ui.predict import predict
from pages._ui.replay import loss_history
from tfs.interp import head_scores, mirror_score
from tfs.plots import attention_grid, over_training
from tfs.train.run import read_metrics

MOST_LOSSES = 500
MOST_CELLS = 200_000  # of all patterns together, a byte each on the wire
FORMED = 0.5  # of a score's largest value: from there on a head counts as formed
WORTH_ASKING = 0.3
KINDS = ("previous token", "induction", "duplicate token", "mirror")


def scores_over_training(view: View, steps: list[int]) -> dict[str, Tensor]:
    """Every head's scores at kept steps, [step layer head] by kind, where the prompt asks.

    steps: read once for all pictures, since a training that goes on keeps more of them meanwhile.
    """
    kept = [_scores(_at(view, step)) for step in steps]
    found = {kind: torch.stack([then[kind] for then in kept]) for kind in KINDS}
    return {kind: scores for kind, scores in found.items() if not scores.isnan().all()}


def _scores(view: View) -> dict[str, Tensor]:
    patterns = _patterns(view)
    tokens = torch.tensor(view.tokens).expand(len(patterns), -1)
    return view.head_scores() | {"mirror": mirror_score(patterns, tokens)}


def _at(view: View, step: int) -> View:
    opened = state.open_model(view.name, step)
    return view._replace(bundle=opened.bundle, fingerprint=opened.fingerprint, step=step)


def on_one_axis(view: View, steps: list[int], scores: dict[str, Tensor]) -> None:
    """The loss above, and below it the score of every head, over the same steps."""
    log_steps = st.toggle(
        "Steps in powers",
        key="powers",
        bind="query-params",
        help="Most happens early. Step 0 has no place on such an axis.",
    )
    measured = loss_history(view.name)
    every = max(1, len(measured) // MOST_LOSSES)
    thinned = measured[::every]
    panels = {"loss": {"training": ([s for s, _ in thinned], [loss for _, loss in thinned])}}
    for kind, found in scores.items():
        panels[kind] = {
            name: (steps, values.tolist())
            for name, values in zip(
                names_of_heads(*found.shape[1:]), found.flatten(1).T, strict=True
            )
        }
    figure(
        over_training(panels, mark=view.step, log_steps=log_steps, shares=list(scores)),
        key="formation",
        code=[head_scores, mirror_score, read_metrics],
        reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
        program=_program(view, list(scores), every, log_steps),
    )


def _program(view: View, kinds: list[str], every: int, log_steps: bool) -> str:
    return view.program(
        f"""
        metrics = read_metrics(bundle.directory)  # an update's loss is measured before it
        losses = [(line["step"] - 1, line["loss"]) for line in metrics]
        losses.append((metrics[-1]["step"], metrics[-1]["held_out"]["loss"]))
        losses = [loss for step, loss in losses[::{every}] if step >= {int(log_steps)}]
        steps = [step for step in bundle.snapshots if step >= {int(log_steps)}]


        def scores(model):
            _, cache = model.run_with_cache(tokens[None])
            patterns = cache.stack_activation("pattern")[:, 0]
            mirror = mirror_score(patterns, tokens.expand(len(patterns), -1))
            return head_scores(model, tokens[None]) | {{"mirror": mirror}}

        kept = [scores(bundle.at_step(step)) for step in steps]
        found = [torch.stack([then[kind] for then in kept]) for kind in {kinds!r}]
        result = [losses, [each.flatten(1).T for each in found]]
        """,
        head_scores,
        mirror_score,
        read_metrics,
    )


def which_first(steps: list[int], scores: dict[str, Tensor]) -> bool:
    """Which of the two heads of an induction circuit stands first? Returns whether to show it."""
    both = {
        kind: scores[kind].flatten(1) for kind in ("previous token", "induction") if kind in scores
    }
    if len(both) < 2 or any(found[-1].max() < WORTH_ASKING for found in both.values()):
        return True
    when = {}
    for kind, found in both.items():
        best = found[:, int(found[-1].argmax())]
        when[kind] = steps[int((best >= FORMED * best.max()).nonzero()[0])]
    first = min(when, key=lambda kind: when[kind])
    options = {kind: f"the {kind.replace(' ', '-')} head" for kind in when} | {"": "both at once"}
    right = "" if len(set(when.values())) == 1 else first
    told = " and ".join(f"the {kind} score at step {step:,}" for kind, step in when.items())
    return predict(
        "While this model was trained, which of its heads formed first?",
        list(options.values()),
        options[right],
        f"Half of its largest value was reached by {told}, at the steps that were kept.",
        key="predict first",
    )


def _few(steps: list[int], count: int, wanted: int | None) -> list[int]:
    """So many of the steps, evenly to the last, and the one on screen; of one, only that."""
    on_screen = steps[-1] if wanted is None else wanted
    every = -(-len(steps) // count)
    return sorted({*steps[::-1][::every], on_screen}) if count > 1 else [on_screen]


def steps_that_fit(steps: list[int], cells: int, wanted: int | None = None) -> list[int]:
    """As many of the steps as can be drawn, with so many cells each; told where that is not all.

    wanted: a step that stays among them; the last one by default.
    """
    if len(steps) == 1 or cells * len(steps) <= MOST_CELLS:
        return steps
    shown = _few(steps, max(1, MOST_CELLS // cells), wanted)
    st.caption(
        f"So many heads at {len(steps)} steps are too much at once: here "
        f"{'is' if len(shown) == 1 else 'are'} {len(shown)} of the steps."
    )
    return shown


def patterns_over_training(view: View, steps: list[int]) -> None:
    """Every head's pattern on the prompt; the kept steps are frames, scrubbed in the browser."""
    cfg, pos = view.model.cfg, len(view.tokens)
    shown = steps_that_fit(steps, cfg.n_layers * cfg.n_heads * pos**2, view.step)
    stack = torch.stack([_patterns(_at(view, step)) for step in shown])
    on_screen = view.step if view.step in shown else shown[-1]
    attention_mosaic(
        stack.flatten(1, 2),
        view.labels,
        key="forming",
        names=names_of_heads(cfg.n_layers, cfg.n_heads),
        columns=min(8, cfg.n_heads if cfg.n_heads > 1 else cfg.n_layers),
        frames=shown,
        frame=shown.index(on_screen),
        frame_name="step",
    )
    behind(
        {
            f"step {on_screen}": partial(
                attention_grid, _patterns(_at(view, on_screen)), view.labels
            )
        },
        key="forming",
        code=[tfs.Bundle.at_step],
        reads="blocks.*.attn.hook_pattern [batch head query_pos key_pos]",
        program=view.program(
            f"""
            caches = [bundle.at_step(step).run_with_cache(tokens[None])[1] for step in {shown!r}]
            result = torch.stack(
                [then.stack_activation("pattern")[:, 0].flatten(0, 1) for then in caches]
            )
            """
        ),
    )


def _patterns(view: View) -> Tensor:
    return view.run()[1].stack_activation("pattern")


def names_of_heads(layers: int, heads: int) -> list[str]:
    return [f"L{layer}H{head}" for layer in range(layers) for head in range(heads)]

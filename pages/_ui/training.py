"""The training page's form, and the job that belongs to this session."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial

import streamlit as st

import tfs
from pages._ui import state
from pages._ui.controls import remember_run, show_model
from pages._ui.layout import literal
from pages._ui.owner import owner
from pages._ui.predict import predict
from tfs.arithmetic import parameter_terms, readable_count, total, training_flops
from tfs.train.library import RESUMABLE
from tfs.train.recipes import INDUCTION, MIRROR, MIRROR_LARGE, MIRROR_NO_POSITIONS, Recipe
from tfs.train.worker import Job

OFFERED = {recipe.name: recipe for recipe in (MIRROR, MIRROR_LARGE, MIRROR_NO_POSITIONS, INDUCTION)}
MOST_STEPS_HERE = 5000
NEAR_THE_FLOOR = 0.02  # nats


def configure() -> tuple[Recipe, tfs.TransformerConfig, tfs.TrainConfig]:
    """The form: a recipe, and what the reader changes about it."""
    name = st.selectbox("What to train", list(OFFERED), key="recipe", bind="query-params")
    recipe = OFFERED[name]
    st.caption(recipe.about)
    cfg, config = recipe.model, recipe.train
    with st.expander("Change the recipe"):
        left, middle, right = st.columns(3)
        n_layers = left.slider("Layers", 1, 4, cfg.n_layers, key=f"n_layers {name}")
        n_heads = left.select_slider("Heads", (1, 2, 4, 8), cfg.n_heads, key=f"n_heads {name}")
        d_model = middle.select_slider("d_model", (32, 64, 128), cfg.d_model, key=f"d_model {name}")
        positions = middle.toggle(
            "Position embeddings", cfg.positional_embedding_type == "standard", key=f"pos {name}"
        )
        steps = right.slider(
            "Steps",
            50,
            MOST_STEPS_HERE,
            min(config.steps, MOST_STEPS_HERE),
            50,
            key=f"steps {name}",
        )
        rates = (3e-4, 1e-3, 2e-3, 3e-3, 1e-2, 3e-2)
        lr = right.select_slider(
            "Learning rate", rates, config.lr, format_func="{:g}".format, key=f"lr {name}"
        )
        seed = int(right.number_input("Seed", 0, 2**31 - 1, config.seed, key=f"seed {name}"))
    cfg = dataclasses.replace(
        cfg,
        n_layers=n_layers,
        n_heads=n_heads,
        d_model=d_model,
        d_head=d_model // n_heads,
        d_mlp=4 * d_model,
        positional_embedding_type="standard" if positions else "none",
        seed=seed,
    )
    return recipe, cfg, dataclasses.replace(config, steps=steps, lr=lr, seed=seed)


def estimate(
    recipe: Recipe, cfg: tfs.TransformerConfig, config: tfs.TrainConfig
) -> list[tuple[str, str]]:
    """What the run costs, before it is started."""
    flops = config.steps * training_flops(cfg, cfg.n_ctx, config.batch_size)
    return [
        ("Parameters", readable_count(total(parameter_terms(cfg)))),
        ("Updates", f"{config.steps:,}"),
        ("Tokens read", readable_count(config.steps * config.batch_size * cfg.n_ctx)),
        ("FLOPs in all", readable_count(flops)),
    ]


def launch(recipe: Recipe, cfg: tfs.TransformerConfig, config: tfs.TrainConfig) -> None:
    """Start a run of this session; its random name goes into the URL, for a reload to find it."""
    about = recipe.about if cfg == recipe.model else "The recipe's model was changed by hand."
    changed = dataclasses.replace(recipe, about=about, model=cfg, train=config)
    title = f"{recipe.name}, trained in the app"
    _watch(partial(state.library().start, changed, owner(), title=title))


def go_on_with(name: str) -> None:
    """For a button's on_click: resume a run that this server does not train any more."""
    _watch(partial(state.library().resume, name))


def _watch(begin: Callable[[], Job]) -> None:
    """Begin a training and make it the one on screen; or keep the sentence that says why not."""
    try:
        name = begin().directory.name
    except (ValueError, OSError) as error:
        st.session_state["why not"] = str(error)
        return
    st.session_state.pop("lost run", None)
    remember_run(name)
    st.session_state["run"] = st.query_params["run"] = name


def current_job() -> Job | None:
    """The job of this session, or the one that the URL names; a dead link is remembered."""
    name = st.query_params.get("run") or st.session_state.get("run")
    job = state.library().job(name) if name else None
    if job is None:
        st.query_params.pop("run", None)
        if name:
            st.session_state["lost run"] = name
    else:
        st.session_state.pop("lost run", None)
        st.session_state["run"] = st.query_params["run"] = name
    return job


def ask_where_it_ends(job: Job) -> None:
    """How far down will the held-out loss come? Graded by the last measurement, when it is over."""
    blind, floor = math.log(job.task.d_vocab), job.task.floor()
    low, name = (floor, "the floor") if floor is not None else (blind / 2, "half of it")
    near = low + NEAR_THE_FLOOR if floor is not None else low
    options = (
        f"no lower than a blind guess, {blind:.2f}",
        f"between that and {name}, {low:.2f}",
        f"within {NEAR_THE_FLOOR} nats of the floor, {low:.2f}"
        if floor is not None
        else f"below {low:.2f}",
    )
    measured = [step.held_out.loss for step in job.steps() if step.held_out]
    answer, because = None, "The run grades it when it is over."
    if job.status().is_over and measured:
        end = measured[-1]
        answer = options[0 if end >= blind else 1 if end > near else 2]
        because = f"It ended at {end:.3f} nats."
    predict(
        "When this training is over, its loss on sequences it has not seen will be …",
        options,
        answer,
        because,
        key=f"predict end of {job.directory.name}",
    )


def say_if_run_is_lost() -> None:
    """One sentence where the URL asked for a run that this process does not steer (any more)."""
    if why_not := st.session_state.pop("why not", None):
        st.error(literal(why_not))
    name = st.session_state.get("lost run")
    if not name:
        return
    try:
        entry = state.library().entry(name)
    except ValueError:
        entry = None
    if entry is None and not state.is_run(name):
        st.warning(
            f"There is no training {literal(name[:60])} on this server: a run can be watched on "
            "its own server only. Start a new one below."
        )
        return
    if entry is None:
        st.warning("That training ended when its server did; what it had learned by then is kept.")
    else:
        at = f"{literal(entry.title)} is {entry.state}, at step {entry.step} of {entry.steps}."
        st.warning(f"{at} {literal(entry.error)}".strip())
        if entry.state in RESUMABLE:
            st.button("Resume it", icon=":material/play_arrow:", on_click=go_on_with, args=(name,))
    st.button(
        "Open what it learned", icon=":material/visibility:", on_click=ask_to_open, args=(name,)
    )


def ask_to_open(name: str) -> None:
    """For a button's on_click: app.py leaves this page when it runs next."""
    st.session_state.pop("lost run", None)
    show_model(name)
    st.session_state["go to"] = "attention"

"""The lab's form: a recipe, and whatever the reader changes about its task, model and training."""

from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from pages._ui import kept, state
from pages._ui.lab_model import model_fields, training_fields
from pages._ui.lab_task import in_words, task_fields
from pages._ui.layout import literal
from tfs.model.architectures import (
    DECODER_ONLY,
    ENCODER_DECODER,
    ENCODER_ONLY,
    PAIR_CLASSIFIER,
    TOKEN_CLASSIFIER,
)
from tfs.tasks import task_options
from tfs.tasks.named import FILE_OPTIONS
from tfs.train.branch import TEXT_FILE
from tfs.train.pair_recipes import ALL_RECIPES, OWN_PAIRS
from tfs.train.recipe import Recipe, any_task

FIRST = ("mirror", "induction", "addition", "modular-addition", "ioi")
OFFERED = ALL_RECIPES | {OWN_PAIRS.name: OWN_PAIRS}
DOES = {
    DECODER_ONLY: "It goes on with one text.",
    ENCODER_DECODER: "It reads one text and writes another.",
    ENCODER_ONLY: "It reads a text both ways and says which words were masked.",
    TOKEN_CLASSIFIER: "It reads a text both ways and gives each word a label.",
    PAIR_CLASSIFIER: "It reads two texts together and gives them one label.",
}


class Asked(NamedTuple):
    """What the form says: a recipe, and the text to train on where the reader brought one."""

    recipe: Recipe
    text: str | None


def form() -> Asked | None:
    """The form; None, with one sentence on the page, where what it says does not fit together."""
    base, own = _chosen(), None
    st.caption(f"{DOES[base.architecture]} {literal(base.about)}")
    try:
        with st.expander(
            "Change the recipe", key=f"change {base.name}", expanded=base == OWN_PAIRS
        ):
            options, own = task_fields(base)
            model = model_fields(base)
            train = training_fields(base)
        if own is None and TEXT_FILE in options.values():
            st.info("Choose a UTF-8 file to train on, above.")
            return None
        recipe = _changed(base, options, model, train, own and own.text)
    except (ValueError, OSError) as error:
        st.error(literal(in_words(str(error), base, own)))
        return None
    _say_what_differs(recipe, base)
    return Asked(recipe, own and own.text)


def _chosen() -> Recipe:
    """The recipe on screen; one that a link names counts more than its architecture."""
    wanted = st.query_params.get("recipe")
    if wanted is not None and wanted not in OFFERED:
        st.warning(f"There is no recipe {literal(wanted[:60])} here; choose one below.")
    elif wanted and "architecture" not in st.session_state:
        kept.say({"architecture": OFFERED[wanted].architecture})
    architecture = st.segmented_control(
        "Architecture",
        list(dict.fromkeys(recipe.architecture for recipe in OFFERED.values())),
        default=DECODER_ONLY,
        required=True,
        key="architecture",
        bind="query-params",
        on_change=_begin_with_the_first,
    )
    names = _names(architecture)
    if st.session_state.get("recipe", names[0]) not in names:
        st.session_state["recipe"] = names[0]
    return OFFERED[st.selectbox("What to train", names, key="recipe", bind="query-params")]


def _names(architecture: str) -> list[str]:
    names = [name for name, recipe in OFFERED.items() if recipe.architecture == architecture]
    return sorted(names, key=lambda name: (name not in FIRST, names.index(name)))


def _begin_with_the_first() -> None:
    """Of another architecture, since no recipe is of two."""
    st.session_state["recipe"] = _names(st.session_state["architecture"])[0]


def _say_what_differs(recipe: Recipe, base: Recipe) -> None:
    """What was changed by hand, which is kept where the form is folded up or left, and a way back.

    What only follows from something else, as d_mlp from d_model, is named as well.
    """
    now, usual = _flat(recipe), _flat(base)
    differs = {
        name: value
        for name, value in now.items()
        if value != usual.get(name) and name != FILE_OPTIONS["parallel"]
    }
    if not differs:
        return
    told = (f"{name} {value} instead of {usual.get(name)}" for name, value in differs.items())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Changed: {literal('; '.join(told))}.")
        st.button("As the recipe says", icon=":material/undo:", on_click=_forget, args=(base,))


def _flat(recipe: Recipe) -> dict[str, Any]:
    parts = recipe.to_dict()
    return {
        name: value for part in ("task", "model", "train") for name, value in parts[part].items()
    }


def _forget(base: Recipe) -> None:
    for key in [key for key in st.session_state if str(key).endswith(f" of {base.name}")]:
        del st.session_state[key]


def _changed(base: Recipe, options: dict, model: dict, train: dict, text: str | None) -> Recipe:
    """The recipe with what differs; under its own name and sentence if nothing does."""
    usual = {**task_options(base.task), **base.task_options}
    fields: dict[str, Any] = {"model": model | {"seed": train["seed"]}, "train": train}
    if different := {k: v for k, v in options.items() if v != usual[k]}:
        d_vocab, n_ctx = _sizes(base.task, {**base.task_options, **different}, text)
        fields["model"] |= {"d_vocab": d_vocab, "n_ctx": n_ctx}
        fields["task"] = {"name": base.task, **different}
    recipe = Recipe.from_dict(fields, base)
    if recipe == base:
        return base
    return replace(recipe, about=f"The recipe {base.name} with changes made by hand.")


@st.cache_data(show_spinner="Reading the text …", max_entries=64)
def _sizes(task: str, options: dict[str, Any], text: str | None) -> tuple[int, int]:
    """The vocabulary and the context that a task asks for. Raises ValueError as the task."""
    with state.text_beside(text or "") as folder:
        made = any_task(task, options, folder)
    return made.d_vocab, made.n_ctx

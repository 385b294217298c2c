"""The lab's form: a recipe, and whatever the reader changes about its task, model and training."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._ui import state
from pages._ui.layout import literal
from tfs.model.config import ACT_FNS, NORMALIZATION_TYPES, POSITIONAL_EMBEDDING_TYPES
from tfs.tasks import make_task, task_options
from tfs.tasks.named import CORPORA, TOKENIZERS
from tfs.train.branch import TEXT_FILE
from tfs.train.config import OPTIMIZERS, SCHEDULES
from tfs.train.recipe import Recipe
from tfs.train.recipes import RECIPES

OWN_TEXT = "my own text"
LARGEST_TEXT = 8 * 2**20  # bytes
MOST_STEPS = 100_000
FIRST = ("mirror", "induction", "addition", "modular-addition", "ioi")
NORMS = {kind or "none": kind for kind in NORMALIZATION_TYPES}
ABOUT_OPTIONS = {
    "d_vocab": "Symbols in the vocabulary",
    "n_ctx": "Length of a sequence, in tokens",
    "shortest": "Shortest block",
    "longest": "Longest block",
    "symbols": "Symbols to draw from",
    "length": "Length",
    "whole": "The question counts in the loss, too",
    "distinct": "All symbols differ",
    "digits": "Digits",
    "reversed": "The ones of the sum first",
    "p": "Modulus p",
    "train_fraction": "Share of pairs to learn from",
    "split_seed": "Seed of the split",
    "kinds": "Kinds of brackets",
    "start_token": "A start token",
    "corpus": "Text",
    "tokenizer": "Tokens",
}


class Asked(NamedTuple):
    """What the form says: a recipe, and the text to train on where the reader brought one."""

    recipe: Recipe
    text: str | None


def form() -> Asked | None:
    """The form; None, with one sentence on the page, where what it says does not fit together."""
    names = sorted(RECIPES, key=lambda name: (name not in FIRST, list(RECIPES).index(name)))
    if (wanted := st.query_params.get("recipe", names[0])) not in names:
        st.warning(f"There is no recipe {literal(wanted[:60])} here; choose one below.")
    name = st.selectbox("What to train", names, key="recipe", bind="query-params")
    base = RECIPES[name]
    st.caption(base.about)
    try:
        with st.expander("Change the recipe", key=f"change {name}"):
            options, text = _task(base)
            model = _model(base)
            train = _training(base)
        if options.get("corpus") == OWN_TEXT:
            if text is None:
                st.info("Choose a UTF-8 text file to train on, above.")
                return None
            options["corpus"] = TEXT_FILE
        recipe = _changed(base, options, model, train, text)
    except (ValueError, OSError) as error:
        st.error(literal(_in_words(str(error))))
        return None
    _say_what_differs(recipe, base)
    return Asked(recipe, text)


def _in_words(error: str) -> str:
    """An error with the form's labels beside the names that code has for them."""
    for option, label in ABOUT_OPTIONS.items():
        if "_" in option:
            error = re.sub(rf"\b{option}\b", f"“{label}” ({option})", error)
    return error


def _say_what_differs(recipe: Recipe, base: Recipe) -> None:
    """What was changed by hand, which is kept where the form is folded up or left, and a way back.

    What only follows from something else, as d_mlp from d_model, is named as well.
    """
    now, usual = _flat(recipe), _flat(base)
    differs = {name: value for name, value in now.items() if value != usual.get(name)}
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
        made = make_task(task, options, folder)
    return made.d_vocab, made.n_ctx


def _task(base: Recipe) -> tuple[dict[str, Any], str | None]:
    """A widget for each option of the task, and the text if it is the reader's."""
    usual = {**task_options(base.task), **base.task_options}
    if not usual:
        return {}, None
    st.markdown(f"**Task**: {literal(base.task)}")
    chosen, text = {}, None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for option, value in usual.items():
            chosen[option] = _widget(base, option, value)
    if chosen.get("corpus") == OWN_TEXT:
        text = _uploaded(base)
    return chosen, text


def _widget(base: Recipe, option: str, value: Any) -> Any:
    label, kept = ABOUT_OPTIONS.get(option, option), _kept(base)(option)
    if option == "corpus":
        return st.selectbox(label, [*CORPORA, OWN_TEXT], [*CORPORA].index(value), **kept)
    if option == "tokenizer":
        return st.selectbox(label, TOKENIZERS, TOKENIZERS.index(value), **kept)
    if isinstance(value, bool):
        return st.toggle(label, value, **kept)
    if isinstance(value, int):
        return int(st.number_input(label, 0, 100_000, value, **kept, width=160))
    return st.slider(label, 0.05, 0.95, float(value), 0.05, **kept, width=220)


def _uploaded(base: Recipe) -> str | None:
    """The reader's file as text. Raises ValueError for what is too large, or is not UTF-8."""
    file = st.file_uploader("A UTF-8 text file", type=["txt", "md"], key=f"text of {base.name}")
    if file is None:
        return None
    if file.size > LARGEST_TEXT:
        raise ValueError(
            f"{file.name} has {file.size / 2**20:.1f} MiB, more than the {LARGEST_TEXT // 2**20} "
            "MiB that are read here; cut it, or train on it from the command line"
        )
    if not file.size:
        raise ValueError(f"{file.name} holds no text; give a file with something to read")
    try:
        return file.getvalue().decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file.name} is not UTF-8 text (byte {error.start} cannot be decoded); save it as "
            "UTF-8"
        ) from None


def _model(base: Recipe) -> dict[str, Any]:
    """Sizes and kinds of the model; the vocabulary and the context follow the task."""
    cfg, kept = base.model, _kept(base)
    st.markdown("**Model**")
    first, second, third = st.columns(3)
    n_layers = first.slider("Layers", 1, 8, cfg.n_layers, **kept("n_layers"))
    n_heads = first.select_slider("Heads in a layer", (1, 2, 4, 8), cfg.n_heads, **kept("n_heads"))
    key_heads = _key_heads(base, first, n_heads)
    widths = sorted({16, 32, 64, 128, 256, cfg.d_model})
    d_model = first.select_slider("d_model", widths, cfg.d_model, **kept("d_model"))
    positions = second.selectbox(
        "Positions",
        POSITIONAL_EMBEDDING_TYPES,
        POSITIONAL_EMBEDDING_TYPES.index(cfg.positional_embedding_type),
        format_func=lambda kind: {"standard": "learned"}.get(kind, kind),
        **kept("positions"),
    )
    norm = second.selectbox(
        "Norm",
        list(NORMS),
        NORMALIZATION_TYPES.index(cfg.normalization_type),
        **kept("norm"),
    )
    act_fn = second.selectbox("Activation", ACT_FNS, ACT_FNS.index(cfg.act_fn), **kept("act_fn"))
    attn_only = third.toggle("Attention only, no MLPs", cfg.attn_only, **kept("attn_only"))
    d_mlp = third.select_slider(
        "d_mlp as a multiple of d_model",
        (1, 2, 4, 8),
        max(1, cfg.d_mlp // cfg.d_model) if not cfg.attn_only else 4,
        **kept("d_mlp"),
        disabled=attn_only,
    )
    tied = third.toggle("W_U is W_E transposed", cfg.tie_word_embeddings, **kept("tied"))
    gated = third.toggle(
        "Gated MLP (SwiGLU with silu)", cfg.gated_mlp, **kept("gated_mlp"), disabled=attn_only
    )
    scale = third.toggle("Scores divided by √d_head", cfg.use_attn_scale, **kept("scale"))
    same = (n_heads, d_model) == (cfg.n_heads, cfg.d_model)
    return {
        "n_layers": n_layers,
        "n_heads": n_heads,
        "d_model": d_model,
        "d_head": cfg.d_head if same else max(1, d_model // n_heads),
        "d_mlp": cfg.d_mlp if attn_only and cfg.attn_only else d_mlp * d_model,
        "positional_embedding_type": positions,
        "normalization_type": NORMS[norm],
        "act_fn": act_fn,
        "attn_only": attn_only,
        "tie_word_embeddings": tied,
        "use_attn_scale": scale,
        "gated_mlp": gated and not attn_only,
        "n_key_value_heads": key_heads,
        **({} if same and scale == cfg.use_attn_scale else {"attn_scale": -1.0}),
    }


def _key_heads(base: Recipe, column: DeltaGenerator, n_heads: int) -> int | None:
    """Heads of keys and values: one for each head (None), or fewer, which groups of heads share."""
    fewer = [count for count in (1, 2, 4) if count < n_heads]
    own = base.model.n_key_value_heads
    return column.selectbox(
        "Heads of keys and values",
        [None, *fewer],
        index=fewer.index(own) + 1 if own in fewer else 0,
        format_func=lambda count: "one for each head" if count is None else str(count),
        key=f"key heads below {n_heads} of {base.name}",
        persist_state="session",
    )


def _training(base: Recipe) -> dict[str, Any]:
    """The optimiser, its schedule, and the seed, which is the model's as well."""
    config, kept = base.train, _kept(base)
    st.markdown("**Training**")
    first, second, third = st.columns(3)
    steps = first.number_input("Updates", 1, MOST_STEPS, config.steps, **kept("steps"))
    batch = first.number_input("Sequences in a batch", 1, 1024, config.batch_size, **kept("batch"))
    seed = first.number_input("Seed", 0, 2**31 - 1, config.seed, **kept("seed"))
    lr = second.number_input(
        "Peak learning rate", 1e-6, 10.0, config.lr, format="%.6g", step=1e-4, **kept("lr")
    )
    warmup = second.number_input(
        "Warm-up updates", 0, MOST_STEPS, config.warmup_steps, **kept("warmup")
    )
    schedule = second.selectbox(
        "Then", SCHEDULES, SCHEDULES.index(config.schedule), **kept("schedule")
    )
    decay = third.number_input(
        "Weight decay", 0.0, 10.0, config.weight_decay, format="%.3g", **kept("decay")
    )
    dropout = third.slider("Dropout", 0.0, 0.9, config.dropout, 0.05, **kept("dropout"))
    optimizer = third.selectbox(
        "Optimiser", OPTIMIZERS, OPTIMIZERS.index(config.optimizer), **kept("optimizer")
    )
    clipped = third.toggle(
        "Gradients clipped to norm 1", config.grad_clip is not None, **kept("clip")
    )
    return {
        "steps": int(steps),
        "batch_size": int(batch),
        "seed": int(seed),
        "optimizer": optimizer,
        "lr": lr,
        "warmup_steps": int(warmup),
        "schedule": schedule,
        "weight_decay": decay,
        "dropout": dropout,
        "grad_clip": (config.grad_clip or 1.0) if clipped else None,
    }


def _kept(base: Recipe) -> Callable[[str], dict[str, Any]]:
    """A widget's key by the recipe, so that each recipe begins with its own values, and what is
    changed is still there when the reader comes back from another page."""
    return lambda name: {"key": f"{name} of {base.name}", "persist_state": "session"}

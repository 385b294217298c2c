"""Pickers: the model and the prompt, shared by all pages and kept in the URL; layer and head."""

import contextlib
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st
from torch import Tensor

import tfs
from pages._ui import kept, state
from pages._ui.examples import EXAMPLES, example_of, fits, is_example, reads_text
from pages._ui.layout import counted, literal
from pages._ui.opened_by import leads_to, page_of
from pages._ui.parts import end_here
from pages._ui.replay import replay, stand_at_the_end, step_on_screen
from tfs.hooks import ActivationCache

MAX_PROMPT_CHARACTERS = 1000
NO_TOKEN = -1  # not None: a widget that is set to None leaves its last choice in the URL
ORDER = ("shakespeare", "induction", "induction-4-heads", "mirror", "mirror-no-positions")


class View(NamedTuple):
    """What a page looks at: a model, and the prompt as its tokens with a label each.

    step: of its training, where that is not the end. given: the tokens were not typed as a prompt.
    """

    name: str
    bundle: tfs.Bundle
    fingerprint: str
    tokens: tuple[int, ...]
    labels: list[str]
    step: int | None = None
    given: bool = False

    @property
    def model(self) -> tfs.DecoderOnly:
        return self.bundle.model

    def program(self, lines: str, *functions: Callable, beside: "View | None" = None) -> str:
        """A program that runs by itself: this view opened, then `lines`, which set `result`.

        beside: another view, opened too; then names end in _a for this one, in _b for the other.
        """
        imports = sorted(f"from {f.__module__} import {f.__name__}" for f in functions)
        both = [] if beside is None else [*self._opened("_a"), *beside._opened("_b")]
        lines = textwrap.dedent(lines).strip()
        return "\n".join(
            ["import torch", "import tfs", *imports, "", *(both or self._opened()), lines]
        )

    def _opened(self, of: str = "") -> list[str]:
        typed = f"tokenizer{of}.encode({st.session_state['prompt']!r})"
        tokens = list(self.tokens) if self.given else typed
        at_step = ".model" if self.step is None else f".at_step({self.step})"
        run = f"model{of}.run_with_cache(tokens{of}[None], remove_batch_dim=True)"
        return [
            f"bundle{of} = tfs.load({state.opened_as(self.name)})",
            f"model{of}, tokenizer{of} = bundle{of}{at_step}, bundle{of}.tokenizer",
            f"tokens{of} = torch.tensor({tokens})",
            f"(logits{of},), cache{of} = {run}",
        ]

    def run(self) -> tuple[Tensor, ActivationCache]:
        """Logits [pos d_vocab] and every activation [pos ...] of the prompt."""
        return state.run_on_prompt(self.model, self.fingerprint, self.tokens)

    def head_scores(self) -> dict[str, Tensor]:
        """Previous-token, duplicate-token and induction score of each head, [layer head]."""
        return state.head_scores_on_prompt(self.model, self.fingerprint, self.tokens)


def shared_pickers(unread: bool = False) -> None:
    """The sidebar's model and prompt. Both stand in the URL, so a link reopens the same view.

    unread: the page on screen has models of its own.
    """
    names = model_names()
    asked = st.query_params.get("model", names[0])
    if asked not in names:  # the widget is about to fall back to the first name without a word
        st.session_state["dead link"] = asked
        st.session_state.pop("dead link led to", None)
    st.selectbox(
        "Model",
        names,
        key="model",
        bind="query-params",
        on_change=follow_model,
        help="Bundled checkpoints, and whatever you trained here.",
    )
    if unread:
        st.caption("This page has its own models; the one chosen here is for the other pages.")
    _say_which_run()
    replay(st.session_state["model"])
    st.session_state["prompt was for"] = st.session_state["model"]
    st.text_area(
        "Prompt",
        _example(),
        key="prompt",
        bind="query-params",
        max_chars=MAX_PROMPT_CHARACTERS,
        height=120,
        help="Every page shows what the model does with this text. Ctrl+Enter applies it.",
    )
    st.button("Use the model's own example", on_click=use_example, width="stretch")


def _say_which_run() -> None:
    """Below the name of a run, which says nothing, the title of its card."""
    if state.is_run(name := st.session_state["model"]):
        with contextlib.suppress(tfs.CheckpointError):
            title = state.open_model(name).bundle.card.partition("\n")[0]
            st.caption(literal(title.removeprefix("# ")))


def say_if_link_is_dead(page: str) -> None:
    """One sentence, on the page that the link led to, until the reader chooses a model."""
    asked = st.session_state.get("dead link")
    if not asked or st.session_state.setdefault("dead link led to", page) != page:
        return
    if opens := page_of(asked):
        st.warning(
            f"The sidebar has decoders only, and **{literal(asked[:60])}** is none, so you see "
            f"**{st.session_state['model']}**. Another page opens it."
        )
        st.button(opens.label, on_click=leads_to, args=(asked, opens), key="to its page")
    else:
        st.warning(
            f"There is no model {literal(asked[:60])} on this server, so you see "
            f"**{st.session_state['model']}**; a model that was trained in the app can be opened "
            "on its own server only. Choose another one in the sidebar."
        )


def show_model(name: str) -> None:
    """Make `name` the model on screen, with a prompt that suits it; for a button's on_click."""
    remember_run(name)
    st.session_state["model"] = name
    follow_model()


def follow_model() -> None:
    """After a change of model: the reader's own prompt stays if the new model can read it.

    Where it cannot, the reader's last prompt of the kind that it reads comes back, or its example.
    """
    st.session_state.pop("dead link", None)
    before, name = (st.session_state.get(key) for key in ("prompt was for", "model"))
    try:
        stand_at_the_end(name)
        kind_before, bundle = _kind(state.open_model(before).bundle), state.open_model(name).bundle
    except tfs.CheckpointError:
        return
    own = st.session_state.setdefault("own prompts", {})
    text = st.session_state.get("prompt", "")
    if text.strip() and not is_example(text, before):
        own[kind_before] = text
    kept = own.get(_kind(bundle), "")
    st.session_state["prompt"] = kept if fits(bundle, kept) else example_of(name)


def _kind(bundle: tfs.Bundle) -> str:
    """A prompt that was typed for one model makes little sense to another that reads otherwise."""
    return "text" if reads_text(bundle) else type(bundle.tokenizer).__name__


def use_example() -> None:
    """Put a prompt that suits the chosen model into the prompt box."""
    st.session_state["prompt"] = _example()


def _example() -> str:
    """What suits the chosen model; it stands in the box, and not in the URL, until one types."""
    try:
        return example_of(st.session_state["model"])
    except tfs.CheckpointError:
        return EXAMPLES["text"]


def remember_run(name: str) -> None:
    """Keep a run of this session in the list of models."""
    mine = st.session_state.setdefault("my_runs", [])
    if name not in mine:
        mine.append(name)


def model_names() -> list[str]:
    """Bundled models, this session's runs, and runs that the URL names (its link is its key)."""
    bundled = state.bundled_decoders()
    names = sorted(bundled, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    mine = st.session_state.get("my_runs", [])
    linked = [st.query_params.get(name, "") for name in ("model", "other")]
    return names + [run for run in dict.fromkeys(mine + linked) if state.is_run(run)]


def current_view() -> View:
    """The sidebar's model and prompt. Ends the page with one sentence where they do not fit."""
    name = st.session_state.get("model", ORDER[0])
    try:
        step = step_on_screen(name)
        opened = state.open_model(name, step)
    except tfs.CheckpointError as error:
        st.error(literal(str(error)))
        end_here()
    bundle, text = opened.bundle, st.session_state.get("prompt", "")
    if not text.strip():
        st.info(
            "The prompt is empty: type some text in the sidebar, or use the model's own example."
        )
        end_here()
    try:
        ids = tuple(bundle.tokenizer.encode(text))
        _check_length(ids, bundle.model.cfg.n_ctx)
    except ValueError as error:
        st.error(literal(str(error)))
        end_here()
    when = "" if step is None else f" after {counted(step, 'update')} of its training,"
    st.caption(f"Model **{name}**{when} on {_count(len(ids))} of the prompt")
    return View(name, bundle, opened.fingerprint, ids, bundle.tokenizer.str_tokens(ids), step)


def _check_length(ids: tuple[int, ...], n_ctx: int) -> None:
    if len(ids) > n_ctx:
        raise ValueError(
            f"The prompt is {len(ids)} tokens long, but this model reads at most {n_ctx} at once; "
            f"shorten it by {len(ids) - n_ctx} or more."
        )


def _count(tokens: int) -> str:
    return "the one token" if tokens == 1 else f"the {tokens} tokens"


def pick_layer_and_head(*cfgs: tfs.TransformerConfig) -> tuple[int, int]:
    """One layer and one head, side by side, that all of these models have."""
    layers, heads = (min(getattr(cfg, n) for cfg in cfgs) for n in ("n_layers", "n_heads"))
    with st.container(horizontal=True):
        return _pick("Layer", "layer", layers), _pick("Head", "head", heads)


def _pick(label: str, key: str, count: int) -> int:
    """One of `count`, as buttons; kept in the URL, and 0 where the URL asks for too much."""
    if st.session_state.get(key, 0) not in range(count):
        st.session_state[key] = 0
    chosen = st.segmented_control(
        label, range(count), key=key, bind="query-params", default=0, required=True
    )
    return chosen if chosen in range(count) else 0


def pick_token(view: View, label: str = "Token", *, key: str = "token") -> int | None:
    """A token of the prompt or none, kept in the URL: what a token strip locks, as a widget."""
    return pick_place(view.labels, label, key=key)


def pick_place(labels: Sequence[str], label: str, *, key: str) -> int | None:
    """One of these tokens, by its place, or none; kept in the URL."""
    places = range(NO_TOKEN, len(labels))

    def named(place: int) -> str:
        return "none is locked" if place == NO_TOKEN else f"{place}: {labels[place]!r}"

    asked = st.query_params.get(key, "")
    number = asked.partition(":")[0]  # written by hand, or with a label of another prompt
    if key not in st.session_state and number.isdecimal() and int(number) in places:
        if asked != named(int(number)):
            kept.say({key: named(int(number))})
    if key in st.session_state and st.session_state[key] not in places:
        st.session_state[key] = NO_TOKEN
    chosen = kept.box(label, places, named=named, key=key)
    return None if chosen == NO_TOKEN else chosen


def lock_token(index: int | None, key: str = "token") -> None:
    """Make a token the locked one, or none; for a component's callback."""
    st.session_state[key] = NO_TOKEN if index is None else index


def lock_cell(cell: tuple[int, int] | None) -> None:
    """Make a query and a key the locked ones, or none; for a component's callback."""
    query, key = cell or (None, None)
    lock_token(query)
    lock_token(key, "key token")

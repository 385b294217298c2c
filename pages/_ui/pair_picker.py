"""Which model of two texts, what it reads, and how far it has written."""

import streamlit as st

import tfs
from pages._ui import state
from pages._ui.controls import remember_run
from pages._ui.layout import counted, literal
from pages._ui.opened_by import architecture_of
from pages._ui.parts import end_here
from pages._ui.steps import PLAY, counter
from pages._ui.two_texts import TwoTexts, two_texts
from pages._ui.what_it_knows import check_is_known, say_what_it_knows
from tfs.model.architectures import ENCODER_DECODER
from tfs.tasks.pairs import END, PAD, START, PairTask
from tfs.train.checkpoint import bundled_names
from tfs.train.recipe import read_recipe

EXAMPLES = {
    "dates": "the 7th of March, 1994",
    "numbers": "twelve thousand and five",
    "grammar": "the small red dog does not see the birds",
}
MOST_CHARACTERS = 200


def pair_names() -> list[str]:
    """Bundled models of two texts, this session's runs of such models, and the one that the URL
    names (its link is its key)."""
    bundled = _bundled_pairs()
    others = [*st.session_state.get("my_runs", []), st.query_params.get("pair", "")]
    runs = [name for name in dict.fromkeys(others) if name not in bundled and state.is_run(name)]
    return bundled + [name for name in runs if architecture_of(name) == ENCODER_DECODER]


@st.cache_data(show_spinner=False)
def _bundled_pairs() -> list[str]:
    return sorted(bundled_names(ENCODER_DECODER), key=lambda name: [*EXAMPLES, name].index(name))


def pick_two_texts() -> TwoTexts:
    """The model and the text to read. Ends the page with one sentence where they do not fit."""
    names = pair_names()
    _notice_dead_link(names)
    if st.session_state.get("pair", names[0]) not in names:
        st.session_state["pair"] = names[0]  # it was deleted since
    which, what = st.columns([1, 3])
    name = which.selectbox(
        "Model of two texts",
        names,
        key="pair",
        bind="query-params",
        on_change=lambda: st.session_state.pop("dead pair", None),
    )
    text = what.text_input(
        "The text to read",
        example_of(name),
        key=f"text for {name}",
        bind="query-params",
    )
    _say_dead_link(name)
    if state.is_run(name):
        remember_run(name)
    try:
        opened, source = _opened_and_read(name, text)
    except ValueError as error:
        st.error(literal(str(error)))
        end_here()
    say_what_it_knows(name, opened.bundle.tokenizer, opened.bundle.model.cfg.n_ctx)
    return two_texts(name, opened, source)


def _opened_and_read(name: str, text: str) -> tuple[state.Opened, tuple[int, ...]]:
    """Raises ValueError (a CheckpointError too), in one sentence, where either cannot be."""
    opened = state.open_any(name)
    tokenizer, n_ctx = opened.bundle.tokenizer, opened.bundle.model.cfg.n_ctx
    _check_marks(name, tokenizer)
    check_is_known(name, tokenizer, text, MOST_CHARACTERS)
    source = tuple(tokenizer.encode(text)) if text.strip() else ()
    if not source:
        raise ValueError("There is nothing to read: type a text.")
    if len(source) > n_ctx:
        raise ValueError(
            f"The text is {len(source)} tokens long, but this model reads at most {n_ctx}; "
            "shorten it."
        )
    return opened, source


def _check_marks(name: str, tokenizer: tfs.tokenizers.Tokenizer) -> None:
    """A model of another maker may have a tokenizer that knows no start and no end."""
    marks = getattr(tokenizer, "marks", [])
    if missing := [mark for mark in (START, END) if mark not in marks]:
        raise ValueError(
            f"The tokenizer of {name} has no mark {missing[0]}, so that it cannot begin or end a "
            "text; choose another model."
        )


def example_of(name: str) -> str:
    """A text that suits a model: of a run, a held-out one of what it was trained on."""
    if name in EXAMPLES:
        return EXAMPLES[name]
    path = state.directory_of(name) / "recipe.json"
    return _held_out_text(name, state.changed_at(path))


@st.cache_data(show_spinner="Looking for an example …", max_entries=256)
def _held_out_text(name: str, changed: int) -> str:
    """Nothing where the run's task is not known or its file is gone."""
    directory = state.directory_of(name)
    try:
        task = read_recipe(directory).make_task(directory)
        if not isinstance(task, PairTask):
            return ""
        (ids,) = task.sample(1, seed=0, split="held_out").source.tolist()
        pad = task.tokenizer.mark_id(PAD)
    except (ValueError, OSError):
        return ""
    return task.tokenizer.decode([token for token in ids if token != pad])


def _notice_dead_link(names: list[str]) -> None:
    """The picker is about to fall back to the first name without a word."""
    asked = st.query_params.get("pair", "")
    if asked and asked not in names:
        st.session_state["dead pair"] = asked


def _say_dead_link(instead: str) -> None:
    """One sentence, until the reader chooses a model."""
    asked = st.session_state.get("dead pair")
    if not asked:
        return
    kind = architecture_of(asked) if state.is_run(asked) else ""
    why = f"{literal(asked[:60])} is a model of the kind {kind}, which reads one text only"
    if not kind:
        why = f"There is no model of two texts {literal(asked[:60])} on this server"
    st.warning(f"{why}, so you see **{literal(instead)}**; choose another one here.")


def pick_step(two: TwoTexts) -> int:
    """How many tokens are written so far; all of them at first, and after a change of text for
    whoever had come to the end."""
    last, before = len(two.written), st.session_state.get("written before")
    if before and before != last and st.session_state.get("so far", before) >= before:
        st.session_state["so far"] = last
    st.session_state["written before"] = last
    return counter(
        last,
        key="so far",
        label="Tokens written so far",
        name="token",
        back="One less",
        forward="Write the next token",
        start=last,
        first=1,
        jumps=(PLAY, {"name": "From the start", "to": 0}),
    )


def say_what_is_written(two: TwoTexts, step: int) -> None:
    """The text so far, and whether it is at its end."""
    is_over = two.written[step - 1] == two.marks["end"]
    text = literal(two.plain(two.written[:step]))
    st.markdown(f"#### {text or '…'}{'' if is_over else ' …'}")
    st.caption(
        f"**{literal(two.name)}** read {counted(len(two.source), 'token')} and has written "
        f"{counted(step, 'token')}" + (", the end among them." if is_over else ".")
    )

"""Two models side by side: which is the other one, where it stands, and what both can be asked."""

import contextlib
from typing import Any, NamedTuple

import streamlit as st
import torch

import tfs
from pages._ui import state
from pages._ui.alike import offer_two_alike, same_vocabulary, usual_other
from pages._ui.controls import (
    View,
    model_names,
    pick_layer_and_head,
    pick_token,
)
from pages._ui.examples import example_of, fits
from pages._ui.layout import counted, literal
from pages._ui.predict import predict
from pages._ui.replay import (
    LATEST,
    kept_steps,
    last_step,
    loss_history,
    named,
    step_on_screen,
)
from tfs.arithmetic import parameter_terms, total
from tfs.interp import loss_per_position
from tfs.train.files import read_json
from tfs.train.recipe import RECIPE_FILE

OTHER_STEP = "other step"
FEW_TOKENS = 3
NOT_SAID = "—"


class Pair(NamedTuple):
    """Two views. a reads the sidebar's prompt; b does, too, unless `why_not` says why it cannot.

    same_vocabulary: an id is the same token to both.
    """

    a: View
    b: View
    why_not: str
    same_vocabulary: bool

    @property
    def sides(self) -> dict[str, View]:
        """Each view by a name for legends."""
        return {f"{side}: {view.name}": view for side, view in zip("AB", self[:2], strict=True)}

    def on_examples(self) -> "Pair":
        """Both on the prompt that both read, or else each on an example of its own."""
        if not self.why_not:
            return self
        bundle = self.a.bundle
        ids = own_example(self.a.name, bundle)
        labels = bundle.tokenizer.str_tokens(ids)
        return self._replace(a=self.a._replace(tokens=ids, labels=labels, given=True))

    def program(self, lines: str, *functions: Any) -> str:
        """A program that opens both; a's names end in _a, b's in _b."""
        return self.a.program(lines, *functions, beside=self.b)


class Places(NamedTuple):
    """What the shared pickers say: a head of both, a query and a key that are locked or None.

    width: pixels that the page has.
    """

    layer: int
    head: int
    query: int | None
    key: int | None
    width: int

    def token(self, pair: Pair) -> int:
        """The locked position, or the last one."""
        return len(pair.a.tokens) - 1 if self.query is None else self.query


def pick_other(a: View) -> Pair:
    """The picker of B and of its step. Ends the page with one sentence where B cannot be opened."""
    names = model_names()
    asked = st.query_params.get("other", names[0])
    if asked not in names:
        st.warning(
            f"There is no model {literal(asked[:60])} on this server, so B is another one; choose "
            "it below."
        )
    usual = usual_other(a.bundle, [name for name in names if name != a.name])
    before = st.session_state.get("usual other")
    if before not in (None, usual) and st.session_state.get("other") == before:
        st.session_state["other"] = usual  # the reader chose A anew, and has not chosen a B
    st.session_state["usual other"] = usual
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "B, beside the model of the sidebar",
            names,
            names.index(usual),
            key="other",
            bind="query-params",
        )
        try:
            opened = state.open_model(name, step := _pick_step(a, name))
        except tfs.CheckpointError as error:
            st.error(literal(str(error)))
            st.stop()
    pair = _pair(a, name, opened, step)
    _say_where_both_stand(pair)
    return pair


def _pick_step(a: View, name: str) -> int | None:
    """B's step: linked to that of A, or chosen; None is the end, as where nothing was kept."""
    steps = kept_steps(name)
    if len(steps) < 2:
        return None
    linked = st.toggle(
        "Same share of the training",
        True,
        key="linked",
        bind="query-params",
        help="B stands at that of its kept steps which lies nearest to the same share of its own "
        "training; where both were trained equally long, that is the same step. Play in the "
        "sidebar moves both.",
    )
    if linked:
        return step_at_share(name, share_of_training(a.name, a.step))
    if st.session_state.get(OTHER_STEP, LATEST) not in steps:
        st.session_state[OTHER_STEP] = steps[-1]
    st.select_slider(
        "Training step of B",
        steps,
        steps[-1],
        format_func=named,
        key=OTHER_STEP,
        bind="query-params",
    )
    return step_on_screen(name, OTHER_STEP)


def share_of_training(name: str, step: int | None) -> float:
    """How far a training had come at a step; 1 is its end, which None stands for."""
    return 1.0 if step is None else step / max(last_step(name), 1)


def step_at_share(name: str, share: float) -> int | None:
    """The kept step of `name` that is nearest to a share of its training; None for its end."""
    steps, last = kept_steps(name), last_step(name)
    wanted = share * last
    nearest = min(steps, key=lambda step: abs((last if step == LATEST else step) - wanted))
    return None if nearest == steps[-1] else nearest


def _pair(a: View, name: str, opened: state.Opened, step: int | None) -> Pair:
    """Both views, and why B does not read the prompt as A does, if it does not."""
    bundle, text = opened.bundle, st.session_state["prompt"]
    n_ctx, why_not, ids = bundle.model.cfg.n_ctx, "", ()
    try:
        ids = tuple(bundle.tokenizer.encode(text))
        if len(ids) > n_ctx:
            why_not = f"the prompt is {len(ids)} tokens long to it, and it reads at most {n_ctx}"
        elif (ids, bundle.tokenizer.str_tokens(ids)) != (a.tokens, a.labels):
            why_not = f"it makes other tokens of it, {len(ids)} instead of {len(a.tokens)}"
    except ValueError as error:
        why_not = f"it cannot read it ({str(error).rstrip('.')})"
    ids = own_example(name, bundle) if why_not else ids
    labels = bundle.tokenizer.str_tokens(ids)
    b = View(name, bundle, opened.fingerprint, ids, labels, step, given=bool(why_not))
    return Pair(a, b, why_not, same_vocabulary(a.bundle, bundle))


def own_example(name: str, bundle: tfs.Bundle) -> tuple[int, ...]:
    """A model's own example, as its tokens; its first tokens where no text of ours suits it."""
    text, cfg = example_of(name), bundle.model.cfg
    few = range(min(FEW_TOKENS, cfg.n_ctx, bundle.tokenizer.d_vocab))
    return tuple(bundle.tokenizer.encode(text) if fits(bundle, text) else few)


def _say_where_both_stand(pair: Pair) -> None:
    """One line for each: what it is, and how far its training had come."""
    for side, view in zip("AB", pair[:2], strict=True):
        title = view.bundle.card.partition("\n")[0].removeprefix("# ")
        titled = f", {literal(title)}" if state.is_run(view.name) and title else ""
        where = "at the end of its training"
        if len(kept_steps(view.name)) < 2:
            where += ", the only weights of it that were kept"
        if view.step is not None:
            share = share_of_training(view.name, view.step)
            where = f"after {counted(view.step, 'update')}, {share:.1%} of its training"
        st.caption(f"{side} is **{literal(view.name)}**{titled}, {where}.")
    if pair.why_not:
        st.info(
            f"B does not read the prompt as A does: {literal(pair.why_not)}. So the views that "
            "need equal tokens are left out; heads are scored on an example of each one's own."
        )
        offer_two_alike()
    elif not pair.same_vocabulary:
        st.info(
            "Both make the same tokens of the prompt, but their vocabularies differ, so the views "
            "that compare what they expect next are left out."
        )


def pick_places(pair: Pair, width: int, asked: bool = True) -> Places:
    """One set of pickers for both; without equal tokens there is nothing to pick."""
    if pair.why_not or not asked:
        return Places(0, 0, None, None, width)
    with st.container(horizontal=True):
        layer, head = pick_layer_and_head(*(view.model.cfg for view in pair[:2]))
        query = pick_token(pair.a, "Query token")
        key = pick_token(pair.a, "Key token", key="key token")
    return Places(layer, head, query, key, width)


def ask_who_expects_it(pair: Pair) -> bool:
    """Which of the two gives the prompt the higher probability?"""
    if pair.why_not or len(pair.a.tokens) < 2:
        return True
    losses = [
        loss_per_position(view.run()[0][None], torch.tensor([view.tokens])).sum().item()
        for view in pair[:2]
    ]
    sides = list(pair.sides)
    right = [side for side, loss in zip(sides, losses, strict=True) if loss == min(losses)]
    told = (f"{side[0]} −{loss:.3f}" for side, loss in zip(sides, losses, strict=True))
    n = counted(len(pair.a.tokens) - 1, "token")
    return predict(
        "Which of the two gives the prompt the higher probability, from its second token on?",
        sides,
        right,
        f"The logarithm of what they give those {n} together, in nats: {', '.join(told)}.",
        key="predict side",
    )


def differences(pair: Pair) -> None:
    """A table of what differs in their configs and in their training, from their own files."""
    one, other = (facts(view) for view in pair[:2])
    names = list(dict.fromkeys([*one, *other]))
    differ = [n for n in names if one.get(n, NOT_SAID) != other.get(n, NOT_SAID)]
    if differ:
        columns = {
            side: [found.get(name, NOT_SAID) for name in differ]
            for side, found in zip(pair.sides, (one, other), strict=True)
        }
        st.dataframe({"": differ} | columns, hide_index=True, height="content")
    equal = len(names) - len(differ)
    st.caption(f"{equal} of {len(names)} facts are the same for both, and left out here.")


def facts(view: View) -> dict[str, str]:
    """Sizes, config.json, train.json and recipe.json of a model, each value as JSON writes it."""
    directory, cfg = state.directory_of(view.name), view.model.cfg
    found: dict[str, Any] = {"parameters": f"{total(parameter_terms(cfg)):,}"}
    if measured := loss_history(view.name):
        found |= {"updates": f"{last_step(view.name):,}", "last loss": f"{measured[-1][1]:.4f}"}
    found |= {f"model: {name}": value for name, value in cfg.to_dict().items()}
    for part, file in (("training", "train.json"), ("task", RECIPE_FILE)):
        with contextlib.suppress(OSError, ValueError):
            fields = read_json(directory / file)
            fields = fields.get("task", {}) if part == "task" else fields
            found |= {f"{part}: {name}": value for name, value in fields.items()}
    return {
        name: f"{value:,}" if type(value) is int else str(value) for name, value in found.items()
    }

"""What reaches whom: one token is changed, and every position shows whether it has noticed."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st
from torch import Tensor

from pages._ui.aligned_bars import Row, aligned_bars
from pages._ui.axes import css_colour
from pages._ui.cell_maps import Axis
from pages._ui.controls import View
from pages._ui.layout import behind, counted
from pages._ui.one_text import OneText
from pages._ui.two_texts import TwoTexts
from tfs.hooks import ActivationCache
from tfs.interp import top_of_stream
from tfs.plots import position_bars
from tfs.plots.tokens import visible

WHICH = ("first", "middle", "last")


class Change(NamedTuple):
    """One token of a text becomes another one."""

    place: int
    token: int

    def made_in(self, ids: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.token if i == self.place else old for i, old in enumerate(ids))


def change_of(ids: Sequence[int], places: Sequence[int], which: str, d_vocab: int) -> Change:
    """The first, middle or last of these places takes a token from another one of them.

    Where all of them hold the same token, it takes the next one of the vocabulary.
    """
    place = places[{"first": 0, "middle": len(places) // 2, "last": -1}[which]]
    others = [ids[other] for other in places if ids[other] != ids[place]]
    return Change(place, others[0] if others else (ids[place] + 1) % d_vocab)


def encoder_reach(one: OneText, which: str) -> None:
    places = [place for place, _ in one.words]
    change = change_of(one.really, places, which, one.encoder.cfg.d_vocab)
    changed = one._replace(tokens=change.made_in(one.tokens))
    hook = top_of_stream(one.run()[1], one.encoder.cfg.n_layers)
    run = "model.run_with_cache(changed, segments)"
    lines = _program("tokens", change, run, hook)
    moved = _moved(one.run()[1], changed.run()[1], hook)
    labels = one.bundle.tokenizer.str_tokens(list(changed.tokens))
    title = _said(one.labels, labels, change)
    _strip(moved, labels, change.place, title, "encoder", hook, one.program(lines))


def decoder_reach(view: View, which: str) -> None:
    ids = view.tokens
    change = change_of(ids, range(len(ids)), which, view.model.cfg.d_vocab)
    changed = view._replace(tokens=change.made_in(ids))
    cache = view.run()[1]
    hook = top_of_stream(cache, view.model.cfg.n_layers)
    moved = _moved(cache, changed.run()[1], hook)
    labels = view.bundle.tokenizer.str_tokens(list(changed.tokens))
    lines = (
        f"changed = tokens.clone()\nchanged[{change.place}] = {change.token}\n"
        "_, other = model.run_with_cache(changed[None], remove_batch_dim=True)\n"
        f"result = (other[{hook!r}] - cache[{hook!r}]).norm(dim=-1)"
    )
    title = _said(view.labels, labels, change)
    _strip(moved, labels, change.place, title, "decoder", hook, view.program(lines))


def two_texts_reach(two: TwoTexts, which: str) -> None:
    """A token of the source: what the encoder notices of it, and what of that the decoder."""
    cfg, ids = two.bundle.model.cfg, two.source
    change = change_of(ids, range(len(ids)), which, cfg.d_vocab)
    changed = two._replace(source=change.made_in(ids))
    before, after = two.run(), changed.run()
    source, written = two.labels(changed.source), two.labels(two.read_back)
    title = f"Encoder: {_said(two.labels(ids), source, change)}"
    run = "model.run_with_cache(changed, read_back)"
    for stack, labels, place, name in (
        ("encoder", source, change.place, title),
        ("decoder", written, None, "Decoder: the tokens that it has read are the same"),
    ):
        hook = top_of_stream(before, cfg.n_layers, stack)
        program = two.program(_program("source", change, run, hook))
        moved = _moved(before, after, hook)
        _strip(moved, labels, place, name, f"{stack} of two", hook, program)


def _moved(before: ActivationCache, after: ActivationCache, hook: str) -> Tensor:
    return (after[hook] - before[hook]).norm(dim=-1)


def _program(ids: str, change: Change, run: str, hook: str) -> str:
    return (
        f"changed = {ids}.clone()\nchanged[0, {change.place}] = {change.token}\n_, other = {run}\n"
        f"result = (other[{hook!r}] - cache[{hook!r}])[0].norm(dim=-1)"
    )


def _said(before: Sequence[str], after: Sequence[str], change: Change) -> str:
    old, new = visible(before[change.place]), visible(after[change.place])
    return f"“{old}” at position {change.place} becomes “{new}”"


def _strip(
    moved: Tensor,
    labels: list[str],
    place: int | None,
    title: str,
    name: str,
    hook: str,
    program: str,
) -> None:
    """A bar for each position: how far the top of its stream has moved."""
    key = f"reach {name}"
    noticed = int((moved > 1e-4 * moved.max()).sum())
    aligned_bars(
        [Row(title, moved)],
        Axis("pos", labels, css_colour("pos")),
        key=key,
        mark=place,
        marked="the token that was changed",
    )
    verb = "has" if noticed == 1 else "have"
    st.caption(f"{noticed} of {counted(len(labels), 'position')} {verb} noticed.")
    draw = partial(position_bars, moved, labels, unit="length of the change", title=title)
    behind(
        {name: draw},
        key=key,
        code=[_moved, top_of_stream],
        reads=f"{hook} [batch pos d_model]",
        program=program,
    )

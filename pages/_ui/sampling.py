"""From the logits of one position to the token that is drawn after it."""

from functools import partial
from typing import NamedTuple

import streamlit as st
import torch
from torch import Tensor

from pages._ui.aligned_bars import Row, aligned_bars
from pages._ui.cell_maps import Axis
from pages._ui.controls import View
from pages._ui.layout import behind, quoted
from pages._ui.predict import predict
from tfs.plots import sampling_rows
from tfs.sample import SamplingSteps, draw_with, sampling_steps, throw_dice

MOST_ROWS = 12
OPTIONS = 4
NEW_TOKENS = 12
LARGEST_TOP_K = 50
LARGEST_SEED = 9999


class Draw(NamedTuple):
    """How a token is drawn, with which dice, and after which tokens of the prompt."""

    start: tuple[int, ...]
    temperature: float
    top_k: int  # 0: no cut
    top_p: float  # 1: no cut
    seed: int

    @property
    def cuts(self) -> dict:
        """The arguments of logits_to_probs."""
        k, p = self.top_k or None, self.top_p if self.top_p < 1 else None
        return {"temperature": self.temperature, "top_k": k, "top_p": p}

    @property
    def lane(self) -> str | None:
        """The lane of the race with these very cuts, if one has them: each lane has one at most."""
        if self.temperature == 0:
            return "greedy"
        if self.top_k and self.top_p < 1:
            return None
        return "top-k" if self.top_k else "top-p" if self.top_p < 1 else "temperature"

    @property
    def first_number(self) -> torch.Tensor:
        """The random number that the first token is drawn with, [1]."""
        return throw_dice(1, torch.Generator().manual_seed(self.seed))

    @property
    def arguments(self) -> str:
        """The same as a program writes them."""
        return ", ".join(f"{name}={value}" for name, value in self.cuts.items())


def pick_draw(view: View, place: int) -> Draw:
    """The sliders; all of them stand in the URL."""
    in_url = {"bind": "query-params"}
    left, right = st.columns(2)
    about = "The logits are divided by it. 0 is greedy: always the most likely token."
    temperature = left.slider(
        "Temperature", 0.0, 2.0, 1.0, 0.1, key="temperature", help=about, **in_url
    )
    about = "Only the k most likely tokens stay. 0 keeps all."
    top_k = right.slider("Top-k", 0, LARGEST_TOP_K, 10, key="top_k", help=about, **in_url)
    left, right = st.columns(2)
    about = "The fewest tokens that hold this share of what top-k left stay. 1 keeps all."
    top_p = left.slider("Top-p", 0.05, 1.0, 0.9, 0.05, key="top_p", help=about, **in_url)
    about = "Another seed is another throw of the dice, with the same probabilities."
    seed = right.number_input("Seed", 0, LARGEST_SEED, key="seed", help=about, **in_url)
    return Draw(view.tokens[: place + 1], temperature, top_k, top_p, int(seed))


def room_for(view: View, draw: Draw) -> int:
    """How many new tokens are written, at most NEW_TOKENS: the last is written by a full context.

    Where there is room for fewer, one sentence says so.
    """
    n_ctx, start = view.model.cfg.n_ctx, len(draw.start)
    room = n_ctx + 1 - start
    if room < NEW_TOKENS:
        st.info(
            f"This model reads at most {n_ctx} tokens, so after {start} there is room for {room} "
            "new. To see it write more, shorten the prompt or choose an earlier token above."
        )
    return min(room, NEW_TOKENS)


def ask_most_likely(view: View, place: int) -> bool:
    """Which of a few tokens the model finds most likely after this position."""
    probs = view.run()[0][place].softmax(-1)
    few = probs.topk(min(OPTIONS, len(probs))).indices.sort().values.tolist()
    options = [
        f"{i}: {t!r}" for i, t in zip(few, view.bundle.tokenizer.str_tokens(few), strict=True)
    ]
    most = probs.max()
    right = [option for option, i in zip(options, few, strict=True) if probs[i] == most]
    return len(few) < 2 or predict(
        f"Which token does the model find most likely after {quoted(view.labels[place])} at "
        f"position {place}?",
        options,
        right,
        f"It gives it a probability of {most:.3f}; that of the {len(few)} together is "
        f"{probs[few].sum():.3f}.",
        key="predict next",
    )


def from_logits_to_draw(view: View, place: int, draw: Draw) -> None:
    """The aligned rows, and what each cut takes away."""
    steps = sampling_steps(view.run()[0][place], **draw.cuts)
    drawn = draw_with(steps.after_top_p[None], draw.first_number).item()
    shown = steps.logits.topk(min(MOST_ROWS, len(steps.logits))).indices.tolist()
    shown += [drawn] * (drawn not in shown)
    tokens = view.bundle.tokenizer.str_tokens(shown)
    fields = ("logits", "scaled", "probs", "after_top_k", "after_top_p")
    _cut_away(steps)
    st.markdown(
        f"Seed {draw.seed} throws {draw.first_number.item():.4f}. Add up the probabilities after "
        "top-p, the largest first: the token that takes the sum past this number is drawn, "
        f"**{quoted(tokens[shown.index(drawn)])}** with {steps.after_top_p[drawn]:.4f}. The "
        f"{len(shown)} tokens below hold {steps.probs[shown].sum():.4f} of the probability before "
        "the cuts."
    )
    picked = {field: getattr(steps, field)[shown] for field in fields}
    aligned_bars(
        _rows(picked, draw),
        Axis("token", tokens, first=None),
        key="rows",
        down=True,
        mark=shown.index(drawn),
        marked="drawn",
        hint="▶, striped: the token that is drawn. Hover a token, or move with arrow keys.",
    )
    behind(
        {"rows": partial(sampling_rows, **picked, tokens=tokens, drawn=shown.index(drawn))},
        key="rows",
        code=[sampling_steps, draw_with, throw_dice],
        reads="ln_final.hook_normalized [batch pos d_model], W_U [d_model d_vocab]",
        program=view.program(
            f"steps = sampling_steps(logits[{place}], {draw.arguments})\n"
            f"rows = torch.stack([{', '.join(f'steps.{field}' for field in fields)}])\n"
            f"result = rows[:, {shown}]",
            sampling_steps,
        ),
    )


def _rows(picked: dict[str, Tensor], draw: Draw) -> list[Row]:
    """Logits on one scale and probabilities on another; what a cut took says so."""
    logits, scaled, probs, *cuts = picked.values()
    finite = torch.cat([logits, scaled])
    finite = finite[finite.isfinite()]
    one_scale = {"high": finite.abs().max().item(), "signed": bool((finite < 0).any())}
    by_temperature = f"logit / {draw.temperature:g}" if draw.temperature else "greedy"
    asked = [f"k = {draw.top_k}" if draw.top_k else "no cut"]
    asked += [f"p = {draw.top_p:g}" if draw.top_p < 1 else "no cut"]
    cut_rows = [
        Row(name, values, unit, high=1.0, digits=3, words=_cut_words(values, probs))
        for name, values, unit in zip(("after top-k", "after top-p"), cuts, asked, strict=True)
    ]
    return [
        Row("logit", logits, "of the model", **one_scale),
        Row("scaled logit", scaled, by_temperature, **one_scale),
        Row("probability", probs, "softmax", high=1.0, digits=3),
        *cut_rows,
    ]


def _cut_words(left: Tensor, before: Tensor) -> list[str]:
    """What stands at a bar instead of its number, "" where the number does."""
    taken = ((left == 0) & (before > 0)).tolist()
    return ["cut" if gone else "" for gone in taken]


def _cut_away(steps: SamplingSteps) -> None:
    """What each cut takes of the distribution that it sees."""
    by_top_k, by_top_p, left = st.columns(3)
    about = "Of the probability after temperature. What is left is scaled to sum to 1 again."
    by_top_k.metric("Cut by top-k", f"{steps.cut_by_top_k:.4f}", help=about)
    about = "Of what top-k left, scaled to sum to 1. What is left of that is scaled again."
    by_top_p.metric("Then cut by top-p", f"{steps.cut_by_top_p:.4f}", help=about)
    kept = int((steps.after_top_p > 0).sum())
    left.metric("Tokens left to draw from", f"{kept:,} of {len(steps.after_top_p):,}")

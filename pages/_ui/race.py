"""Five ways to choose, side by side: what each writes after the same tokens, with the same dice."""

import streamlit as st

from pages._ui import state
from pages._ui.components import token_strip
from pages._ui.controls import View
from pages._ui.layout import figure
from pages._ui.sampling import Draw
from tfs.decoding import Lane, beam_search, decoding_race, draw_with, sampled_lanes
from tfs.plots import mass_kept
from tfs.plots.tokens import visible
from tfs.tokenizers import Tokenizer

DRAWN = ("greedy", "temperature", "top-k", "top-p")


def race(view: View, draw: Draw, room: int) -> None:
    """`room` new tokens in each lane: as strips, as a table, and what each step threw away."""
    top_k = draw.top_k or view.model.cfg.d_vocab
    settings = {"seed": draw.seed, "temperature": draw.temperature}
    settings |= {"top_k": top_k, "top_p": draw.top_p}
    lanes = state.race_from_prompt(view.model, view.fingerprint, draw.start, room, **settings)
    rules = {
        "greedy": "the most likely token",
        "temperature": f"a draw at temperature {draw.temperature:g}",
        "top-k": f"a draw from the {top_k} most likely",
        "top-p": f"a draw from the fewest that hold {draw.top_p:g}",
        "beam": "the best of four texts that grow together",
    }
    for name, lane in lanes.items():
        st.markdown(f"**{name}**, {rules[name]}: log-probability **{lane.log_prob:.2f}**")
        token_strip(
            view.bundle.tokenizer.str_tokens(lane.tokens.tolist()),
            key=f"lane {name}",
            name=f"{name}, coloured by the probability that the model gave each token",
            values=lane.log_probs.exp(),
        )
    _side_by_side(lanes, view.bundle.tokenizer)
    arguments = ", ".join(f"{name}={value}" for name, value in settings.items())
    figure(
        mass_kept({name: lanes[name].thrown_away for name in DRAWN}),
        key="race",
        code=[decoding_race, sampled_lanes, draw_with, beam_search],
        program=view.program(
            f"race = decoding_race(model, tokens[None, :{len(draw.start)}], {room}, "
            f"{arguments})\n"
            f"result = torch.stack([race[name].thrown_away for name in {DRAWN}])",
            decoding_race,
        ),
    )


def _side_by_side(lanes: dict[str, Lane], tokenizer: Tokenizer) -> None:
    best = max(lanes, key=lambda name: lanes[name].log_prob)
    st.caption(
        "Colour and number: the probability that the model itself gave the token. No text of the "
        f"five is more probable as a whole than that of **{best}**."
    )
    numbers = {
        "log-probability": [lane.log_prob for lane in lanes.values()],
        "per token": [lane.log_prob_per_token for lane in lanes.values()],
        "thrown away, mean": [
            None if lane.thrown_away is None else lane.thrown_away.mean().item()
            for lane in lanes.values()
        ],
    }
    texts = [visible(tokenizer.decode(lane.tokens.tolist()), 400) for lane in lanes.values()]
    four_places = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        {"lane": list(lanes), "text": texts, **numbers},
        hide_index=True,
        column_config=dict.fromkeys(numbers, four_places),
    )

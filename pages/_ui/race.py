"""Five ways to choose, side by side: what each writes after the same tokens, with the same dice."""

from functools import partial

import streamlit as st

from pages._ui import state
from pages._ui.components import token_strip
from pages._ui.controls import View
from pages._ui.layout import behind, figure
from pages._ui.sampling import Draw
from tfs.decoding import Lane, beam_search, decoding_race, sampled_lanes
from tfs.plots import mass_kept, position_bars
from tfs.plots.tokens import visible
from tfs.sample import draw_with
from tfs.tokenizers import Tokenizer

DRAWN = ("greedy", "temperature", "top-k", "top-p")


def race(view: View, draw: Draw, room: int) -> None:
    """`room` new tokens in each lane: as strips, as a table, and what each step cannot reach."""
    if view.model.cfg.attention_dir == "bidirectional":
        st.info(
            "This model reads in both directions: what it said of a token changes with every later "
            "one, so lanes cannot be read on from where they are. A causal model can race."
        )
        return
    top_k = draw.top_k or view.model.cfg.d_vocab
    settings = {"seed": draw.seed, "temperature": draw.temperature}
    settings |= {"top_k": top_k, "top_p": draw.top_p}
    lanes = state.race_from_prompt(view.model, view.fingerprint, draw.start, room, **settings)
    _same_dice(draw)
    rules = {
        "greedy": "the most likely token",
        "temperature": f"a draw at temperature {draw.temperature:g}, without a cut",
        "top-k": f"a draw from the {top_k} most likely, with no top-p",
        "top-p": f"a draw from the fewest that hold {draw.top_p:g}, with no top-k",
        "beam": "the best of four texts that grow together",
    }
    texts = {
        name: view.bundle.tokenizer.str_tokens(lane.tokens.tolist()) for name, lane in lanes.items()
    }
    for name, lane in lanes.items():
        st.markdown(f"**{name}**, {rules[name]}: log-probability **{lane.log_prob:.2f}**")
        token_strip(
            texts[name],
            key=f"lane {name}",
            name=f"{name}, coloured by the probability that the model gave each token",
            values=lane.log_probs.exp(),
        )
    arguments = ", ".join(f"{name}={value}" for name, value in settings.items())
    run = f"race = decoding_race(model, tokens[None, :{len(draw.start)}], {room}, {arguments})\n"
    behind(
        {
            name: partial(
                position_bars, lane.log_probs.exp(), texts[name], unit="probability", title=name
            )
            for name, lane in lanes.items()
        },
        key="lanes",
        code=[decoding_race, sampled_lanes, beam_search],
        program=view.program(
            f"{run}result = torch.stack([lane.log_probs.exp() for lane in race.values()])",
            decoding_race,
        ),
    )
    _side_by_side(lanes, view.bundle.tokenizer)
    figure(
        mass_kept({name: lanes[name].out_of_reach for name in DRAWN}),
        key="race",
        code=[decoding_race, sampled_lanes, draw_with, beam_search],
        program=view.program(
            f"{run}result = torch.stack([race[name].out_of_reach for name in {DRAWN}])",
            decoding_race,
        ),
    )


def _same_dice(draw: Draw) -> None:
    """Which lane begins as the draw above does."""
    number = f"The first draw of each lane uses {draw.first_number.item():.4f}, as the one above."
    if draw.lane:
        st.caption(f"{number} **{draw.lane}** has its cuts too, and starts with the same token.")
    else:
        st.caption(
            f"{number} That one had both cuts, one after the other; here each has a lane of its "
            "own, so that the first tokens may differ."
        )


def most_probable(lanes: dict[str, Lane]) -> str:
    """Whose text is the most probable as a whole, and who ties with it in the digits shown."""
    top = max(lane.log_prob for lane in lanes.values())
    best = [name for name, lane in lanes.items() if round(lane.log_prob, 2) == round(top, 2)]
    texts = {tuple(lanes[name].tokens.tolist()) for name in best}
    same = "with the same text" if len(texts) == 1 else "with texts that are equally probable"
    if len(best) == len(lanes):
        return f"All lanes tie, {same}."
    if len(best) == 1:
        return f"The most probable text as a whole is that of **{best[0]}**."
    names = ", ".join(f"**{name}**" for name in best[:-1]) + f" and **{best[-1]}**"
    return f"{names} tie for the most probable text as a whole, {same}."


def _side_by_side(lanes: dict[str, Lane], tokenizer: Tokenizer) -> None:
    st.caption(
        "Colour and number: the probability that the model itself, at temperature 1, gave the "
        f"token. {most_probable(lanes)} *Out of reach* is the probability, at temperature 1 too, "
        "of all tokens that a lane could not draw; beam draws none."
    )
    numbers = {
        "log-probability": [lane.log_prob for lane in lanes.values()],
        "per token": [lane.log_prob_per_token for lane in lanes.values()],
        "out of reach, mean": [
            None if lane.out_of_reach is None else lane.out_of_reach.mean().item()
            for lane in lanes.values()
        ],
    }
    texts = [visible(tokenizer.decode(lane.tokens.tolist()), 400) for lane in lanes.values()]
    four_places = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        {"lane": list(lanes), "text": texts, **numbers},
        hide_index=True,
        column_config=dict.fromkeys(numbers, four_places),
        placeholder="–",
    )

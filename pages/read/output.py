"""Output: from logits to the token that is drawn, five ways to choose, and writing on."""

from functools import partial

import streamlit as st

from pages._ui.components import token_strip
from pages._ui.controls import current_view, lock_token, pick_token
from pages._ui.layout import behind, prose, quoted
from pages._ui.newest import token_by_token
from pages._ui.race import race
from pages._ui.sampling import (
    ask_most_likely,
    from_logits_to_draw,
    pick_draw,
    room_for,
)
from tfs.plots import position_bars
from tfs.sample import logits_to_probs

st.title("Output")
prose("output")
view = current_view()
logits, _ = view.run()
locked = pick_token(view, "After which token?")
surest = logits_to_probs(logits).max(-1).values
token_strip(
    view.labels,
    key="strip",
    name="The prompt, coloured by the probability of the most likely token after each one",
    lock=locked,
    values=surest,
    on_lock=lock_token,
)
st.caption(
    "Colour and number: the probability of the most likely next token, after this one. Click one "
    "to go on from there."
)
place = len(view.tokens) - 1 if locked is None else locked
behind(
    {"surest": partial(position_bars, surest, view.labels, unit="probability", lock=place)},
    key="strip",
    code=[logits_to_probs],
    reads="unembed.hook_out [batch pos d_vocab]",
    program=view.program("result = logits_to_probs(logits).max(-1).values", logits_to_probs),
)
st.markdown(
    f"What follows is about the token after position {place}, {quoted(view.labels[place])}"
    + ("." if locked is not None else ", the last one.")
)

if ask_most_likely(view, place):
    st.subheader("From logits to the drawn token")
    draw = pick_draw(view, place)
    from_logits_to_draw(view, place, draw)

    st.subheader("A decoding race")
    prose("output_race")
    room = room_for(view, draw)
    race(view, draw, room)

    st.subheader("Token by token")
    prose("output_newest")
    token_by_token(view, draw, room)

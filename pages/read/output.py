"""Output: from logits to the token that is drawn, five ways to choose, and writing on."""

import streamlit as st

from pages._ui.components import token_strip
from pages._ui.controls import current_view, lock_token, pick_token
from pages._ui.layout import prose, quoted
from pages._ui.newest import token_by_token
from pages._ui.race import race
from pages._ui.sampling import (
    ask_most_likely,
    from_logits_to_draw,
    pick_draw,
    room_for,
)

st.title("Output")
prose("output")
view = current_view()
logits, _ = view.run()
locked = pick_token(view, "After which token?")
token_strip(
    view.labels,
    key="strip",
    name="The prompt, coloured by the probability of the most likely token after each one",
    lock=locked,
    values=logits.softmax(-1).max(-1).values,
    on_lock=lock_token,
)
st.caption(
    "Colour and number: the probability of the most likely next token, after this one. Click one "
    "to go on from there."
)
place = len(view.tokens) - 1 if locked is None else locked
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

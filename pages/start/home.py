"""Home: the model on screen as a map, what it says next, and tours to walk along."""

import streamlit as st
from torch import Tensor

from pages._ui import tour
from pages._ui.components import Road, model_map, token_strip
from pages._ui.controls import current_view, lock_token, pick_token
from pages._ui.layout import code_box, counted, figure, made_by, prose, quoted
from pages._ui.model_rows import model_rows
from pages._ui.predict import predict
from tfs.arithmetic import parameter_terms, readable_count, total
from tfs.interp import head_norms, stream_norms
from tfs.plots import next_token_bars
from tfs.plots.tokens import visible
from tfs.sample import logits_to_probs

CANDIDATES = 10
IN_THE_MAP = 3
IN_QUESTION = 4
ENDS = 12  # tokens at either end of a long prompt

st.title("A Transformer you can open")
prose("home")
with st.container(horizontal=True):
    tour.start_buttons(list(tour.tours()))
view = current_view()
cfg, last = view.model.cfg, len(view.tokens) - 1


def next_tokens(place: int) -> tuple[Tensor, list[str]]:
    """The most likely tokens after this position, with their probabilities [token]."""
    top = logits_to_probs(view.run()[0][place]).topk(min(CANDIDATES, cfg.d_vocab))
    return top.values, view.bundle.tokenizer.str_tokens(top.indices.tolist())


def sizes() -> None:
    for column, (label, value) in zip(
        st.columns(5),
        (
            ("Layers", cfg.n_layers),
            ("Heads per layer", cfg.n_heads),
            ("d_model", cfg.d_model),
            ("Vocabulary", f"{cfg.d_vocab:,}"),
            ("Parameters", readable_count(total(parameter_terms(cfg)))),
        ),
        strict=True,
    ):
        column.metric(label, value)


def choose_token() -> int | None:
    """The prompt as this model reads it; the reader may lock the token that the map is lit for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("The model on screen", width="content")
        locked = pick_token(view)
    token_strip(
        view.labels,
        key="strip",
        name="The prompt, token by token",
        lock=locked,
        ends=ENDS,
        on_lock=lock_token,
    )
    st.caption(
        f"{counted(last + 1, 'token')}; · is a space, ↵ a line's end. Lock one to light the map "
        "for it."
    )
    return locked


def draw_map(locked: int | None, best: list[tuple[str, float]]) -> None:
    """The drawing; a part that is chosen opens the page that explains it."""
    place = last if locked is None else locked
    rows, longest = model_rows(view, place, best)
    which = f"token {place}, “{visible(view.labels[place])}”" + ", the last" * (place == last)
    chosen = model_map(
        [Road(rows)],
        key="map",
        alt=f"The model: {cfg.n_layers} layers between the tokens and the output",
        longest=f"{longest:.2f}",
        meaning=f"Colour: the length of the vector that a part adds at {which}",
        hint="The wider the road, the longer this token's stream. Choose a part to look inside.",
    )
    box = code_box("map")
    if box.open:
        reads = "blocks.*.attn.hook_z [batch pos head d_head], hook_mlp_out [batch pos d_model]"
        program = view.program(f"result = head_norms(model, cache)[..., {place}]", head_norms)
        with box:
            made_by([head_norms, stream_norms], reads, program)
    if chosen:
        st.session_state["jump"] = chosen | ({} if locked is None else {"token": locked})
        st.rerun()


def ask() -> bool:
    """Which token comes next? A few of those that the model holds most likely, by their number."""
    few = sorted(zip(names, probs.tolist(), strict=True))[:: max(1, len(names) // IN_QUESTION)]
    best = names[0], probs[0].item()
    options = sorted({visible(name) for name, _ in [best, *few[:IN_QUESTION]]})
    return predict(
        f"Your prompt ends with {quoted(view.labels[-1])}. What will this model say next?",
        options,
        visible(best[0]),
        f"It gives {quoted(best[0])} a probability of {best[1]:.3f}.",
        key="predict next word",
    )


probs, names = next_tokens(last)
left, right = st.columns([3, 2], gap="large")
with right:
    st.subheader("What it says next")
    may_show = ask()
    if may_show:
        figure(
            next_token_bars(probs, names),
            key="next",
            code=[logits_to_probs],
            reads="unembed.hook_out [batch pos d_vocab]",
            program=view.program(
                f"result = logits_to_probs(logits[-1]).topk({len(probs)}).values", logits_to_probs
            ),
        )
    with st.expander("About this model"):
        card = view.bundle.card or "This model has no card."
        st.markdown(card.replace("# ", "#### ", 1) if card.startswith("# ") else card)
with left:
    locked = choose_token()
    after = next_tokens(last if locked is None else locked)
    shares = zip(after[1], after[0].tolist(), strict=True)
    draw_map(locked, list(shares)[: IN_THE_MAP if may_show else 0])
    st.page_link(
        "pages/read/architectures.py",
        label="This is one of three architectures: see them side by side",
        icon=":material/schema:",
    )
sizes()

"""A text that is read and one that is written from it: which model, what it wrote, what it saw."""

from functools import partial
from typing import Any, NamedTuple

import streamlit as st
import torch
from torch import Tensor

import tfs
from pages._ui import state
from pages._ui.axes import css_colour
from pages._ui.cell_maps import Axis, CellMap, cell_maps
from pages._ui.layout import behind, counted, literal
from tfs.hooks import ActivationCache
from tfs.model.layers import Attention
from tfs.plots import attention_pattern
from tfs.seq2seq import BeamStep, beam_steps, greedy_decode
from tfs.tasks.pairs import END, START

EXAMPLES = {
    "dates": "the 7th of March, 1994",
    "numbers": "twelve thousand and five",
    "grammar": "the small red dog does not see the birds",
}
MOST_CHARACTERS = 200
MOST_BEAMS = 6
WIDEST = 640  # pixels


class TwoTexts(NamedTuple):
    """What was read and what was written, as ids; `written` ends with the end, where it came."""

    name: str
    bundle: tfs.Bundle
    fingerprint: str
    source: tuple[int, ...]
    written: tuple[int, ...]

    def labels(self, ids: tuple[int, ...]) -> list[str]:
        return self.bundle.tokenizer.str_tokens(list(ids))

    @property
    def marks(self) -> dict[str, int]:
        tokenizer = self.bundle.tokenizer
        return {"start": tokenizer.mark_id(START), "end": tokenizer.mark_id(END)}

    @property
    def read_back(self) -> tuple[int, ...]:
        """What the decoder has read when it writes each token: the start, then its own tokens."""
        return (self.marks["start"], *self.written[:-1])

    def run(self) -> ActivationCache:
        """Every activation, without the batch axis."""
        return _run(self.bundle.model, self.fingerprint, self.source, self.read_back)

    def program(self, lines: str) -> str:
        return "\n".join(
            [
                "import torch",
                "import tfs",
                "",
                f"model = tfs.load({self.name!r}).model",
                f"source = torch.tensor([{list(self.source)}])",
                f"read_back = torch.tensor([{list(self.read_back)}])",
                "_, cache = model.run_with_cache(source, read_back)",
                lines,
            ]
        )


@st.cache_resource(show_spinner=False, max_entries=64)
def _run(
    _model: tfs.EncoderDecoder,
    fingerprint: str,
    source: tuple[int, ...],
    read_back: tuple[int, ...],
) -> ActivationCache:
    with torch.inference_mode():
        tokens = torch.tensor([source]), torch.tensor([read_back])
        return _model.run_with_cache(*tokens, remove_batch_dim=True)[1]


@st.cache_data(show_spinner=False, max_entries=256)
def _written(
    _model: tfs.EncoderDecoder, fingerprint: str, source: tuple[int, ...], start: int, end: int
) -> tuple[int, ...]:
    found = greedy_decode(_model, torch.tensor([source]), start=start, end=end)
    return tuple(found[0].tolist())


@st.cache_data(show_spinner=False, max_entries=256)
def _beams(
    _model: tfs.EncoderDecoder,
    fingerprint: str,
    source: tuple[int, ...],
    start: int,
    end: int,
    beams: int,
) -> list[BeamStep]:
    return list(beam_steps(_model, torch.tensor([source]), start=start, end=end, beams=beams))


def pick() -> TwoTexts:
    """The model and the text to read. Ends the page with one sentence where they do not fit."""
    names = [name for name in EXAMPLES if name in state.bundled_names("encoder-decoder")]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Model of two texts", names, key="pair", bind="query-params", width=200)
        text = st.text_input(
            "The text to read",
            EXAMPLES[name],
            key=f"text for {name}",
            bind="query-params",
            max_chars=MOST_CHARACTERS,
        )
    opened = state.open_any(name)
    bundle, n_ctx = opened.bundle, opened.bundle.model.cfg.n_ctx
    try:
        source = tuple(bundle.tokenizer.encode(text))
        if not source:
            raise ValueError("There is nothing to read: type a text.")
        if len(source) > n_ctx:
            raise ValueError(
                f"The text is {len(source)} tokens long, but this model reads at most {n_ctx}; "
                "shorten it."
            )
    except ValueError as error:
        st.error(literal(str(error)))
        st.stop()
    two = TwoTexts(name, bundle, opened.fingerprint, source, ())
    return two._replace(written=_written(bundle.model, opened.fingerprint, source, **two.marks))


def pick_step(two: TwoTexts) -> int:
    """How many tokens are written so far; all of them at first."""
    last = len(two.written)
    if last < 2:
        return last
    if not 1 <= st.session_state.get("so far", last) <= last:
        st.session_state["so far"] = last
    return st.slider("Tokens written so far", 1, last, last, key="so far", bind="query-params")


def say_what_is_written(two: TwoTexts, step: int) -> None:
    text = two.bundle.tokenizer.plain(list(two.written[:step]))
    is_over = two.written[step - 1] == two.marks["end"]
    st.markdown(f"#### {literal(text) or '…'}{'' if is_over else ' …'}")
    st.caption(
        f"**{two.name}** read {counted(len(two.source), 'token')} and has written "
        f"{counted(step, 'token')}" + (", the end among them." if is_over else ".")
    )


def pick_layer_and_head(cfg: tfs.TransformerConfig) -> tuple[int, int]:
    with st.container(horizontal=True):
        layer, head = (
            st.segmented_control(
                label, range(count), default=0, required=True, key=key, bind="query-params"
            )
            for label, count, key in (
                ("Layer of both halves", cfg.n_layers, "layer"),
                ("Head of each", cfg.n_heads, "head"),
            )
        )
    return layer, head


def cross_attention(two: TwoTexts, step: int, layer: int, head: int) -> None:
    """What each token that is written asks of the text that was read."""
    rows = Axis("writes", two.labels(two.written[:step]), css_colour("query_pos"))
    _pattern(two, f"decoder.{layer}.cross_attn", head, step, rows, _keys(two.labels(two.source)))


def both_ways(two: TwoTexts, layer: int, head: int) -> None:
    """What each position of the encoder looks at, before and behind."""
    labels = two.labels(two.source)
    rows = Axis("query", labels, css_colour("query_pos"))
    _pattern(two, f"encoder.{layer}.attn", head, len(labels), rows, _keys(labels))


def written_so_far(two: TwoTexts, step: int, layer: int, head: int) -> None:
    """What each token that is written asks of those before it."""
    rows = Axis("writes", two.labels(two.written[:step]), css_colour("query_pos"))
    keys = _keys(two.labels(two.read_back[:step]))
    _pattern(two, f"decoder.{layer}.attn", head, step, rows, keys)


def _keys(labels: list[str]) -> Axis:
    return Axis("key", labels, css_colour("key_pos"))


def _pattern(two: TwoTexts, part: str, head: int, step: int, rows: Axis, keys: Axis) -> None:
    hook, n = f"{part}.hook_pattern", len(keys.labels)
    pattern: Tensor = two.run()[hook][head][:step, :n]
    title, key = f"{part}, head {head}", part.split(".")[0] + part.split(".")[2]
    cell_maps([CellMap(title, pattern, "weight", high=1.0)], rows, keys, key=key, width=WIDEST)
    draw = partial(attention_pattern, pattern, keys.labels, query_tokens=rows.labels, title=title)
    behind(
        {"weight": draw},
        key=key,
        code=[Attention.explicit_attention],
        reads=f"{hook} [batch head query_pos key_pos]",
        program=two.program(f"result = cache[{hook!r}][0, {head}, :{step}, :{n}]"),
    )


def candidates(two: TwoTexts, step: int) -> None:
    """What a beam search weighed for this token, best first, and what became of it."""
    beams = st.slider("Beams", 1, MOST_BEAMS, 3, key="beams", bind="query-params")
    model, tokenizer = two.bundle.model, two.bundle.tokenizer
    steps = _beams(model, two.fingerprint, two.source, **two.marks, beams=beams)
    weighed = steps[min(step, len(steps)) - 1].candidates[0]
    rows: dict[str, Any] = {
        "text so far": [" ".join(two.labels(each.tokens)) for each in weighed],
        "goes on from beam": [each.beam for each in weighed],
        "nats": [each.log_prob for each in weighed],
        "probability": [torch.tensor(each.log_prob).exp().item() for each in weighed],
        "fate": [each.fate for each in weighed],
    }
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "nats": st.column_config.NumberColumn(format="%.3f"),
            "probability": st.column_config.NumberColumn(format="percent"),
        },
    )
    best = tokenizer.plain(steps[-1].finished[0][0].tokens)
    st.caption(f"The search ends with “{literal(best)}”.")

"""A text that is read both ways: which model reads it, which of its words are masked, what it says.

Its models are encoders: one that fills in masked words, and classifiers of words or of two texts.
"""

import contextlib
import re
from typing import NamedTuple

import streamlit as st
import torch
from torch import Tensor

import tfs
from pages._ui import kept, state
from pages._ui.layout import literal
from pages._ui.opened_by import architecture_of
from pages._ui.parts import end_here
from pages._ui.what_it_knows import check_is_known, say_what_it_knows
from tfs.hooks import ActivationCache, HookedModel
from tfs.interp import hooks_to_look_back
from tfs.model import kind_of
from tfs.model.architectures import ENCODER_ONLY, PAIR_CLASSIFIER, TOKEN_CLASSIFIER
from tfs.templates.rows import CLS, MASK, SEP
from tfs.train.checkpoint import bundled_names

EXAMPLES = {
    ENCODER_ONLY: ("lai miraim rudas lon tol ne visent pa",),
    TOKEN_CLASSIFIER: ("Tomira Vedan flew from Port Kaselo to Bali on 3 May 1994 .",),
    PAIR_CLASSIFIER: ("is Anna older than Paul ?", "is Paul younger than Anna ?"),
}
MOST_CHARACTERS = 400
SPLIT = re.compile(r"(?<=\w\w)(?=[.,;:!?]$)")  # a full stop is a word; not behind an initial


class OneText(NamedTuple):
    """What a model reads: ids, the text that each belongs to, and where each word begins.

    really: the ids before any was masked.
    """

    name: str
    bundle: tfs.Bundle
    fingerprint: str
    tokens: tuple[int, ...]
    segments: tuple[int, ...]
    words: tuple[tuple[int, str], ...]
    really: tuple[int, ...]

    @property
    def architecture(self) -> str:
        return kind_of(self.bundle.model).architecture

    @property
    def encoder(self) -> tfs.EncoderOnly:
        """The encoder itself, also where a classifier stands on it."""
        return getattr(self.bundle.model, "encoder", self.bundle.model)

    @property
    def labels(self) -> list[str]:
        return self.bundle.tokenizer.str_tokens(list(self.tokens))

    @property
    def masked(self) -> list[int]:
        """The places where the mask stands."""
        return [place for place, token in enumerate(self.tokens) if token == self._mask]

    def hiding(self, places: set[int]) -> "OneText":
        ids = [self._mask if i in places else token for i, token in enumerate(self.really)]
        return self._replace(tokens=tuple(ids))

    @property
    def _mask(self) -> int:
        return self.bundle.tokenizer.mark_id(MASK)

    def run(self, *, back: bool = False) -> tuple[Tensor, ActivationCache]:
        """Logits, of each position or of the whole, and every activation, without the batch axis.

        back: no layer may look ahead.
        """
        return _run(self.bundle.model, self.fingerprint, self.tokens, self.segments, back)

    def program(self, lines: str, *, back: bool = False, also: str = "") -> str:
        """A program that runs by itself: this text read, then `lines`, which set `result`.

        back: it is read a second time, into logits_back and cache_back, without looking ahead.
        """
        imports = ["from tfs.interp import hooks_to_look_back"] if back else []
        again = "with model.hooks(fwd_hooks=hooks_to_look_back(model.cfg.n_layers)):"
        run = "model.run_with_cache(tokens, segments)"
        second = [again, f"    logits_back, cache_back = {run}"] if back else []
        return "\n".join(
            [
                "import torch",
                "import tfs",
                *imports,
                *([also] if also else []),
                "",
                f"model = tfs.load({state.opened_as(self.name)}).model",
                f"tokens = torch.tensor([{list(self.tokens)}])",
                f"segments = torch.tensor([{list(self.segments)}])",
                f"logits, cache = {run}",
                *second,
                lines,
            ]
        )


@st.cache_resource(show_spinner=False, max_entries=64)
def _run(
    _model: HookedModel,
    fingerprint: str,
    tokens: tuple[int, ...],
    segments: tuple[int, ...],
    back: bool,
) -> tuple[Tensor, ActivationCache]:
    hooks = hooks_to_look_back(_model.cfg.n_layers) if back else []
    with torch.inference_mode(), _model.hooks(fwd_hooks=hooks):
        read = torch.tensor([tokens]), torch.tensor([segments])
        logits, cache = _model.run_with_cache(*read, remove_batch_dim=True)
    return logits[0], cache


def names() -> list[str]:
    """Bundled encoders, and runs of this session or of the URL that hold one."""
    bundled = [name for kind in EXAMPLES for name in bundled_names(kind)]
    runs = [*st.session_state.get("my_runs", []), st.query_params.get("both", "")]
    return bundled + [
        run for run in dict.fromkeys(runs) if state.is_run(run) and architecture_of(run) in EXAMPLES
    ]


def pick() -> OneText:
    """The model and the text to read. Ends the page with one sentence where they do not fit."""
    known, asked = names(), st.query_params.get("both", "")
    if asked and asked not in known:  # the widget falls back to the first name without a word
        st.session_state["dead both"] = asked
    name = st.selectbox(
        "Model that reads both ways",
        known,
        key="both",
        bind="query-params",
        on_change=lambda: st.session_state.pop("dead both", None),
        width=220,
    )
    if dead := st.session_state.get("dead both"):
        st.warning(
            f"There is no model {literal(dead[:60])} on this server that reads both ways, so you "
            f"see **{name}**; choose another one above."
        )
    try:
        opened = state.open_any(name)
        one = _read(name, opened, _typed(name, opened.bundle))
    except ValueError as error:  # CheckpointError, too
        st.error(literal(str(error)))
        end_here()
    say_what_it_knows(name, one.bundle.tokenizer, one.encoder.cfg.n_ctx)
    return one


def _typed(name: str, bundle: tfs.Bundle) -> list[str]:
    """One text, or two for a model of pairs."""
    examples = EXAMPLES[kind_of(bundle.model).architecture]
    one = ("The text to read",)
    labels = one if len(examples) == 1 else ("The first text", "The second text")
    return [
        st.text_input(
            label,
            _fitting(bundle, example),
            key=f"text for {name}" + f", {number}" * (number > 1),
            bind="query-params",
        )
        for number, (label, example) in enumerate(zip(labels, examples, strict=True), start=1)
    ]


def _fitting(bundle: tfs.Bundle, example: str) -> str:
    """The example, or for a model with other words a few of its own."""
    tokenizer, n_ctx = bundle.tokenizer, bundle.model.cfg.n_ctx
    with contextlib.suppress(ValueError):
        if len(tokenizer.encode(example)) + 3 <= n_ctx:
            return example
    first = len(getattr(tokenizer, "marks", ()))
    return tokenizer.decode(range(first, min(first + 4, tokenizer.d_vocab)))


def _read(name: str, opened: state.Opened, texts: list[str]) -> OneText:
    """The texts with the marks around them, as the model was trained to read them.

    Raises ValueError for an empty or overlong text, and for what the tokenizer cannot read.
    """
    bundle = opened.bundle
    tokenizer, n_ctx = bundle.tokenizer, bundle.model.cfg.n_ctx
    by_word = kind_of(bundle.model).architecture == TOKEN_CLASSIFIER
    ids, segments, words = [tokenizer.mark_id(CLS)], [0], []
    for segment, text in enumerate(texts):
        if not text.strip():
            raise ValueError("There is nothing to read: type a text.")
        check_is_known(name, tokenizer, text, MOST_CHARACTERS)
        pieces = (
            [part for word in text.split() for part in SPLIT.split(word)] if by_word else [text]
        )
        for piece in pieces:
            found = tokenizer.encode(f" {piece}" if by_word else piece)
            labels = [piece] if by_word else tokenizer.str_tokens(found)
            words += [(len(ids) + offset, label) for offset, label in enumerate(labels)]
            ids += found
        ids.append(tokenizer.mark_id(SEP))
        segments += [segment] * (len(ids) - len(segments))
    if len(ids) > n_ctx:
        raise ValueError(
            f"With its marks the text is {len(ids)} tokens long, but this model reads at most "
            f"{n_ctx}; shorten it by {len(ids) - n_ctx} or more."
        )
    read = tuple(ids)
    return OneText(name, bundle, opened.fingerprint, read, tuple(segments), tuple(words), read)


def pick_masked(one: OneText) -> OneText:
    """The text with the words masked that the reader chose; the mark may be typed as well."""
    if one.architecture != ENCODER_ONLY:
        return one
    options = {f"{place} {word}": place for place, word in one.words if word != MASK}
    first = list(options)[:0] if one.masked else list(options)[:1]
    chosen = st.session_state.get("masked")
    if chosen is not None and any(option not in options for option in chosen):
        still = [option for option in chosen if option in options]
        st.session_state["masked"] = still or first
    hidden = st.pills(
        "Masked words: choose which ones the model shall fill in",
        list(options),
        selection_mode="multi",
        default=first,
        key="masked",
        bind="query-params",
        wrap=True,
    )
    return one.hiding({options[option] for option in hidden if option in options})


def pick_position(label: str, labels: list[str], *, key: str, default: int) -> int:
    """One of the positions of a text, kept in the URL; `default` where there is none so far."""

    def named(place: int) -> str:
        return f"{place}: {labels[place]!r}"

    if st.session_state.get(key, 0) not in range(len(labels)):
        st.session_state[key] = default
    return kept.box(label, range(len(labels)), named=named, key=key, default=default, width=220)


def answers_at(one: OneText, place: int, most: int = 3) -> list[tuple[str, float]]:
    """What the model says at a place, or of the whole text, with probabilities, best first."""
    logits = one.run()[0]
    shares = (logits if one.architecture == PAIR_CLASSIFIER else logits[place]).softmax(-1)
    best = shares.topk(min(most, len(shares)))
    return list(zip(named(one, best.indices.tolist()), best.values.tolist(), strict=True))


def named(one: OneText, ids: list[int]) -> list[str]:
    """What the model's logits are for: tokens, or labels."""
    if one.architecture == ENCODER_ONLY:
        return one.bundle.tokenizer.str_tokens(ids)
    return [one.bundle.model.labels[i] for i in ids]

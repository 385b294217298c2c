"""A beam search as a tree that grows with the text, and what it found beside the greedy text."""

import math
from typing import Any

import streamlit as st

from pages._ui.components import page_width
from pages._ui.layout import counted, figure, literal
from pages._ui.two_texts import TwoTexts
from tfs.plots import beam_tree
from tfs.plots.writing import FATES, START
from tfs.seq2seq import BeamStep, Candidate, beam_steps

MOST_BEAMS = 6
MOST_PENALTY = 2.0


def beam_search(two: TwoTexts, step: int) -> None:
    """Two sliders, the tree up to this step, its candidates as a table, and who wins."""
    with st.container(horizontal=True):
        beams = st.slider("Beams", 1, MOST_BEAMS, 3, key="beams", bind="query-params")
        penalty = st.slider(
            "Length penalty α",
            0.0,
            MOST_PENALTY,
            1.0,
            0.1,
            key="alpha",
            bind="query-params",
            help="A finished text is preferred by its log-probability divided by (its tokens)^α. "
            "With 0 every further token costs; the larger α, the better long texts fare.",
        )
    steps = two.search(beams, penalty)
    is_over = step == len(two.written)
    shown = steps if is_over else steps[:step]
    _tree(two, shown, _leader(shown, is_over), beams, penalty)
    with st.expander(f"The candidates of step {len(shown)}, as a table", key="candidates"):
        _table(two, shown)
    if is_over:
        _compare_with_greedy(two, steps)
    else:
        st.caption("How the search ends is said when all tokens are written.")


def _leader(steps: list[BeamStep], is_over: bool) -> tuple[int, ...]:
    """The winner's tokens; while the search goes on, those of the best beam that is kept."""
    finished = steps[-1].finished[0]
    kept = [one.tokens for one in steps[-1].candidates[0] if one.fate == "kept"]
    return finished[0].tokens if finished and (is_over or not kept) else kept[0]


def _tree(
    two: TwoTexts, steps: list[BeamStep], path: tuple[int, ...], beams: int, penalty: float
) -> None:
    weighed = [step.candidates[0] for step in steps]
    tokens = [two.labels(tuple(one.tokens[-1] for one in step)) for step in weighed]
    marks = ", ".join(f"{name}={token}" for name, token in two.marks.items())
    figure(
        beam_tree(weighed, tokens, path=path, width=page_width(lambda: None)),
        key="beam tree",
        code=[beam_steps],
        program=two.program(
            f"""
            search = beam_steps(model, source, {marks}, beams={beams}, length_penalty={penalty})
            found = {{"kept": [], "finished": [], "dropped": []}}
            for place, step in enumerate(list(search)[:{len(steps)}], start=1):
                for rank, one in enumerate(step.candidates[0], start=1):
                    if one.log_prob > -torch.inf:
                        found[one.fate].append((rank, place))  # and one.log_prob says how likely
            result = sum(found.values(), [])
            """,
            beam_steps,
        ),
    )
    st.caption(
        f"Each step extends every beam by every token and weighs the {2 * beams} likeliest "
        f"results, from left to right. At most {counted(beams, 'beam')} "
        f"{'goes' if beams == 1 else 'go'} on; the others are cut, and so is every one that is not "
        "finished when the search ends. Below a token stands what it adds to the log-probability "
        "of its text, in nats; where there is no room, a hover says it. The strong path leads to "
        "the winner, or, while the search goes on, to the best beam."
    )


def _table(two: TwoTexts, steps: list[BeamStep]) -> None:
    """The last of these steps; candidates are numbered from 1, as they are in the tree."""
    weighed = [each for each in steps[-1].candidates[0] if each.log_prob > -math.inf]
    before = [(START, 0.0)] if len(steps) == 1 else _beams_of(steps[-2].candidates[0])
    rows: dict[str, Any] = {
        "candidate": [str(place) for place in range(1, 1 + len(weighed))],
        "text so far": [" ".join(two.labels(each.tokens)) for each in weighed],
        "goes on from candidate": [before[each.beam][0] for each in weighed],
        "nats of the token": [each.log_prob - before[each.beam][1] for each in weighed],
        "nats of the text": [each.log_prob for each in weighed],
        "probability of the text": [_share(math.exp(each.log_prob)) for each in weighed],
        "fate": [FATES[each.fate][0] for each in weighed],
    }
    nats = st.column_config.NumberColumn(format="%.3f")
    config = dict.fromkeys(("nats of the token", "nats of the text"), nats)
    st.dataframe(rows, hide_index=True, column_config=config)
    st.caption(
        "Nats are natural logarithms of probabilities. Those of a text are the sum of those of its "
        "tokens; the tree shows each token's own."
    )


def _beams_of(weighed: list[Candidate]) -> list[tuple[str, float]]:
    """The candidates that go on: their number, from 1, and their log-probability."""
    numbered = enumerate(weighed, start=1)
    return [(str(number), each.log_prob) for number, each in numbered if each.fate == "kept"]


def _share(probability: float) -> str:
    """In percent; what would round to nothing is not called nothing, nor almost all all."""
    if 0 < probability < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= probability < 1 else f"{probability:.0%}"


def _compare_with_greedy(two: TwoTexts, steps: list[BeamStep]) -> None:
    """In one line: the text of either, and its log-probability."""
    best, greedy = steps[-1].finished[0][0], two.log_probs().sum().item()
    found, chosen = (_nothing_or(two.plain(tokens)) for tokens in (best.tokens, two.written))
    log_prob = "log-probability of the whole text, in nats (natural logarithm),"
    if best.tokens == two.written:
        said = (
            f"The search ends with {found}, and so does the greedy choice. The {log_prob} is "
            f"{greedy:.3f}."
        )
    else:
        said = (
            f"The search ends with {found}, the greedy choice with {chosen}. The {log_prob} is "
            f"{best.log_prob:.3f} for the first and {greedy:.3f} for the second."
        )
    st.markdown(said.replace(" -", " −"))


def _nothing_or(text: str) -> str:
    return f"“{literal(text)}”" if text else "nothing, an empty text"

"""The rows of W_E or W_pos as points: which rows, how many dimensions, and what is seen there."""

from functools import partial

import streamlit as st

from pages._ui import state
from pages._ui.axes import shape
from pages._ui.controls import View
from pages._ui.layout import behind, counted, figure, quoted
from pages._ui.parts import part
from pages._ui.point_cloud import point_cloud
from tfs.interp import nearest_neighbours, pca
from tfs.interp.outliers import group_apart, mean_cosine
from tfs.plots import scatter_2d, scatter_3d

TOKENS, POSITIONS = "W_E, tokens", "W_pos, positions"
PROMPT, ALL = "the prompt and its neighbours", "the whole vocabulary"
NEIGHBOURS = 4  # of each token of the prompt
LEAST_PERCENT = 0.001  # what is less is said to be no more than this
NUMBERED = 16  # positions that carry their number
ORDINALS = {2: "first two", 3: "first three"}
NEAR = f"""
rows = set(tokens.tolist())
for token in set(tokens.tolist()):
    near = nearest_neighbours(model.W_E, token, len(model.W_E))[1].tolist()
    rows |= set([i for i in near if i not in hidden][:{NEIGHBOURS}])
"""


@part
def space(view: View, place: int) -> None:
    """The switches, the points, and the share of the variance that they show."""
    has_positions = view.model.cfg.positional_embedding_type in ("standard", "sinusoidal")
    with st.container(horizontal=True):
        which = _switch("Matrix", [TOKENS, POSITIONS] if has_positions else [TOKENS], "matrix")
        dimensions = 3 if _switch("Dimensions", ["2D", "3D"], "dimensions") == "3D" else 2
        extent = _switch("Tokens", [PROMPT, ALL], "extent") if which == TOKENS else ALL
    if not has_positions:
        st.info("This model learned no positions: it has no W_pos, only W_E.")
    if which == TOKENS:
        _tokens(view, place, dimensions, extent)
    else:
        _positions(view, dimensions, place)


def _tokens(view: View, place: int, dimensions: int, extent: str) -> None:
    """Rows of W_E: the prompt's own in front; a group that stands apart only when asked for."""
    W_E = view.model.W_E
    apart = state.tokens_apart(W_E, view.fingerprint)
    with_apart = bool(apart) and st.toggle(
        f"With the {len(apart)} tokens that stand apart", key="apart", bind="query-params"
    )
    asked = tuple(sorted(set(view.tokens)))
    if extent == PROMPT:
        rows = state.neighbourhood(W_E, view.fingerprint, asked, NEIGHBOURS, with_apart)
    else:
        hidden = set() if with_apart else set(apart) - set(asked)
        rows = tuple(i for i in range(len(W_E)) if i not in hidden)
    which = "apart = group_apart(model.W_E)\n" if apart else "apart = []\n"
    which += f"hidden = {'set()' if with_apart else 'set(apart) - set(tokens.tolist())'}"
    which += NEAR if extent == PROMPT else "\nrows = set(range(len(model.W_E))) - hidden\n"
    functions = [*([group_apart] if apart else []), *([nearest_neighbours] * (extent == PROMPT))]
    _draw(
        view,
        "W_E",
        rows,
        dimensions,
        labels=view.bundle.tokenizer.str_tokens(rows),
        marked=[rows.index(token) for token in asked],
        lock=rows.index(view.tokens[place]),
        program=view.program(
            which + f"result = pca(model.W_E[sorted(rows)], {dimensions})[0]", pca, *functions
        ),
        code=[pca, *functions],
    )
    if apart:
        _say_who_stands_apart(view, apart)


def _positions(view: View, dimensions: int, place: int) -> None:
    """All rows of W_pos on a line from the first position to the last."""
    n_ctx = view.model.cfg.n_ctx
    _draw(
        view,
        "W_pos",
        tuple(range(n_ctx)),
        dimensions,
        labels=[str(position) for position in range(n_ctx)],
        marked=sorted({place, *range(0, n_ctx, max(1, n_ctx // NUMBERED))}),
        lock=place,
        program=view.program(f"result = pca(model.W_pos, {dimensions})[0]", pca),
        code=[pca],
    )


def _draw(view, name, rows, dimensions, *, labels, marked, lock, program, code) -> None:
    """The figure, and the share of the variance that it shows."""
    matrix, is_pos = getattr(view.model, name), name == "W_pos"
    if min(len(rows), matrix.shape[1]) < dimensions:
        st.info(f"Too few for {dimensions} directions: {counted(len(rows), 'vector')}.")
        return
    points, explained = state.projection(matrix, view.fingerprint, name, rows, dimensions)
    axes = "n_ctx d_model" if is_pos else "d_vocab d_model"
    seen = {"explained": explained.tolist(), "highlight": marked, "lock": lock, "path": is_pos}
    seen |= {"what": "position" if is_pos else "token"}
    made = {
        "key": "plane",
        "code": code,
        "reads": f"{'pos_embed' if is_pos else 'embed'}.{name} [{axes}]",
        "program": program,
    }
    if dimensions == 2:
        figure(scatter_2d(points, labels, **seen), **made)
    else:
        point_cloud(points, labels, key="cloud", **seen)
        behind({"points": partial(scatter_3d, points, labels, **seen)}, **made)
    st.caption(
        f"{len(rows)} of {len(matrix)} rows of {name} {shape(axes)}; the ring is around "
        f"{f'position {lock}' if is_pos else quoted(labels[lock])}. The {ORDINALS[dimensions]} "
        f"directions hold {explained.sum():.1%} of their variance; what lies in the others is not "
        "to be seen here."
    )


def _say_who_stands_apart(view: View, apart: list[int]) -> None:
    """Where the first component parts the vocabulary in two: who, how alike, how probable."""
    others = sorted(set(range(len(view.model.W_E))) - set(apart))
    most = 100 * view.run()[0].softmax(-1)[:, apart].sum(-1).max().item()
    least = f"{most:.2g}%" if most >= LEAST_PERCENT else f"{LEAST_PERCENT:g}%"
    share = state.projection(view.model.W_E, view.fingerprint, "W_E", None, 1)[1].item()
    named = ", ".join(quoted(token) for token in view.bundle.tokenizer.str_tokens(apart[-4:]))
    within, without = (mean_cosine(view.model.W_E[ids]) for ids in (apart, others))
    st.markdown(
        f"**{len(apart)} tokens stand apart,** {named} among them. In a picture of the whole "
        f"vocabulary, them included, the first direction holds {share:.1%} of the variance and "
        f"does little more than part them from the other {len(others)}. They point almost the same "
        f"way: the mean cosine of two of them is {within:.3f}, of two others {without:.3f}. And "
        f"the model does not expect them: over your prompt it never gives all {len(apart)} "
        f"together more than {least} of "
        "the probability of the next token. Tokens that training hardly met tend to look like this "
        "(Land & Bartolo 2024)."
    )


def _switch(label: str, options: list[str], key: str) -> str:
    """One of a few, kept in the URL; the first where the URL asks for another.

    A choice that this model does not have comes back with a model that has it.
    """
    if st.session_state.get(key, options[0]) not in options:
        st.session_state[f"{key} before"] = st.session_state.pop(key)
    elif st.session_state.get(f"{key} before") in options:
        st.session_state[key] = st.session_state.pop(f"{key} before")
    chosen = st.segmented_control(
        label, options, default=options[0], required=True, key=key, bind="query-params"
    )
    return chosen if chosen in options else options[0]

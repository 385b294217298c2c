"""What holds for every plotting function: alt text, a table twin, literal tokens, both themes."""

import inspect
import json
import math
import pickle
import re

import numpy as np
import pytest

NAMES = [
    *("attention_grid", "attention_mask", "attention_pattern", "attention_scores", "head_scores"),
    *("kv_growth", "logit_lens", "loss_curve", "lr_schedule", "mass_kept", "next_token_bars"),
    *("cut_rows", "equal_tokens", "position_bars", "sampling_rows", "scatter_2d"),
    *("attention_contributions", "block_road", "key_bars", "mean_and_scale", "neuron_map"),
    *("neuron_vocabulary", "norm_lines", "norm_map", "scaled_strips"),
    *("signed_bars", "similarity_matrix", "stacked_terms", "token_trajectory", "vector_strip"),
    *("loss_by_mask", "mask_cells", "neighbour_bars", "position_matrix", "scatter_3d"),
    *("similarity_curves", "softmax_steps", "weights_twice"),
    *("accuracy_by_position", "compare_runs", "over_training"),
    *("amount_bars", "bias_by_distance", "rotary_turns"),
    *("depth_lines", "paired_bars", "weight_difference"),
    *("beam_tree", "probability_rows"),
]
OF_A_PROMPT = [  # whose tokens stand at positions; the others show tokens of a vocabulary
    *("attention_contributions", "attention_grid", "attention_mask", "attention_pattern"),
    *("attention_scores", "equal_tokens", "key_bars", "logit_lens", "loss_by_mask", "mask_cells"),
    *("mean_and_scale", "neuron_map", "norm_map", "position_bars", "similarity_matrix"),
    *("softmax_steps", "weight_difference", "weights_twice"),
]
PLACES = [  # columns that say where a number stands, and not what stands there
    *("layer", "head", "query", "key", "row", "column", "position", "place", "mask", "run"),
    *("of", "step", "evaluation"),
]
OUR_MARKUP = re.compile(r"<br>|<extra></extra>|<extra>%\{fullData.name\}</extra>")


def texts(node):
    """Every string of a figure's JSON that Plotly may draw."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ("meta", "template"):
                yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_these_are_all_of_them(plots):
    public = {name for name in plots.__all__ if not name.startswith("figure_")}
    assert public == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_has_alt_text_and_a_table_that_survive_a_pickle(plots, figures, name):
    fig = figures[name]
    alt, table = plots.figure_alt(fig), plots.figure_table(fig)
    assert alt.endswith(".") and re.search(r"\d", alt) and "nan" not in alt
    lengths = {len(column) for column in table.values()}
    assert len(lengths) == 1 and lengths.pop() > 0
    assert "" not in table
    copy = pickle.loads(pickle.dumps(fig))
    assert plots.figure_alt(copy) == alt
    assert plots.figure_table(copy) == table


@pytest.mark.parametrize("name", NAMES)
def test_every_drawn_number_is_in_the_table(plots, figures, name):
    table = plots.figure_table(figures[name])
    numbers = {x for column in table.values() for x in column if isinstance(x, int | float)}
    for trace in figures[name].data:
        drawn = (
            trace.z
            if trace.type == "heatmap"
            else trace.y
            if getattr(trace, "orientation", "") != "h"
            else trace.x
        )
        if trace.meta is None:
            assert set(np.asarray(drawn).ravel().tolist()) <= numbers


@pytest.mark.parametrize("name", OF_A_PROMPT)
def test_equal_tokens_of_a_prompt_are_told_apart_in_the_table(plots, figures, name, tokens):
    table = plots.figure_table(figures[name])
    rows = list(zip(*(table[column] for column in PLACES if column in table), strict=True))
    assert len(set(rows)) == len(rows) > len(set(tokens))


@pytest.mark.parametrize("name", OF_A_PROMPT)
def test_and_by_a_hover(figures, name):
    """%{x:d} says the position, %{x} the token there."""
    names = figures[name].layout.meta["table"]
    hovers = [trace.hovertemplate for trace in figures[name].data if trace.meta is None]
    for axis in "xy":
        labels = names.get(f"{axis}_labels", ["", []])[1]
        if len(set(labels)) < len(labels):
            assert hovers and all(f"%{{{axis}:d}}" in hover for hover in hovers)


@pytest.mark.parametrize("name", NAMES)
def test_no_token_is_read_as_markup(figures, name):
    drawn = list(texts(json.loads(figures[name].to_json())))
    assert [text for text in drawn if "<" in OUR_MARKUP.sub("", text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_text_and_page_take_their_colours_from_whoever_shows_the_figure(figures, name):
    fig = figures[name]
    assert fig.layout.template.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"
    for layout in (fig.layout, fig.layout.template.layout):
        assert layout.font.color is None
        assert layout.title.font.color is None
        assert layout.paper_bgcolor in (None, "rgba(0, 0, 0, 0)")
    assert fig.layout.width is None  # as wide as the page


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_json_without_nan(figures, name):
    def refuse(constant):
        raise AssertionError(constant)

    json.loads(figures[name].to_json(), parse_constant=refuse)


@pytest.mark.parametrize("name", NAMES)
def test_functions_are_short_and_hide_no_parameters(plots, name):
    function = inspect.unwrap(getattr(plots, name))
    kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds
    assert len(inspect.getsource(function).splitlines()) <= 60


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_scales_work_on_white_and_on_nearly_black():
    from tfs.plots import theme

    others = [theme.NEGATIVE, theme.POSITIVE, theme.REFERENCE, *theme.WIDTHS.values()]
    for colour in [*theme.DISCRETE, *others]:
        for page in ("#ffffff", "#0e1117"):
            low, high = sorted([luminance(colour), luminance(page)])
            assert (high + 0.05) / (low + 0.05) >= 3, (colour, page)
    assert len(set(theme.DISCRETE)) == len(theme.DISCRETE) >= 8


def test_scales_are_ordered_by_lightness():
    from tfs.plots import theme

    assert np.all(np.diff([luminance(colour) for colour in theme.SEQUENTIAL]) > 0)
    negative, centre, positive = theme.DIVERGING[:4], theme.DIVERGING[4], theme.DIVERGING[5:]
    assert np.all(np.diff([luminance(c) for c in [*negative, centre]]) < 0)
    assert np.all(np.diff([luminance(c) for c in [centre, *positive]]) > 0)


def test_probabilities_go_from_0_to_1_and_signed_values_are_centred(figures):
    for name in ("attention_grid", "attention_pattern", "logit_lens", "head_scores"):
        axis = figures[name].layout.coloraxis
        assert (axis.cmin, axis.cmax) == (0, 1)
    for name in ("attention_scores", "similarity_matrix", "vector_strip", "weight_difference"):
        axis = figures[name].layout.coloraxis
        assert axis.cmin == -axis.cmax and math.isfinite(axis.cmax)

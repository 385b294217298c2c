"""A draft says the same as plotly's own updates, and plotly still refuses what it does not know."""

import pytest


@pytest.fixture
def draft():
    from tfs.plots.draft import Draft

    return Draft({"height": 100, "margin": {"l": 1, "t": 2}})


def test_it_equals_the_same_updates_of_a_figure(draft) -> None:
    import plotly.graph_objects as go

    fig = go.Figure(layout={"height": 100, "margin": {"l": 1, "t": 2}})
    for drawn in (draft, fig):
        drawn.add_scatter(x=[0, 1], y=[1, 2], line={"dash": "dot"})
        drawn.add_bar(x=[0, 1], y=[1, 2])
        drawn.update_traces(hovertemplate="%{y}", marker_color="red")
        drawn.update_layout({"margin": {"t": 5}}, yaxis2={"anchor": "x"}, title_text="a")
        drawn.update_xaxes({"title_text": "step"}, title_standoff=8)
        drawn.update_yaxes(title="y", range=[0, 1])
        drawn.update_yaxes(title_font_color="blue")
        drawn.add_annotation({"text": "here", "showarrow": False}, x=1, font_size=9)
        drawn.add_hline(1, line={"dash": "dash"})
        drawn.add_vline(0, line={"width": 1})
    assert draft.finished({}).to_plotly_json()["data"] == fig.to_plotly_json()["data"]
    ours, theirs = draft.finished({}).layout.to_plotly_json(), fig.layout.to_plotly_json()
    assert ours["margin"].pop("l") > 8 and ours["margin"].pop("b") > 8
    assert theirs["margin"].pop("l") == 1
    for axis in ("xaxis", "yaxis", "yaxis2"):
        assert ours[axis].pop("automargin") is False
        assert ours[axis].pop("ticklabeloverflow") == "allow"
    for layout in (ours, theirs):
        for elsewhere in ("meta", "template"):
            layout.pop(elsewhere, None)
    assert ours == theirs


def test_a_property_that_plotly_does_not_know_is_refused(draft) -> None:
    draft.update_layout(colour="blue")
    with pytest.raises(ValueError, match="colour"):
        draft.finished({})


def test_what_was_given_is_not_changed(draft) -> None:
    axis = {"title": {"text": "a"}}
    draft.update_xaxes(axis)
    draft.update_xaxes(title_text="b")
    assert axis == {"title": {"text": "a"}}


def test_labels_have_room_and_longer_ones_more(draft) -> None:
    from tfs.plots.margins import with_room

    def left(labels):
        axis = {"ticktext": labels, "title": {"text": "query"}}
        return with_room({"yaxis": axis, "margin": {"l": 8}})["margin"]["l"]

    assert left(["a", "abc"]) < left(["a", "abcdefghij"]) <= left(["漢字漢字漢"])
    assert left(["&lt;b&gt;"]) == left(["<b>"])
    assert with_room({"yaxis": {"visible": False}, "margin": {"l": 30}})["margin"]["l"] == 30

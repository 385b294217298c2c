"""One text, cut in several ways: lines that no piece crosses, and texts that can be read."""

import pytest
import torch


def pieces_of(text, *cuts):
    edges = [0, *cuts, len(text)]
    return [text[a:b].encode() for a, b in zip(edges, edges[1:], strict=False)]


def drawn(plots, rows, **options):
    texts = [[piece.decode(errors="replace") for piece in row] for row in rows]
    return plots.cut_rows(rows, texts, [f"row {i}" for i in range(len(rows))], **options)


@pytest.mark.parametrize("size", [1, 5, 24, 25, 60, 700])
def test_the_lines_hold_the_whole_text_in_order_and_cut_no_piece(plots, size):
    text = "".join(chr(97 + i % 26) for i in range(size))
    rows = [pieces_of(text, *range(1, size)), pieces_of(text, *range(4, size, 4))]
    fig = drawn(plots, rows, in_lines=True)
    for place, (trace, row) in enumerate(zip(fig.data, rows, strict=True)):
        at = {}
        for y, base, x, piece in zip(trace.y, trace.base, trace.x, row, strict=True):
            assert y % (len(rows) + 1) == place and x == len(piece)
            assert base == at.get(y, 0), "pieces of a line stand end to end"
            at[y] = base + x
        assert sum(at.values()) == size and list(at) == sorted(at)
        most = max(24, -(-size // 8))
        assert max(at.values()) <= most == max(most, fig.layout.xaxis.range[1])
    assert all(len(set(ends)) == 1 for ends in line_ends(fig, len(rows) + 1).values())


def line_ends(fig, block):
    ends = {}
    for trace in fig.data:
        last = {y: base + x for y, base, x in zip(trace.y, trace.base, trace.x, strict=True)}
        for y, end in last.items():
            ends.setdefault(y // block, []).append(end)
    return ends


def test_a_piece_without_a_common_cut_is_not_broken(plots):
    fig = drawn(plots, [[b"x" * 40], [b"x" * 20, b"x" * 20]], in_lines=True)
    assert fig.layout.xaxis.range == (0, 40)
    assert [list(trace.base) for trace in fig.data] == [[0], [0, 20]]


def test_letters_are_written_wherever_a_phone_has_room_for_them(plots):
    word = [bytes([byte]) for byte in b"First"]
    (trace,) = drawn(plots, [word]).data
    assert list(trace.text) == list("First") and trace.constraintext == "none"
    assert trace.textfont.size >= 12
    line = [bytes([byte]) for byte in b"abcdefghijklmnopqrstuvwx"]
    assert "" not in drawn(plots, [line], in_lines=True).data[0].text
    fig = plots.cut_rows([line], [["<0xF0>"] * len(line)], ["row"], in_lines=True)
    assert set(fig.data[0].text) == {""}, "six letters do not fit on one byte of 24"
    assert set(fig.data[0].hovertext) == {"&lt;0xF0&gt;"}
    assert "uniformtext" not in fig.layout.to_plotly_json()


def test_one_row_is_as_high_as_each_of_many(plots):
    heights = [drawn(plots, [[b"ab"]] * n).layout.height for n in (1, 2, 9)]
    assert heights[1] - heights[0] == (heights[2] - heights[1]) / 7 >= 24


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_white_is_read_on_every_piece_and_the_new_one_is_bold(plots):
    fig = drawn(plots, [[b"a", b"b"], [b"ab", b"c"]], marked=(1, 0))
    for trace in fig.data:
        assert trace.textfont.color == "white" and trace.marker.pattern.shape is None
        for colour in trace.marker.color:
            assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour
    assert list(fig.data[1].textfont.weight) == ["bold", "normal"]
    assert fig.data[1].marker.color[0] not in {*fig.data[0].marker.color}


def test_the_table_names_the_row_of_every_piece(plots):
    rows = [pieces_of("x" * 60, *range(2, 60, 2)), pieces_of("x" * 60, *range(6, 60, 6))]
    table = plots.figure_table(drawn(plots, rows, in_lines=True))
    assert table["bytes"] == [2] * 30 + [6] * 10
    assert table["cut"] == ["row 0"] * 30 + ["row 1"] * 10


def test_equal_tokens_are_told_apart_by_their_positions(plots):
    tokens = ["a", "b", "a"]
    fig = plots.equal_tokens(torch.tensor([[a == b for b in tokens] for a in tokens]), tokens)
    table = plots.figure_table(fig)
    assert table["row"] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert table["column token"] == tokens * 3
    assert table["same token"] == [1, 0, 1, 0, 1, 0, 1, 0, 1]
    said = "3 positions, 2 different tokens; pairs of positions that hold the same one: 1."
    assert plots.figure_alt(fig) == said
    with pytest.raises(ValueError, match="row has 3 entries but there are 2"):
        plots.equal_tokens(torch.eye(3).bool(), tokens[:2])

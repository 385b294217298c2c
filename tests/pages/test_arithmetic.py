"""The page of sizes: numbers that can be read, and what a tie saves."""

import re

import pytest

from tests.pages.screen import drawn, said

PAGE = "pages/build/arithmetic.py"
MODELS = ["shakespeare", "induction", "mirror", "mirror-no-positions"]


def shown_values(table) -> list[str]:
    """The values of a table as they are written on the screen."""
    import pyarrow as pa

    styled = pa.ipc.open_stream(table.proto.arrow_data.styler.display_values).read_all()
    return [str(value) for value in styled.columns[1].to_pylist()]


@pytest.mark.parametrize("name", MODELS)
def test_numbers_in_tables_have_their_thousands_set_apart(visit, name) -> None:
    at = visit(PAGE, model=name)
    for frame, key in zip(at.dataframe, ("parameters", "flops"), strict=False):
        terms = frame.value
        assert shown_values(frame) == [f"{value:,}" for value in terms["value"]]
        for product, value in zip(terms["with this model's numbers"], terms["value"], strict=True):
            assert not re.search(r"\d{4}", product)
            result = 1
            for factor in product.split(" * "):
                result *= int(factor.replace(",", ""))
            assert result == value
        assert len(drawn(at, key)["data"]) == len(terms)


@pytest.mark.parametrize("name", MODELS)
def test_a_tie_is_told_and_counted_once(visit, name) -> None:
    import tfs

    cfg = tfs.load(name).model.cfg
    at = visit(PAGE, model=name)
    assert ("W_U shares W_E's numbers" in said(at)) == cfg.tie_word_embeddings
    listed, operations = (list(frame.value["term"]) for frame in at.dataframe[:2])
    assert ("unembed.W_U" in listed) != cfg.tie_word_embeddings
    assert "unembed.W_U" in operations, "the tie saves no operation"


def test_w_e_and_w_out_do_not_look_the_same(visit) -> None:
    at = visit(PAGE, model="shakespeare")
    markers = {t["name"].split()[0]: t["marker"] for t in drawn(at, "parameters")["data"]}
    looks = [(m["color"], m["pattern"]["shape"]) for m in markers.values()]
    assert len(set(looks)) == len(looks) == 20
    matrices = [m["color"] for name, m in markers.items() if ".W_" in name]
    assert len(set(matrices)) == len(matrices) == 8, "whatever can be seen has its own colour"

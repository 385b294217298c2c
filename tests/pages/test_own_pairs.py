"""Models of two texts of one's own: opened, or told in one sentence why they cannot be."""

import secrets
import shutil

import pytest

from tests.pages.screen import drawn, header, messages, said, the_map

PAGE = "pages/read/translation.py"
LINES = [f"{a} {b}\t{b} {a}" for a in "one two three four".split() for b in "red blue".split()]
LINES += [f"{a}\t{a}" for a in "one two three four red blue".split()]


@pytest.fixture
def run_of(tmp_path):
    """run_of(bundled name) -> the name of a run like a terminal's, with that model."""
    from tfs.train.checkpoint import BUNDLED

    def copy(name):
        run = f"run-{secrets.token_hex(8)}"
        shutil.copytree(BUNDLED / name, tmp_path / run)
        return run

    return copy


@pytest.fixture
def own_pairs(tmp_path):
    """A run on the pairs of a user's file, as it is before its first update; its model has ids
    that its tokenizer has not, and weighs them."""
    import tfs
    from tfs.train.recipe import Recipe, save_recipe

    run = tmp_path / f"run-{secrets.token_hex(8)}"
    run.mkdir()
    (run / "text.txt").write_text("\n".join(LINES))
    fields = {"name": "own", "task": {"name": "parallel", "path": "text.txt", "n_ctx": 8}}
    fields["model"] = {"n_layers": 2, "d_model": 16, "n_heads": 2, "d_head": 8, "seed": 0}
    fields["model"] |= {"d_vocab": 20, "n_ctx": 8, "initializer_range": 0.3}
    recipe = Recipe.from_dict(fields)
    save_recipe(recipe, run)
    task = recipe.make_task(run)
    tfs.save(tfs.Bundle(recipe.kind(task).make(), task.tokenizer, "# own"), run)
    return run.name


def button(at, label):
    return next(each for each in at.button if each.label == label)


def test_the_picker_lists_bundled_models_and_the_run_that_the_link_names(visit, run_of) -> None:
    bundled = ["dates", "numbers", "grammar"]
    assert visit(PAGE).selectbox(key="pair").options == bundled
    run = run_of("grammar")
    at = visit(PAGE, pair=run)
    assert at.selectbox(key="pair").options == [*bundled, run]
    assert at.selectbox(key="pair").value == run and not at.warning and not at.exception
    at.selectbox(key="pair").select("dates").run()
    assert at.selectbox(key="pair").options == [*bundled, run], "it stays one of this session's"


def test_a_run_of_the_users_pairs_has_an_example_of_its_own(visit, own_pairs) -> None:
    at = visit(PAGE, pair=own_pairs)
    assert not at.exception and not messages(at)
    text = at.text_input(key=f"text for {own_pairs}").value
    assert text in [line.split("\t")[0] for line in LINES]
    assert header(at, "cross")["columns"]["labels"] == text.split()
    assert header(at, "cross mosaic")["names"] == ["L0H0", "L0H1", "L1H0", "L1H1"]
    assert " #18" in str(drawn(at, "beam tree")["data"]), "an id that no token has"
    at.button_group(key="layer").set_value(1).run()
    assert header(at, "cross")["panels"][0]["title"] == "decoder.1.cross_attn, head 0"
    assert the_map(at, "missed").shape[0] == 5


def test_words_it_does_not_know_are_read_as_unknown(visit, own_pairs) -> None:
    at = visit(PAGE, pair=own_pairs, **{f"text for {own_pairs}": "one <b>zebra</b> $x$"})
    assert not at.exception and not messages(at)
    assert header(at, "cross")["columns"]["labels"] == ["one", "<unk>", "<unk>"]


def test_where_the_model_writes_another_word_there_is_no_ring(visit, run_of, tmp_path) -> None:
    import tfs
    from tfs.tasks.grammar import GrammarTask

    run, text = run_of("grammar"), "the small red dog does not see the birds"
    bundle = tfs.load("grammar")
    early = bundle.at_step(128)
    tfs.save(tfs.Bundle(early, bundle.tokenizer, "# early"), tmp_path / run)
    at = visit(PAGE, pair=run, **{f"text for {run}": text})
    assert not at.exception
    task, written = GrammarTask(), header(at, "cross")["rows"]["labels"]
    true = task.translate(text).split()
    assert written[: len(true)] != true, "it has not learned it yet"
    assert f"The right translation is “{' '.join(true)}”" in said(at)
    both = zip(task.alignment(text), true, written, strict=False)
    rings = [[i, place] for i, (place, right, found) in enumerate(both) if right == found]
    assert header(at, "cross")["rings"] == rings and 0 < len(rings) < len(true)


@pytest.mark.parametrize(
    "query",
    [
        {"so far": "99"},
        {"so far": "0"},
        {"alpha": "-3", "beams": "99"},
        {"layer": "7", "head": "x", "token": "12: 'q'", "key token": "99"},
        {"text for dates": "<s></s><pad>"},
        {"pair": ""},
    ],
)
def test_a_link_that_asks_for_too_much_is_no_error(visit, query) -> None:
    at = visit(PAGE, **query)
    assert not at.exception and not at.error and header(at, "cross mosaic")


def test_without_its_file_the_run_opens_and_asks_for_a_text(visit, own_pairs, tmp_path) -> None:
    (tmp_path / own_pairs / "text.txt").unlink()
    at = visit(PAGE, pair=own_pairs)
    assert not at.exception and ["nothing to read" in each for each in messages(at)] == [True]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("mirror", "is a model of the kind decoder-only, which reads one text only"),
        ("masked-words", "is a model of the kind encoder-only, which reads one text only"),
        (None, "There is no model of two texts run-0123456789abcdef on this server"),
        ("../x", "There is no model of two texts ../x on this server"),
    ],
)
def test_a_link_to_something_else_is_told_in_one_sentence(visit, run_of, kind, says) -> None:
    name = "run-0123456789abcdef" if kind is None else kind if "/" in kind else run_of(kind)
    at = visit(PAGE, pair=name)
    assert not at.exception and at.selectbox(key="pair").value == "dates"
    (warning,) = at.warning
    assert says in warning.value.replace("\\", "") and "you see **dates**" in warning.value
    at.selectbox(key="pair").select("numbers").run()
    assert not at.warning


def test_a_run_that_is_deleted_meanwhile_gives_way(visit, run_of, tmp_path) -> None:
    run = run_of("dates")
    at = visit(PAGE, pair=run)
    shutil.rmtree(tmp_path / run)
    at.slider(key="beams").set_value(2).run()
    assert not at.exception and at.selectbox(key="pair").value == "dates"


def test_damaged_weights_are_told_in_one_sentence(visit, run_of, tmp_path) -> None:
    run = run_of("dates")
    (tmp_path / run / "model.safetensors").write_bytes(b"\0" * 64)
    at = visit(PAGE, pair=run)
    assert not at.exception and len(at.error) == 1 and "damaged" in at.error[0].value


def test_a_tokenizer_without_a_start_is_told_in_one_sentence(visit, own_pairs, tmp_path) -> None:
    import tfs

    bundle = tfs.load(tmp_path / own_pairs)
    words = tfs.tokenizers.WordTokenizer([f"w{i}" for i in range(19)])
    tfs.save(tfs.Bundle(bundle.model, words, "# own"), tmp_path / own_pairs)
    at = visit(PAGE, pair=own_pairs)
    assert not at.exception and any("has no mark" in error.value for error in at.error)


@pytest.mark.parametrize(
    ("kind", "label", "title"),
    [("dates", "Open in Two texts", "Two texts"), ("mirror", "Open its attention", "Attention")],
)
def test_the_lab_opens_a_run_where_it_can_be_read(visit, run_of, kind, label, title) -> None:
    run = run_of(kind)
    at = visit("pages/train/live.py", run=run)
    button(at, label).click().run()
    assert not at.exception and not at.error and at.title[0].value == title
    assert at.session_state["pair" if kind == "dates" else "model"] == run
    if kind == "dates":
        assert at.selectbox(key="pair").value == run
        assert at.session_state["model"] != run, "the sidebar's model reads one text"


def test_a_run_that_fills_in_words_opens_where_words_are_filled_in(visit, run_of) -> None:
    name = run_of("masked-words")
    at = visit("pages/train/live.py", run=name)
    button(at, "Open in Both ways").click().run()
    assert not at.exception and at.title[0].value == "Both ways"
    assert at.selectbox(key="both").value == name


def test_page_for_names_a_page_for_each_architecture() -> None:
    from pages._ui.opened_by import page_for
    from tfs.model.architectures import MAKE

    pages = {kind: page_for(kind).page for kind in MAKE}
    assert pages.pop("decoder-only") == "attention"
    assert pages.pop("encoder-decoder") == "translation"
    assert set(pages.values()) == {"both_ways"} and page_for("other") is None

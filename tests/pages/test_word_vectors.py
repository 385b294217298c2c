"""The page of word vectors: what it shows is what was learned here, at every kept step."""

import numpy as np
import pytest

from tests.pages.screen import as_tensor, drawn, messages, open_code, said

PAGE = "pages/numpy_up/word_vectors.py"


def test_four_words_become_parallel_while_the_slider_moves(visit) -> None:
    from pages._ui.word_learning import FOUR, Made, learned
    from tfs.numpy_engine.by_hand.nearest import in_a_plane

    at = visit(PAGE, **{"words of": FOUR})
    assert not at.exception and not at.error
    cosine = float(said(at).split("germany is **")[1].split("**")[0])
    assert cosine > 0.95
    known = learned(Made(FOUR, "cbow", 0))
    words = ["paris", "france", "berlin", "germany"]
    for step in (0, 400):
        at.select_slider(key=f"kept of {FOUR}").set_value(step).run()
        places = [known.words.index(word) for word in words]
        points = in_a_plane(known.vectors[known.steps.index(step)][places])
        trace = drawn(at, "plane")["data"][0]
        shown = np.stack([as_tensor(trace[axis]) for axis in "xy"], -1)
        assert np.allclose(shown, points, atol=1e-5)


def test_the_grammars_analogies_are_solved_and_programs_give_what_is_drawn(visit) -> None:
    at = open_code(visit(PAGE))
    assert not at.exception and not at.error
    share = float(said(at).split("questions, **")[1].split("%")[0])
    assert share > 90
    assert at.selectbox(key="word").value == "paris", "one of those in the plane above"
    programs = [code.value for code in at.code if code.value.startswith("import numpy")]
    assert len(programs) == 4
    namespace: dict = {}
    exec(programs[1], namespace)
    shown = as_tensor(drawn(at, "solved")["data"][0]["x"])
    assert np.allclose(shown, namespace["result"], atol=1e-4)


def test_it_is_watched_as_it_learns_and_comes_to_what_everybody_sees(visit) -> None:
    from pages._ui.word_learning import FOUR, Made, learned
    from tfs.numpy_engine.by_hand.nearest import in_a_plane

    known = learned(Made(FOUR, "cbow", 0))
    places = [known.words.index(word) for word in ("paris", "france", "berlin", "germany")]
    at = visit(PAGE, **{"words of": FOUR})
    finished = drawn(at, "plane")["data"][0]
    at.button(key="words Train it here, from the start").click().run()
    seen, share = [], 400 // 40
    while (bar := at.get("progress")) and len(seen) < 100:
        step = int(bar[0].proto.text.removeprefix("step ").split(" of ")[0])
        seen.append(step)
        if step in known.steps:
            points = in_a_plane(known.vectors[known.steps.index(step)][places])
            trace = drawn(at, "plane")["data"][0]
            shown = np.stack([as_tensor(trace[axis]) for axis in "xy"], -1)
            assert np.allclose(shown, points, atol=1e-5)
        assert not at.select_slider
        at.run()
    assert seen == list(range(share, 400, share)), "a picture for each share of the updates"
    assert not at.exception and at.select_slider[0].value == 400
    assert drawn(at, "plane")["data"][0]["x"] == finished["x"]


def test_any_text_is_learned_and_its_program_gives_what_is_drawn(visit) -> None:
    text = "The cat sat on the mat, and the dog sat on the rug. " * 40
    at = visit(PAGE, **{"words of": "Any text", "words source": "Your own"})
    assert "Paste a text" in at.info[0].value and not at.get("plotly_chart")
    at.text_area(key="words pasted").set_value(text).run()
    assert "520 words, 8 of them different" in said(at)
    at.button(key="words Train it here, from the start").click().run()
    for _ in range(60):
        if not at.get("progress"):
            break
        at.run()
    at = open_code(at)
    assert not at.exception and not at.error and not at.select_slider
    programs = [code.value for code in at.code if code.value.startswith("import numpy")]
    namespace: dict = {}
    exec(programs[1], namespace)
    for key, axis, values in (("near", "x", "result"), ("losses", "y", "losses")):
        shown = as_tensor(drawn(at, key)["data"][0][axis])
        assert np.allclose(shown, namespace[values], atol=1e-4), key


@pytest.mark.parametrize(
    ("text", "says"),
    [("Hello, hello!", "words: 2, different ones: 1"), ("17 + 4", "words: 0, different ones: 0")],
)
def test_too_short_a_text_is_one_sentence(visit, text, says) -> None:
    at = visit(PAGE, **{"words of": "Any text", "words source": "Your own"})
    at.text_area(key="words pasted").set_value(text).run()
    at.button(key="words Train it here, from the start").click().run()
    assert not at.exception and says in messages(at)[0].replace("\\", "")
    assert not at.get("progress")


def test_of_a_text_too_long_to_paste_nothing_is_dropped_in_silence(visit) -> None:
    from pages._ui.given_text import MOST_PASTED

    at = visit(PAGE, **{"words of": "Any text", "words source": "Your own"})
    at.text_area(key="words pasted").set_value("a b c " * (MOST_PASTED // 6 + 1)).run()
    assert not at.exception and "save it as a file" in at.error[0].value
    assert "words Train it here, from the start" not in [each.key for each in at.button]
    assert len(at.text_area(key="words pasted").value) > MOST_PASTED, "and what was typed stays"


def test_a_file_that_is_no_text_is_one_sentence(visit) -> None:
    at = visit(PAGE, **{"words of": "Any text", "words source": "Your own"})
    for data, says in (
        (b"\xff\xfe\x00", "is not UTF\\-8"),
        (b" ", "no text"),
        (b"a" * 2**21, "MiB"),
    ):
        at.file_uploader(key="words file").upload("mine.txt", data, "text/plain").run()
        assert not at.exception and says in at.error[0].value


def test_a_corpus_that_is_not_here_is_one_sentence(visit, monkeypatch) -> None:
    from pages._ui import given_text

    def nowhere() -> str:
        raise OSError("Tiny Shakespeare is not on this machine")

    monkeypatch.setitem(given_text.CORPORA, "Tiny Shakespeare", nowhere)
    monkeypatch.setattr(given_text, "_corpus", lambda source: given_text.CORPORA[source]())
    at = visit(PAGE, **{"words of": "Any text", "words source": "Tiny Shakespeare"})
    assert not at.exception and at.error[0].value == "Tiny Shakespeare is not on this machine"

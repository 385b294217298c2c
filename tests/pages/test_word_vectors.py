"""The page of word vectors: what it shows is what was learned here, at every kept step."""

import numpy as np

from tests.pages.screen import as_tensor, drawn, open_code, said

PAGE = "pages/numpy_up/word_vectors.py"


def test_four_words_become_parallel_while_the_slider_moves(visit) -> None:
    from pages._ui.word_views import FOUR, learned
    from tfs.numpy_engine.by_hand.nearest import in_a_plane

    at = visit(PAGE, **{"words of": FOUR})
    assert not at.exception and not at.error
    cosine = float(said(at).split("germany is **")[1].split("**")[0])
    assert cosine > 0.95
    known = learned(FOUR, "cbow", 0)
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
    programs = [code.value for code in at.code if code.value.startswith("import numpy")]
    assert len(programs) == 3
    namespace: dict = {}
    exec(programs[1], namespace)
    shown = as_tensor(drawn(at, "solved")["data"][0]["x"])
    assert np.allclose(shown, namespace["result"], atol=1e-4)

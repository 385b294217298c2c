"""The page on which a Transformer of numpy learns: its numbers, its answers, and where it goes."""

import numpy as np
import pytest
import torch

from tests.pages.screen import (
    ROOT,
    as_tensor,
    bar,
    drawn,
    header,
    messages,
    open_code,
    press,
    said,
    training,
)
from tests.pages.test_modern_models import PAGES

PAGE = "pages/numpy_up/numpy_transformer.py"
PROMPT = "41 7 93 28 60 15 82 3 3 82 15 60"


def to_the_end(at):
    for _ in range(200):
        assert not at.exception and not at.error
        if "step {0} of {0}".format(bar(at).split(" of ")[1].split(",")[0]) in bar(at):
            return at
        at.run()
    raise AssertionError(bar(at))


def metrics(at) -> dict[str, str]:
    return {each.label: each.value for each in at.metric}


@pytest.fixture
def long_slices(monkeypatch):
    """Few slices, so that a test has few pages to draw."""
    from pages._ui import numpy_lessons

    monkeypatch.setattr(numpy_lessons.Pupil, "slices", 3)
    monkeypatch.setattr(numpy_lessons, "LETTERS", 20)
    monkeypatch.setattr("pages._ui.in_slices.InSlices.train.__defaults__", (60.0,))


def test_mirror_learns_in_view_and_its_programs_give_what_is_drawn(
    visit, long_slices, monkeypatch
) -> None:
    monkeypatch.setattr("pages._ui.numpy_lessons.Pupil.slices", 10)
    at = visit(PAGE)
    assert not at.exception and drawn(at, "losses") is None
    assert header(at, "heads")["names"] == ["L0H0", "L0H1", "L0H2", "L0H3"]
    at = press(at, "numpy Train")
    assert bar(at).startswith("step 30 of 300, loss ")
    at = open_code(press(at, "numpy Pause"))
    assert bar(at).startswith("paused at step 30 of 300")
    programs = [code.value for code in at.code if code.value.startswith("import numpy")]
    shown = np.concatenate([as_tensor(t["y"]).numpy() for t in drawn(at, "losses")["data"]])
    assert len(shown) == 30 + 1
    for program, values in zip(programs, (shown, levels(at)), strict=True):
        namespace: dict = {}
        exec(program, namespace)
        result = np.concatenate([np.ravel(part) for part in namespace["result"]])
        assert np.allclose(result, values, atol=1e-5 if values is shown else 0.003)
    sources = "\n".join(code.value for code in at.code)
    assert "def update(self) -> Step" in sources and "pattern = self.hook_pattern" in sources


def levels(at) -> np.ndarray:
    (packed,) = (c.proto.bytes for c in at.get("bidi_component") if c.proto.id.endswith("-heads"))
    start = 4 + int.from_bytes(packed[:4], "little")
    return np.frombuffer(packed[start:], dtype=np.uint8) / 255


@pytest.mark.slow
def test_held_out_numbers_are_those_of_the_model_on_screen(visit, long_slices) -> None:
    at = to_the_end(press(visit(PAGE, **{"numpy seed": "3"}), "numpy Train"))
    trainer = training(at).learner.trainer
    from tfs.numpy_engine.recipes import mirror_trainer

    again = mirror_trainer(seed=3)
    for step in again.steps(300):
        last = step
    assert last.held_out <= 2.17
    assert metrics(at)["Held-out loss"] == f"{last.held_out:.3f}"
    assert metrics(at)["Training loss"] == f"{last.loss:.3f}"
    for name, weight in again.model.state_dict().items():
        assert np.array_equal(trainer.model.state_dict()[name], weight), name
    tokens = again.held_out[0].data
    guessed = again.model(again.held_out[0][:, :-1]).data.argmax(-1)
    right = guessed[:, 7:] == tokens[:, 8:]
    assert metrics(at)["Answers right"] == f"{right.mean():.1%}"
    _, graded = training(at).learner.log[-1]
    assert graded.exact == right.all(-1).mean()
    levels_of = {shape["y0"] for shape in drawn(at, "losses")["layout"]["shapes"]}
    assert sorted(levels_of) == pytest.approx([7 / 15 * np.log(100), np.log(100)])
    assert not at.exception and "numpy Pause" not in [each.key for each in at.button]


def test_characters_write_in_the_manner_of_a_pasted_text(visit, long_slices, monkeypatch) -> None:
    from pages._ui.numpy_lessons import Characters

    monkeypatch.setattr(Characters, "steps", 30)
    at = visit(PAGE, **{"numpy task": "characters", "letters source": "Your own"})
    assert "Paste a text" in at.info[0].value and not at.exception
    at.text_area(key="letters pasted").set_value("too short").run()
    assert "give a longer text" in messages(at)[0] and not at.exception
    text = "she sells sea shells by the sea shore; " * 20
    at.text_area(key="letters pasted").set_value(text).run()
    at = to_the_end(press(at, "numpy Train"))
    trainer = training(at).learner.trainer
    from tfs.numpy_engine.characters import written
    from tfs.tokenizers import CharTokenizer

    tokenizer = CharTokenizer.train(text)
    start = trainer.held_out[0].data[0, :8].tolist()
    expected = tokenizer.decode(written(trainer.model, start, 20))
    assert expected in [code.value for code in at.code]
    (blind,) = (shape["y0"] for shape in drawn(at, "losses")["layout"]["shapes"])
    assert blind == pytest.approx(np.log(len(set(text))))
    at = press(at, "open what numpy learned")
    assert at.title[0].value == "Attention" and not at.exception and not at.error
    name = at.session_state["model"]
    at = at.switch_page("pages/train/runs.py").run()
    assert "characters, trained by numpy" in str(at.dataframe[0].value) and name.startswith("run-")


def test_a_run_that_was_opened_half_way_says_why_it_cannot_go_on(visit) -> None:
    at = press(press(visit(PAGE), "numpy Train"), "numpy Pause")
    at = press(at, "open what numpy learned")
    at.query_params["run"] = at.session_state["model"]
    at = at.switch_page("pages/train/live.py").run()
    assert not at.exception and "go" not in [each.key for each in at.button]
    assert "It has no save that a training could go on from" in said(at)


@pytest.fixture(scope="module")
def numpys(tmp_path_factory):
    """A directory of runs with one that numpy trained, its name, and its trainer."""
    from tfs.numpy_engine import save
    from tfs.numpy_engine.recipes import mirror_trainer
    from tfs.tokenizers import IntegerTokenizer

    root, trainer = tmp_path_factory.mktemp("runs"), mirror_trainer(steps=60)
    for _ in trainer.steps(60):
        pass
    name = "run-0123456789abcdef"
    save(trainer.model, root / name, IntegerTokenizer(100), "# mirror, by numpy\n")
    return root, name, trainer


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_what_numpy_learned(visit, monkeypatch, numpys, page) -> None:
    root, name, _ = numpys
    monkeypatch.setenv("TFS_RUNS_DIR", str(root))
    at = open_code(visit(page, model=name, other=name, prompt=PROMPT))
    assert not at.exception and not at.error and not at.warning
    assert at.session_state["model"] == name


@pytest.mark.slow
def test_from_here_to_attention_by_a_link_that_opens_it_again(visit, long_slices, tmp_path) -> None:
    from safetensors import safe_open

    from tests.pages.screen import maps

    at = to_the_end(press(visit(PAGE), "numpy Train"))
    pupil = training(at).learner
    at = press(at, "open what numpy learned")
    assert at.title[0].value == "Attention" and not at.exception and not at.error
    name = at.session_state["model"]
    assert (tmp_path / name / "model.safetensors").is_file()
    at = at.switch_page(PAGE).run()
    at = press(at, "open what numpy learned")
    assert at.session_state["model"] == name, "nothing was learned since: it is the same run"
    again = visit("pages/read/attention.py", model=name, prompt=PROMPT)
    from tfs.numpy_engine import Tensor

    ids = [int(word) for word in PROMPT.split()]
    _, cache = pupil.trainer.model.eval().run_with_cache(Tensor(np.array([ids])))
    expected = torch.tensor(cache["blocks.0.attn.hook_pattern"].data[0, 0])
    shown = maps(again, "large")["L0H0: weight"]
    torch.testing.assert_close(shown, expected, atol=1e-5, rtol=0)
    lab = visit("pages/start/home.py")
    lab.query_params["run"] = name
    lab = lab.switch_page("pages/train/live.py").run()
    assert not lab.exception and "finished: step 300 of 300" in str(
        [each.proto.text for each in lab.get("progress")]
    )
    losses = as_tensor(drawn(lab, "loss")["data"][0]["y"])
    assert np.allclose(losses, [step.loss for step, _ in pupil.log], atol=1e-5)
    held_out = {each.label: each.value for each in lab.metric}["Held-out loss"]
    assert held_out == f"{pupil.log[-1][0].held_out:.3f}"
    kept = ["0", "16", "24", "32", "48", "64", "96", "128", "192", "256", "300"]
    assert header(lab, "forming")["frames"] == kept, "and its heads are shown as they formed"
    formed = visit("pages/train/formed.py", model=name, prompt=PROMPT)
    assert not formed.exception and header(formed, "forming")["frames"] == kept
    with safe_open(tmp_path / name / "snapshots" / "step_000064.safetensors", "pt") as file:
        assert all((file.get_tensor(n).numpy() == pupil.kept[64][n]).all() for n in file.keys())
    assert (pupil.kept[64]["blocks.0.attn.W_Q"] != pupil.kept[300]["blocks.0.attn.W_Q"]).any()
    assert f"{ROOT}" not in said(lab)


@pytest.mark.parametrize(
    ("task", "recipe"), [("tags", "tags"), ("question pairs", "question-pairs")]
)
def test_texts_with_labels_are_learned_in_view(
    visit, long_slices, monkeypatch, task, recipe
) -> None:
    """A few updates: the numbers of the page are the trainer's, and its run opens elsewhere."""
    from pages._ui import numpy_lessons
    from tfs.numpy_engine.answers import first_text

    monkeypatch.setattr(numpy_lessons.LESSONS[task], "steps", 12)
    at = visit(PAGE, **{"numpy task": task})
    assert not at.exception and header(at, "heads")["names"][-1] == "L1H3"
    at = open_code(to_the_end(press(at, "numpy Train")))
    pupil = training(at).learner
    trainer, texts = pupil.trainer, pupil.lesson.texts
    shown = metrics(at)
    assert shown["Training loss"] == f"{pupil.log[-1][0].loss:.3f}"
    (score,) = (shown[name] for name in shown if "1,000" in name)
    assert pupil.lesson.score(trainer) == {next(n for n in shown if "1,000" in n): score}
    program = [code.value for code in at.code if code.value.startswith("import numpy")][-1]
    namespace: dict = {}
    exec(program, namespace)
    result = np.concatenate([np.ravel(part) for part in namespace["result"]])
    assert np.allclose(result, levels(at), atol=0.003)
    (tokens, segments, is_token) = first_text(trainer.held_out)
    assert is_token.data.all() and tokens.shape == segments.shape and len(tokens) == 1
    at = press(at, "open what numpy learned")
    assert at.title[0].value == "Both ways" and not at.exception and not at.error, messages(at)
    assert at.query_params["both"] == at.session_state["both"], "a reload finds it again"
    lab = visit("pages/train/live.py", run=at.session_state["both"])
    assert not lab.exception and [row[0] for row in lab.table[0].value.values] == [
        "0 updates",
        "12 updates",
        "**the truth**",
    ]
    assert f"{recipe}, trained by numpy" in str(
        at.switch_page("pages/train/runs.py").run().dataframe[0].value
    )
    assert texts.count == 1000

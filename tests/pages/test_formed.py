"""How it formed: every score and loss drawn is that of the kept step, computed here anew."""

import pytest
import torch

from tests.pages.screen import as_tensor, drawn, header, messages, said

PAGE = "pages/train/formed.py"


@pytest.fixture
def over_time():
    """scores(name) -> the kept steps, and each score at each of them, [step head], by hand."""
    import tfs
    from pages._ui.examples import EXAMPLES
    from tfs.interp import induction_score, mirror_score, previous_token_score

    kinds = {
        "previous token": previous_token_score,
        "induction": induction_score,
        "mirror": mirror_score,
    }

    def scores(name):
        bundle = tfs.load(name)
        ids = torch.tensor([bundle.tokenizer.encode(EXAMPLES[name])])
        found = {kind: [] for kind in kinds}
        for step in bundle.snapshots:
            _, cache = bundle.at_step(step).run_with_cache(ids)
            for kind, score in kinds.items():
                layers = range(bundle.model.cfg.n_layers)
                found[kind].append(torch.cat([score(cache["pattern", n], ids)[0] for n in layers]))
        return bundle, {kind: torch.stack(rows) for kind, rows in found.items()}

    return scores


def panels(figure) -> dict[str, list]:
    """The curves of each panel by the panel's title: [(name, x, y)]."""
    titles = {
        "y" + name[5:]: axis["title"]["text"]
        for name, axis in figure["layout"].items()
        if name.startswith("yaxis")
    }
    found = {title: [] for title in titles.values()}
    for trace in figure["data"]:
        curve = trace["name"], as_tensor(trace["x"]), as_tensor(trace["y"])
        found[titles[trace.get("yaxis", "y")]].append(curve)
    return found


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("induction", ["previous token", "induction"]), ("mirror", ["previous token", "mirror"])],
)
def test_scores_of_every_kept_step(visit, over_time, name, kinds) -> None:
    bundle, scores = over_time(name)
    shown = panels(drawn(visit(PAGE, model=name), "formation"))
    for kind in kinds:
        for place, (label, steps, values) in enumerate(shown[kind]):
            heads = bundle.model.cfg.n_heads
            assert label == f"L{place // heads}H{place % heads}"
            assert steps.int().tolist() == bundle.snapshots
            torch.testing.assert_close(values, scores[kind][:, place], atol=1e-5, rtol=0)


def test_losses_are_those_of_the_log(visit) -> None:
    import tfs
    from tfs.train.run import read_metrics

    metrics = read_metrics(tfs.load("induction").directory)
    ((_, steps, losses),) = panels(drawn(visit(PAGE, model="induction"), "formation"))["loss"]
    logged = {line["step"] - 1: line["loss"] for line in metrics}
    logged[metrics[-1]["step"]] = metrics[-1]["held_out"]["loss"]
    assert len(steps) > 300
    for step, loss in zip(steps.int().tolist(), losses.tolist(), strict=True):
        assert loss == pytest.approx(logged[step], abs=1e-5)


def test_the_step_on_screen_is_marked_and_is_the_frame_of_the_mosaic(visit) -> None:
    at = visit(PAGE, model="induction", snapshot="256")
    (mark,) = drawn(at, "formation")["layout"]["shapes"]
    assert mark["x0"] == mark["x1"] == 256
    head = header(at, "forming")
    assert head["frames"][head["frame"]] == "256"


def test_the_guess_is_graded_by_the_kept_steps(visit, over_time) -> None:
    bundle, scores = over_time("induction")
    when = {}
    for kind in ("previous token", "induction"):
        best = scores[kind][:, scores[kind][-1].argmax()]
        when[kind] = bundle.snapshots[int((best >= 0.5 * best.max()).nonzero()[0])]
    answer = "both at once"
    if when["previous token"] != when["induction"]:
        answer = f"the {min(when, key=when.get).replace(' ', '-')} head"
    at = visit(PAGE, model="induction")
    at = at.button_group(key="predict first").set_value(answer).run()
    assert at.success and at.success[0].value.startswith("Right.")
    for kind, step in when.items():
        assert f"the {kind} score at step {step:,}" in at.success[0].value


def test_with_powers_step_0_has_no_place(visit) -> None:
    at = visit(PAGE, model="induction", powers="true")
    figure = drawn(at, "formation")
    assert figure["layout"]["xaxis"]["type"] == "log"
    assert all(as_tensor(trace["x"]).min() > 0 for trace in figure["data"])


def test_a_model_without_kept_steps_shows_its_loss_alone(visit) -> None:
    at = visit(PAGE, model="shakespeare")
    assert not at.exception and list(panels(drawn(at, "formation"))) == ["loss"]
    assert any("No weights were kept" in message for message in messages(at))


def test_many_heads_are_shown_at_as_many_steps_as_fit(visit, monkeypatch) -> None:
    import pages._ui.formation as formation

    at = visit(PAGE, model="induction", snapshot="192")
    every, pos = header(at, "forming")["frames"], header(at, "forming")["queries"]
    monkeypatch.setattr(formation, "MOST_CELLS", 2 * pos**2 * 5)  # two heads, five steps
    at.run()
    few = header(at, "forming")["frames"]
    assert set(few) < set(every) and "192" in few and few[-1] == every[-1]
    assert 3 <= len(few) <= 6 and few == sorted(few, key=int)
    assert f"here are {len(few)} of the steps" in said(at)


def test_a_run_that_waits_is_not_said_to_have_kept_nothing(visit) -> None:
    from pages._ui import state
    from pages._ui.owner import owner
    from tfs.train.recipes import RECIPES

    library = state.run_library()
    jobs = [library.start(RECIPES["induction"], owner(), title="A run") for _ in range(8)]
    assert library.entry(name := jobs[-1].directory.name).state == "queued"
    at = visit(PAGE, model=name)
    assert not at.exception
    assert any("has only begun to be trained" in message for message in messages(at))


def test_many_heads_are_shown_at_the_step_of_the_slider_only(visit, monkeypatch) -> None:
    import pages._ui.formation as formation

    monkeypatch.setattr(formation, "MOST_CELLS", 100)
    at = visit(PAGE, model="induction", snapshot="256")
    assert header(at, "forming")["frames"] == ["256"]
    assert "too much at once: here is 1 of the steps" in said(at)
    assert formation.steps_that_fit([0], 101) == [0], "one alone is all, and nothing is said"

"""Trainings that a page drives a slice at a time: they wait, go on, take turns, and end."""

import threading
import time
from types import SimpleNamespace

import numpy as np

from tests.pages.screen import bar, press, training

PAGE = "pages/numpy_up/numpy_transformer.py"


def test_a_training_waits_while_its_reader_is_elsewhere_and_goes_on(visit) -> None:
    at = press(visit(PAGE), "numpy Train")
    before = training(at)
    done = before.done
    assert 0 < done < 300
    at.switch_page("pages/numpy_up/digits.py").run()
    assert before.done == done
    at.switch_page(PAGE).run()
    assert training(at) is before and before.done > done
    at.number_input(key="numpy seed").set_value(1).run()
    assert not at.get("progress"), "of another seed nothing is begun"
    at.number_input(key="numpy seed").set_value(0).run()
    assert before.done > done and at.get("progress")
    at = press(at, "numpy Start again")
    assert training(at) is not before
    del at.session_state["numpy in slices"]
    at.run()
    assert not at.exception and not at.get("progress") and at.button(key="numpy Train")


def test_each_task_keeps_its_training_beside_the_others(visit) -> None:
    at = press(press(visit(PAGE), "numpy Train"), "numpy Pause")
    mirror, before = training(at), bar(at)
    at.button_group(key="numpy task").set_value("characters").run()
    at = press(at, "numpy Train")
    assert training(at) is not mirror
    at.button_group(key="numpy task").set_value("mirror").run()
    assert bar(at) == before and "paused" in before


def test_others_do_not_train_at_the_same_moment(visit, monkeypatch) -> None:
    from pages._ui import in_slices

    monkeypatch.setattr(in_slices, "SECONDS_TO_WAIT", 0.01)
    with in_slices.TURNS.taken(0) as count:
        assert count == 1
        at = press(visit(PAGE), "numpy Train")
        assert not at.exception and bar(at) == "step 0 of 300"
    at.run()
    assert bar(at).startswith("step ") and "step 0 of" not in bar(at)


def test_many_learn_side_by_side_and_nobody_is_left_behind() -> None:
    """Thirty at once, each in a thread of its own as sessions are: none is left out."""
    from pages._ui.in_slices import InSlices

    class Learner:
        until, slices = 10**6, 1

        def updates(self):
            for step in range(1, self.until):
                time.sleep(0.002)
                yield SimpleNamespace(step=step, loss=1.0)

        def see(self, update) -> None:
            pass

    lives, end = [InSlices(Learner()) for _ in range(30)], time.monotonic() + 3

    def student(live) -> None:
        live.is_going = True
        while time.monotonic() < end:
            live.train()

    threads = [threading.Thread(target=student, args=(live,)) for live in lives]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [live.done for live in lives]
    assert min(done) > np.mean(done) / 3, done


def test_a_training_that_runs_away_ends_in_one_sentence(visit, monkeypatch) -> None:
    at = press(visit(PAGE), "numpy Train")
    trainer = training(at).learner.trainer
    from tfs.numpy_engine import Tensor

    trainer.loss = lambda model, batch: Tensor(np.array(np.nan))
    at.run()
    assert not at.exception and "training ran away" in at.error[0].value
    assert "numpy Pause" not in [each.key for each in at.button]
    assert at.button(key="numpy Start again")


def test_the_last_few_trainings_are_kept_and_the_oldest_is_left(visit) -> None:
    from pages._ui.in_slices import MOST_KEPT

    at = visit(PAGE)
    for seed in range(MOST_KEPT + 1):
        at.number_input(key="numpy seed").set_value(seed).run()
        at = press(press(at, "numpy Train"), "numpy Pause")
    kept = at.session_state["numpy in slices"]
    assert [settings[1] for settings in kept] == list(range(1, MOST_KEPT + 1))

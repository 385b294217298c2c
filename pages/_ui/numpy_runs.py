"""What numpy has learned becomes a run of this server, as one that was brought in as a zip."""

import json
import tempfile
from pathlib import Path

import streamlit as st

from pages._ui import state
from pages._ui.in_slices import InSlices
from pages._ui.layout import counted
from pages._ui.numpy_lessons import Pupil
from pages._ui.owner import owner
from pages._ui.training import ask_to_open
from tfs.numpy_engine import Trainer, save
from tfs.numpy_engine.files import save_arrays
from tfs.train.archive import pack
from tfs.train.branch import TEXT_FILE
from tfs.train.recipe import save_recipe
from tfs.train.run import snapshot_path


def open_elsewhere(live: InSlices) -> None:
    """A button that keeps the model as it is now, and leads to the page that opens it first."""
    st.button(
        "Open it on the other pages",
        icon=":material/visibility:",
        key="open what numpy learned",
        disabled=live.is_going or not live.done,
        on_click=_open,
        args=(live,),
        help="It becomes one of your models in the sidebar, and one of your runs; its link opens "
        "it again.",
    )


def _open(live: InSlices) -> None:
    try:
        name = kept_as_run(live)
    except (ValueError, OSError) as error:
        st.session_state["why not"] = str(error)
        return
    ask_to_open(name)


def kept_as_run(live: InSlices) -> str:
    """The name of its run; the same where it has learned nothing since.

    Raises ValueError where the library of runs cannot take it.
    """
    pupil: Pupil = live.learner
    name = pupil.runs.get(live.done, "")
    if not state.is_run(name):
        with tempfile.TemporaryDirectory() as folder:
            _write(live, pupil, Path(folder))
            title = f"{pupil.lesson.recipe(pupil.trainer).name}, trained by numpy"
            packed = pack(Path(folder), title, live.seconds)
        pupil.runs[live.done] = name = state.run_library().import_(packed, owner())
    return name


def _write(live: InSlices, pupil: Pupil, directory: Path) -> None:
    """The files of a run: its model, now and at kept steps, what it was taught, and its log."""
    lesson, recipe = pupil.lesson, pupil.lesson.recipe(pupil.trainer)
    card = (
        f"# {recipe.name}, trained by numpy\n\n{recipe.about}\n\n- **Training**: "
        f"{counted(live.done, 'update')} in {live.seconds:.1f} s by `tfs.numpy_engine`, seed "
        f"{recipe.train.seed}.\n"
    )
    save(pupil.trainer.model, directory, lesson.tokenizer, card)
    save_recipe(recipe, directory)
    (directory / "snapshots").mkdir()
    for step, weights in pupil.kept.items():
        save_arrays(weights, snapshot_path(directory, step))
    if lesson.text is not None:
        (directory / TEXT_FILE).write_text(lesson.text, encoding="utf-8", newline="")
    read = tokens_of_an_update(pupil.trainer) * live.done / live.seconds
    with (directory / "metrics.jsonl").open("w") as file:
        for step, right in pupil.log:
            line = {"step": step.step, "loss": step.loss, "lr": step.lr, "held_out": None}
            line |= {"grad_norm": step.grad_norm, "tokens_per_second": read}
            if right is not None:
                line["held_out"] = {"loss": step.held_out, **right._asdict()}
            file.write(json.dumps(line) + "\n")


def tokens_of_an_update(trainer: Trainer) -> float:
    """Padding left out; where texts differ in length, as many as those that are held out have."""
    rows = len(trainer.batches.at(0)[0])
    tokens, *others = trainer.held_out
    return rows * (others[1].data.sum() if others else tokens.numel()) / len(tokens)

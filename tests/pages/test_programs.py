"""Each page's pasted code, run alone in a fresh interpreter, gives the numbers on the page.

A page is opened with its defaults, then with each of its choices in turn. Every chart is paired
with the program in the expander below it; a page's programs run in one fresh interpreter, each in a
namespace of its own, far from this repository's folder.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from tests.pages.screen import ROOT, open_code
from tests.pages.test_pages import WITHOUT_A_MODEL

MODELS = ["mirror", "shakespeare", "induction"]
REPLAYED = {"model": "induction", "snapshot": "256"}  # as it was in the middle of its training
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.glob("pages/*/*.py") if path.parent.name != "_ui"
)
WITHOUT_PROGRAMS = {"pages/train/live.py"}  # a training's curve is no longer there to be computed
OF_ROUNDING = {"pages/numpy_up/engines.py"}  # whose numbers are rounding errors, and differ by runs
BEGINS = ("import torch\nimport tfs", "import numpy as np\nfrom tfs.numpy_engine")
LEAVE_ALONE = ("table", "camera", "ask", "model", "start", "prompt", "shown", "which")  # in a key
MOST_OPTIONS = 8
RUN_ALL = """
import json, sys, traceback
import numpy as np

def flat(value):
    if hasattr(value, "detach"):
        return value.detach().double().flatten().tolist()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, range)):
        return [number for part in value for number in flat(part)]
    return np.asarray(value, dtype=float).ravel().tolist()

results = []
for program in json.load(sys.stdin):
    namespace = {"__name__": "__main__"}
    try:
        exec(program, namespace)
        results.append(flat(namespace["result"]))
    except Exception:
        results.append(traceback.format_exc())
json.dump(results, sys.stdout)
"""


class Reading(NamedTuple):
    """The numbers of a picture in one order, and how finely it holds them."""

    values: np.ndarray
    step: float = 1e-5

    def agrees_with(self, result: list[float]) -> bool:
        """Equal as far as the picture goes; what a mask closed (-inf) may be drawn as a gap."""
        result = np.asarray(result, dtype=float)
        if result.shape != self.values.shape:
            return False
        drawn, computed = (np.where(np.isneginf(v), np.nan, v) for v in (self.values, result))
        return np.allclose(drawn, computed, rtol=1e-5, atol=self.step, equal_nan=True)


class Shown(NamedTuple):
    """A picture, the program that stands below it, and its numbers in every order they may have."""

    name: str
    program: str | None
    readings: list[Reading]
    is_chart: bool

    def agrees_with(self, result: list[float]) -> bool:
        """A component may carry its numbers in a form of its own; then they need only be there."""
        if not self.is_chart and len(result) not in [len(each.values) for each in self.readings]:
            return len(result) > 0 and bool(np.isfinite(result).all())
        return any(reading.agrees_with(result) for reading in self.readings)


def numbers(values) -> np.ndarray:
    from tfs.plots.twin import numbers as decoded

    return decoded(values).astype(float).ravel()


def readings_of_a_chart(spec: dict) -> list[Reading]:
    """All traces one behind the other: cells, ends of bars, heights of lines; or their points."""
    from tfs.plots.twin import HIDDEN

    traces = [trace for trace in spec["data"] if trace.get("meta") != HIDDEN]
    readings = [Reading(np.concatenate([numbers(trace[carrier(trace)]) for trace in traces]))]
    if all(trace["type"] in ("scatter", "scattergl", "scatter3d") for trace in traces):
        axes = "xyz" if "z" in traces[0] else "xy"
        points = [np.stack([numbers(trace[axis]) for axis in axes], -1) for trace in traces]
        readings.append(Reading(np.concatenate(points).ravel()))
    return readings


def carrier(trace: dict) -> str:
    """The axis that carries a trace's numbers; on the others are places."""
    if trace["type"] in ("heatmap", "scatter3d"):
        return "z"
    return "x" if trace.get("orientation") == "h" else "y"


def readings_of_a_component(proto) -> list[Reading]:
    """The numbers behind the JSON header: 256 levels, or floats."""
    packed = proto.bytes
    start = 4 + int.from_bytes(packed[:4], "little") if packed else 0
    levels = np.frombuffer(packed[start:], dtype=np.uint8)
    floats = levels.view("<f4") if len(levels) % 4 == 0 else levels[:0].view("<f4")
    return [Reading(floats.astype(float)), Reading(levels / 255, step=0.5 / 255 + 1e-6)]


def shown_on(at) -> Iterator[Shown]:
    """Charts and components in the order of the page, each with the next program, if it has one.

    A component may go without: what it shows is the page's business.
    """
    waiting = None
    for element in at.main:
        if element.type in ("plotly_chart", "bidi_component"):
            if waiting is not None and waiting.type == "plotly_chart":
                yield shown(waiting, None)
            waiting = element
        elif element.type == "code" and element.value.startswith(BEGINS):
            assert waiting is not None, f"no picture belongs to this program:\n{element.value}"
            yield shown(waiting, element.value)
            waiting = None
    if waiting is not None and waiting.type == "plotly_chart":
        yield shown(waiting, None)


def shown(element, program: str | None) -> Shown:
    name = element.proto.id.rpartition("-")[2]
    if element.type == "plotly_chart":
        readings = readings_of_a_chart(json.loads(element.proto.spec))
        return Shown(name, program, readings, is_chart=True)
    return Shown(name, program, readings_of_a_component(element.proto), is_chart=False)


def every_state(at) -> Iterator[None]:
    """The page with its defaults, then with each choice in turn: steps, kinds, switches, ends."""
    yield
    for kind in ("button_group", "selectbox", "toggle", "slider"):
        for key in [widget.key for widget in at.get(kind) if widget.key]:
            words = key.split()
            if not {words[0], words[-1]} & {*LEAVE_ALONE, "predict"}:
                yield from each_choice(at, kind, key)


def each_choice(at, kind: str, key: str) -> Iterator[None]:
    """The page with each other value of one widget, which gets its own back at the end."""

    def widget():
        return next((one for one in at.get(kind) if one.key == key), None)

    before = widget()
    if before is None:  # another choice has put it away
        return
    was = before.value
    if kind == "toggle":
        values = [not was]
    elif kind == "slider":
        values = [before.max]
    elif kind == "selectbox":
        values = [option for option in before.options if option != was][-2:]
    else:
        values = [as_chosen(option) for option in before.options[-MOST_OPTIONS:]]
        values = values[-1:] if all(isinstance(value, int) for value in values) else values
    for value in values:
        if (now := widget()) is not None and value != was:
            now.set_value(value).run()
            assert not at.exception, (key, value)
            yield
    if (now := widget()) is not None:
        now.set_value(was).run()


def as_chosen(option: str) -> int | str:
    """Options come as they are written; layers and heads are numbers."""
    return int(option) if option.isdecimal() else option


def run_alone(programs: list[str], folder) -> list:
    """What each program's `result` is, flattened, or its traceback as text."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN_ALL],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def compare(pictures: dict[str, list[Shown]], folder) -> list[str]:
    """Where a program does not give the numbers of its picture, in words."""
    wrong = []
    for (program, same), result in zip(
        pictures.items(), run_alone(list(pictures), folder), strict=True
    ):
        for picture in same:
            what = f"{picture.name}\n{program}\n"
            if isinstance(result, str):
                wrong.append(what + result)
            elif not picture.agrees_with(result):
                sizes = [len(reading.values) for reading in picture.readings]
                wrong.append(f"{what}gives {len(result)} numbers; the picture has {sizes}")
    return wrong


def collect(at, pictures: dict[str, list[Shown]], bare: set[str], page: str = "") -> None:
    for picture in shown_on(open_code(at)):
        if page in OF_ROUNDING:  # of one size is all that they can be
            sizes = [np.abs(reading.values).max(initial=0.0) for reading in picture.readings]
            pairs = zip(picture.readings, sizes, strict=True)
            picture = picture._replace(readings=[r._replace(step=3 * size) for r, size in pairs])
        if picture.program is None:
            bare.add(picture.name)
        else:
            pictures.setdefault(picture.program, []).append(picture)


def assert_all_agree(pictures: dict[str, list[Shown]], folder) -> None:
    wrong = compare(pictures, folder)
    assert not wrong, f"{len(wrong)} of {len(pictures)}:\n\n" + "\n\n".join(wrong[:3])


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_figure_has_a_program_that_gives_its_numbers(visit, page, tmp_path) -> None:
    pictures, bare = {}, set()
    for query in ({"model": "shakespeare"}, REPLAYED):  # the others: after every choice, below
        at = visit(page, **query)
        assert not at.exception
        collect(at, pictures, bare, page)
    assert not bare or page in WITHOUT_PROGRAMS
    assert_all_agree(pictures, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "model"),
    [
        (page, model)
        for page in sorted({*PAGES} - WITHOUT_PROGRAMS)
        for model in (MODELS[:1] if page in WITHOUT_A_MODEL else MODELS)
    ],
)
def test_so_does_it_after_every_choice(visit, page, model, tmp_path) -> None:
    pictures, bare = {}, set()
    at = visit(page, model=model)
    for _ in every_state(at):
        collect(at, pictures, bare, page)
    assert not bare
    assert_all_agree(pictures, tmp_path)


@pytest.mark.slow
def test_programs_hold_whatever_was_typed(visit, tmp_path) -> None:
    pictures, bare = {}, set()
    for page in ("pages/read/attention.py", "pages/read/block.py"):
        for prompt in ("x", """a "b" 'c' \\ {d}\n<b>e</b> \'\'\'""", "🎭 שלום"):
            at = visit(page, model="shakespeare", prompt=prompt)
            assert not at.exception and not at.error
            collect(at, pictures, bare)
    assert pictures and not bare
    assert_all_agree(pictures, tmp_path)


def test_a_program_that_gives_other_numbers_is_noticed(visit, tmp_path) -> None:
    """The test of this test: results of another size, other numbers, none, or an error."""
    at = visit("pages/inspect/lens.py", model="mirror")
    right = next(shown_on(open_code(at)))
    changes = ("result = result[1:]", "result = result + 1e-3", "del result", "1 / 0")
    changed = {f"{right.program}\n{change}": [right] for change in changes}
    wrong = compare({right.program: [right]} | changed, tmp_path)
    assert len(wrong) == len(changes)
    assert all(change in told for change, told in zip(changes, wrong, strict=True))

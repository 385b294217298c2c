"""What stands on a page under AppTest: figures as JSON, messages, and numbers as tensors."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


def figures(at) -> list[dict]:
    return [json.loads(element.proto.spec) for element in at.get("plotly_chart")]


def pictures(at) -> list:
    """Figures, and components that were given numbers to draw."""
    return figures(at) + [c for c in at.get("bidi_component") if c.proto.bytes]


def open_code(at):
    """Every box of code opened, as a reader may do, and the page as it stands then."""
    keys = [box.proto.id.split("-", 2)[2] for box in at.expander if box.proto.id]
    closed = [key for key in keys if key not in at.session_state or not at.session_state[key]]
    for key in closed:
        at.session_state[key] = True
    return at.run() if closed else at


def messages(at) -> list[str]:
    return [element.value for element in [*at.error, *at.info]]


def as_tensor(cells):
    """Plotly writes arrays as base64, or as lists."""
    import base64

    import numpy as np
    import torch

    if isinstance(cells, dict):
        flat = np.frombuffer(base64.b64decode(cells["bdata"]), dtype=cells["dtype"])
        cells = flat.reshape([int(n) for n in str(cells.get("shape", len(flat))).split(",")])
    return torch.tensor(np.asarray(cells, dtype=np.float32))


def close(found, expected, atol=2e-4) -> None:
    """Numbers as a component was given them are those that the model has."""
    import torch

    torch.testing.assert_close(found, expected.detach(), atol=atol, rtol=1e-4)


def drawn(at, key: str) -> dict | None:
    """The figure with this key, if it is there."""
    charts = [c for c in at.get("plotly_chart") if c.proto.id.endswith(f"-{key} figure")]
    assert len(charts) <= 1, key
    return json.loads(charts[0].proto.spec) if charts else None


def maps(at, key: str):
    """The numbers of a component of cell maps, by title: {title: [row column]}; {} without it."""
    import numpy as np
    import torch

    protos = [c.proto for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key}")]
    assert len(protos) <= 1, key
    if not protos:
        return {}
    packed = protos[0].bytes
    end = 4 + int.from_bytes(packed[:4], "little")
    head = json.loads(packed[4:end])
    shape = [len(head["panels"]), *(len(head[axis]["labels"]) for axis in ("rows", "columns"))]
    numbers = torch.tensor(np.frombuffer(packed[end:], dtype="<f4").reshape(shape).copy())
    return dict(zip([panel["title"] for panel in head["panels"]], numbers, strict=True))


def bars(at, key: str):
    """The numbers of aligned bars, {title: [token]}, or [line token] of lines; {} without them."""
    import numpy as np
    import torch

    protos = [c.proto for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key}")]
    if not protos:
        return {}
    head, packed = header(at, key), protos[0].bytes
    flat = np.frombuffer(packed[4 + int.from_bytes(packed[:4], "little") :], dtype="<f4")
    numbers = torch.tensor(flat.reshape(-1, len(head["axis"]["labels"])).copy())
    found = numbers.split([len(row["lines"]) or 1 for row in head["rows"]])
    return {
        row["title"]: lines if row["lines"] else lines[0]
        for row, lines in zip(head["rows"], found, strict=True)
    }


def header(at, key: str) -> dict:
    """What the component with this key was told besides its numbers."""
    (packed,) = (c.proto.bytes for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key}"))
    return json.loads(packed[4 : 4 + int.from_bytes(packed[:4], "little")])


def the_map(at, key: str):
    """The numbers of a component that has one map, [row column]."""
    (cells,) = maps(at, key).values()
    return cells


def cloud(at):
    """What the points in space were told, and where they lie, [row 3]."""
    import numpy as np
    import torch

    (packed,) = (c.proto.bytes for c in at.get("bidi_component") if c.proto.id.endswith("-cloud"))
    points = np.frombuffer(packed[4 + int.from_bytes(packed[:4], "little") :], dtype="<f4")
    return header(at, "cloud"), torch.tensor(points.reshape(-1, 3).copy())


def said(at) -> str:
    """All prose and captions of the page."""
    return "\n".join(element.value for element in [*at.markdown, *at.caption])


def out_of_reach(at):
    """The mass that each lane of the race cannot reach, step by step."""
    figure = next(f for f in figures(at) if f["data"][0].get("name") == "greedy")
    return {trace["name"]: as_tensor(trace["y"]) for trace in figure["data"]}


def written(at, lane):
    """A lane's strip: its labels, and the probability of each token."""
    import torch

    for element in at.get("bidi_component"):
        packed = element.proto.bytes
        size = int.from_bytes(packed[:4], "little")
        head = json.loads(packed[4 : 4 + size]) if packed else {}
        if head.get("name", "").startswith(f"{lane}, coloured"):
            floats = torch.frombuffer(bytearray(packed[4 + size :]), dtype=torch.float32)
            return {"labels": head["labels"], "probs": floats}
    raise AssertionError(f"no strip for {lane}")


def can_turn(at, key: str, name: str) -> bool:
    """Whether the buttons of these steps have one of this name that leads anywhere."""
    data = _turns(at, key)
    return _target(data, name) != data["place"]


def turn(at, key: str, name: str):
    """A press of that button, as the browser sends it, and the page as it stands then."""
    data, states = _turns(at, key), at._tree.get_widget_states()
    pressed = {"at": {"place": _target(data, name), "press": data["press"] + 1}}
    states.widgets.add(id=_proto(at, key).id, json_value=json.dumps(pressed))
    return at._run(states)


def _turns(at, key: str) -> dict:
    return json.loads(_proto(at, key).json)


def _proto(at, key: str):
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key} turns"))
    return proto


def _target(data: dict, name: str) -> int:
    """What assets/components/turns.js reckons."""
    (button,) = (b for b in data["buttons"] if name in b["name"])
    place = button.get("to", data["place"] + button.get("by", 0))
    if "row" in button:
        place = (data["place"] // button["row"] + 1) * button["row"]
    return min(max(place, 0), data["last"])


def press(at, key: str):
    """The page after one of its buttons."""
    return at.button(key=key).click().run()


def training(at):
    """The last that was begun on the page of the numpy Transformer."""
    return list(at.session_state["numpy in slices"].values())[-1]


def bar(at) -> str:
    """How far a training is, in words."""
    return at.get("progress")[0].proto.text

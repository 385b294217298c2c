"""What the tests of the page of architectures read of its drawings."""

import json

PAGE = "pages/read/architectures.py"


def the_map(at, key: str) -> dict:
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key}"))
    return json.loads(proto.json)


def parts_of(road: dict) -> list[dict]:
    return [part for row in road["rows"] for part in [*row["parts"], *row["gates"]]]

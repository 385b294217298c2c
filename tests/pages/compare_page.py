"""What stands on the page of two models side by side, and the pairs that its tests open."""

import numpy as np
import torch

from tests.pages.screen import header

PAGE = "pages/train/compare.py"
MIRRORED = "41 7 93 28 60 15 82 3 3 82 15 60"
BOTH = {"model": "mirror", "other": "mirror-no-positions", "prompt": MIRRORED}
TWICE = {"model": "mirror", "other": "mirror", "snapshot": "48", "linked": "false"}
VIEWS = "Loss,All heads,One head,Head scores,Logit lens,Output,Embeddings,Norms".split(",")


def levels(at, key):
    """The patterns of a mosaic as they travel, in 256 levels, [head query key]."""
    head = header(at, key)
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith(f"-{key}"))
    start = 4 + int.from_bytes(proto.bytes[:4], "little")
    shape = len(head["names"]), head["queries"], head["keys"]
    cells = np.frombuffer(proto.bytes[start:], dtype=np.uint8)[: np.prod(shape)]
    return torch.tensor(cells.reshape(shape) / 255.0)


def shown_step(at) -> str:
    """What the page says of where B stands."""
    (told,) = (c.value for c in at.caption if c.value.startswith("B is "))
    return told

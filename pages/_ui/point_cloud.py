"""Points in three dimensions, to be turned by the reader."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from pages._ui.components import component, packed, shown
from tfs.plots.embeddings import component_names, points_in_words, short_names
from tfs.plots.theme import DISCRETE

_point_cloud = component(
    "point_cloud", '<div class="cloud"></div><div class="status" aria-live="polite"></div>'
)


def point_cloud(
    points: Tensor,
    labels: Sequence[str],
    *,
    key: str,
    explained: Sequence[float],
    highlight: Sequence[int],
    lock: int,
    path: bool,
    what: str,
) -> None:
    """Points [row 3], with the label of each; the other arguments are those of scatter_3d."""
    floats = np.ascontiguousarray(points.detach().numpy(), dtype="<f4")
    head = {
        "labels": shown(labels),
        "alt": points_in_words(floats, labels, what, explained, lock),
        "axes": short_names(component_names(3, explained)),
        "marked": list(highlight),
        "lock": lock,
        "path": path,
        "what": what,
        "colours": DISCRETE[:2],
        "hint": "Drag the picture to turn it, or use its arrow keys. Hover or touch a point to "
        "read it.",
    }
    _point_cloud(key=key, data=packed(head, floats))

"""What stands on a page under AppTest: figures as JSON, messages, and numbers as tensors."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


def figures(at) -> list[dict]:
    return [json.loads(element.proto.spec) for element in at.get("plotly_chart")]


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

"""Writing files whole or not at all; what holds no tensor is in tfs.files."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from tfs.files import read_json, write_atomically, write_json

__all__ = ["read_json", "save_tensors", "write_atomically", "write_json"]


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, lambda partial: save_file(contiguous, partial))

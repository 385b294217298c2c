"""The real MNIST, where its four idx files are at hand; nothing is downloaded."""

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from tfs.numpy_engine.by_hand.digits import CATEGORIES, Images, Split

BYTES_OF_NUMBERS = 8  # idx's code for unsigned bytes, the only kind that MNIST uses


def mnist_folder() -> Path:
    """TFS_DATA_DIR/mnist. Raises FileNotFoundError where the variable is not set."""
    if "TFS_DATA_DIR" not in os.environ:
        raise FileNotFoundError(
            "TFS_DATA_DIR is not set; set it to a directory with MNIST's idx files in its mnist/"
        )
    return Path(os.environ["TFS_DATA_DIR"]) / "mnist"


def load_mnist(folder: Path | None = None) -> Split:
    """Its own two parts: 60,000 images to learn from and 10,000 held out, 28 x 28 pixels each.

    Raises FileNotFoundError for a file that is missing, ValueError for one that is damaged.
    """
    folder = folder or mnist_folder()
    return Split(_images(folder, "train"), _images(folder, "t10k"))


def _images(folder: Path, part: str) -> Images:
    image_path = _found(folder, f"{part}-images-idx3-ubyte")
    label_path = _found(folder, f"{part}-labels-idx1-ubyte")
    pixels, labels = read_idx(image_path, n_axes=3), read_idx(label_path, n_axes=1)
    if not 0 < len(pixels) == len(labels):
        raise ValueError(
            f"{image_path.name} has {len(pixels)} images and {label_path.name} {len(labels)} "
            "labels; they must be as many, and at least one: download both again"
        )
    if labels.max() >= CATEGORIES:
        raise ValueError(
            f"{label_path.name} has the label {labels.max()}, and a digit is at most "
            f"{CATEGORIES - 1}; download it again"
        )
    return Images(pixels.reshape(len(pixels), -1) / 255, labels.astype(np.int64))


def _found(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{folder} has neither {name} nor {name}.gz; put one of them there")


def read_idx(path: Path, n_axes: int) -> np.ndarray:
    """The bytes of an idx file, gzipped or not, as an array with so many axes.

    Two zeros, the kind of number and the number of axes, a byte each; the length of each axis, four
    bytes, the largest first; then the numbers. Raises ValueError where a file is otherwise.
    """
    raw = path.read_bytes()
    try:
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (EOFError, OSError, zlib.error):
        raise ValueError(f"{path.name} is no whole gzip file; download it again") from None
    start = 4 + 4 * n_axes
    if raw[:4] != bytes([0, 0, BYTES_OF_NUMBERS, n_axes]) or len(raw) < start:
        raise ValueError(
            f"{path.name} is no idx file of unsigned bytes with {n_axes} "
            f"{'axis' if n_axes == 1 else 'axes'}; download it again"
        )
    shape = [int.from_bytes(raw[at : at + 4], "big") for at in range(4, start, 4)]
    if len(raw) - start != math.prod(shape):
        raise ValueError(
            f"{path.name} says that it has {math.prod(shape)} numbers, and has "
            f"{len(raw) - start}; download it again"
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)

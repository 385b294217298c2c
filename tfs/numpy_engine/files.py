"""Models on disk: the four files that tfs.save writes and tfs.load opens, read and written here.

config.json, model.safetensors, tokenizer.json and README.md. No file is ever unpickled.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tfs.files import write_atomically, write_json
from tfs.numpy_engine.config import Config
from tfs.numpy_engine.encoder import (
    EncoderClassifier,
    EncoderOnly,
    PairClassifier,
    TokenClassifier,
)
from tfs.numpy_engine.tensor import Array
from tfs.numpy_engine.transformer import Transformer
from tfs.tokenizers import Tokenizer, save_tokenizer

FORMAT_VERSION = 1
Model = Transformer | EncoderOnly | EncoderClassifier
MAKE: dict[str, Callable[[Config, tuple[str, ...]], Model]] = {  # by model_type
    "tfs-decoder-only": lambda cfg, labels: Transformer(cfg),
    "tfs-encoder-only": lambda cfg, labels: EncoderOnly(cfg),
    "tfs-token-classifier": lambda cfg, labels: TokenClassifier(EncoderOnly(cfg), labels),
    "tfs-pair-classifier": lambda cfg, labels: PairClassifier(EncoderOnly(cfg), labels),
}
TYPES = dict(zip((Transformer, EncoderOnly, TokenClassifier, PairClassifier), MAKE, strict=True))


def save(model: Model, directory: str | Path, tokenizer: Tokenizer, card: str = "") -> None:
    """Write the four files; tfs.load(directory) opens them, and so does every page."""
    directory = Path(directory)
    header = {"model_type": TYPES[type(model)], "format_version": FORMAT_VERSION}
    if isinstance(model, EncoderClassifier):
        header["labels"] = list(model.labels)
    write_json(directory / "config.json", header | model.cfg.to_dict())
    arrays = {name: parameter.data for name, parameter in model.named_parameters()}
    save_arrays(arrays, directory / "model.safetensors")
    save_tokenizer(tokenizer, directory / "tokenizer.json")
    write_atomically(directory / "README.md", lambda partial: partial.write_text(card))


def load(directory: str | Path) -> Model:
    """The model of a directory that this or tfs.save wrote, in the precision of its config.

    Raises ValueError, in one sentence, for what is missing, damaged, or not done here.
    """
    directory = Path(directory)
    model = made_from(directory / "config.json")
    path = directory / "model.safetensors"
    weights = load_arrays(path)
    for name, array in weights.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} holds something other than finite numbers")
    try:
        model.load_state_dict(weights)
    except ValueError as error:
        raise ValueError(f"{path} does not fit its config.json: {error}") from None
    return model


def made_from(path: Path) -> Model:
    """A model as a config.json describes it, with random weights.

    Raises ValueError for what describes no model, or none that can be done here.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; a checkpoint needs it")
    try:
        fields = json.loads(path.read_bytes())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError(f"{path} is damaged: it is not JSON") from None
    fields = fields if isinstance(fields, dict) else {}
    for name, known in (("model_type", list(MAKE)), ("format_version", [FORMAT_VERSION])):
        if fields.get(name) not in known:
            raise ValueError(
                f"{path}: {name} is {fields.get(name)!r}; the numpy engine reads "
                f"{', '.join(map(repr, known))}"
            )
    make, _ = MAKE[fields.pop("model_type")], fields.pop("format_version")
    labels = fields.pop("labels", [])
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"{path}: labels must be a list of names")
    try:
        return make(Config.from_dict(fields), tuple(labels))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def save_arrays(arrays: dict[str, Array], path: Path) -> None:
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(path, lambda partial: save_file(whole, partial))


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Raises ValueError for a file that is missing or damaged."""
    if not path.is_file():
        raise ValueError(f"{path} is missing; a checkpoint needs it")
    try:
        return load_file(path)
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} is damaged or holds no numbers of ours ({error})") from None

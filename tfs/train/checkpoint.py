"""A model on disk, as Hugging Face lays it out: config.json, model.safetensors, tokenizer.json,
README.md.

Nothing is unpickled, ever. A directory from elsewhere is checked piece by piece (size, JSON, field
names, the exact keys and shapes of the tensors, finite numbers) and refused in one sentence before
memory is taken for its weights.
"""

import dataclasses
import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tfs.arithmetic import weight_shapes
from tfs.hooks import HookedModel
from tfs.model import Kind, TransformerConfig, kind_of
from tfs.model.architectures import DECODER_ONLY
from tfs.model.architectures import MAKE as ARCHITECTURES
from tfs.tokenizers import Tokenizer
from tfs.tokenizers.files import load_tokenizer, save_tokenizer
from tfs.train.files import save_tensors, write_atomically, write_json

BUNDLED = Path(__file__).resolve().parents[2] / "assets" / "checkpoints"
MODEL_TYPE = "tfs-{}"  # with the name of the architecture
FORMAT_VERSION = 1
LARGEST_JSON = 2**20
LARGEST_WEIGHTS = 2**31
MOST_LAYERS = 512
SNAPSHOT = re.compile(r"step_(\d{6,})\.safetensors")


class CheckpointError(ValueError):
    """A checkpoint that cannot be opened, and why, in one sentence."""


@dataclass(frozen=True)
class Bundle:
    """A model with what it needs to be used: its tokenizer, its card, and its past.

    model: a DecoderOnly, unless the checkpoint is of another architecture (tfs.model.Kind).
    """

    model: HookedModel
    tokenizer: Tokenizer
    card: str = ""
    directory: Path | None = None

    @property
    def snapshots(self) -> list[int]:
        """The training steps whose weights were kept, in order."""
        if self.directory is None:
            return []
        files = (self.directory / "snapshots").glob("step_*.safetensors")
        return sorted(int(match[1]) for file in files if (match := SNAPSHOT.fullmatch(file.name)))

    def at_step(self, step: int) -> HookedModel:
        """The model after `step` updates. Raises ValueError for a step that was not kept."""
        if self.directory is None or step not in self.snapshots:
            kept = ", ".join(map(str, self.snapshots)) or "none"
            raise ValueError(f"step {step} was not kept; the steps that were: {kept}")
        path = self.directory / "snapshots" / f"step_{step:06d}.safetensors"
        kind = kind_of(self.model)
        return model_from(kind, read_weights(path, kind))


def save(bundle: Bundle, directory: str | Path) -> None:
    """Write a bundle's four files; each appears whole or not at all."""
    directory = Path(directory)
    write_config(kind_of(bundle.model), directory)
    save_tensors(dict(bundle.model.named_parameters()), directory / "model.safetensors")
    save_tokenizer(bundle.tokenizer, directory / "tokenizer.json")
    write_atomically(directory / "README.md", lambda partial: partial.write_text(bundle.card))


def write_config(kind: Kind, directory: Path) -> None:
    header: dict[str, Any] = {"model_type": MODEL_TYPE.format(kind.architecture)}
    header |= {"format_version": FORMAT_VERSION}
    if kind.labels:
        header["labels"] = list(kind.labels)
    write_json(directory / "config.json", header | kind.cfg.to_dict())


def load(name_or_directory: str | Path) -> Bundle:
    """Open a bundled checkpoint by name, or any directory that `save` wrote.

    Raises CheckpointError (a ValueError) for what is missing, damaged, or not ours.
    """
    bundled = BUNDLED / str(name_or_directory)
    directory = bundled if str(name_or_directory) in bundled_names() else Path(name_or_directory)
    if not directory.is_dir():
        raise CheckpointError(
            f"there is no checkpoint {str(name_or_directory)!r}; give a directory, or one of the "
            f"bundled names: {', '.join(bundled_names())}"
        )
    kind = read_config(directory / "config.json")
    cfg, model = kind.cfg, model_from(kind, read_weights(directory / "model.safetensors", kind))
    try:
        tokenizer = load_tokenizer(directory / "tokenizer.json")
    except (ValueError, OSError) as error:
        raise CheckpointError(str(error)) from None
    if tokenizer.d_vocab > cfg.d_vocab:
        raise CheckpointError(
            f"{directory}: the tokenizer has {tokenizer.d_vocab} tokens, more than the model's "
            f"d_vocab = {cfg.d_vocab}; they do not belong together"
        )
    card = directory / "README.md"
    text = card.read_text() if card.is_file() and card.stat().st_size <= LARGEST_JSON else ""
    return Bundle(model, tokenizer, text, directory)


def bundled_names(architecture: str | None = None) -> list[str]:
    """The checkpoints that come with the project; of one architecture only, if it is named."""
    names = sorted(path.parent.name for path in BUNDLED.glob("*/config.json"))
    if architecture is None:
        return names
    kinds = {name: read_config(BUNDLED / name / "config.json") for name in names}
    return [name for name in names if kinds[name].architecture == architecture]


def model_from(kind: Kind, weights: dict[str, Tensor]) -> HookedModel:
    """A model with these weights, ready to be shared: it asks for no gradients."""
    model = kind.make()
    model.load_state_dict(weights)
    return model.requires_grad_(False)


def read_config(path: Path) -> Kind:
    """What a config.json of ours describes. Raises CheckpointError for anything else."""
    fields = _read_small_json(path)
    ours = {MODEL_TYPE.format(architecture): architecture for architecture in ARCHITECTURES}
    model_type = fields.pop("model_type", None) if isinstance(fields, dict) else None
    if not isinstance(model_type, str) or model_type not in ours:
        raise CheckpointError(
            f"{path} is not a config of this project: its model_type is none of {', '.join(ours)}"
        )
    version = fields.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format_version {version!r}; this version reads {FORMAT_VERSION}"
        )
    labels = fields.pop("labels", [])
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise CheckpointError(f"{path}: labels must be a list of names")
    try:
        kind = Kind(TransformerConfig.from_dict(fields), ours[model_type], tuple(labels))
        tensor_shapes(kind)
        return kind
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}") from None


def read_weights(path: Path, kind: Kind) -> dict[str, Tensor]:
    """Exactly the tensors of `kind`; names and shapes are compared before any is loaded."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; a checkpoint needs it")
    if path.stat().st_size > LARGEST_WEIGHTS:
        raise CheckpointError(
            f"{path} is larger than {LARGEST_WEIGHTS // 2**30} GiB, the most we open"
        )
    wanted = tensor_shapes(kind)
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            _compare(path, found, wanted)
            weights = {name: file.get_tensor(name) for name in wanted}
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error})") from None
    for name, tensor in weights.items():
        if not tensor.is_floating_point() or not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds something other than finite numbers")
    return weights


def tensor_shapes(kind: Kind) -> dict[str, tuple[int, ...]]:
    """Every tensor of a checkpoint and its shape, from the config alone."""
    cfg = kind.cfg
    if kind.architecture != DECODER_ONLY:
        if cfg.n_layers > MOST_LAYERS:
            raise ValueError(f"n_layers is {cfg.n_layers}, more than the {MOST_LAYERS} we open")
        return kind.shapes()
    sizes = dataclasses.asdict(cfg)
    shapes: dict[str, tuple[int, ...]] = {}
    for name, axes in weight_shapes(cfg).items():
        shape = tuple(sizes[axis] for axis in axes)
        counts = (cfg.n_layers, cfg.num_experts)[: name.count("*")]  # of blocks.*, of experts.*
        for numbers in itertools.product(*map(range, counts)):
            shapes[name.replace("*", "{}").format(*numbers)] = shape
    return shapes


def _compare(path: Path, found: dict[str, tuple], wanted: dict[str, tuple]) -> None:
    if missing := [name for name in wanted if name not in found]:
        raise CheckpointError(f"{path} lacks {missing[0]}, which its config.json asks for")
    if foreign := [name for name in found if name not in wanted]:
        raise CheckpointError(f"{path} holds {foreign[0]}, which its config.json does not ask for")
    for name, shape in wanted.items():
        if found[name] != shape:
            raise CheckpointError(
                f"{path}: {name} has shape {list(found[name])}, but config.json makes it "
                f"{list(shape)}"
            )


def _read_small_json(path: Path) -> Any:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; a checkpoint needs it")
    if path.stat().st_size > LARGEST_JSON:
        raise CheckpointError(
            f"{path} is larger than {LARGEST_JSON // 2**20} MiB, the most we read"
        )
    try:
        return json.loads(path.read_bytes())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise CheckpointError(f"{path} is damaged: it is not JSON") from None

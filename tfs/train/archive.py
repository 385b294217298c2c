"""A run as one zip file, to take along and to bring back.

What comes back may come from anybody. Names, number and sizes are checked before anything is
unpacked, and every part is then read by the one that checks it: see checkpoint.py for the weights.
"""

import csv
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from tfs.model import kind_of
from tfs.tasks.corpus import read_text
from tfs.tasks.named import file_of
from tfs.train.branch import TEXT_FILE
from tfs.train.checkpoint import LARGEST_JSON, SNAPSHOT, load, read_weights
from tfs.train.recipe import RECIPE_FILE, Recipe, read_recipe, save_recipe
from tfs.train.run import read_metrics

METRICS_FILE = "metrics.csv"
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "README.md")
FILES = (*MODEL_FILES, RECIPE_FILE, "train.json", TEXT_FILE)
LARGEST_ZIP = 512 * 2**20  # bytes, packed or not
MOST_FILES = 1000
MOST_SECONDS = 1e9
NUMBERS = ("loss", "lr", "grad_norm", "tokens_per_second")
HELD_OUT = ("loss", "accuracy", "exact")
COLUMNS = ("step", *NUMBERS, *(f"held_out_{name}" for name in HELD_OUT))


class Told(NamedTuple):
    """What a zip says of its run in its comment, beside the files: seconds of training."""

    title: str = ""
    seconds: float = 0.0


def pack(directory: Path, title: str, seconds: float) -> bytes:
    """The run in `directory` as a zip; weights hardly shrink, so they are only stored.

    title, seconds: what it is called, and of training, for `told_by` to read.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            if (directory / name).is_file():
                archive.write(directory / name, name)
        for path in sorted((directory / "snapshots").glob("step_*.safetensors")):
            archive.write(path, f"snapshots/{path.name}", zipfile.ZIP_STORED)
        archive.writestr(METRICS_FILE, metrics_csv(directory))
        archive.comment = json.dumps({"title": title, "seconds": seconds}).encode()
    return packed.getvalue()


def told_by(data: bytes) -> Told:
    """What is told of a run that `unpack` has taken; nothing where nobody did, or told nonsense."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        comment = archive.comment
    try:
        told = Told(**json.loads(comment))
        return Told(str(told.title).strip(), min(max(0.0, float(told.seconds)), MOST_SECONDS))
    except (TypeError, ValueError, RecursionError):
        return Told()


def metrics_csv(directory: Path) -> str:
    """One line per update; the held-out columns are empty where nothing was measured."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for line in read_metrics(directory):
        held_out = {f"held_out_{name}": value for name, value in (line["held_out"] or {}).items()}
        writer.writerow(line | held_out)
    return text.getvalue()


def unpack(data: bytes, directory: Path) -> Recipe:
    """Write the run that `pack` packed into an empty directory, checked part by part.

    Raises ValueError, in one sentence, for anything else; the directory is then worth nothing.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in _allowed(archive, len(data)):
                path = directory / entry.filename
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"this is not a zip file that can be opened: {error}") from None
    bundle, recipe = load(directory), _recipe(directory)
    if (recipe.model, recipe.architecture) != kind_of(bundle.model)[:2]:
        raise ValueError(f"{RECIPE_FILE} and config.json describe different models")
    for step in bundle.snapshots:
        path = directory / "snapshots" / f"step_{step:06d}.safetensors"
        read_weights(path, kind_of(bundle.model))
    if (directory / TEXT_FILE).is_file():
        read_text(directory / TEXT_FILE)
    _restore_metrics(directory)
    return recipe


def _allowed(archive: zipfile.ZipFile, packed: int) -> list[zipfile.ZipInfo]:
    """The archive's entries, if all of them are files of a run and together not too large."""
    entries = archive.infolist()
    size = max(packed, sum(entry.file_size for entry in entries))
    if size > LARGEST_ZIP or len(entries) > MOST_FILES:
        raise ValueError(
            f"this zip file holds {len(entries)} files of {size:,} bytes; the most that is taken "
            f"is {MOST_FILES} files of {LARGEST_ZIP:,} bytes"
        )
    names = [entry.filename for entry in entries]
    for name in names:
        folder, _, file = name.rpartition("/")
        is_snapshot = folder == "snapshots" and SNAPSHOT.fullmatch(file)
        if not (is_snapshot or name in (*FILES, METRICS_FILE)) or names.count(name) > 1:
            raise ValueError(
                f"this zip file holds {name[:80]!r}, which is no file of an exported run, or "
                "holds it twice; choose a file that was exported here"
            )
    for entry in entries:
        if entry.filename.endswith(".json") and entry.file_size > 8 * LARGEST_JSON:
            raise ValueError(f"{entry.filename} in this zip file is larger than any of ours")
    return entries


def _recipe(directory: Path) -> Recipe:
    try:
        recipe = read_recipe(directory)
    except RecursionError:
        raise ValueError(f"{RECIPE_FILE} is damaged: it is nested too deeply") from None
    if (file := file_of(recipe.task, recipe.task_options)) not in (None, TEXT_FILE):
        raise ValueError(f"{RECIPE_FILE} names the file {file[:80]!r}, which is not in it")
    if not isinstance(recipe.name, str) or not isinstance(recipe.about, str):
        raise ValueError(f"{RECIPE_FILE} is damaged: name and about must be text")
    save_recipe(recipe, directory)  # whole, also where parts were left to their defaults
    return recipe


def _restore_metrics(directory: Path) -> None:
    """metrics.csv back to metrics.jsonl; the accuracies by position did not come along."""
    path = directory / METRICS_FILE
    lines, before = [], 0
    if path.is_file():
        try:
            for row in csv.DictReader(path.read_text().splitlines(), strict=True):
                lines.append(json.dumps(_line(row, before)) + "\n")
                before = int(row["step"])
        except (ValueError, TypeError, KeyError, csv.Error):
            raise ValueError(
                f"line {len(lines) + 2} of {METRICS_FILE} is not one of an exported run"
            ) from None
        path.unlink()
    (directory / "metrics.jsonl").write_text("".join(lines))


def _line(row: dict[str, Any], before: int) -> dict[str, Any]:
    if tuple(row) != COLUMNS or int(row["step"]) != before + 1:
        raise ValueError
    line = {"step": int(row["step"]), **{name: float(row[name]) for name in NUMBERS}}
    if not row["held_out_loss"]:
        return line | {"held_out": None}
    held_out = {name: float(row[f"held_out_{name}"]) for name in HELD_OUT}
    return line | {"held_out": held_out | {"by_position": []}}

"""The laws of the house: who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("tfs/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"])
HEAVY = ("transformer_lens", "transformers")
ROOMS = {path.parent.name for path in ROOT.glob("tfs/*/__init__.py")}
MAY_IMPORT = {
    "hooks": set(),
    "model": {"hooks"},
    "templates": set(),
    "tokenizers": set(),
    "tasks": {"templates", "tokenizers"},
    "arithmetic": {"model"},
    "interop": {"hooks", "model", "tokenizers", "numpy_engine"},
    "interp": {"hooks"},
    "plots": set(),
    "train": {"hooks", "model", "tokenizers", "tasks", "arithmetic"},
    "bugs": {"hooks", "model", "tasks", "train"},
    "cli": {"model", "tokenizers", "tasks", "arithmetic", "train"},
    "numpy_engine": {"templates", "tokenizers", "cli"},
}


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Dotted names that a file imports."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_laws_of_every_file(path: Path) -> None:
    top_rooms = {name.split(".")[0] for name in imports(path)}
    in_tfs = path.is_relative_to(ROOT / "tfs")
    if in_tfs:
        assert "streamlit" not in top_rooms
        assert "pages" not in top_rooms
    if not path.is_relative_to(ROOT / "tfs" / "plots") and path.parent.name != "_ui":
        assert "plotly" not in top_rooms
    assert not {name.split(".")[0] for name in imports(path, top_level_only=True)} & set(HEAVY)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_rooms_import_only_what_lies_before_them_on_the_road(room: str) -> None:
    assert room in MAY_IMPORT, f"tfs/{room} is new: say what it may import"
    for path in (ROOT / "tfs" / room).glob("**/*.py"):
        rooms = {name.split(".")[1] for name in imports(path) if name.startswith("tfs.")}
        assert rooms & ROOMS <= MAY_IMPORT[room] | {room}, path


@pytest.mark.parametrize("room", ["numpy_engine", "templates"])
def test_the_numpy_engine_and_its_texts_import_no_torch(room: str) -> None:
    files = sorted((ROOT / "tfs" / room).glob("**/*.py"))
    assert files
    for path in files:
        names = set(imports(path))
        assert not {name.split(".")[0] for name in names} & {"torch", "einops"}, path
        assert not [name for name in names if name.startswith("safetensors.torch")], path


def test_no_pickle_is_read_or_written() -> None:
    for path in FILES:
        text = path.read_text()
        assert "torch.load(" not in text and "torch.save(" not in text, path
        assert "pickle" not in set(imports(path)), path


def test_pages_lie_in_section_folders() -> None:
    """Directly under pages/, a deep link to a fresh server would bypass app.py."""
    assert not list((ROOT / "pages").glob("*.py"))


def test_every_page_is_registered_in_the_router() -> None:
    router = (ROOT / "app.py").read_text()
    pages = [p for p in ROOT.glob("pages/*/*.py") if p.parent.name != "_ui"]
    assert pages
    for path in pages:
        assert f'"{path.relative_to(ROOT)}"' in router
    assert len(router.splitlines()) < 60


def test_files_and_functions_stay_readable() -> None:
    for path in FILES:
        assert len(path.read_text().splitlines()) <= (
            150 if path.is_relative_to(ROOT / "pages") and path.parent.name != "_ui" else 300
        ), path

"""Where text comes from: our own prose, Tiny Shakespeare (fetched once), or any UTF-8 file."""

import ast
import hashlib
import http.client
import os
import tempfile
import urllib.request
from pathlib import Path

import platformdirs
from tqdm import tqdm

TINY_SHAKESPEARE_URL = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
TINY_SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
FILE_NAME = "tinyshakespeare.txt"
SECONDS_TO_CONNECT = 20
HOME = Path(__file__).resolve().parents[2]


def own_prose() -> str:
    """What this project says in words, the corpus that is always there.

    The README, the prose of the pages, and the docstrings of the package, in the files' order.
    """
    pages = (HOME / "README.md", *sorted(HOME.glob("assets/prose/*.md")))
    pieces = [path.read_text() for path in pages]
    for path in sorted(HOME.glob("tfs/**/*.py")):
        pieces += filter(None, map(_docstring, ast.walk(ast.parse(path.read_text()))))
    return "\n\n".join(piece.strip() for piece in pieces) + "\n"


def _docstring(node: ast.AST) -> str | None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return ast.get_docstring(node) if isinstance(node, documented) else None


def tiny_shakespeare(url: str = TINY_SHAKESPEARE_URL) -> str:
    """1,115,394 characters of Shakespeare (Karpathy 2015), 65 of them distinct.

    Read from TFS_DATA_DIR if that holds tinyshakespeare.txt, else from the user's cache directory,
    else downloaded into it. Raises OSError, with the ways out, when it is nowhere and cannot be
    fetched, and ValueError when a file is not that text (its sha256 differs).
    """
    for directory in (os.environ.get("TFS_DATA_DIR"), platformdirs.user_cache_dir("tfs")):
        if directory and (path := Path(directory) / FILE_NAME).is_file():
            return _checked(path.read_bytes(), str(path)).decode()
    return _checked(
        _download(url, Path(platformdirs.user_cache_dir("tfs")) / FILE_NAME), url
    ).decode()


def read_text(path: str | Path) -> str:
    """A UTF-8 file. Raises ValueError in one sentence for a missing, empty or undecodable one."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give the path of a UTF-8 text file")
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text (byte {error.start} cannot be decoded); save it as UTF-8"
        ) from None
    if not text.strip():
        raise ValueError(f"{path} holds no text; give a file with something to read")
    return text


def _checked(data: bytes, source: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != TINY_SHAKESPEARE_SHA256:
        raise ValueError(
            f"{source} is not Tiny Shakespeare (its sha256 differs); delete it, or put the right "
            "file there"
        )
    return data


def _download(url: str, path: Path) -> bytes:
    """Fetch with a progress bar; the file appears only when it is whole and checked."""
    try:
        with (
            urllib.request.urlopen(url, timeout=SECONDS_TO_CONNECT) as response,
            tqdm.wrapattr(
                response,
                "read",
                total=int(response.headers.get("Content-Length", 0)),
                desc=FILE_NAME,
            ) as stream,
        ):
            data = stream.read()
    except (OSError, http.client.HTTPException) as error:
        raise OSError(
            f"Tiny Shakespeare is not on this machine and could not be downloaded ({error}); "
            "connect to the network once, or set TFS_DATA_DIR to a directory that holds "
            f"{FILE_NAME}"
        ) from None
    _checked(data, url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / path.name
        whole.write_bytes(data)
        os.replace(whole, path)
    return data

"""Text files of one's own: read whole, and refused in one sentence where they hold no text."""

from pathlib import Path

LARGEST = 2**28  # bytes; the 404,290 question pairs of Quora take a quarter of that


def text_of(path: str | Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises ValueError where there is no such file, where it is too large, and as `decoded` does.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give the path of a text file")
    if path.stat().st_size > LARGEST:
        raise ValueError(
            f"{path} is larger than {LARGEST // 2**20} MiB, the most that is read; give a part "
            "of it"
        )
    return decoded(path.read_bytes(), str(path))


def decoded(data: bytes, name: str) -> str:
    """The text of a file called `name`. Raises ValueError, naming the line, for other bytes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{name}, line {line}: byte 0x{data[error.start]:02X} is no UTF-8; save the file as "
            "UTF-8 text"
        ) from None

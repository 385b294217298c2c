import os
from pathlib import Path

import pytest

CORPUS = (
    "It's the cat's third nap; the cats nap there, they've napped here 123 times in 2023.\n"
    "Él ñandú corrió más rápido — “naïve” façade, Zürich, smörgåsbord…\n\n"
    "Съешь ещё этих мягких французских булок. שלום עולם مرحبا بالعالم 日本語のテキスト、日本語。\n"
    "👩‍👩‍👧‍👦 🙂🙂🙂 e\u0301e\u0301 \t\t    <|endoftext|> <|endoftext|>\r\n"
) * 3


@pytest.fixture(scope="session", autouse=True)
def imported():
    """The first import takes seconds; it belongs to no single test."""
    import tfs.tokenizers  # noqa: F401


@pytest.fixture(scope="session")
def corpus() -> str:
    return CORPUS


@pytest.fixture(scope="session")
def bpe(corpus):
    from tfs.tokenizers import BPETokenizer

    return BPETokenizer.train(corpus, 400)


@pytest.fixture(scope="session")
def gpt2_cache() -> Path:
    """The folder with GPT-2's two files; tests that need it are skipped where there is none."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "tiktoken-cache"
    folder = Path(os.environ.get("TIKTOKEN_CACHE_DIR") or beside)
    names = (
        "6d1cbeee0f20b3d9449abfede4726ed8212e3aee",
        "6c7ea1a7e38e3a7f062df639a5b80947f075ffe6",
    )
    if not all((folder / name).exists() for name in names):
        pytest.skip("GPT-2's tokenizer files are not here (set TIKTOKEN_CACHE_DIR)")
    return folder


@pytest.fixture(scope="session")
def gpt2(gpt2_cache):
    from tfs.tokenizers import GPT2Tokenizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(gpt2_cache))
        return GPT2Tokenizer()

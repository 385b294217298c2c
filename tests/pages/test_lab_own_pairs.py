"""The lab trains on a file of pairs of the reader's own, or says in one sentence why it cannot."""

import pytest

from tests.pages.lab_page import PAGE, button, recipe_of, trained_to_the_end
from tests.pages.screen import SECONDS

ANIMALS = "cat dog bird fish goat mouse horse cow".split()
PAIRS = "".join(f"{animal} {n}\t{n} {animal[::-1]}\n" for animal in ANIMALS for n in range(5))


def with_pairs(visit, data, name="mine.tsv"):
    """The form with this file of the reader's in it."""
    at = visit(PAGE, recipe="own-pairs")
    assert not at.exception and "Choose a UTF-8 file" in at.info[0].value
    at.file_uploader(key="text of own-pairs").upload(name, data, "text/tab-separated-values").run()
    return at


def test_a_file_of_pairs_is_trained_watched_and_gone_on_with(visit, tmp_path) -> None:
    import tfs
    from pages._ui import state

    at = with_pairs(visit, PAIRS.encode())
    at.number_input(key="steps of own-pairs").set_value(4).run()
    assert not at.exception and not at.error
    assert recipe_of(at)["model"]["d_vocab"] < 40
    button(at, "Train").click().run()
    trained_to_the_end(at)
    name = at.session_state["run"]
    assert (tmp_path / name / "text.txt").read_text() == PAIRS
    assert "the truth" in str([each.value for each in at.table])
    at.number_input(key="branch steps").set_value(3).run()
    button(at, "Train the branch").click().run()
    assert not at.exception and not at.error
    branch = at.session_state["run"]
    assert branch != name
    state.run_library().job(branch).thread.join(SECONDS)
    bundle = tfs.load(tmp_path / branch)
    assert state.run_library().entry(branch).state == "finished"
    assert bundle.tokenizer.str_tokens("cat 3") == ["cat", "3"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no text"),
        (b"cat\tone\xff\n", "is not UTF-8 text (byte 7 cannot be decoded)"),
        (b"cat\tone\n" * 20, "mine.tsv has fewer than 10 different sources"),
        (PAIRS.encode() + b"no tab here\n", "line 41 of mine.tsv has 0 tabs instead of one"),
        (PAIRS.encode() + b"\tone\n", "line 41 of mine.tsv has no source"),
        (
            PAIRS.encode() + b"a " * 70 + b"\tb\n",
            "line 41 of mine.tsv takes 70 tokens and “Longest text, in tokens” (n_ctx) is 64",
        ),
        (b"a\tb\n" * (2 * 2**20 + 1), "mine.tsv has 8.0 MiB, more than the 8 MiB"),
    ],
)
def test_a_file_that_is_none_of_pairs_is_refused_by_its_name(visit, data, says) -> None:
    at = with_pairs(visit, data)
    assert not at.exception
    (error,) = (each.value.replace("\\", "") for each in at.error)
    assert says in error
    assert "Train" not in [each.label for each in at.button]


def test_a_vocabulary_too_small_is_refused_by_its_label(visit) -> None:
    at = with_pairs(visit, PAIRS.encode())
    at.selectbox(key="tokenizer of own-pairs").set_value("bpe")
    at.number_input(key="d_vocab of own-pairs").set_value(100).run()
    (error,) = (each.value.replace("\\", "") for each in at.error)
    assert "“Most tokens in the vocabulary” (d_vocab) = 100 is too small for bpe" in error


@pytest.mark.slow
@pytest.mark.parametrize("tokens", ["characters", "bpe"])
def test_pairs_are_read_in_other_tokens(visit, tokens) -> None:
    at = with_pairs(visit, PAIRS.encode())
    at.selectbox(key="tokenizer of own-pairs").set_value(tokens)
    at.number_input(key="steps of own-pairs").set_value(2).run()
    assert not at.exception and not at.error
    button(at, "Train").click().run()
    trained_to_the_end(at)

"""python -m tfs.numpy_engine.by_hand: a result line, and mistakes in one sentence."""

import re

import pytest


@pytest.fixture(scope="module")
def main():
    from tfs.numpy_engine.by_hand.__main__ import main

    return main


def test_digits_end_with_a_result_line(main, capsys):
    assert main(["digits", "--epochs", "1"]) == 0
    assert re.fullmatch(
        r"\d+\.\d\d% of 359 held-out digits are read right\n", capsys.readouterr().out
    )


@pytest.mark.parametrize("method", ["cbow", "skip-gram"])
def test_word_vectors_of_the_grammar_say_how_many_analogies_they_solve(main, capsys, method):
    assert main(["word-vectors", "--method", method, "--steps", "5"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+\.\d% of 624 analogies are solved", said[0]) and len(said) == 6


def test_word_vectors_of_a_file(main, capsys, tmp_path):
    (tmp_path / "own.txt").write_text("The cat and the dog, the cat and the cow")
    assert main(["word-vectors", "--corpus", str(tmp_path / "own.txt"), "--steps", "3"]) == 0
    assert capsys.readouterr().out.startswith("the ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["word-vectors", "--corpus", "nowhere.txt"], "nowhere.txt"),
        (["word-vectors", "--method", "glove"], "invalid choice: 'glove'"),
        (["word-vectors", "--steps", "0"], "give a whole number from 1"),
        (["digits", "--seed", "-1"], "give a whole number from 0"),
        (["digits", "--data", "mnist"], "neither train-images-idx3-ubyte nor"),
        ([], "required"),
    ],
)
def test_a_mistake_is_one_sentence(main, capsys, monkeypatch, tmp_path, arguments, says):
    monkeypatch.setenv("TFS_DATA_DIR", str(tmp_path))
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("by_hand: ") and says in said and said.count("\n") == 1


def test_a_file_that_is_no_text_is_one_sentence(main, capsys, tmp_path):
    (tmp_path / "noise").write_bytes(b"\xff\xfe\x00")
    assert main(["word-vectors", "--corpus", str(tmp_path / "noise")]) == 2
    assert "no text in UTF-8" in capsys.readouterr().err

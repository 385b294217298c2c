"""Files of tagged sentences: as the shared task has them, and as people have them."""

import pytest

CONLL = """-DOCSTART- -X- -X- O

U.N. NNP I-NP I-ORG
official NN I-NP O
Ekeus NNP I-NP I-PER
heads VBZ I-VP O
for IN I-PP O
Baghdad NNP I-NP I-LOC
. . O O


-DOCSTART- -X- -X- O

Oslo NNP B-NP I-LOC
Paris NNP B-NP B-LOC
"""
READ = [
    (
        "U.N. official Ekeus heads for Baghdad .".split(),
        "B-ORG O B-PER O O B-LOC O".split(),
    ),
    (["Oslo", "Paris"], ["B-LOC", "B-LOC"]),
]


@pytest.fixture(scope="module")
def conll():
    from tfs.templates import conll

    return conll


def test_a_file_as_of_the_shared_task(conll, tmp_path) -> None:
    path = tmp_path / "eng.testa"
    path.write_text(CONLL)
    assert conll.read_conll(path) == READ


@pytest.mark.parametrize(
    "text",
    [
        CONLL.replace("\n", "\r\n"),
        CONLL.replace("\n", "\r"),
        CONLL.replace(" ", "\t"),
        CONLL.replace(" ", "   "),
        CONLL.replace("\n", " \n"),
        CONLL.rstrip("\n"),
        "\n\n" + CONLL,
        CONLL.replace("-DOCSTART- -X- -X- O", "-DOCSTART-"),
        "".join(
            f"{line.split()[0]} {line.split()[-1]}\n" if line.strip() else "\n"
            for line in CONLL.splitlines()
        ),
    ],
    ids="CRLF CR tabs blanks trailing no-end leading bare-docstart two-columns".split(),
)
def test_ways_of_writing_the_same(conll, text) -> None:
    assert conll.conll_sentences(text, "a file") == READ


def test_a_byte_order_mark_is_no_part_of_the_first_word(conll, tmp_path) -> None:
    path = tmp_path / "marked.conll"
    path.write_bytes(b"\xef\xbb\xbf" + "Åse\tB-PER\n".encode())
    assert conll.read_conll(path) == [(["Åse"], ["B-PER"])]


def test_blanks_other_than_space_and_tab_are_parts_of_words(conll) -> None:
    assert conll.conll_sentences("5\u00a0000 O\nx\u2028y O\n", "a file")[0][0] == [
        "5\u00a0000",
        "x\u2028y",
    ]


@pytest.mark.parametrize(
    ("tags", "iob2"),
    [
        ("I-PER I-PER O I-PER", "B-PER I-PER O B-PER"),  # IOB1
        ("I-PER B-PER I-PER", "B-PER B-PER I-PER"),
        ("I-LOC I-PER", "B-LOC B-PER"),
        ("B-PER I-PER B-PER O B-LOC", "B-PER I-PER B-PER O B-LOC"),  # IOB2 already
        ("O O", "O O"),
        ("", ""),
    ],
)
def test_both_ways_of_tagging_become_one(conll, tags, iob2) -> None:
    assert conll.in_iob2(tags.split()) == iob2.split()
    assert conll.in_iob2(iob2.split()) == iob2.split()


def test_our_own_sentences_come_back(conll) -> None:
    from tfs.templates.entities import tagged_sentences

    sentences = tagged_sentences(50, 3)
    text = "\n\n".join("\n".join(map(" ".join, zip(*s, strict=True))) for s in sentences)
    assert conll.conll_sentences(text, "a file") == sentences


def test_a_long_sentence_is_read_whole(conll) -> None:
    [(words, tags)] = conll.conll_sentences("word O\n" * 100, "a file")
    assert len(words) == len(tags) == 100


REFUSED = {
    "": "a.conll has no sentence; write a word and its tag on each line",
    "\n\n": "a.conll has no sentence",
    "-DOCSTART- O\n\n": "a.conll has no sentence",
    "Ada B-PER\nwent\n": "a.conll, line 2: 'went' has no tag; write the word",
    "Ada\t\n": "a.conll, line 1: 'Ada' has no tag",
    "Ada NNP I-PER\nwent VBD\n": "a.conll, line 2 has 2 columns, and line 1 has 3",
    "Ada B-PER\n\nwent O\nhome S-LOC\n": "line 4: a tag must be O, B-KIND or I-KIND, not 'S-LOC'",
    "Ada PER\n": "a.conll, line 1: a tag must be O, B-KIND or I-KIND, not 'PER'",
    "Ada B-\n": "not 'B-'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_none_is_refused_in_one_sentence(conll, text) -> None:
    with pytest.raises(ValueError) as error:
        conll.conll_sentences(text, "a.conll")
    assert REFUSED[text] in str(error.value) and "\n" not in str(error.value)


def test_other_bytes_and_no_file(conll, tmp_path, monkeypatch) -> None:
    from tfs.templates import text_file

    path = tmp_path / "latin.conll"
    path.write_bytes("Ada B-PER\nÅse B-PER\n".encode("latin-1"))
    with pytest.raises(ValueError, match="latin.conll, line 2: byte 0xC5 is no UTF-8; save the"):
        conll.read_conll(path)
    with pytest.raises(ValueError, match=f"there is no file {tmp_path}/none; give the path"):
        conll.read_conll(tmp_path / "none")
    with pytest.raises(ValueError, match=f"there is no file {tmp_path}; give"):
        conll.read_conll(tmp_path)
    monkeypatch.setattr(text_file, "LARGEST", 2)
    with pytest.raises(ValueError, match="latin.conll is larger than 0 MiB, the most"):
        conll.read_conll(path)

"""Files of question pairs: as Quora's and GLUE's are, and as people write them."""

import pytest

OURS = "question1\tquestion2\tis_duplicate\nIs it far?\tIs it near?\t0\nWhy?\tWhat for?\t1\n"
READ = [("Is it far?", "Is it near?", False), ("Why?", "What for?", True)]
GLUE = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
GLUE += "7\t1\t2\tIs it far?\tIs it near?\t0\n8\t3\t4\tWhy?\tWhat for?\t1\n"


@pytest.fixture(scope="module")
def pairs():
    from tfs.templates.qqp import qqp_pairs

    return lambda text: qqp_pairs(text, "a.tsv")


@pytest.mark.parametrize(
    "text",
    [
        OURS,
        GLUE,
        OURS.replace("\n", "\r\n"),
        OURS.rstrip("\n"),
        OURS.replace("0\n", "0\n\n"),
        "is_duplicate\tquestion2\tquestion1\n0\tIs it near?\tIs it far?\n1\tWhat for?\tWhy?\n",
        OURS.replace("Is it far?", '"Is it far?"').replace("Why?", " Why? "),
        OURS.replace("Is it far?", '"Is it\nfar?"'),
    ],
    ids="ours GLUE CRLF no-end blank-line other-order quoted two-lines".split(),
)
def test_ways_of_writing_the_same(pairs, text) -> None:
    assert pairs(text) == READ


def test_a_file_of_bytes(tmp_path) -> None:
    from tfs.templates.qqp import read_qqp

    path = tmp_path / "train.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + OURS.encode())
    assert read_qqp(path) == READ
    path.write_bytes(OURS.replace("Why", "Où").encode("latin-1"))
    with pytest.raises(ValueError, match="train.tsv, line 3: byte 0xF9 is no UTF-8"):
        read_qqp(path)


def test_quotation_marks(pairs) -> None:
    head = "question1\tquestion2\tis_duplicate\n"
    assert pairs(head + '"Who said ""go""?"\tWho said "go" then?\t1\n') == [
        ('Who said "go"?', 'Who said "go" then?', True)
    ]


def test_a_question_that_says_nothing_is_one(pairs) -> None:
    """Quora's own file has a few."""
    assert pairs("question1\tquestion2\tis_duplicate\nWhy?\t\t0\n") == [("Why?", "", False)]


HEAD = "question1\tquestion2\tis_duplicate\n"
REFUSED = {
    "": "a.tsv has no pair; name the columns question1, question2, is_duplicate in line 1",
    HEAD: "a.tsv has no pair",
    "Why?\tWhat for?\t1\n": "a.tsv, line 1: there is no column question1 among Why?, What for?, 1",
    "question1,question2,is_duplicate\nWhy?,What for?,1\n": "no column question1 among question1,",
    "id\tquestion1\tquestion2\n1\tWhy?\tWhat for?\n": "there is no column is_duplicate among id,",
    HEAD + "Why?\tWhat for?\n": "a.tsv, line 2 has 2 columns, and the header has 3; look for a tab",
    HEAD + "Why?\tWhat for?\t1\t2\n": "a.tsv, line 2 has 4 columns",
    HEAD + "Why?\tWhat for?\tyes\n": "a.tsv, line 2: is_duplicate is 'yes'; write 1 where",
    HEAD + 'Why?\t"What for?\t1\n': "a.tsv, line 2 has 2 columns",
    HEAD + 'Why?\t"What?\t1\nWho?\t"He?\t0\n': "a.tsv, line 3 ends a question that has a tab",
    HEAD
    + "Why?\tWhat "
    + "for " * 40_000
    + "?\t1\n": "a.tsv, line 2: field larger than field limit",
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_is_none_is_refused_in_one_sentence(pairs, text) -> None:
    with pytest.raises(ValueError) as error:
        pairs(text)
    assert REFUSED[text] in str(error.value) and "\n" not in str(error.value)

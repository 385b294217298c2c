"""A file of the user's own."""

import pytest
import torch

LINES = [f"a{n} cat\tune{n} chatte" for n in range(40)]


@pytest.fixture
def make(t, tmp_path):
    def make(lines=LINES, **options):
        path = tmp_path / "pairs.tsv"
        path.write_bytes(lines if isinstance(lines, bytes) else "\n".join(lines).encode())
        return t.ParallelTask(str(path), **options)

    return make


def shown(task, split, n=400):
    batch = task.sample(n, seed=0, split=split)
    rows = zip(batch.source.tolist(), batch.target.tolist(), strict=True)
    return {(task.tokenizer.plain(s), task.tokenizer.plain(t)) for s, t in rows}


def test_pairs_are_read_split_and_made_tensors(t, make) -> None:
    task = make()
    assert isinstance(task, t.PairTask) and task.name == "parallel" and task.floor() is None
    assert len(task.pairs["train"]) == 36 and len(task.pairs["held_out"]) == 4
    every = task.pairs["train"] + task.pairs["held_out"]
    assert sorted(every) == sorted(tuple(line.split("\t")) for line in LINES)
    assert shown(task, "train") == set(task.pairs["train"])
    batch, again = task.sample(5, seed=1), make().sample(5, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert batch.target[:, 0].tolist() == [task.tokenizer.mark_id("<s>")] * 5


def test_words_that_only_the_held_out_side_has_are_unknown(make) -> None:
    task = make()
    assert shown(task, "held_out") == {("cat", "chatte")}
    unknown = task.tokenizer.mark_id("<unk>")
    assert (task.sample(10, 0, "held_out").source == unknown).sum() == 10
    assert not (task.sample(100, 0).source == unknown).any()
    few = make(d_vocab=6)
    assert few.d_vocab == 6 and few.tokenizer.inner.vocab == ["cat", "chatte"]


@pytest.mark.parametrize("tokenizer", ["characters", "bpe"])
def test_characters_and_byte_pairs(make, tokenizer) -> None:
    task = make(tokenizer=tokenizer, d_vocab=280)
    assert shown(task, "train") == set(task.pairs["train"])
    assert shown(task, "held_out") == set(task.pairs["held_out"])
    assert task.d_vocab <= 280


def test_a_source_with_two_targets_stays_on_one_side(make) -> None:
    task = make([*LINES, *(line + " noire" for line in LINES)])
    for split in ("train", "held_out"):
        sources = [source for source, _ in task.pairs[split]]
        assert all(sources.count(source) == 2 for source in sources)


def test_the_side_of_a_source_does_not_hang_on_the_order_of_the_lines(make) -> None:
    assert set(make().pairs["held_out"]) == set(make(LINES[::-1]).pairs["held_out"])


def test_blank_lines_windows_ends_and_a_byte_order_mark_do_no_harm(make) -> None:
    text = "\ufeff" + "\r\n\r\n".join(LINES) + "\r\n"
    assert make(text.encode()).pairs == make().pairs


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*LINES[:4], "", "no tab", *LINES], "line 6 of pairs.tsv has 0 tabs instead of one"),
        ([*LINES, "a\tb\tc"], "line 41 of pairs.tsv has 2 tabs instead of one"),
        ([*LINES, "\tb"], "line 41 of pairs.tsv has no source"),
        ([*LINES, "a \t "], "line 41 of pairs.tsv has no target"),
        ([*LINES, "a\t" + "b " * 63], "line 41 of pairs.tsv takes 65 tokens and n_ctx is 64"),
        ([*LINES, "b " * 65 + "\tx"], "line 41 of pairs.tsv takes 65 tokens and n_ctx is 64"),
        (LINES[:9], "fewer than 10 different sources"),
        (["a\tb"] * 30, "fewer than 10 different sources"),
        ([""], "holds no text"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_files_that_cannot_be(make, lines, message) -> None:
    with pytest.raises(ValueError, match=message):
        make(lines)


def test_too_many_pairs(make, monkeypatch) -> None:
    from tfs.tasks import parallel

    monkeypatch.setattr(parallel, "MOST", 39)
    with pytest.raises(ValueError, match="pairs.tsv has 40 pairs; at most 39 can be taken"):
        make()


def test_options_that_cannot_be(t, make, tmp_path) -> None:
    with pytest.raises(ValueError, match="give the path of a file"):
        t.ParallelTask()
    with pytest.raises(ValueError, match="there is no file"):
        t.ParallelTask(str(tmp_path / "none.tsv"))
    with pytest.raises(ValueError, match="tokenizer must be one of words, characters, bpe"):
        make(tokenizer="gpt2")
    for options in ({"d_vocab": 4}, {"tokenizer": "bpe", "d_vocab": 258}):
        with pytest.raises(ValueError, match="is too small for"):
            make(**options)


def test_a_relative_path_lies_in_the_directory_that_is_given(t, make, tmp_path) -> None:
    make()
    task = t.make_pair_task("parallel", {"path": "pairs.tsv"}, directory=tmp_path)
    assert len(task.pairs["train"]) == 36


def test_marks_in_a_text_are_marks(make) -> None:
    task = make([*LINES, "a </s> cat\tune <unk> chatte"])
    assert not {"</s>", "<unk>"} & set(task.tokenizer.inner.vocab)

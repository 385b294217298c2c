"""python -m tfs.numpy_engine tags and pairs: what they say, and how well the models become."""

import re
import subprocess
import sys

import pytest
import torch


@pytest.fixture(scope="module")
def main():
    from tfs.numpy_engine.__main__ import main

    return main


def test_commands_on_own_files(main, tagged_file, pairs_file, tmp_path, capsys) -> None:
    import tfs

    for name, path, says in (
        ("tags", tagged_file, r"held-out F1 0\.\d{4} \(precision .*\) of whole entities, 60 sent"),
        ("pairs", pairs_file, r"held-out accuracy 0\.\d{4} .*: 0\.\d{4}\), 60 pairs"),
    ):
        files = ["--file", str(path), "--held-out", str(path)]
        out = tmp_path / name
        assert main([name, "--steps", "4", *files, "--out", str(out)]) == 0
        shown = capsys.readouterr()
        assert re.match(says, shown.out) and shown.err == ""
        bundle = tfs.load(out)
        assert f"- **Data**: {'sentences' if name == 'tags' else 'pairs'} from own" in bundle.card
        assert "4 updates" in bundle.card and bundle.model.labels
        ids = bundle.tokenizer.encode("[CLS] Ada[SEP]")
        assert torch.isfinite(bundle.model(torch.tensor([ids]))).all()


def test_commands_say_what_was_left_out(main, tagged_file, capsys) -> None:
    tagged_file.write_text(tagged_file.read_text() + "\n" + "word O\n" * 300)
    assert main(["tags", "--steps", "1", "--file", str(tagged_file)]) == 0
    assert capsys.readouterr().out.startswith("left out 1 that have more than 256 tokens\nheld-out")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tags", "--file", "none.conll"], "there is no file none.conll"),
        (["pairs", "--file", "none.tsv"], "there is no file none.tsv"),
        (["tags", "--held-out", "a.conll"], "--held-out goes with --file; give the file"),
        (["mirror", "--file", "a"], "unrecognized arguments: --file a; see"),
        (["tags", "--out", __file__], f"{__file__} is a file; give --out a directory"),
        (["pairs", "--seed", "-1"], "argument --seed: give a whole number from 0 to"),
    ],
)
def test_commands_refuse_in_one_sentence(main, capsys, arguments, says) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"tfs.numpy_engine: {says}") and shown.count("\n") == 1


def run(*arguments):
    command = [sys.executable, "-m", "tfs.numpy_engine", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_names_never_seen_are_found(tmp_path) -> None:
    """As the command trains it, then asked by torch: only names, of held-out sentences."""
    import tfs
    from tfs.tasks import TagsTask, span_scores

    assert float(run("tags", "--out", tmp_path).split()[2]) > 0.9
    bundle, task = tfs.load(tmp_path), TagsTask()
    assert bundle.model.labels == task.labels
    batch = task.sample(500, 99, "held_out")
    with torch.no_grad():
        logits = bundle.model(batch.tokens, batch.segments, batch.token_mask)
    told, true = (
        [
            [task.labels[i] for i in row[mask]]
            for row, mask in zip(ids, batch.loss_mask, strict=True)
        ]
        for ids in (logits.argmax(-1), batch.labels)
    )
    assert span_scores(told, true, kinds=("PER", "LOC", "ORG")).f1 > 0.95


@pytest.mark.slow
def test_questions_of_people_who_never_met_are_matched(tmp_path) -> None:
    """As the command trains it; words without their order are right of three in four."""
    import tfs
    from tfs.tasks import QuestionPairsTask

    assert float(run("pairs", "--out", tmp_path).split()[2]) > 0.95
    held_out = QuestionPairsTask().sample(2000, 77, "held_out")
    assert tfs.evaluate(tfs.load(tmp_path).model, held_out).accuracy > 0.95


@pytest.mark.slow
def test_a_tagger_of_ones_own_file(tmp_path, as_conll) -> None:
    """Our templates as a file of 3,000 sentences in IOB1; scored on names that are in none."""
    from tfs.templates.entities import tagged_sentences

    files = tmp_path / "train.conll", tmp_path / "test.conll"
    for path, n, split in zip(files, (3000, 300), ("train", "held_out"), strict=True):
        text = as_conll(tagged_sentences(n, 5, split))
        path.write_text(re.sub(r"( O\n|^|\n\n)(\S+) B-", r"\1\2 I-", text))
    shown = run("tags", "--file", files[0], "--held-out", files[1])
    assert float(shown.split()[2]) > 0.9 and "300 sentences" in shown


@pytest.mark.slow
def test_a_matcher_of_ones_own_file(tmp_path, as_tsv) -> None:
    from tfs.templates.questions import question_pairs

    files = tmp_path / "train.tsv", tmp_path / "dev.tsv"
    for path, n, split in zip(files, (20_000, 500), ("train", "held_out"), strict=True):
        path.write_text(as_tsv(question_pairs(n, 5, split)))
    shown = run("pairs", "--file", files[0], "--held-out", files[1])
    assert float(shown.split()[2]) > 0.85 and "500 pairs" in shown

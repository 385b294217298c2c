"""A run as a zip: it comes back as it was, and nothing else comes in."""

import io
import zipfile

import pytest
import torch

from tests.train.waiting import finished, wait_until


def test_an_exported_run_comes_back_as_it_was(library, recipe):
    import tfs
    from tfs.train.worker import read_history

    job = library.start(recipe(), "ann", title="A title")
    name = finished(job)
    library.rename(name, "Another title: ../../x")
    packed = library.export(name)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
    assert not [n for n in names if "last" in n or n in ("run.json", "status.json", "alive")]
    back = library.import_(packed, "ben")
    assert back != name and [e.name for e in library.entries("ben")] == [back]
    entry = library.entry(back)
    assert (entry.title, entry.state) == ("Another title: ../../x", "finished")
    assert entry.step == entry.steps == 20 and entry.seconds == library.entry(name).seconds > 0
    one, other = tfs.load(library.root / name), tfs.load(library.root / back)
    assert one.snapshots == other.snapshots and one.card == other.card
    for step in one.snapshots:
        for key, parameter in one.at_step(step).named_parameters():
            assert torch.equal(other.at_step(step).get_parameter(key), parameter)
    for before, after in zip(job.steps(), read_history(library.root / back), strict=True):
        assert before[:5] == after[:5]
        assert (before.held_out and before.held_out[:3]) == (after.held_out and after.held_out[:3])
    finished(library.start(recipe(steps=1), "ben", parent=(back, 20)))


def repacked(packed, change):
    """The zip with its {name: bytes} changed."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def a_snapshot_with_nan(files):
    from safetensors.torch import load, save

    tensors = load(files["snapshots/step_000008.safetensors"])
    tensors["embed.W_E"][0, 0] = float("nan")
    files["snapshots/step_000008.safetensors"] = save(tensors)


def another_corpus(files):
    files["recipe.json"] = files["recipe.json"].replace(
        b'"name": "mirror",\n    "d_vocab": 12,\n    "n_ctx": 8',
        b'"name": "text",\n "corpus": "/etc/hostname"',
    )


def without(name):
    return lambda files: files.pop(name)


def with_file(name, data=b"x"):
    return lambda files: files.update({name: data})


BAD = {
    "path upwards": (with_file("../evil.json"), "holds '../evil.json', which is no file of"),
    "absolute path": (with_file("/tmp/evil"), "holds '/tmp/evil'"),
    "inner path": (with_file("snapshots/../../evil"), "which is no file of"),
    "a folder": (with_file("snapshots/", b""), "which is no file of"),
    "code": (with_file("model.pkl"), "holds 'model.pkl'"),
    "bomb": (with_file("text.txt", b"\0" * 2**22), "the most that is taken"),
    "no weights": (without("model.safetensors"), "model.safetensors is missing"),
    "no recipe": (without("recipe.json"), "holds no recipe.json"),
    "no tokenizer": (without("tokenizer.json"), "tokenizer.json"),
    "weights": (with_file("model.safetensors", b"noise"), "is damaged or not a safetensors file"),
    "snapshot": (a_snapshot_with_nan, "holds something other than finite numbers"),
    "metrics": (with_file("metrics.csv", b"step\nmany\n"), "line 2 of metrics.csv"),
    "deep json": (with_file("recipe.json", b"[" * 10**6), "recipe.json"),
    "text": (with_file("text.txt", b"\xff\xfe"), "is not UTF-8 text"),
    "corpus": (another_corpus, "names the file '/etc/hostname'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_export_is_refused_and_leaves_nothing(library, recipe, case, monkeypatch):
    from tfs.train import archive

    monkeypatch.setattr(archive, "LARGEST_ZIP", 2**22)
    change, message = BAD[case]
    name = finished(library.start(recipe(steps=10), "key"))
    packed = repacked(library.export(name), change)
    with pytest.raises(ValueError, match=message) as caught:
        library.import_(packed, "key")
    assert "\n" not in str(caught.value)
    assert [path.name for path in library.root.iterdir()] == [name]


@pytest.mark.parametrize("data", [b"", b"noise", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_zip_is_refused(library, data):
    with pytest.raises(ValueError, match="is not a zip file that can be opened"):
        library.import_(data, "key")
    assert not list(library.root.iterdir())


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        (b'{"title": " Mine ", "seconds": 12.5}', ("Mine", 12.5)),
        (b'{"title": "Mine", "seconds": NaN}', ("Mine", 0.0)),
        (b'{"title": "Mine", "seconds": -3}', ("Mine", 0.0)),
        (b'{"title": "Mine", "minutes": 3}', ("", 0.0)),
        (b'{"seconds": "long"}', ("", 0.0)),
        (b"[" * 60_000, ("", 0.0)),
        (b"Mine", ("", 0.0)),
        (b"", ("", 0.0)),
    ],
)
def test_what_a_zip_tells_of_itself_is_believed_where_it_makes_sense(comment, told) -> None:
    from tfs.train.archive import told_by

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.comment = comment
    assert told_by(data.getvalue()) == told


def test_an_imported_run_has_nothing_to_resume(library, recipe):
    job = library.start(recipe(steps=100_000), "key")
    wait_until(lambda: job.status().step >= 5)
    job.stop()
    job.thread.join(20)
    back = library.import_(library.export(job.directory.name), "key")
    assert library.entry(back)[2:4] == ("stopped", job.status().step)
    with pytest.raises(ValueError, match="imported runs have none; branch from"):
        library.resume(back)

"""A network of hand-derived layers reads digits it has never seen; MNIST's files are read."""

import gzip

import numpy as np
import pytest


@pytest.fixture(scope="module")
def digits():
    from tfs.numpy_engine.by_hand import digits

    return digits


@pytest.fixture(scope="module")
def mnist():
    from tfs.numpy_engine.by_hand import mnist

    return mnist


def trained(digits, seed):
    split = digits.load_digits(seed)
    model = digits.digits_model(64, seed)
    steps = list(digits.train_digits(model, split.train, seed=seed))
    return model, split, steps


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_over_97_percent_of_held_out_digits_are_read(digits, seed):
    model, split, steps = trained(digits, seed)
    assert digits.accuracy(model, split.held_out) > 0.97
    assert [step.step for step in steps] == list(range(1, steps[0].steps + 1))
    counts = digits.confusions(model, split.held_out)
    assert counts.sum() == len(split.held_out.labels)
    assert counts.trace() / counts.sum() == digits.accuracy(model, split.held_out)


def test_a_few_updates_lower_the_loss_and_repeat_with_their_seed(digits):
    split = digits.load_digits(0)
    runs = []
    for _ in range(2):
        model = digits.digits_model(64, 0)
        losses = [s.loss for s in digits.train_digits(model, split.train, epochs=2)]
        runs.append((losses, digits.accuracy(model, split.held_out)))
    (losses, reached), again = runs
    assert (losses, reached) == again
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    assert reached > 0.5


def test_the_split_holds_out_a_fifth_and_shares_no_image(digits):
    split = digits.load_digits(3)
    rows = [{row.tobytes() for row in images.pixels} for images in split]
    assert len(split.held_out.labels) == 359 and len(split.train.labels) == 1438
    assert not rows[0] & rows[1]
    assert split.train.pixels.min() == 0 and split.train.pixels.max() == 1
    assert (split.held_out.labels == digits.load_digits(3).held_out.labels).all()
    assert (split.held_out.labels != digits.load_digits(4).held_out.labels).any()


def test_the_gradient_of_the_input_equals_central_differences(digits):
    model = digits.digits_model(64, 0)
    digits.set_training(model, False)
    pixels = digits.load_digits(0).held_out.pixels[0].copy()
    from tfs.numpy_engine.by_hand.check import central_differences

    slopes = central_differences(lambda: model.forward(pixels[None])[0, 7], pixels)
    written = digits.what_would_help(model, pixels, 7)
    np.testing.assert_allclose(written, slopes, rtol=0, atol=1e-6)


def test_activations_are_those_of_the_forward(digits):
    model = digits.digits_model(64, 0)
    digits.set_training(model, False)
    pixels = digits.load_digits(0).held_out.pixels[:4]
    outputs = digits.activations(model, pixels)
    assert [output.shape[1] for output in outputs] == [128] * 6 + [10, 10]
    assert (outputs[-1] == model.forward(pixels)).all()


def idx(array):
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A tiny MNIST, one of its files gzipped."""
    draw = np.random.default_rng(0)
    for part, count in (("train", 5), ("t10k", 3)):
        pixels = draw.integers(256, size=(count, 28, 28), dtype=np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pixels)))
        labels = np.arange(count, dtype=np.uint8)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


def test_idx_files_are_read_gzipped_or_not(mnist, folder):
    split = mnist.load_mnist(folder)
    assert split.train.pixels.shape == (5, 784) and split.held_out.pixels.shape == (3, 784)
    assert split.train.labels.tolist() == [0, 1, 2, 3, 4]
    raw = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert split.held_out.pixels[0, 0] == raw[16] / 255
    assert split.held_out.pixels[-1, -1] == raw[-1] / 255


LABELS = "t10k-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (LABELS, b"", "no idx file of unsigned bytes with 1 axis;"),
        (LABELS, b"\0\0\x0d\x01\0\0\0\x03abc", "no idx file of unsigned bytes"),
        (LABELS, b"\0\0\x08\x01\0\0\0\x03\0\0", "says that it has 3 numbers, and has 2"),
        (LABELS, b"\0\0\x08\x01\0\0\0\x02\0\0", "3 images and .* 2 labels"),
        (LABELS, b"\0\0\x08\x01\0\0\0\x03\0\0\x0a", "the label 10, and a digit is at most 9"),
        ("t10k-images-idx3-ubyte.gz", b"\x1f\x8b\x08", "no whole gzip file"),
        ("t10k-images-idx3-ubyte.gz", b"not gzip", "no whole gzip file"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(mnist, folder, name, content, says):
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=says) as refused:
        mnist.load_mnist(folder)
    assert name in str(refused.value) and "\n" not in str(refused.value)


def test_a_missing_file_is_named(mnist, folder, monkeypatch):
    (folder / LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=f"neither {LABELS} nor {LABELS}.gz"):
        mnist.load_mnist(folder)
    monkeypatch.delenv("TFS_DATA_DIR", raising=False)
    with pytest.raises(FileNotFoundError, match="TFS_DATA_DIR is not set"):
        mnist.load_mnist()

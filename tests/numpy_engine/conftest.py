"""One comparison for every operation: with torch, and with central differences."""

import numpy as np
import pytest
import torch

STEP = 1e-6


@pytest.fixture(scope="session")
def engine():
    import tfs.numpy_engine

    return tfs.numpy_engine


@pytest.fixture(scope="session")
def same_as_torch(engine, gradients_are_their_own):
    """(ours, theirs, arrays) -> asserts one value and one gradient for each array, to 1e-9."""

    def check(ours, theirs, *arrays):
        tensors = [engine.Tensor(array, requires_grad=True) for array in arrays]
        expected = [torch.tensor(array, requires_grad=True) for array in arrays]
        value, reference = ours(*tensors), theirs(*expected)
        assert value.shape == tuple(reference.shape)
        np.testing.assert_allclose(value.data, reference.detach().numpy(), rtol=1e-9, atol=1e-9)
        weight = np.random.default_rng(1).normal(size=value.shape)
        value.backward(weight)
        reference.backward(torch.tensor(weight))
        for tensor, other in zip(tensors, expected, strict=True):
            wanted = np.zeros(tensor.shape) if other.grad is None else other.grad.numpy()
            assert tensor.grad.dtype == tensor.dtype and tensor.grad.shape == tensor.shape
            np.testing.assert_allclose(tensor.grad.data, wanted, rtol=1e-9, atol=1e-9)
        gradients_are_their_own(value, weight, tensors)

    return check


@pytest.fixture(scope="session")
def gradients_are_their_own():
    """(value, its gradient, leaves) after backward -> asserts that whoever writes into a leaf's
    gradient changes that alone, and that a second backward finds the same."""

    def check(value, first, leaves):
        before = [leaf.grad.data.copy() for leaf in leaves]
        others = [value.data, first, *(leaf.data for leaf in leaves)]
        for i, leaf in enumerate(leaves):
            assert not any(np.shares_memory(leaf.grad.data, other) for other in others)
            others.append(leaf.grad.data)
            leaf.grad.data[...] = i + 7.0
        value.backward(first)
        for i, (leaf, found) in enumerate(zip(leaves, before, strict=True)):
            np.testing.assert_allclose(leaf.grad.data, i + 7.0 + found, rtol=1e-9, atol=1e-9)

    return check


@pytest.fixture(scope="session")
def same_as_differences(engine):
    """(ours, arrays) -> asserts that gradients are what moving each number a little shows."""

    def check(ours, *arrays):
        arrays = [array.copy() for array in arrays]
        weight = np.random.default_rng(2).normal(size=ours(*map(engine.Tensor, arrays)).shape)
        tensors = [engine.Tensor(array.copy(), requires_grad=True) for array in arrays]
        ours(*tensors).backward(weight)
        for array, tensor in zip(arrays, tensors, strict=True):
            slopes = np.zeros_like(array)
            for place in np.ndindex(array.shape):
                middle, ends = array[place], []
                for step in (STEP, -STEP):
                    array[place] = middle + step
                    ends.append((ours(*map(engine.Tensor, arrays)).data * weight).sum())
                array[place] = middle
                slopes[place] = (ends[0] - ends[1]) / (2 * STEP)
            np.testing.assert_allclose(tensor.grad.data, slopes, rtol=1e-5, atol=1e-7)

    return check


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread():
    """For numpy's small products, as in the app."""
    from tfs.numpy_engine.by_hand.threads import one_blas_thread

    one_blas_thread()


@pytest.fixture(scope="session")
def as_conll():
    """Tagged sentences -> a file's text, as of CoNLL-2003."""
    return lambda sentences: (
        "\n\n".join("\n".join(map(" ".join, zip(*it, strict=True))) for it in sentences) + "\n"
    )


@pytest.fixture(scope="session")
def as_tsv():
    """Pairs of questions -> a file's text, as of Quora."""

    def make(pairs):
        rows = [f"{one}\t{other}\t{int(same)}" for one, other, same in pairs]
        return "\n".join(["question1\tquestion2\tis_duplicate", *rows]) + "\n"

    return make


@pytest.fixture
def tagged_file(tmp_path, as_conll):
    from tfs.templates.entities import tagged_sentences

    path = tmp_path / "own.conll"
    path.write_text(as_conll(tagged_sentences(60, 1)))
    return path


@pytest.fixture
def pairs_file(tmp_path, as_tsv):
    from tfs.templates.questions import question_pairs

    path = tmp_path / "own.tsv"
    path.write_text(as_tsv(question_pairs(60, 1)))
    return path

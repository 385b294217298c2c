"""Sentences and questions in plain Python: the same for ever, since checkpoints rest on them."""

import hashlib

import numpy as np
import pytest

HASHES = {  # of 200 samples of seed 7
    ("tagged_sentences", "train"): "c703006f98a9ae29",
    ("tagged_sentences", "held_out"): "8f7af0740ad2f51c",
    ("question_pairs", "train"): "f4920a691e1ca359",
    ("question_pairs", "held_out"): "7a782a2369e0e4df",
}


@pytest.fixture(scope="module")
def samplers():
    from tfs.templates.entities import tagged_sentences
    from tfs.templates.questions import question_pairs

    return {"tagged_sentences": tagged_sentences, "question_pairs": question_pairs}


@pytest.mark.parametrize(("name", "split"), HASHES)
def test_samples_never_change(samplers, name, split) -> None:
    """Bundled models were trained on one side and are scored on the other."""
    sample = samplers[name](200, 7, split)
    assert hashlib.sha256(repr(sample).encode()).hexdigest()[:16] == HASHES[name, split]
    assert samplers[name](200, 7, split) == sample != samplers[name](200, 8, split)


def test_both_kinds_of_model_read_the_same_texts(samplers) -> None:
    from tfs.tasks import QuestionPairsTask, TagsTask

    tags, pairs = TagsTask(), QuestionPairsTask()
    sentences = samplers["tagged_sentences"](20, 3, "held_out")
    assert tags.sample(20, 3, "held_out").tokens.equal(tags.batch(sentences).tokens)
    questions = samplers["question_pairs"](20, 3)
    assert pairs.sample(20, 3).tokens.equal(pairs.batch(questions).tokens)


def test_mixed_bits_are_those_of_tensors() -> None:
    import torch

    from tfs.tasks.batch import mixed_bits as of_tensors
    from tfs.templates.split import mixed, mixed_bits

    numbers = [*range(3000), 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40 + 17]
    ours = [mixed_bits(number) for number in numbers]
    assert ours == of_tensors(torch.tensor(numbers)).tolist()
    assert mixed(np.array(numbers)).tolist() == [mixed(number) for number in numbers]
    assert all(0 <= number < 1 for number in ours)
    assert sum(number < 0.2 for number in ours) / len(ours) == pytest.approx(0.2, abs=0.02)

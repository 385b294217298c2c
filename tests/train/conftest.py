import dataclasses

import pytest

from tests.train.victim import small_recipe


@pytest.fixture(scope="session")
def mirror_setup():
    """(model, task) of the small mirror task, fresh each time."""
    import tfs
    from tfs.tasks import MirrorTask

    def make(**fields):
        sizes = {"n_layers": 1, "d_model": 16, "n_ctx": 8, "d_head": 4, "d_vocab": 12, "seed": 0}
        return tfs.DecoderOnly(tfs.TransformerConfig(**(sizes | fields))), MirrorTask(12, 8)

    return make


@pytest.fixture(scope="session")
def train_config():
    """TrainConfig with small numbers where the test gives none."""
    from tfs.train import TrainConfig

    small = {"steps": 12, "batch_size": 4, "warmup_steps": 3, "eval_every": 4, "eval_size": 8}
    return lambda **fields: TrainConfig(**(small | fields))


@pytest.fixture
def library(tmp_path):
    """A Library with one slot; what still trains at the end of a test is stopped."""
    from tfs.train.run_library import Library
    from tfs.train.worker import Slots

    made = Library(tmp_path, slots=Slots(1))
    yield made
    for job in list(made.jobs.values()):
        job.stop()
        job.thread.join(20)


@pytest.fixture(scope="module")
def recipe():
    """recipe(steps, ...) of the small mirror task."""

    def make(steps=20, **fields):
        base = small_recipe()
        train = {
            "steps": steps,
            "save_every": 1000,
            "eval_every": 10,
            "snapshots_per_octave": 1,
        } | fields
        return dataclasses.replace(base, train=dataclasses.replace(base.train, **train))

    return make


@pytest.fixture
def tfs():
    import tfs

    return tfs


@pytest.fixture
def make_job(tfs, tmp_path):
    from tfs.tasks import MirrorTask
    from tfs.tokenizers import IntegerTokenizer
    from tfs.train.worker import Job, Slots

    shared, made = Slots(1), []

    def make(steps=30, slots=shared, task=None):
        cfg = tfs.TransformerConfig(n_layers=1, d_model=8, n_ctx=4, d_head=4, d_vocab=10, seed=0)
        bundle = tfs.Bundle(tfs.DecoderOnly(cfg), IntegerTokenizer(10), "# card")
        config = tfs.TrainConfig(steps=steps, batch_size=2, eval_every=10, eval_size=4)
        job = Job(bundle, task or MirrorTask(10, 4), config, tmp_path / f"run{len(made)}", slots)
        made.append(job)
        return job

    yield make
    for job in made:
        job.stop()
        if job.thread.is_alive():
            job.thread.join(20)

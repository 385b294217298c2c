import pytest


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

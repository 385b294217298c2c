"""A training that test_kill.py kills: in a process of its own, with frequent saves."""

import dataclasses
from pathlib import Path

STEPS, SAVE_EVERY = 400, 3


def small_recipe():
    from tfs.train.recipes import MIRROR

    task = {"d_vocab": 12, "n_ctx": 8}
    model = dataclasses.replace(MIRROR.model, d_model=16, n_heads=2, d_head=8, d_mlp=32, **task)
    config = dataclasses.replace(
        MIRROR.train,
        steps=STEPS,
        batch_size=4,
        dropout=0.1,
        weight_decay=0.1,
        eval_every=7,
        eval_size=8,
        save_every=SAVE_EVERY,
        snapshots_per_octave=4,
        snapshots_from=1,
    )
    return dataclasses.replace(MIRROR, model=model, train=config, task_options=task)


def train_in(root: Path, pipe) -> None:
    """Begin the run of `root`, or go on with the one that is there, to its end."""
    import torch

    from tfs.train import worker
    from tfs.train.run_library import Library

    torch.set_num_threads(1)
    worker.SECONDS_BETWEEN_SAVES, worker.SHARE_OF_SAVING = 0.02, 1.0
    library = Library(root)
    names = [entry.name for entry in library.entries("owner")]
    pipe.send("begins")
    job = library.resume(names[0]) if names else library.start(small_recipe(), "owner")
    job.thread.join()
    pipe.send(tuple(job.status()))

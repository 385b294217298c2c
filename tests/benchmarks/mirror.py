"""Trains a mirror recipe to the target loss in this process and prints seconds and steps as JSON.

    python -m tests.benchmarks.mirror mirror 3

A process of its own for every seed: the first updates of a process are the slow ones, and a class
meets exactly those. Imports are over before the clock starts, as they are in the app.
"""

import json
import sys
import time

TARGET_LOSS = 2.16


def seconds_to_target(recipe_name: str, seed: int) -> dict[str, float]:
    """Wall seconds of tfs.train until the held-out loss is at the target, with one thread."""
    from dataclasses import replace

    import torch

    import tfs
    from tfs.train.recipes import RECIPES

    torch.set_num_threads(1)
    torch.optim.AdamW([torch.zeros(1)])  # imports a thousand modules; the app does so beforehand
    recipe = RECIPES[recipe_name]
    config = replace(recipe.train, target_loss=TARGET_LOSS, seed=seed)
    model, task = tfs.DecoderOnly(replace(recipe.model, seed=seed)), recipe.make_task()
    started = time.perf_counter()
    *_, last = tfs.train(model, task, config)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "steps": last.step, "loss": last.held_out.loss}


if __name__ == "__main__":
    print(json.dumps(seconds_to_target(sys.argv[1], int(sys.argv[2]))))

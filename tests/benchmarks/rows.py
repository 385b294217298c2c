"""The rows of the table: what is compared, at which size, and what we promise.

Each function below is one benchmark by name, takes the number of rounds, and returns its rows.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from typing import Any

from tests.benchmarks import browser, numpy_rows, pair_rows, peers, share
from tests.benchmarks.mirror import TARGET_LOSS
from tests.benchmarks.row import Row
from tests.benchmarks.timing import Timings, large_matmul, large_matmul_flops, take_turns

SMALL = {"n_layers": 4, "d_model": 128, "n_heads": 4, "n_ctx": 128, "d_vocab": 512}
LARGE_VOCABULARY = {"n_layers": 2, "d_model": 256, "n_heads": 4, "n_ctx": 256, "d_vocab": 50_257}
GPT2_SMALL = {"n_layers": 12, "d_model": 768, "n_heads": 12, "n_ctx": 1024, "d_vocab": 50_257}

SMALL_RECIPES = (
    *("mirror", "mirror-2-layers", "induction", "induction-4-heads", "copy", "sort", "brackets"),
    *("addition", "addition-forwards", "modular-addition", "ioi", "prose"),
)


def training(rounds: int) -> list[Row]:
    """Updates of a small model."""
    contestants = {
        "HookedTransformer": (peers.hooked_transformer_training, 1.5),
        "Hugging Face GPT-2": (peers.hugging_face_training, 1.2),
        "plain decoder, no hooks": (peers.plain_training, 1.0),
    }
    return training_rows("training, vocab 512", peers.our_config(**SMALL), 32, contestants, rounds)


def vocabulary(rounds: int) -> list[Row]:
    """Updates of a model whose logits are its largest tensor, tied as GPT-2 is, and untied."""
    rows = []
    for tied in (True, False):
        cfg = peers.our_config(**LARGE_VOCABULARY, tie_word_embeddings=tied)
        what = f"training, vocab 50,257, {'tied' if tied else 'untied'}"
        contestants = {"Hugging Face GPT-2": (peers.hugging_face_training, 1.15)}
        rows += training_rows(what, cfg, 16, contestants, rounds)
    return rows


def training_rows(
    what: str,
    cfg: Any,
    batch: int,
    contestants: dict[str, tuple[Callable, float]],
    rounds: int,
) -> list[Row]:
    """Ours against each contestant (maker, target), with a large matmul in every round."""
    import torch

    from tfs.arithmetic.flops import training_flops

    tokens = torch.randint(
        cfg.d_vocab, (batch, cfg.n_ctx), generator=torch.Generator().manual_seed(0)
    )
    calls = {"ours": peers.our_training(cfg, tokens)}
    calls |= {name: make(cfg, tokens) for name, (make, _) in contestants.items()}
    timings = take_turns(calls | {"matmul": large_matmul()}, rounds)

    flops = training_flops(cfg, cfg.n_ctx, batch)
    of_peak = timings.times_as_fast("ours", "matmul") * flops / large_matmul_flops()

    return [
        Row(
            f"{what}: {name}",
            timings.speed("ours", tokens.numel()),
            timings.speed(name, tokens.numel()),
            timings.times_as_fast("ours", name),
            target,
            gflops=flops / timings.median("ours") / 1e9,
            percent_of_peak=100 * of_peak,
        )
        for name, (_, target) in contestants.items()
    ]


def loop(rounds: int) -> list[Row]:
    """Whole updates of two recipes, against an eager loop over a plain fused-QKV decoder.

    In float32 and without dropout, which the plain decoder does not have.
    """
    from dataclasses import replace

    from tfs.train.recipes import RECIPES

    rows = []
    for name, updates in (("mirror", 20), ("shakespeare", 1)):
        recipe = RECIPES[name]
        recipe = replace(recipe, train=replace(recipe.train, precision="float32", dropout=0.0))
        makers = {"ours": peers.our_loop, "plain": peers.plain_loop}
        timings = take_turns({who: make(recipe, updates) for who, make in makers.items()}, rounds)
        tokens = updates * recipe.train.batch_size * recipe.model.n_ctx
        ours, plain = (timings.speed(who, tokens) for who in makers)
        what = f"loop, shape of {name}: plain fused QKV, no hooks"
        rows.append(Row(what, ours, plain, timings.times_as_fast("ours", "plain"), 1.0))
    return rows


def overhead(rounds: int) -> list[Row]:
    """What small recipes spend on evaluations, snapshots and saves; one thread, as in the app."""
    import torch

    from tfs.train.recipes import RECIPES

    threads, rows = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for name in SMALL_RECIPES:
        percent = share.overhead(RECIPES[name], rounds)
        parts = ", ".join(f"{part} {value:.1f}%" for part, value in percent.items())
        what, whole = f"overhead, {name}: {parts}", sum(percent.values())
        rows.append(Row(what, "", "", whole, 5.0, " %", at_most=True))
    torch.set_num_threads(threads)
    return rows


def cache(rounds: int) -> list[Row]:
    """Every activation of a GPT-2 small: against HookedTransformer, and against not caching."""
    import torch

    import tfs

    model = tfs.DecoderOnly(peers.our_config(**GPT2_SMALL))
    peer = peers.hooked_transformer(model)
    rows = []
    with torch.inference_mode():
        for pos in (32, 256):
            tokens = torch.randint(50_257, (1, pos), generator=torch.Generator().manual_seed(0))
            calls = {
                "ours": lambda tokens=tokens: model.run_with_cache(tokens),
                "peer": lambda tokens=tokens: peer.run_with_cache(tokens),
                "plain": lambda tokens=tokens: model(tokens),
            }
            timings = take_turns(calls, rounds)
            shape = f"run_with_cache, GPT-2 small, {pos} tokens"
            speedup = timings.times_as_fast("ours", "peer")
            cost = timings.times_as_fast("plain", "ours")
            ours, theirs = milliseconds(timings, "ours"), milliseconds(timings, "peer")
            rows.append(Row(f"{shape}: HookedTransformer", ours, theirs, speedup, 2.0))
            plain = milliseconds(timings, "plain")
            rows.append(Row(f"{shape}: our plain forward", ours, plain, cost, 1.1, at_most=True))
    return sorted(rows, key=lambda row: row.at_most)


def generation(rounds: int) -> list[Row]:
    """Greedy generation of one sequence, keys and values kept."""
    import torch

    rows = []
    for name, sizes, pos, new, target in (
        ("small", SMALL, 8, 100, 2.0),
        ("GPT-2 small", GPT2_SMALL, 16, 32, 1.25),
    ):
        cfg = peers.our_config(**sizes)
        prompt = torch.randint(cfg.d_vocab, (1, pos), generator=torch.Generator().manual_seed(0))
        ours = peers.our_generation(cfg, prompt, new)
        peer = peers.hugging_face_generation(cfg, prompt, new)
        lengths = {ours().shape[1], peer().shape[1]}
        assert lengths == {pos + new}, f"contestants wrote to lengths {lengths}, not {pos + new}"
        timings = take_turns({"ours": ours, "peer": peer}, rounds, warm_up=1)
        rows.append(
            Row(
                f"generation, {name}, {pos} + {new} tokens: Hugging Face GPT-2",
                timings.speed("ours", new),
                timings.speed("peer", new),
                timings.times_as_fast("ours", "peer"),
                target,
            )
        )
    return rows


def mirror(rounds: int) -> list[Row]:
    """The mirrored string to its target loss; each seed in a process of its own, one thread."""
    rows = []
    for recipe, target in (("mirror", 3.0), ("mirror-2-layers", 10.0)):
        results = [mirror_in_a_fresh_process(recipe, seed) for seed in range(1, rounds + 1)]
        seconds = [result["seconds"] for result in results]
        steps = [round(result["steps"]) for result in results]
        reached = sum(result["loss"] <= TARGET_LOSS for result in results)
        rows.append(
            Row(
                f"{recipe} to held-out loss {TARGET_LOSS}, {reached} of {rounds} seeds reached it",
                f"{min(seconds):.2f} / {median(seconds):.2f} / {max(seconds):.2f} s",
                f"{min(steps)} / {median(steps):.0f} / {max(steps)} steps",
                max(seconds) if reached == rounds else float("inf"),
                target,
                unit=" s",
                at_most=True,
            )
        )
    return rows


def mirror_in_a_fresh_process(recipe: str, seed: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.mirror", recipe, str(seed)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def pages(rounds: int) -> list[Row]:
    """Every reading page in a real browser: its redraw after a click, its weight on the wire."""
    rows = []
    with browser.app() as (address, chromium):
        for what in browser.CONTROLS:
            for pos, limit in browser.REDRAW_LIMITS.items():
                took = browser.redraw_milliseconds(chromium, address, what, pos, rounds)
                rows.append(
                    Row(f"{what}: redraw, {pos} tokens", "", "", took, limit, " ms", at_most=True)
                )
        for page in browser.REPLAYED:
            took = browser.replay_milliseconds(chromium, address, page, rounds)
            step = f"{page}: one step of the replay, {browser.REPLAY_TOKENS} tokens"
            rows.append(Row(step, "", "", took, browser.REPLAY_LIMIT, " ms", at_most=True))
        for page in dict.fromkeys(map(browser.page_of, browser.CONTROLS)):
            weight = browser.kilobytes(chromium, address, page, browser.KILOBYTES_AT)
            first = f"{page}: first view, {browser.KILOBYTES_AT} tokens"
            rows.append(Row(first, "", "", weight, browser.KILOBYTES, " KB", at_most=True))
    return rows


def milliseconds(timings: Timings, name: str) -> str:
    return f"{1000 * timings.median(name):,.1f} ms"


# name: (benchmark, rounds where --repeats does not say)
BENCHMARKS: dict[str, tuple[Callable[[int], list[Row]], int]] = {
    "training": (training, 20),
    "vocabulary": (vocabulary, 7),
    "loop": (loop, 15),
    "overhead": (overhead, 15),
    "cache": (cache, 25),
    "generation": (generation, 15),
    "pairs": (pair_rows.pairs, 15),
    "masked": (pair_rows.masked, 15),
    "decoding": (pair_rows.decoding, 7),
    "mirror": (mirror, 5),
    "numpy": (numpy_rows.numpy_engine, 15),
    "pages": (pages, 9),
}

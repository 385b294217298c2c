"""The table's rows about the numpy engine: against torch, and against HIPS autograd."""

from collections.abc import Callable
from typing import Any

from tests.benchmarks.row import Row
from tests.benchmarks.timing import take_turns

PIXELS, HIDDEN, DIGITS, BATCH = 784, 128, 10, 64
LR = 0.1
MOST_TIMES_MLP, MOST_TIMES_TRANSFORMER, TIMES_AUTOGRAD = 1.2, 3.0, 3.0
AT_ONCE = 100  # steps of the small network between two looks at the clock: training is many


def numpy_engine(rounds: int) -> list[Row]:
    """Steps of an MLP as for MNIST, and of the mirror recipe's Transformer; one thread each."""
    import torch

    from tfs.numpy_engine.by_hand.threads import one_blas_thread

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one_blas_thread()
    try:
        return [*mlp(rounds), transformer(rounds)]
    finally:
        torch.set_num_threads(threads)


def mlp(rounds: int) -> list[Row]:
    """One step of SGD on 784-128-10, batch 64."""
    import numpy as np

    g = np.random.default_rng(0)
    pixels = g.random((BATCH, PIXELS), dtype=np.float32)
    labels = g.integers(DIGITS, size=BATCH)
    steps = {
        "ours": our_mlp(pixels, labels),
        "torch": torch_mlp(pixels, labels),
        "autograd": autograd_mlp(pixels, labels),
    }
    calls = {name: repeated(step) for name, step in steps.items()}
    timings = take_turns(calls, rounds)

    def took(name: str) -> str:
        return f"{1e6 * timings.median(name) / AT_ONCE:,.0f} us"

    what = f"numpy engine, MLP {PIXELS}-{HIDDEN}-{DIGITS}, one step"
    slower = timings.times_as_fast("torch", "ours")
    faster = timings.times_as_fast("ours", "autograd")
    return [
        Row(f"{what}: torch", took("ours"), took("torch"), slower, MOST_TIMES_MLP, at_most=True),
        Row(f"{what}: HIPS autograd", took("ours"), took("autograd"), faster, TIMES_AUTOGRAD),
    ]


def repeated(step: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(AT_ONCE):
            step()

    return run


def our_mlp(pixels: Any, labels: Any) -> Callable[[], None]:
    from tfs.numpy_engine import SGD, Linear, Tensor, cross_entropy

    first, second = Linear(PIXELS, HIDDEN, seed=0), Linear(HIDDEN, DIGITS, seed=1)
    optimizer = SGD([*first.parameters(), *second.parameters()], lr=LR)
    x, y = Tensor(pixels), Tensor(labels)

    def step() -> None:
        loss = cross_entropy(second(first(x).relu()), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def torch_mlp(pixels: Any, labels: Any) -> Callable[[], None]:
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIGITS))
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    x, y = torch.from_numpy(pixels), torch.from_numpy(labels)

    def step() -> None:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def autograd_mlp(pixels: Any, labels: Any) -> Callable[[], None]:
    """With what HIPS autograd offers for it: its logsumexp, and labels as rows of an identity."""
    import autograd.numpy as anp
    import numpy as np
    from autograd import grad
    from autograd.scipy.special import logsumexp

    g = np.random.default_rng(0)
    shapes = (PIXELS, HIDDEN), (HIDDEN,), (HIDDEN, DIGITS), (DIGITS,)
    weights = [(0.05 * g.standard_normal(shape)).astype(np.float32) for shape in shapes]
    is_label = np.eye(DIGITS, dtype=np.float32)[labels]

    def loss(weights: list) -> Any:
        W_in, b_in, W_out, b_out = weights
        logits = anp.dot(anp.maximum(anp.dot(pixels, W_in) + b_in, 0), W_out) + b_out
        log_probs = logits - logsumexp(logits, axis=1, keepdims=True)
        return -anp.sum(log_probs * is_label) / BATCH

    gradient = grad(loss)

    def step() -> None:
        for weight, slope in zip(weights, gradient(weights), strict=True):
            weight -= LR * slope

    return step


def transformer(rounds: int) -> Row:
    """One update of the mirror recipe's model, batch 64."""
    import torch

    import tfs
    from tfs.numpy_engine.recipes import mirror_trainer

    trainer = mirror_trainer()
    model = tfs.DecoderOnly(tfs.TransformerConfig.from_dict(trainer.model.cfg.to_dict()))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    tokens = torch.randint(model.cfg.d_vocab, (64, model.cfg.n_ctx))

    def torchs() -> None:
        logits = model(tokens[:, :-1]).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    timings = take_turns({"ours": trainer.update, "torch": torchs}, rounds)
    ours, theirs = (f"{1000 * timings.median(name):,.1f} ms" for name in ("ours", "torch"))
    slower = timings.times_as_fast("torch", "ours")
    what = "numpy engine, the mirror recipe's step: torch"
    return Row(what, ours, theirs, slower, MOST_TIMES_TRANSFORMER, at_most=True)

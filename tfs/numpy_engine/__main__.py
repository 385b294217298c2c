"""python -m tfs.numpy_engine mirror: train the mirror recipe without torch doing any of it."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tfs.memory import keep_freed_memory
from tfs.numpy_engine.config import Config
from tfs.numpy_engine.data import MirrorBatches
from tfs.numpy_engine.files import save
from tfs.numpy_engine.optim import AdamW, warmup_cosine
from tfs.numpy_engine.trainer import Trainer
from tfs.numpy_engine.transformer import Transformer
from tfs.tokenizers import IntegerTokenizer

LR, WARMUP_STEPS, GRAD_CLIP = 1e-2, 30, 1.0
HELD_OUT_SEQUENCES = 96


def mirror_trainer(steps: int = 300, seed: int = 0) -> Trainer:
    """The recipe "mirror" of tfs.train, in this engine: one layer, AdamW, warm-up and cosine."""
    cfg = Config(1, 64, 16, 16, 100, n_heads=4, act_fn="gelu_new", seed=seed)
    model = Transformer(cfg)
    return Trainer(
        model,
        AdamW(model.parameters(), lr=LR, betas=(0.9, 0.98), weight_decay=0),
        MirrorBatches(cfg.d_vocab, cfg.n_ctx, seed=seed),
        schedule=warmup_cosine(LR, min(WARMUP_STEPS, steps), steps),
        grad_clip=GRAD_CLIP,
        held_out=MirrorBatches(cfg.d_vocab, cfg.n_ctx, HELD_OUT_SEQUENCES, seed + 1).at(0),
        seed=seed,
    )


def mirror(args: argparse.Namespace) -> None:
    if args.steps < 1:
        raise ValueError(f"--steps must be at least 1, not {args.steps}")
    trainer, started, held_out = mirror_trainer(args.steps, args.seed), time.perf_counter(), None
    for step in trainer.steps(args.steps, progress_bar=not args.quiet):
        held_out = step.held_out or held_out
    seconds = time.perf_counter() - started
    floor = 7 / 15 * math.log(100)
    measured = "not measured" if held_out is None else f"{held_out:.4f}"
    print(f"held-out loss {measured}, floor {floor:.4f}, {seconds:.1f} s")
    card = (
        f"# mirror, by numpy\n\nOne layer that writes the second half of a random string as the "
        f"first, mirrored.\n\n- **Training**: {trainer.done:,} updates in {seconds:.1f} s by "
        f"`python -m tfs.numpy_engine mirror`, seed {args.seed}.\n- **Held-out loss**: {measured} "
        f"nats per token; a perfect model's is {floor:.4f}.\n"
    )
    if args.out is not None:
        save(trainer.model, args.out, IntegerTokenizer(trainer.model.cfg.d_vocab), card)
        print(f"saved in {args.out}; tfs.load opens it")


def main(argv: Sequence[str] | None = None) -> int:
    """A user's mistake ends in one sentence, status 2."""
    parser = argparse.ArgumentParser(prog="python -m tfs.numpy_engine", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("mirror", help="the second half of a string mirrors the first")
    command.add_argument("--steps", type=int, default=300)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, help="where to save the trained model")
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(run=mirror)
    keep_freed_memory()
    try:
        args = parser.parse_args(argv)
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"tfs.numpy_engine: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

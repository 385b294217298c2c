"""The command line: python -m tfs.numpy_engine.by_hand digits | word-vectors."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from tfs.cli.parsing import COUNT, SEED, Parser
from tfs.numpy_engine.by_hand.analogy_text import analogies, analogy_text
from tfs.numpy_engine.by_hand.digits import accuracy, digits_model, load_digits, train_digits
from tfs.numpy_engine.by_hand.mnist import load_mnist
from tfs.numpy_engine.by_hand.nearest import analogy_accuracy, nearest
from tfs.numpy_engine.by_hand.threads import one_blas_thread
from tfs.numpy_engine.by_hand.word_vectors import METHODS, WordConfig, WordVectors

SHOWN = 5  # words whose neighbours are printed, and neighbours of each


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. A user's mistake ends in one sentence, status 2."""
    one_blas_thread()
    try:
        args = parser().parse_args(argv)
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"by_hand: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nby_hand: interrupted", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    about = "Train models whose gradients are written by hand."
    top = Parser(prog="python -m tfs.numpy_engine.by_hand", description=about)
    commands = top.add_subparsers(required=True)
    digits = commands.add_parser("digits", help="read handwritten digits")
    about = "scikit-learn's of 8 x 8 pixels, or MNIST's files in TFS_DATA_DIR/mnist"
    digits.add_argument("--data", choices=("bundled", "mnist"), default="bundled", help=about)
    digits.add_argument("--epochs", type=COUNT, help="default: 40, of MNIST 5")
    digits.set_defaults(run=run_digits)
    words = commands.add_parser("word-vectors", help="learn what words mean by their neighbours")
    about = "a text file; without it, a grammar with known analogies"
    words.add_argument("--corpus", type=Path, help=about)
    words.add_argument("--method", choices=METHODS, default="cbow", help="default: cbow")
    words.add_argument("--steps", type=COUNT, default=WordConfig.steps)
    words.set_defaults(run=run_word_vectors)
    for command in (digits, words):
        command.add_argument("--seed", type=SEED, default=0)
    return top


def run_digits(args: argparse.Namespace) -> None:
    split = load_mnist() if args.data == "mnist" else load_digits(args.seed)
    model = digits_model(split.train.pixels.shape[1], args.seed)
    epochs = args.epochs or (5 if args.data == "mnist" else 40)
    steps = train_digits(model, split.train, epochs=epochs, seed=args.seed)
    total = epochs * -(-len(split.train.labels) // 64)
    with tqdm(steps, total=total, unit="update", disable=None) as bar:
        for step in bar:
            bar.set_postfix_str(f"loss {step.loss:.3f}", refresh=False)
    reached, held_out = accuracy(model, split.held_out), len(split.held_out.labels)
    print(f"{reached:.2%} of {held_out:,} held-out digits are read right")


def run_word_vectors(args: argparse.Namespace) -> None:
    cfg = WordConfig(args.method, steps=args.steps, seed=args.seed)
    words = read_words(args.corpus) if args.corpus else analogy_text(seed=args.seed)
    model = WordVectors(words, cfg)
    with tqdm(model.train(), total=cfg.steps, unit="update", disable=None) as bar:
        for step in bar:
            bar.set_postfix_str(f"loss {step.loss:.3f}", refresh=False)
    known = model.vocabulary.words
    if not args.corpus:
        solved = analogy_accuracy(model.vectors, known, analogies())
        print(f"{solved:.1%} of {len(analogies())} analogies are solved")
    for number in range(min(SHOWN, len(known))):
        near = nearest(model.vectors, model.vectors[number], without=[number], most=SHOWN)
        print(f"{known[number]:12} " + ", ".join(f"{known[i]} {cosine:.2f}" for i, cosine in near))


def read_words(path: Path) -> list[str]:
    """The words of a text file in lower case. Raises ValueError for one that is no text."""
    try:
        return path.read_text(encoding="utf-8").lower().split()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8; save it as such") from None


if __name__ == "__main__":
    sys.exit(main())

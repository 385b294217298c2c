"""python -m tfs.numpy_engine mirror | characters | tags | pairs: train, and without torch."""

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tfs.cli.parsing import COUNT, SEED, Parser
from tfs.memory import keep_freed_memory
from tfs.numpy_engine.by_hand.threads import one_blas_thread
from tfs.numpy_engine.characters import CHARACTERS_STEPS, character_trainer, written
from tfs.numpy_engine.files import save
from tfs.numpy_engine.labelled import accuracy, commonest_share, tag_scores
from tfs.numpy_engine.recipes import (
    MIRROR_STEPS,
    PAIRS_STEPS,
    TAGS_STEPS,
    mirror_trainer,
    pairs_trainer,
    tags_trainer,
)
from tfs.numpy_engine.texts import (
    LONGEST,
    Texts,
    pairs_from_templates,
    pairs_of_files,
    sentences_from_templates,
    sentences_of_files,
)
from tfs.numpy_engine.trainer import Trainer
from tfs.templates.text_file import text_of
from tfs.tokenizers import CharTokenizer, IntegerTokenizer

READ, WRITTEN = 8, 300  # characters of a held-out beginning, and those that follow it


def trained(trainer: Trainer, steps: int) -> float:
    """Trains it, with a bar where somebody looks; returns the seconds that it took."""
    started = time.perf_counter()
    for _ in trainer.steps(steps, progress_bar=sys.stderr.isatty()):
        pass
    return time.perf_counter() - started


def run_mirror(args: argparse.Namespace) -> None:
    trainer = mirror_trainer(args.steps, args.seed)
    seconds = trained(trainer, args.steps)
    reached, floor = trainer.held_out_loss(trainer.held_out), 7 / 15 * math.log(100)
    print(f"held-out loss {reached:.4f}, floor {floor:.4f}, {seconds:.1f} s")
    if args.out is None:
        return
    card = (
        f"# mirror, by numpy\n\nOne layer that writes the second half of a random string as the "
        f"first, mirrored.\n\n- **Training**: {trainer.done:,} updates in {seconds:.1f} s by "
        f"`python -m tfs.numpy_engine mirror`, seed {args.seed}.\n- **Held-out loss**: "
        f"{reached:.4f} nats per token; a perfect model's is {floor:.4f}.\n"
    )
    save(trainer.model, args.out, IntegerTokenizer(trainer.model.cfg.d_vocab), card)
    print(f"saved in {args.out}; tfs.load opens it")


def run_characters(args: argparse.Namespace) -> None:
    text = text_of(args.file)
    trainer, tokenizer = character_trainer(text, args.steps, args.seed), CharTokenizer.train(text)
    seconds = trained(trainer, args.steps)
    held_out = trainer.held_out_loss(trainer.held_out)
    reached = f"loss {held_out:.4f}, a blind guess's {math.log(tokenizer.d_vocab):.4f}"
    print(f"held-out {reached}, {seconds:.1f} s")
    beginning = trainer.held_out[0].data[0, :READ].tolist()
    print(tokenizer.decode(written(trainer.model, beginning, WRITTEN, seed=args.seed)))
    if args.out is None:
        return
    card = (
        f"# characters, by numpy\n\nOne layer that writes in the manner of {args.file.name}.\n\n- "
        f"**Training**: {trainer.done:,} updates in {seconds:.1f} s by `python -m tfs.numpy_engine "
        f"characters`, seed {args.seed}.\n- **Held out**, a tenth of the text: {reached} nats per "
        "token.\n"
    )
    save(trainer.model, args.out, tokenizer, card)
    print(f"saved in {args.out}; tfs.load opens it")


def run_tags(args: argparse.Namespace) -> None:
    texts = texts_of(args, sentences_from_templates, sentences_of_files)
    trainer = tags_trainer(args.steps, args.seed, texts)
    seconds = trained(trainer, args.steps)
    scores = tag_scores(trainer.model, texts.held_out, texts.reader.labels)
    reached = f"F1 {scores.f1:.4f} (precision {scores.precision:.4f}, recall {scores.recall:.4f})"
    finish(args, trainer, texts, f"{reached} of whole entities", "sentences", seconds)


def run_pairs(args: argparse.Namespace) -> None:
    texts = texts_of(args, pairs_from_templates, pairs_of_files)
    trainer = pairs_trainer(args.steps, args.seed, texts)
    seconds = trained(trainer, args.steps)
    reached = (
        f"accuracy {accuracy(trainer.model, texts.held_out):.4f} (one answer for all: "
        f"{commonest_share(texts.held_out):.4f})"
    )
    finish(args, trainer, texts, reached, "pairs", seconds)


def texts_of(args: argparse.Namespace, from_templates: Callable, of_files: Callable) -> Texts:
    """Raises ValueError for files that cannot be read, and --held-out without --file."""
    if args.file is None:
        if args.held_out is not None:
            raise ValueError("--held-out goes with --file; give the file to train on, too")
        return from_templates(args.seed)
    texts = of_files(args.file, args.held_out, args.seed)
    if texts.left_out:
        print(f"left out {texts.left_out:,} that have more than {LONGEST} tokens")
    return texts


def finish(
    args: argparse.Namespace, trainer: Trainer, texts: Texts, reached: str, of: str, seconds: float
) -> None:
    """Says what was reached, and saves the model where --out is given."""
    print(f"held-out {reached}, {texts.count:,} {of}, {seconds:.1f} s")
    if args.out is None:
        return
    source = "templates" if args.file is None else args.file.name
    card = (
        f"# {args.command}, by numpy\n\nTwo layers that read both ways.\n\n- **Data**: {of} from "
        f"{source}.\n- **Training**: {trainer.done:,} updates in {seconds:.1f} s by `python -m "
        f"tfs.numpy_engine {args.command}`, seed {args.seed}.\n- **Held out**: {reached}, on "
        f"{texts.count:,} {of}.\n"
    )
    save(trainer.model, args.out, texts.reader.tokenizer, card)
    print(f"saved in {args.out}; tfs.load opens it")


COMMANDS = {
    "mirror": (run_mirror, MIRROR_STEPS, "the second half of a string mirrors the first", None),
    "characters": (run_characters, CHARACTERS_STEPS, "a text, letter by letter", "plain text"),
    "tags": (run_tags, TAGS_STEPS, "who, where, which company, when", "as of CoNLL-2003"),
    "pairs": (run_pairs, PAIRS_STEPS, "do two questions ask the same?", "as Quora's, with tabs"),
}


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="python -m tfs.numpy_engine", description="Train a Transformer by numpy.")
    commands = top.add_subparsers(required=True, dest="command")
    for name, (run, steps, about, files) in COMMANDS.items():
        command = commands.add_parser(name, help=about)
        command.add_argument("--steps", type=COUNT, default=steps)
        command.add_argument("--seed", type=SEED, default=0)
        command.add_argument("--out", type=Path, help="a directory for the trained model")
        command.set_defaults(run=run)
        if files:
            needed = name == "characters"  # the others have templates
            about = f"texts of your own, {files}"
            command.add_argument("--file", type=Path, help=about, required=needed)
            if not needed:
                command.add_argument("--held-out", type=Path, help="others, to score it on")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. A user's mistake ends in one sentence, status 2."""
    keep_freed_memory()
    one_blas_thread()
    try:
        args = parser().parse_args(argv)
        if args.out is not None and args.out.exists() and not args.out.is_dir():
            raise ValueError(f"{args.out} is a file; give --out a directory")
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"tfs.numpy_engine: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntfs.numpy_engine: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The command line: python -m tfs train | sample | inspect."""

import argparse
import dataclasses
import os
import re
import reprlib
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import torch
from tqdm import tqdm

from tfs.arithmetic import kv_cache_terms, parameter_terms, readable_bytes, total, weight_bytes
from tfs.interp import head_scores
from tfs.memory import keep_freed_memory
from tfs.model import DecoderOnly, TransformerConfig
from tfs.sample import check_sampling, generate_stream
from tfs.tasks import TextTask
from tfs.tasks.corpus import read_text
from tfs.tasks.text import split_text
from tfs.tokenizers import BPETokenizer
from tfs.tokenizers.bpe_training import N_BYTES
from tfs.train import train
from tfs.train.card import model_card
from tfs.train.checkpoint import Bundle, bundled_names, load, read_config, save
from tfs.train.recipes import RECIPES, Recipe

WHEN_FULL = {
    "slide": "its oldest half is dropped and writing goes on (--when-full stop would end here)",
    "stop": "writing ends here (--when-full slide would go on)",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. A user's mistake ends in one sentence, status 2."""
    keep_freed_memory()
    try:
        args = parser().parse_args(argv)
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"tfs: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntfs: interrupted; what was saved can be resumed", file=sys.stderr)
        return 130
    return 0


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Leave it to `main` to say, in one sentence; argparse would print its usage before."""
        raise ValueError(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="tfs", description="Train, sample and inspect small Transformers.")
    commands = top.add_subparsers(required=True)
    _add_train(commands.add_parser("train", help="train a model by a recipe"))
    _add_sample(commands.add_parser("sample", help="let a model write"))
    about = "sizes of a model; with a prompt, what its heads do"
    _add_inspect(commands.add_parser("inspect", help=about))
    return top


def _add_train(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("recipe", choices=sorted(RECIPES))
    add("--out", type=Path, help="directory to write (default: runs/<recipe>)")
    add("--resume", action="store_true", help="go on from the last save in --out")
    add("--text", type=Path, help="a UTF-8 file to train on instead of the recipe's")
    add("--steps", type=COUNT, help="number of updates (default: the recipe's)")
    add("--seed", type=SEED, help="of weights and data, below 2**64 (default: the recipe's)")
    add("--threads", type=THREADS, default=1, help="CPU threads (default: 1)")
    command.set_defaults(run=run_train)


def _add_sample(command: argparse.ArgumentParser) -> None:
    _checkpoint_argument(command)
    add = command.add_argument
    add("--prompt", required=True)
    add("--tokens", type=COUNT, default=100, help="new tokens (default: 100)")
    add("--temperature", type=float, default=0.8, help="0 is greedy (default: 0.8)")
    add("--top-k", type=int)
    add("--top-p", type=float)
    add("--seed", type=SEED, help="of the draws, below 2**64")
    about = "once the context is full, drop its oldest half or end (default: slide)"
    add("--when-full", choices=tuple(WHEN_FULL), default="slide", help=about)
    command.set_defaults(run=run_sample)


def _add_inspect(command: argparse.ArgumentParser) -> None:
    _checkpoint_argument(command)
    command.add_argument("--prompt")
    command.set_defaults(run=run_inspect)


def _checkpoint_argument(command: argparse.ArgumentParser) -> None:
    names = ", ".join(bundled_names())
    command.add_argument("checkpoint", help=f"a directory, or a bundled name: {names}")


def whole_number(text: str, low: int, high: int) -> int:
    """For argparse, which puts the option's name before the sentence."""
    number = int(text) if re.fullmatch(r"-?[0-9]{1,20}", text) else None
    if number is None or not low <= number <= high:
        raise argparse.ArgumentTypeError(
            f"give a whole number from {low} to {high}, not {reprlib.repr(text)}"
        )
    return number


COUNT = partial(whole_number, low=1, high=10**9)  # of steps or tokens; more is a slip of the finger
SEED = partial(whole_number, low=0, high=2**64 - 1)  # 64 bits: -1 would be 2**64 - 1 once more
THREADS = partial(whole_number, low=1, high=1024)  # with far more, OpenMP ends the process


def run_train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    recipe = RECIPES[args.recipe]
    changes = {
        name: getattr(args, name) for name in ("steps", "seed") if getattr(args, name) is not None
    }
    config = dataclasses.replace(recipe.train, **changes)
    cfg = recipe.model
    if args.seed is not None:
        cfg = dataclasses.replace(cfg, seed=args.seed)
    directory = args.out or Path("runs") / recipe.name
    check_directory(directory, cfg, args.resume)
    task = recipe.make_task() if args.text is None else text_task(recipe, args.text)
    model, step = DecoderOnly(cfg), 0
    with tqdm(total=config.steps, unit="step", desc=recipe.name) as bar:
        for report in train(model, task, config, directory, resume=args.resume):
            step = report.step
            bar.update(step - bar.n)
            if report.held_out:
                bar.set_postfix(loss=f"{report.loss:.3f}", held_out=f"{report.held_out.loss:.3f}")
    command = f"python -m tfs train {recipe.name}"
    card = model_card(recipe.name, recipe.about, model, task, config, step or config.steps, command)
    save(Bundle(model, task.tokenizer, card), directory)
    print(f"saved to {directory}; open it with: tfs inspect {directory}")


def text_task(recipe: Recipe, path: Path) -> TextTask:
    """A file as a recipe's task. Raises ValueError where the vocabulary cannot hold its bytes."""
    cfg = recipe.model
    if cfg.d_vocab < N_BYTES:
        able = sorted(name for name, other in RECIPES.items() if other.model.d_vocab >= N_BYTES)
        raise ValueError(
            f"--text needs a vocabulary of at least {N_BYTES} tokens, and {recipe.name} has "
            f"{cfg.d_vocab}; give it to one of these recipes: {', '.join(able)}"
        )
    text = read_text(path)
    return TextTask(text, BPETokenizer.train(split_text(text)[0], cfg.d_vocab), cfg.n_ctx)


def check_directory(directory: Path, cfg: TransformerConfig, resume: bool) -> None:
    """Raise ValueError, before any work is done, for a directory that cannot take this run."""
    if resume and not os.path.isfile(directory / "last" / "state.json"):
        raise ValueError(
            f"--resume: {directory} holds no saved run; leave out --resume to start anew, or name "
            "the directory of a run with --out"
        )
    there = next(filter(os.path.exists, (directory, *directory.absolute().parents)))
    try:
        tempfile.TemporaryDirectory(dir=there).cleanup()
    except OSError as error:
        raise ValueError(
            f"--out {directory}: nothing can be written in {there} ({error.strerror}); name "
            "another directory"
        ) from None
    if not resume and (directory / "metrics.jsonl").exists():
        raise ValueError(
            f"--out {directory} already holds a run; add --resume to go on with it, or name "
            "another directory"
        )
    if resume and (saved := read_config(directory / "config.json")) != cfg:
        wanted = cfg.to_dict()
        other = [f"{k} = {v}" for k, v in saved.to_dict().items() if v != wanted[k]]
        raise ValueError(
            f"--resume: the run in {directory} has {', '.join(other)}; go on with the recipe and "
            "the --seed that it was started with"
        )


def run_sample(args: argparse.Namespace) -> None:
    check_sampling(args.temperature, args.top_k, args.top_p)
    bundle = load(args.checkpoint)
    prompt = prompt_ids(bundle, args.prompt)
    names = ("temperature", "top_k", "top_p", "seed", "when_full")
    choices = {name: getattr(args, name) for name in names}
    steps = generate_stream(bundle.model, torch.tensor([prompt]), args.tokens, **choices)
    n_ctx, new = bundle.model.cfg.n_ctx, []
    fitting = n_ctx - len(prompt) + 1  # the last of them is drawn from a full context, and not read
    with tqdm(steps, total=args.tokens, unit="token", leave=False, disable=None) as bar:
        for step in bar:
            new.append(step.token.item())
            if len(new) == fitting < args.tokens:
                note = f"tfs: the context of {n_ctx} tokens is full: {WHEN_FULL[args.when_full]}"
                bar.write(note, file=sys.stderr)
    print(bundle.tokenizer.decode(prompt + new))


def prompt_ids(bundle: Bundle, text: str) -> list[int]:
    """Raises ValueError for a prompt that the tokenizer or the context cannot take."""
    ids, n_ctx = bundle.tokenizer.encode(text), bundle.model.cfg.n_ctx
    if not ids:
        raise ValueError("the prompt is empty; give at least one token")
    if len(ids) > n_ctx:
        raise ValueError(
            f"the prompt has {len(ids)} tokens, more than this model's context of n_ctx = {n_ctx}; "
            "shorten it"
        )
    return ids


def run_inspect(args: argparse.Namespace) -> None:
    bundle = load(args.checkpoint)
    scores = {}  # measured first: a prompt is refused before anything is printed
    if args.prompt is not None:
        scores = head_scores(bundle.model, torch.tensor([prompt_ids(bundle, args.prompt)]))
    cfg = bundle.model.cfg
    for field, value in cfg.to_dict().items():
        print(f"{field:28} {value}")
    print()
    for term in parameter_terms(cfg):
        print(f"{term.name:28} {term.substituted:>28} = {term.value:>12,}")
    print(f"{'parameters':28} {'':28}   {total(parameter_terms(cfg)):>12,}")
    print(f"{'weights':28} {readable_bytes(weight_bytes(cfg)):>43}")
    kv_bytes = total(kv_cache_terms(cfg, cfg.n_ctx))
    print(f"{'KV cache, full context':28} {readable_bytes(kv_bytes):>43}")
    if bundle.snapshots:
        print(f"{'snapshots':28} {', '.join(map(str, bundle.snapshots))}")
    for name, rows in scores.items():
        print(f"\n{name} (row: layer, column: head)")
        for layer, row in enumerate(rows.tolist()):
            print(f"  {layer:2}  " + "  ".join(f"{score:.3f}" for score in row))


if __name__ == "__main__":
    sys.exit(main())

"""The command line: python -m tfs train | sample | inspect."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from tfs.arithmetic import kv_cache_terms, parameter_terms, readable_bytes, total, weight_bytes
from tfs.interp import head_scores
from tfs.model import DecoderOnly
from tfs.sample import generate_stream
from tfs.tasks import TextTask
from tfs.tasks.corpus import read_text
from tfs.tokenizers import BPETokenizer, IntegerTokenizer
from tfs.train import train
from tfs.train.card import model_card
from tfs.train.checkpoint import Bundle, bundled_names, load, save
from tfs.train.recipes import RECIPES


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. A user's mistake ends in one sentence, status 2."""
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except (ValueError, OSError) as error:
        print(f"tfs: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntfs: interrupted; what was saved can be resumed", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="tfs", description="Train, sample and inspect small Transformers."
    )
    commands = top.add_subparsers(required=True)

    training = commands.add_parser("train", help="train a model by a recipe")
    training.add_argument("recipe", choices=sorted(RECIPES))
    training.add_argument("--out", type=Path, help="directory to write (default: runs/<recipe>)")
    training.add_argument("--resume", action="store_true", help="go on from the last save in --out")
    training.add_argument(
        "--text", type=Path, help="a UTF-8 file to train on instead of the recipe's"
    )
    training.add_argument("--steps", type=int, help="number of updates (default: the recipe's)")
    training.add_argument(
        "--seed", type=int, help="seed of weights and data (default: the recipe's)"
    )
    training.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    training.set_defaults(run=run_train)

    sampling = commands.add_parser("sample", help="let a model write")
    _checkpoint_argument(sampling)
    sampling.add_argument("--prompt", required=True)
    sampling.add_argument("--tokens", type=int, default=100, help="new tokens (default: 100)")
    sampling.add_argument(
        "--temperature", type=float, default=0.8, help="0 is greedy (default: 0.8)"
    )
    sampling.add_argument("--top-k", type=int)
    sampling.add_argument("--top-p", type=float)
    sampling.add_argument("--seed", type=int)
    sampling.set_defaults(run=run_sample)

    inspecting = commands.add_parser(
        "inspect", help="sizes of a model; with a prompt, what its heads do"
    )
    _checkpoint_argument(inspecting)
    inspecting.add_argument("--prompt")
    inspecting.set_defaults(run=run_inspect)
    return top


def _checkpoint_argument(command: argparse.ArgumentParser) -> None:
    names = ", ".join(bundled_names())
    command.add_argument("checkpoint", help=f"a directory, or a bundled name: {names}")


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
    if args.text is None:
        task = recipe.make_task()
    else:
        text = read_text(args.text)
        task = TextTask(
            text, BPETokenizer.train(text[: int(0.9 * len(text))], cfg.d_vocab), cfg.n_ctx
        )
    directory = args.out or Path("runs") / recipe.name
    model, step = DecoderOnly(cfg), 0
    with tqdm(total=config.steps, unit="step", desc=recipe.name) as bar:
        for report in train(model, task, config, directory, resume=args.resume):
            step = report.step
            bar.update(step - bar.n)
            if report.held_out:
                bar.set_postfix(loss=f"{report.loss:.3f}", held_out=f"{report.held_out.loss:.3f}")
    tokenizer = task.tokenizer if isinstance(task, TextTask) else IntegerTokenizer(task.d_vocab)
    card = model_card(recipe.name, recipe.about, model, task, config, step or config.steps)
    save(Bundle(model, tokenizer, card), directory)
    print(f"saved to {directory}; open it with: tfs inspect {directory}")


def run_sample(args: argparse.Namespace) -> None:
    bundle = load(args.checkpoint)
    prompt = bundle.tokenizer.encode(args.prompt)
    if not prompt:
        raise ValueError("the prompt is empty; give at least one token to start from")
    steps = generate_stream(
        bundle.model,
        torch.tensor([prompt]),
        args.tokens,
        temperature=args.temperature,
        top_k=args.top_k,
        top_p=args.top_p,
        seed=args.seed,
    )
    new = [step.token.item() for step in tqdm(steps, total=args.tokens, unit="token", leave=False)]
    print(bundle.tokenizer.decode(prompt + new))


def run_inspect(args: argparse.Namespace) -> None:
    bundle = load(args.checkpoint)
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
    if args.prompt is not None:
        tokens = torch.tensor([bundle.tokenizer.encode(args.prompt)])
        for name, scores in head_scores(bundle.model, tokens).items():
            print(f"\n{name} (row: layer, column: head)")
            for layer, row in enumerate(scores.tolist()):
                print(f"  {layer:2}  " + "  ".join(f"{score:.3f}" for score in row))


if __name__ == "__main__":
    sys.exit(main())

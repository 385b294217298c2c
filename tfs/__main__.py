"""The command line: python -m tfs train | sample | inspect."""

import argparse
import math
import os
import sys
from collections.abc import Sequence

import torch
from tqdm import tqdm

from tfs.arithmetic import kv_cache_terms, parameter_terms, readable_bytes, total, weight_bytes
from tfs.cli.parsing import COUNT, SEED, Parser
from tfs.cli.train import add_train
from tfs.interp import head_scores
from tfs.memory import keep_freed_memory
from tfs.model import DecoderOnly, EncoderDecoder, Kind, TransformerConfig, kind_of
from tfs.sample import check_sampling, generate_stream
from tfs.train.checkpoint import Bundle, bundled_names, load
from tfs.translate import translate

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
        print(f"tfs: {_which_process()}{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntfs: interrupted; what was saved can be resumed", file=sys.stderr)
        return 130
    return 0


def _which_process() -> str:
    """Of several that torchrun started, the one that speaks."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    return f"process {os.environ.get('RANK')} of {count}: " if count > 1 else ""


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="tfs", description="Train, sample and inspect small Transformers.")
    commands = top.add_subparsers(required=True)
    about = "train a model by a recipe"
    add_train(commands.add_parser("train", help=about, description=about, allow_abbrev=False))
    _add_sample(commands.add_parser("sample", help="let a model write"))
    about = "sizes of a model; with a prompt, what its heads do"
    _add_inspect(commands.add_parser("inspect", help=about))
    return top


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


def run_sample(args: argparse.Namespace) -> None:
    check_sampling(args.temperature, args.top_k, args.top_p)
    bundle = load(args.checkpoint)
    if isinstance(bundle.model, EncoderDecoder):
        print(*translate(bundle.model, bundle.tokenizer, [args.prompt]))
        return
    if not isinstance(bundle.model, DecoderOnly):
        raise ValueError(
            f"{args.checkpoint} holds a model that writes no text, a "
            f"{kind_of(bundle.model).architecture}; choose another checkpoint"
        )
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
    is_decoder = isinstance(bundle.model, DecoderOnly)
    if args.prompt is not None and not is_decoder:
        raise ValueError(
            f"--prompt scores the heads of a decoder-only model, and {args.checkpoint} holds a "
            f"{kind_of(bundle.model).architecture}; leave it out"
        )
    if args.prompt is not None:
        scores = head_scores(bundle.model, torch.tensor([prompt_ids(bundle, args.prompt)]))
    cfg = bundle.model.cfg
    for field, value in cfg.to_dict().items():
        print(f"{field:28} {value}")
    print()
    if is_decoder:
        print_costs(cfg)
    else:
        print_shapes(kind_of(bundle.model))
    if bundle.snapshots:
        print(f"{'snapshots':28} {', '.join(map(str, bundle.snapshots))}")
    for name, rows in scores.items():
        print(f"\n{name} (row: layer, column: head)")
        for layer, row in enumerate(rows.tolist()):
            print(f"  {layer:2}  " + "  ".join(f"{score:.3f}" for score in row))


def print_costs(cfg: TransformerConfig) -> None:
    for term in parameter_terms(cfg):
        print(f"{term.name:28} {term.substituted:>28} = {term.value:>12,}")
    print(f"{'parameters':28} {'':28}   {total(parameter_terms(cfg)):>12,}")
    print(f"{'weights':28} {readable_bytes(weight_bytes(cfg)):>43}")
    kv_bytes = total(kv_cache_terms(cfg, cfg.n_ctx))
    print(f"{'KV cache, full context':28} {readable_bytes(kv_bytes):>43}")


def print_shapes(kind: Kind) -> None:
    """Every weight of an architecture whose costs have no formula here."""
    shapes = kind.shapes()
    print(f"{'architecture':28} {kind.architecture}")
    if kind.labels:
        print(f"{'labels':28} {', '.join(kind.labels)}")
    for name, shape in shapes.items():
        product = " * ".join(map(str, shape))
        print(f"{name:28} {product:>28} = {math.prod(shape):>12,}")
    print(f"{'parameters':28} {'':28}   {sum(map(math.prod, shapes.values())):>12,}")


if __name__ == "__main__":
    sys.exit(main())

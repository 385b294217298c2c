"""Measures every promise about speed and prints one Markdown table.

    python -m tests.benchmarks                          all rows
    python -m tests.benchmarks cache generation         some of them
    python -m tests.benchmarks training --repeats 40 --threads 1

How it is measured stands in timing.py, what is measured in rows.py.
"""

import argparse
import os
import sys

from tests.benchmarks.row import Row
from tests.benchmarks.rows import BENCHMARKS
from tests.benchmarks.timing import MATMUL_SIDE

HEAD = ("what: against whom", "ours", "peer", "ratio", "target", "", "GFLOP/s", "of peak")


def main() -> int:
    args = parser().parse_args()
    import torch

    from tfs.memory import keep_freed_memory

    torch.set_num_threads(args.threads)
    keep_freed_memory()
    rows = []
    for name in args.names or BENCHMARKS:
        benchmark, rounds = BENCHMARKS[name]
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += benchmark(args.repeats or rounds)
    print(table(rows))
    print(
        f"\nMedians; a ratio is the median of the ratios within each round. {args.threads} threads "
        f"(overhead: 1; mirror: 1, min / median / max over seeds), float32, "
        f"torch {torch.__version__}. "
        f"Peak: a {MATMUL_SIDE} x {MATMUL_SIDE} matrix product in the same rounds."
    )
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "names", nargs="*", type=known, metavar="name", help=f"any of: {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--repeats", type=positive, help="rounds (default: each benchmark's own)")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("--threads", type=positive, default=cores, help="default: all cores")
    return parser


def known(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(
            f"no benchmark {name!r}; choose from {', '.join(BENCHMARKS)}"
        )
    return name


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def table(rows: list[Row]) -> str:
    """The rows as Markdown, columns padded so that it reads as well in a terminal."""
    cells = [HEAD, *(row_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    lines.insert(1, " | ".join("-" * max(width, 3) for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def row_cells(row: Row) -> tuple[str, ...]:
    sign = "<=" if row.at_most else ">="
    return (
        row.what,
        row.ours,
        row.peer,
        f"{row.figure:.2f}{row.unit}",
        f"{sign} {row.target:g}{row.unit}",
        "pass" if row.passes() else "FAIL",
        f"{row.gflops:.0f}" if row.gflops else "",
        f"{row.percent_of_peak:.0f}%" if row.percent_of_peak else "",
    )


if __name__ == "__main__":
    sys.exit(main())

"""The model card: what a checkpoint was trained on, how, how well it does, and where it stops."""

import math
from collections.abc import Callable

import torch

from tfs.hooks import HookedModel
from tfs.model import DecoderOnly, kind_of
from tfs.model.architectures import DECODER_ONLY
from tfs.tasks import Task, TextTask
from tfs.tasks.batch import seed_for
from tfs.train.config import TrainConfig
from tfs.train.metrics import evaluate, nats_per_character

HELD_OUT_SEQUENCES = 4096
OPTIMIZER = {"adamw": "AdamW", "sgd": "SGD with momentum"}


def model_card(
    name: str,
    about: str,
    model: HookedModel,
    task: Task,
    config: TrainConfig,
    step: int,
    command: str = "",
    *,
    seconds: float | None = None,
    measured: bool = True,
    between: Callable[[], None] = lambda: None,
) -> str:
    """Markdown for README.md. Every number in it is measured or computed here, on this model.

    command: what made the model, where there is such a command.
    seconds: how long it was trained for, on as many threads as torch now has.
    measured: False leaves out how well it does, which takes seconds to find out.
    between: called every now and then while it is measured; what it raises ends that.
    """
    cfg, parameters = model.cfg, sum(weight.numel() for weight in model.parameters())
    kind = kind_of(model).architecture
    at_most = "" if kind == DECODER_ONLY else "at most "  # padded to the longest of a batch
    shape = (
        ("" if kind == DECODER_ONLY else f"{kind}, ")
        + f"{_count(cfg.n_layers, 'layer')}, d_model {cfg.d_model}, "
        f"{_count(cfg.n_heads, 'head')} of {cfg.d_head}, "
        + ("no MLP, " if cfg.attn_only else f"d_mlp {cfg.d_mlp}, ")
        + f"context {cfg.n_ctx}, vocabulary {cfg.d_vocab}, positions: "
        f"{cfg.positional_embedding_type}; {parameters:,} parameters"
    )
    lines = [
        f"# {name}",
        "",
        about,
        "",
        f"- **Model**: {shape}.",
        f"- **Data**: the `{task.name}` task, {_count(config.batch_size, 'sequence')} of "
        f"{at_most}{_count(task.n_ctx, 'token')} per update, seed {config.seed}.",
        f"- **Training**: {_count(step, 'update')}; {OPTIMIZER[config.optimizer]}, peak learning "
        f"rate {config.lr:g} after {_count(config.warmup_steps, 'warm-up step')}, then "
        f"{config.schedule}; weight decay {config.weight_decay:g}, dropout "
        f"{config.dropout:g}, {config.precision}.",
        *([f"- **Time**: {_duration(seconds)}."] if seconds is not None else []),
        *([f"- **Command**: `{command}`"] if command else []),
        *(_results(model, task, config, between) if measured else [_unmeasured(step, config)]),
    ]
    return "\n".join(lines) + "\n"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def _duration(seconds: float) -> str:
    time = f"{seconds:.3g} seconds" if seconds < 120 else f"{seconds / 60:,.0f} minutes"
    return f"{time} of training on {_count(torch.get_num_threads(), 'thread')}"


def _unmeasured(step: int, config: TrainConfig) -> str:
    return f"- **Results**: not measured; it was stopped at step {step:,} of {config.steps:,}."


def _results(
    model: HookedModel, task: Task, config: TrainConfig, between: Callable[[], None]
) -> list[str]:
    if isinstance(task, TextTask):
        return _text_results(model, task, between)
    batch = task.sample(HELD_OUT_SEQUENCES, seed_for(config.seed, "card"), "held_out")
    measured = evaluate(model, batch, between)
    lines = [
        f"- **Held-out loss**: {measured.loss:.4f} nats per counted token on "
        f"{HELD_OUT_SEQUENCES:,} sequences that it was not trained on."
    ]
    if (floor := task.floor()) is not None:
        lines.append(
            f"- **Floor**: {floor:.4f}, the loss of a perfect model; uniform guessing costs "
            f"ln {task.d_vocab} = {math.log(task.d_vocab):.4f}."
        )
    lines.append(
        f"- **Accuracy on the answer**: {measured.accuracy:.2%} of its tokens; "
        f"{measured.exact:.2%} of the sequences are right as a whole."
    )
    lines.append("- **Limits**: it knows this task only, at this length and vocabulary.")
    return lines


def _text_results(model: DecoderOnly, task: TextTask, between: Callable[[], None]) -> list[str]:
    held_out, characters = task.tokens["held_out"], task.held_out_characters
    blocks, sliding = (
        nats_per_character(model, held_out, characters, stride, between)
        for stride in (task.n_ctx, max(1, task.n_ctx // 4))
    )
    return [
        f"- **Held-out loss**: {blocks:.4f} nats per *character* on the last 10% of the text "
        f"({characters:,} characters), read in separate windows of {task.n_ctx} tokens; "
        f"{sliding:.4f} with windows that overlap by three quarters, so that each token has more "
        "context.",
        "- **To compare**: nanoGPT publishes 1.88 for its small character model on a CPU and "
        "1.4697 for its larger one on a GPU. Losses per token of different tokenizers cannot be "
        "compared; per character they can.",
        "- **Limits**: about a million characters of one author, seen many times over: it knows "
        "the manner, not the meaning.",
    ]

"""The model card: what a checkpoint was trained on, how, how well it does, and where it stops."""

import math

from tfs.arithmetic import parameter_terms, total
from tfs.model import DecoderOnly
from tfs.tasks import Task, TextTask
from tfs.tasks.batch import seed_for
from tfs.train.config import TrainConfig
from tfs.train.metrics import evaluate, nats_per_character

HELD_OUT_SEQUENCES = 4096


def model_card(
    name: str,
    about: str,
    model: DecoderOnly,
    task: Task,
    config: TrainConfig,
    step: int,
    command: str = "",
) -> str:
    """Markdown for README.md. Every number in it is measured or computed here, on this model.

    command: what made the model, where there is such a command.
    """
    cfg = model.cfg
    shape = (
        f"{_count(cfg.n_layers, 'layer')}, d_model {cfg.d_model}, "
        f"{_count(cfg.n_heads, 'head')} of {cfg.d_head}, "
        + ("no MLP, " if cfg.attn_only else f"d_mlp {cfg.d_mlp}, ")
        + f"context {cfg.n_ctx}, vocabulary {cfg.d_vocab}, positions: "
        f"{cfg.positional_embedding_type}; {total(parameter_terms(cfg)):,} parameters"
    )
    lines = [
        f"# {name}",
        "",
        about,
        "",
        f"- **Model**: {shape}.",
        f"- **Data**: the `{task.name}` task, {_count(config.batch_size, 'sequence')} of "
        f"{_count(task.n_ctx, 'token')} per update, seed {config.seed}.",
        f"- **Training**: {_count(step, 'update')}; AdamW, peak learning rate {config.lr:g} after "
        f"{_count(config.warmup_steps, 'warm-up step')}, then {config.schedule}; weight decay "
        f"{config.weight_decay:g}, dropout {config.dropout:g}, {config.precision}.",
        *([f"- **Command**: `{command}`"] if command else []),
        *_results(model, task, config),
    ]
    return "\n".join(lines) + "\n"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def _results(model: DecoderOnly, task: Task, config: TrainConfig) -> list[str]:
    if isinstance(task, TextTask):
        return _text_results(model, task)
    batch = task.sample(HELD_OUT_SEQUENCES, seed_for(config.seed, "card"), "held_out")
    measured = evaluate(model, batch)
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


def _text_results(model: DecoderOnly, task: TextTask) -> list[str]:
    held_out, characters = task.tokens["held_out"], task.held_out_characters
    blocks = nats_per_character(model, held_out, characters)
    sliding = nats_per_character(model, held_out, characters, stride=max(1, task.n_ctx // 4))
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

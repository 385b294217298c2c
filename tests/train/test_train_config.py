import json
import re

import pytest


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        *[(field, 0, "at least 1") for field in ("steps", "batch_size", "eval_every", "eval_size")],
        ("save_every", -1, "at least 1"),
        ("snapshots_per_octave", 3, "1, 2 or 4"),
        ("warmup_steps", -1, "0 or more"),
        ("lr", 0.0, "a finite number above 0"),
        ("lr", float("nan"), "a finite number above 0"),
        ("grad_clip", float("inf"), "a finite number above 0"),
        ("weight_decay", -0.1, "0 or more"),
        ("weight_decay", float("nan"), "0 or more"),
        ("dropout", 1.0, "at least 0 and below 1"),
        ("dropout", -0.1, "at least 0 and below 1"),
        ("final_lr_fraction", 1.5, "between 0 and 1"),
        ("betas", (0.9, 1.0), "at least 0 and below 1"),
        ("schedule", "step", "one of cosine, linear, constant, inverse_sqrt"),
        ("precision", "float16", "one of float32, bfloat16"),
    ],
)
def test_a_config_that_cannot_be_names_the_field_and_the_number(train_config, field, value, wanted):
    with pytest.raises(ValueError, match=re.escape(f"{field} must be {wanted}, not {value!r}")):
        train_config(**{field: value})


def test_a_config_survives_json(train_config):
    config = train_config(betas=(0.8, 0.9), target_loss=1.5, dropout=0.1, schedule="linear")
    assert type(config).from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_from_dict_refuses_an_unknown_field(train_config):
    with pytest.raises(ValueError, match="unknown training field: momentum"):
        type(train_config()).from_dict({"momentum": 0.9})


def test_a_model_too_small_for_its_task_is_refused(mirror_setup, train_config):
    from tfs.train import train

    model, task = mirror_setup(d_vocab=11)
    with pytest.raises(
        ValueError, match="d_vocab = 12 and n_ctx = 8, more than the model's 11 and 8"
    ):
        next(train(model, task, train_config()))

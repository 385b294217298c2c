"""Every page that reads a model opens a modern decoder, and says nothing false of it."""

import pytest
import torch

from tests.pages.screen import (
    ROOT,
    as_tensor,
    drawn,
    maps,
    open_code,
    said,
    the_map,
)

NAME = "run-0123456789abcdef"
PROMPT = "in the end, an inn"
FAMILIES = ("llama", "mistral", "gemma", "mixtral")
CHOICES = {
    "alibi": {"positional_embedding_type": "alibi"},
    "parallel": {"parallel_attn_mlp": True},
    "sliding window": {
        "use_local_attn": True,
        "window_size": 3,
        "attn_types": ("local", "global"),
    },
    "grouped": {"n_key_value_heads": 2},
    "scale only": {"normalization_type": "RMSPre", "gated_mlp": True},
    "capped": {"attn_scores_soft_cap": 2.0, "output_logits_soft_cap": 3.0},
    "partly rotary": {"positional_embedding_type": "rotary", "rotary_dim": 4},
    "parallel rms": {"parallel_attn_mlp": True, "normalization_type": "RMS"},
}
QUICK = ("mixtral", "alibi", "parallel", "sliding window")
KINDS = [
    kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow)
    for kind in (*FAMILIES, *CHOICES)
]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for room in ("start", "read", "inspect", "build")
    for path in ROOT.glob(f"pages/{room}/*.py")
) + ["pages/train/compare.py", "pages/train/formed.py"]


@pytest.fixture
def modern(tmp_path):
    """modern(kind) -> a saved run of that kind, opened again."""
    import tfs
    from tfs.model.presets import preset
    from tfs.tokenizers import CharTokenizer

    tokenizer = CharTokenizer.train(PROMPT)
    sizes = {"n_layers": 2, "d_model": 32, "n_heads": 4, "n_ctx": 24, "seed": 1}
    sizes |= {"d_vocab": tokenizer.d_vocab, "initializer_range": 0.3}

    def make(kind, **fields):
        if kind in FAMILIES:
            cfg = preset(kind, **sizes, **fields)
        else:
            cfg = tfs.TransformerConfig(d_head=8, **sizes, **(CHOICES[kind] | fields))
        tfs.save(tfs.Bundle(tfs.DecoderOnly(cfg), tokenizer, f"# {kind}\n"), tmp_path / NAME)
        return tfs.load(tmp_path / NAME).model

    return make


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("page", PAGES)
def test_opens_with_every_kind(visit, modern, page, kind) -> None:
    modern(kind)
    at = open_code(visit(page, model=NAME, other=NAME, prompt=PROMPT))
    assert not at.exception and not at.error and not at.warning
    assert at.session_state["model"] == NAME and at.session_state["prompt"] == PROMPT


def test_the_same_weights_under_another_config_are_another_model(visit, modern) -> None:
    """Nothing that was computed for the one is shown for the other."""
    shown = {}
    for kind in ("partly rotary", "alibi"):
        model = modern(kind)
        at = visit("pages/read/attention.py", model=NAME, prompt=PROMPT)
        shown[kind] = maps(at, "large")["L0H0: weight"]
        ids = torch.tensor([_encoded()])
        expected = model.run_with_cache(ids)[1]["pattern", 0][0, 0]
        torch.testing.assert_close(shown[kind], expected, atol=1e-5, rtol=0)
    assert (shown["alibi"] - shown["partly rotary"]).abs().max() > 0.01


@pytest.mark.parametrize("kind", ["parallel", "parallel rms"])
def test_a_parallel_block_has_no_stream_between_its_parts(visit, modern, kind) -> None:
    model = modern(kind)
    at = visit("pages/read/block.py", model=NAME, prompt=PROMPT, layer="1")
    figure = drawn(at, "block")
    stages = at.button_group(key="stage").options
    assert stages == "pre ln1 attn_out ln2 neurons mlp_out post".split()
    cache = model.run_with_cache(torch.tensor([_encoded()]))[1]
    norm = model.blocks[1].ln2(cache["resid_pre", 1])[0, -1].norm()
    lengths = as_tensor(figure["data"][-1]["y"])
    assert lengths[3].item() == pytest.approx(norm.item(), abs=1e-5)
    at.button_group(key="stage").set_value("post").run()
    start, attn, mlp, end = the_map(at, "strip of the stage strips")
    torch.testing.assert_close(start + attn + mlp, end, atol=1e-5, rtol=0)


def test_a_window_closes_keys_before_it(visit, modern) -> None:
    modern("sliding window")
    at = visit("pages/read/attention.py", model=NAME, prompt=PROMPT, token="10")
    at.button_group(key="step").set_value("3 mask").run()
    assert "7 keys come after" in said(at) and "8 lie before its window of 3" in said(at)
    assert "3 stay" in said(at)


def _encoded():
    from tfs.tokenizers import CharTokenizer

    return CharTokenizer.train(PROMPT).encode(PROMPT)

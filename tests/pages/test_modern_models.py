"""Every page that reads a model opens a modern decoder, and says nothing false of it."""

import math

import pytest
import torch

from tests.pages.screen import (
    ROOT,
    as_tensor,
    drawn,
    header,
    maps,
    messages,
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
    "post-norm": {"norm_first": False},
    "post-norm, attention only": {"norm_first": False, "attn_only": True},
    "post-norm rms": {"norm_first": False, "normalization_type": "RMS"},
}
QUICK = ("mixtral", "alibi", "parallel", "sliding window", "post-norm")
KINDS = [
    kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow)
    for kind in (*FAMILIES, *CHOICES)
]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for room in ("start", "read", "inspect", "build")
    for path in ROOT.glob(f"pages/{room}/*.py")
    if path.stem
    not in (
        "bugs",
        "digits",
        "layers",
        "translation",
        "both_ways",
        "word_vectors",
        "autograd",
        "numpy_transformer",
    )  # they have models of their own
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
            cfg = tfs.TransformerConfig(**(sizes | {"d_head": 8} | CHOICES[kind] | fields))
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
    lines = [tuple(s[end] for end in ("x0", "y0", "x1", "y1")) for s in figure["layout"]["shapes"]]
    assert (0, 0, 3, 1) in lines, "ln2 reads what the block found, as ln1 does"
    lengths = as_tensor(figure["data"][-1]["y"])
    assert lengths[3].item() == pytest.approx(norm.item(), abs=1e-5)
    at.button_group(key="stage").set_value("post").run()
    start, attn, mlp, end = the_map(at, "strip of the stage strips")
    torch.testing.assert_close(start + attn + mlp, end, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["post-norm", "post-norm, attention only"])
def test_the_norms_of_a_post_norm_block_stand_on_its_road(visit, modern, kind) -> None:
    model = modern(kind)
    at = visit("pages/read/block.py", model=NAME, prompt=PROMPT, layer="0")
    cfg, cache = model.cfg, model.run_with_cache(torch.tensor([_encoded()]))[1]
    last = "ln1" if cfg.attn_only else "ln2"
    mlp = [] if cfg.attn_only else ["mid", "ln1", "neurons", "mlp_out"]
    assert at.button_group(key="stage").options == ["pre", "attn_out", *mlp, "post", last]
    assert "a block does replace the stream" in " ".join(messages(at))
    left = cache["resid_pre", 1][0, -1].norm().item()
    assert as_tensor(drawn(at, "block")["data"][-1]["y"])[-1].item() == pytest.approx(
        left, abs=1e-5
    )
    at.button_group(key="stage").set_value("post").run()
    *terms, end = the_map(at, "strip of the stage strips")
    torch.testing.assert_close(sum(terms), end, atol=1e-5, rtol=0)
    assert not at.exception


def test_the_lens_of_a_post_norm_model_says_why_no_part_has_a_share(visit, modern) -> None:
    modern("post-norm")
    at = visit("pages/inspect/lens.py", model=NAME, prompt=PROMPT)
    assert "no part has a share of a logit" in " ".join(messages(at))
    assert len(at.get("plotly_chart")) == 1 and not at.exception


def test_a_window_closes_keys_before_it(visit, modern) -> None:
    modern("sliding window")
    at = visit("pages/read/attention.py", model=NAME, prompt=PROMPT, token="10")
    at.button_group(key="step").set_value("3 mask").run()
    assert "7 keys come after" in said(at) and "8 lie before its window of 3" in said(at)
    assert "3 stay" in said(at)


@pytest.mark.parametrize(
    ("key_heads", "keys", "said_so"),
    [(2, "0011", "K0: H0, H1; K1: H2, H3"), (1, "0000", "K0: H0, H1, H2, H3"), (4, None, "")],
)
def test_heads_that_share_keys_are_named_with_them(visit, modern, key_heads, keys, said_so) -> None:
    model = modern("grouped", n_key_value_heads=key_heads)
    at = visit("pages/read/attention.py", model=NAME, prompt=PROMPT)
    names = [f"L{layer}H{head}" for layer in range(2) for head in range(4)]
    if keys:
        names = [f"{name} · K{key}" for name, key in zip(names, keys * 2, strict=True)]
        for head, key in enumerate(keys):  # as the weights have it
            assert torch.equal(model.W_K[0, head], model.blocks[0].attn._W_K[int(key)])
    assert header(at, "mosaic")["names"] == names
    assert said_so in said(at) and ("share one head" in said(at)) == bool(keys)


def test_the_kv_cache_of_the_arithmetic_page_holds_shared_heads_once(visit, modern) -> None:
    sizes = {}
    for key_heads in (4, 2, 1):
        modern("grouped", n_key_value_heads=key_heads)
        at = visit("pages/build/arithmetic.py", model=NAME, prompt=PROMPT)
        sizes[key_heads] = as_tensor(drawn(at, "kv")["data"][0]["y"])[-1].item()
        assert sizes[key_heads] == 2 * 2 * 24 * key_heads * 8 * 4  # keys and values of 2 layers


def _encoded():
    from tfs.tokenizers import CharTokenizer

    return CharTokenizer.train(PROMPT).encode(PROMPT)


@pytest.mark.parametrize("kind", ["llama", "partly rotary"])
def test_rotary_positions_are_shown_of_a_model_that_has_them(visit, modern, kind) -> None:
    model = modern(kind)
    at = visit("pages/read/positions.py", model=NAME, prompt=PROMPT, **{"turned head": "L1H2"})
    assert at.button_group(key="kind").value == "rotary"
    dim = model.cfg.rotary_dim
    cosines = as_tensor(drawn(at, "turns")["data"][0]["z"])
    assert cosines.shape == (24, dim // 2)
    for pos in (0, 1, 7, 23):
        for pair in range(dim // 2):
            expected = math.cos(pos / 10_000 ** (2 * pair / dim))
            assert cosines[pos, pair].item() == pytest.approx(expected, abs=1e-5)
    assert "trained without" not in messages(at)[0]
    assert ("entries know no place" in said(at)) == (kind == "partly rotary")

    at.selectbox(key="token").set_value(12).run()
    at.selectbox(key="key token").set_value(5).run()
    places = the_map(at, "places map")
    _, cache = model.run_with_cache(torch.tensor([_encoded()]), remove_batch_dim=True)
    group = 4 // cache["rot_k", 1].shape[1]
    q, k = cache["rot_q", 1][12, 2], cache["rot_k", 1][5, 2 // group]
    in_place = (q @ k).item() / math.sqrt(8)
    for query in range(7, 16):  # the distance of the run, 7, at other places
        assert places[query, query - 7].item() == pytest.approx(in_place, abs=1e-4)


def test_alibi_is_shown_of_a_model_that_has_it(visit, modern) -> None:
    model = modern("alibi")
    at = visit("pages/read/positions.py", model=NAME, prompt=PROMPT, **{"biased head": "L1H3"})
    assert at.button_group(key="kind").value == "alibi"
    assert "trained without" not in messages(at)[0]
    slopes = [2 ** (-8 * (head + 1) / 4) for head in range(4)]
    shown = as_tensor(drawn(at, "slopes")["data"][0]["x"])
    assert shown.tolist() == pytest.approx(slopes)
    for slope, line in zip(slopes, drawn(at, "bias")["data"], strict=True):
        assert as_tensor(line["y"]).tolist() == pytest.approx([-slope * d for d in range(24)])
    found = maps(at, "biased score map") | maps(at, "biased weight map")
    _, cache = model.run_with_cache(torch.tensor([_encoded()]), remove_batch_dim=True)
    scores, pattern = cache["attn_scores", 1][3], cache["pattern", 1][3]
    torch.testing.assert_close(found["score with it"], scores, atol=1e-5, rtol=0)
    torch.testing.assert_close(found["weight with it"], pattern, atol=1e-5, rtol=0)
    behind = torch.tensor([[max(q - k, 0) for k in range(18)] for q in range(18)])
    raw = scores + slopes[3] * behind
    torch.testing.assert_close(found["score without"], raw, atol=1e-5, rtol=0)
    torch.testing.assert_close(found["weight without"], raw.softmax(-1), atol=1e-5, rtol=0)
    reach = (pattern * behind).sum(-1).mean()
    assert f"and {reach:.2f} with it" in said(at)


@pytest.mark.parametrize("kind", ["rotary", "alibi"])
def test_both_are_tried_on_a_model_that_has_neither(visit, kind) -> None:
    at = visit("pages/read/positions.py", model="mirror", kind=kind)
    assert not at.exception and "trained without" in messages(at)[0]
    assert maps(at, {"rotary": "places map", "alibi": "biased weight map"}[kind])


def test_a_head_with_an_odd_number_of_entries_is_not_turned(visit, modern) -> None:
    modern("grouped", d_head=7)
    at = visit("pages/read/positions.py", model=NAME, prompt=PROMPT, kind="rotary")
    assert not at.exception and "7 entries, an odd number" in messages(at)[1]

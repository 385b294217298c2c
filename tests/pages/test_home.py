"""Home: every part of the map leads on, and is lit by a length that is computed here anew."""

import json

import pytest
import torch

from tests.pages.screen import header, said

PAGE = "pages/start/home.py"
MODELS = ["shakespeare", "induction", "mirror", "mirror-no-positions"]


@pytest.fixture
def run(visit):
    """run(model, **query) -> the page, its model, and the activations of its prompt."""
    import tfs

    def open_page(name, **query):
        at = visit(PAGE, model=name, **query)
        assert not at.exception and not at.error
        bundle = tfs.load(name)
        ids = torch.tensor([bundle.tokenizer.encode(at.session_state["prompt"])])
        with torch.no_grad():
            logits, cache = bundle.model.run_with_cache(ids)
        return at, bundle, logits[0], cache

    return open_page


def the_model_map(at) -> dict:
    (proto,) = (c.proto for c in at.get("bidi_component") if c.proto.id.endswith("-map"))
    data = json.loads(proto.json)
    return data | data["roads"][0]


def parts_of(at) -> dict[str, dict]:
    """All parts of the map by their names, masks among them."""
    rows = the_model_map(at)["rows"]
    parts = [part for row in rows for part in [*row["parts"], *row["gates"]]]
    return {part["label"]: part for part in parts}


def lengths_by_hand(model, cache, place) -> dict[str, float]:
    """The length of what each part adds at this position, from weights and hooks."""
    found = {"Embed": cache["hook_embed"][0, place].norm().item()}
    if model.cfg.positional_embedding_type == "standard":
        found["Position"] = model.W_pos[place].norm().item()
    for layer, block in enumerate(model.blocks):
        for head in range(model.cfg.n_heads):
            z = cache[f"blocks.{layer}.attn.hook_z"][0, place, head]
            found[f"L{layer}H{head}"] = (z @ block.attn.W_O[head]).norm().item()
        if not model.cfg.attn_only:
            mlp_out = cache[f"blocks.{layer}.hook_mlp_out"][0, place]
            found[f"MLP of layer {layer}"] = mlp_out.norm().item()
    return found


@pytest.mark.parametrize("name", MODELS)
def test_the_map_leads_to_every_page_about_a_part(run, name) -> None:
    at, bundle, *_ = run(name)
    parts = parts_of(at)
    pages = {"tokens", "embeddings", "positions", "masks", "attention", "output"}
    pages |= set() if bundle.model.cfg.attn_only else {"block"}
    assert {part["go"]["page"] for part in parts.values()} == pages
    for layer in range(bundle.model.cfg.n_layers):
        assert parts[f"Mask of layer {layer}"]["go"] == {"page": "masks", "layer": layer}


@pytest.mark.parametrize("token", [None, 0, 5])
@pytest.mark.parametrize("name", MODELS)
def test_parts_are_lit_by_the_vectors_that_they_add_at_one_token(run, name, token) -> None:
    from tfs.plots.tokens import visible

    at, bundle, logits, cache = run(name, **({} if token is None else {"token": str(token)}))
    last = len(logits) - 1
    place = last if token is None else token
    lengths, parts = lengths_by_hand(bundle.model, cache, place), parts_of(at)
    longest = max(lengths.values())
    for label, length in lengths.items():
        assert parts[label]["strength"] == pytest.approx(length / longest, abs=1e-5), label
        assert parts[label]["about"] == f"adds a vector of length {length:.2f}"
    unlit = parts.keys() - lengths.keys()
    assert all(parts[label]["strength"] == 0 for label in unlit)
    data = the_model_map(at)
    assert data["longest"] == f"{longest:.2f}"
    assert f"token {place}, " in data["meaning"] and "length of the vector" in data["meaning"]
    assert data["meaning"].endswith(", the last") == (place == last)
    best = bundle.tokenizer.str_tokens([int(logits[place].argmax())])[0]
    share = logits[place].softmax(-1).max().item()
    assert data["rows"][-1]["label"].startswith(f"“{visible(best)}” {share:.2f}")


@pytest.mark.parametrize("name", MODELS)
def test_the_road_is_as_wide_as_the_stream_is_long(run, name) -> None:
    at, bundle, _, cache = run(name, token="3")
    rows, n_layers = the_model_map(at)["rows"], bundle.model.cfg.n_layers
    streams = [cache["blocks.0.hook_resid_pre"], *(cache["resid_post", i] for i in range(n_layers))]
    lengths = [stream[0, 3].norm().item() for stream in streams]
    per_layer = 1 if bundle.model.cfg.attn_only else 2
    norms = [row["norm"] for row in rows[2 : 3 + per_layer * n_layers : per_layer]]
    assert norms == pytest.approx([length / max(lengths) for length in lengths], abs=1e-5)


def test_a_model_without_positions_says_so_and_nothing_is_added(run) -> None:
    at, *_ = run("mirror-no-positions")
    row = next(row for row in the_model_map(at)["rows"] if row["parts"][0]["label"] == "Position")
    assert not row["writes"] and not row["reads"]
    assert "no vector for the place" in row["parts"][0]["about"]


def test_a_long_prompt_is_shown_by_its_ends(run) -> None:
    at, *_ = run("shakespeare", prompt=" ".join("ab" * 64))
    strip = header(at, "strip")
    assert len(strip["labels"]) == 128 and 2 * strip["ends"] <= 32
    assert "128 tokens" in said(at)


def test_the_words_hold_where_the_sidebar_is_folded(run) -> None:
    at, *_ = run("mirror")
    assert "on the left" not in said(at)
    assert "sidebar" in at.main.markdown[0].value and "**prompt**" in at.main.markdown[0].value


def test_home_leads_to_the_other_architectures(run) -> None:
    at, *_ = run("mirror")
    (link,) = at.get("page_link")
    assert "architectures" in link.proto.page

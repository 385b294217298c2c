"""The names of heads on the page of attention, each beside what it costs to do without the head."""

import math

import pytest
import torch

from tests.pages.screen import said, the_map

PAGE = "pages/read/attention.py"


def loss_without(model, tokens, layer, head) -> float:
    """Mean loss per predicted token, one head's z at its mean over the positions; None: whole."""

    def out(z, hook):
        z = z.clone()
        z[:, :, head] = z[:, :, head].mean(1, keepdim=True)
        return z

    hooks = [] if layer is None else [(f"blocks.{layer}.attn.hook_z", out)]
    with torch.no_grad():
        logits = model.run_with_hooks(tokens, fwd_hooks=hooks)
    log_probs = logits[0, :-1].log_softmax(-1)
    return -log_probs.gather(-1, tokens[0, 1:, None]).mean().item()


@pytest.mark.parametrize("name", ["induction", "shakespeare", "mirror"])
def test_each_label_stands_beside_its_cost_and_the_dearest_other(visit, name) -> None:
    import tfs

    at = visit(PAGE, model=name)
    assert not at.exception
    bundle = tfs.load(name)
    model, ids = bundle.model, bundle.tokenizer.encode(at.session_state["prompt"])
    tokens = torch.tensor([ids])
    whole = loss_without(model, tokens, None, None)
    shape = model.cfg.n_layers, model.cfg.n_heads
    costs = torch.tensor(
        [[loss_without(model, tokens, layer, head) - whole for head in range(shape[1])]
         for layer in range(shape[0])]
    )  # fmt: skip
    on_screen = the_map(at, "costs").flip(0)
    torch.testing.assert_close(on_screen, costs, atol=1e-4, rtol=0)

    tables = [frame.value for frame in at.dataframe if "label" in frame.value]
    if not tables:
        assert "no head has a score" in said(at)
        return
    (table,) = tables
    named = {(int(head[1]), int(head[3:])) for head in table["head"]}
    rest = [
        costs[layer, head].item()
        for layer in range(shape[0])
        for head in range(shape[1])
        if (layer, head) not in named
    ]
    dearest = max(0.0, *rest) if rest else None
    for row in table.to_dict("records"):
        cost = costs[int(row["head"][1]), int(row["head"][3:])].item()
        assert row["cost without it"] == pytest.approx(cost, abs=1e-4)
        if dearest is None:
            assert math.isnan(row["dearest without a label"] or math.nan)
        else:
            assert row["dearest without a label"] == pytest.approx(dearest, abs=1e-4)
        confirmed = cost >= max(0.01, 2 * (dearest or 0))
        assert row["check"] == ("confirmed" if confirmed else "unconfirmed")
    if name == "induction":
        assert dict(zip(table["head"], table["check"], strict=True)) == {
            "L0H0": "confirmed",
            "L1H0": "confirmed",
        }


def test_one_token_has_no_loss_to_lose(visit) -> None:
    at = visit(PAGE, model="mirror", prompt="5")
    assert not at.exception and "Is it missed?" not in [each.value for each in at.subheader]

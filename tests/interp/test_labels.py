"""A head's label and its check: the loss when it is taken out, by another way of taking it out."""

import math

import pytest
import torch


@pytest.fixture(scope="module")
def induction():
    import tfs
    from tfs.tasks import RepeatedTokensTask

    return tfs.load("induction").model, RepeatedTokensTask().sample(1, seed=5).tokens


@pytest.fixture
def random_model(tiny_config):
    import tfs

    torch.manual_seed(0)
    model = tfs.DecoderOnly(tiny_config(n_layers=2))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model


def loss_of(logits, tokens) -> float:
    log_probs = logits[0, :-1].double().log_softmax(-1)
    return -log_probs.gather(-1, tokens[0, 1:, None]).mean().item()


def test_each_cost_is_the_loss_without_that_head(random_model) -> None:
    """Taken out one at a time, by the term that it writes: result = z W_O."""
    from tfs.interp import ablation_costs

    model, tokens = random_model, torch.tensor([[3, 1, 4, 1, 5, 0]])
    got = ablation_costs(model, tokens)
    with torch.no_grad():
        logits, cache = model.run_with_cache(tokens)
        for layer in range(model.cfg.n_layers):
            written = torch.einsum("bphd,hdm->bphm", cache["z", layer], model.W_O[layer])
            for head in range(model.cfg.n_heads):
                change = written[:, :, head].mean(1, keepdim=True) - written[:, :, head]
                without = model.run_with_hooks(
                    tokens,
                    fwd_hooks=[(f"blocks.{layer}.hook_attn_out", lambda x, hook, c=change: x + c)],
                )
                cost = loss_of(without, tokens) - loss_of(logits, tokens)
                assert got[layer, head].item() == pytest.approx(cost, abs=1e-4)
    assert ablation_costs(model, tokens[:, :1]).isnan().all()


def test_the_two_heads_of_induction_are_named_and_missed(induction) -> None:
    from tfs.interp import ablation_costs, head_scores, label_heads

    model, tokens = induction
    labels = label_heads(head_scores(model, tokens), ablation_costs(model, tokens), tokens)
    assert [(each.layer, each.head, each.kind) for each in labels] == [
        (0, 0, "previous token"),
        (1, 0, "induction"),
    ]
    assert all(each.confirmed and each.cost > 1 for each in labels)


def labels_for(score: float, cost: float, others: list[float]):
    """One layer: head 0 has this induction score, the others none."""
    from tfs.interp import label_heads

    tokens = torch.arange(12)[None] % 6
    heads = 1 + len(others)
    zero = torch.zeros(1, heads)
    high = torch.tensor([[score] + [0.0] * len(others)])
    scores = {"previous token": zero, "duplicate token": zero.clone(), "induction": high}
    return label_heads(scores, torch.tensor([[cost, *others]]), tokens)


@pytest.mark.parametrize(
    ("cost", "others", "confirmed"),
    [
        (0.5, [0.2, -0.3], True),
        (0.5, [0.3, 0.0], False),
        (0.005, [], False),
        (0.02, [], True),
        (0.02, [-1.0], True),
        (-0.5, [0.0], False),
    ],
)
def test_a_label_is_confirmed_by_a_clearly_higher_cost(cost, others, confirmed) -> None:
    (label,) = labels_for(0.9, cost, others)
    assert label.confirmed is confirmed
    assert label.cost == pytest.approx(cost)
    assert label.others == (pytest.approx(max(0.0, *others)) if others else None)


def test_a_score_that_anyone_would_have_is_no_label() -> None:
    from tfs.interp.labels import label_heads, uniform_score

    assert not labels_for(0.19, 1.0, [0.0])
    tokens = torch.tensor([[1, 2, 3]])
    uniform = uniform_score("previous token", tokens)
    assert uniform == pytest.approx((1 / 2 + 1 / 3) / 2)
    for score, named in ((2 * uniform + 0.01, 1), (2 * uniform - 0.01, 0)):
        found = label_heads(
            {"previous token": torch.tensor([[score]])}, torch.tensor([[1.0]]), tokens
        )
        assert len(found) == named


def test_a_score_that_no_place_allows_labels_nobody(induction) -> None:
    from tfs.interp import ablation_costs, head_scores, label_heads

    model, _ = induction
    tokens = torch.tensor([[0, 17, 5, 99]])
    labels = label_heads(head_scores(model, tokens), ablation_costs(model, tokens), tokens)
    assert {label.kind for label in labels} <= {"previous token"}
    assert all(math.isfinite(label.cost) for label in labels)

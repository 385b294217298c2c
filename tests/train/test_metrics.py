import math
from statistics import mean

import pytest
import torch


@pytest.fixture(scope="module")
def model(tiny_config, randomised):
    return randomised(tiny_config(n_layers=1)).requires_grad_(False)


def text(length, d_vocab=11):
    return torch.randint(d_vocab, (length,), generator=torch.Generator().manual_seed(length))


@pytest.mark.parametrize("tokens_at_once", [1, 24, 2**13])
def test_evaluation_in_slices_is_evaluation_at_once(monkeypatch, model, tokens_for, tokens_at_once):
    from tfs.tasks import Batch
    from tfs.train import metrics

    tokens = tokens_for(model.cfg, batch=7)
    g = torch.Generator().manual_seed(1)
    loss_mask, answer_mask = (torch.rand(7, 8, generator=g) < share for share in (0.7, 0.3))
    monkeypatch.setattr(metrics, "TOKENS_AT_ONCE", tokens_at_once)
    log_probs = model(tokens).log_softmax(-1)
    costs, right = [], {}
    for row in range(7):
        for pos in range(1, 8):
            prediction, token = log_probs[row, pos - 1], tokens[row, pos]
            if loss_mask[row, pos]:
                costs.append(-prediction[token].item())
            if answer_mask[row, pos]:
                right[row, pos] = prediction.argmax().item() == token.item()
    got = metrics.evaluate(model, Batch(tokens, loss_mask, answer_mask))
    assert got.loss == pytest.approx(sum(costs) / len(costs), rel=1e-5)
    assert got.accuracy == pytest.approx(sum(right.values()) / len(right))
    by_row = [[right[at] for at in right if at[0] == row] for row in range(7)]
    assert got.exact == pytest.approx(mean([all(row) for row in by_row if row]))
    by_position = [[right[at] for at in right if at[1] == pos] for pos in range(8)]
    expected = [mean(here) if here else None for here in by_position]
    assert got.by_position == pytest.approx(expected)


def test_without_answers_there_is_no_accuracy(model, tokens_for):
    from tfs.tasks import Batch
    from tfs.train import evaluate

    tokens = tokens_for(model.cfg)
    everything = torch.ones_like(tokens, dtype=torch.bool)
    got = evaluate(model, Batch(tokens, everything, ~everything))
    assert math.isnan(got.accuracy) and math.isnan(got.exact) and got.loss > 0
    assert got.by_position == [None] * tokens.shape[1]


def test_a_sequence_is_right_as_a_whole_where_all_its_answers_are(model, tokens_for):
    from tfs.tasks import Batch
    from tfs.train import evaluate

    tokens = tokens_for(model.cfg, batch=6)
    guesses = model(tokens)[:, :-1].argmax(-1)
    first = torch.zeros_like(tokens, dtype=torch.bool)
    first[:, 1] = True
    agree = (guesses[:, 0] == tokens[:, 1]).double().mean().item()
    told = tokens.clone()
    told[:3, 1] = guesses[:3, 0]
    got = evaluate(model, Batch(told, first, first))
    assert got.exact == got.accuracy == got.by_position[1] >= max(agree, 0.5)
    both = first.clone()
    both[:, 2] = True
    assert evaluate(model, Batch(told, first, both)).exact <= got.exact


def test_a_slice_without_a_counted_token_adds_no_loss(monkeypatch, model, tokens_for):
    from tfs.tasks import Batch
    from tfs.train import metrics

    tokens = tokens_for(model.cfg, batch=4)
    everything = torch.ones_like(tokens, dtype=torch.bool)
    counted = everything & (torch.arange(4) == 2)[:, None]
    expected = metrics.evaluate(model, Batch(tokens[2:3], everything[2:3], everything[2:3]))
    of_all = metrics.evaluate(model, Batch(tokens, everything, everything))
    monkeypatch.setattr(metrics, "TOKENS_AT_ONCE", 8)  # a row at a time
    got = metrics.evaluate(model, Batch(tokens, counted, everything))
    assert got.loss == pytest.approx(expected.loss)
    assert got.accuracy == pytest.approx(of_all.accuracy)  # answers count there all the same


@pytest.mark.parametrize("rows", [0, 3])
def test_a_batch_without_a_counted_token_is_refused(model, tokens_for, rows):
    """Position 0 does not help: nothing predicts it."""
    from tfs.tasks import Batch
    from tfs.train import evaluate

    tokens = tokens_for(model.cfg, batch=rows)
    first = torch.zeros_like(tokens, dtype=torch.bool)
    first[:, 0] = True
    with pytest.raises(ValueError, match="no token of this batch counts in the loss"):
        evaluate(model, Batch(tokens, first, ~first))


@pytest.mark.parametrize("stride", [None, 1, 3, 7, 8])
@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 10, 16, 17, 30])
def test_every_token_after_the_first_is_counted_once(tiny_config, randomised, length, stride):
    """Where context does not matter, the cost is a sum over the tokens, whatever the windows."""
    from tfs.train import nats_per_character

    blind = randomised(tiny_config(n_layers=1))
    torch.nn.init.zeros_(blind.unembed.W_U)
    tokens = text(length)
    expected = -blind.b_U.log_softmax(-1)[tokens[1:]].sum().item() / 50
    got = nats_per_character(blind, tokens, characters=50, stride=stride)
    assert got == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("stride", [1, 3, 7, 8])
@pytest.mark.parametrize("length", [2, 8, 9, 10, 21, 30])
def test_each_token_is_read_after_the_context_of_its_window(model, length, stride):
    """Windows of 8 end after 8, 8 + stride, ... predictions, and the last one with the text."""
    from tfs.train import nats_per_character

    tokens, nats = text(length), 0.0
    for target in range(1, length):
        end = 8 + max(0, math.ceil((target - 8) / stride)) * stride
        end = min(end, length - 1)
        context = tokens[max(0, end - 8) : target]
        assert target <= 8 or 8 - stride < len(context) <= 8
        nats -= model(context[None])[0, -1].log_softmax(-1)[tokens[target]].item()
    got = nats_per_character(model, tokens, characters=13, stride=stride)
    assert got == pytest.approx(nats / 13, rel=1e-5)


@pytest.mark.parametrize("stride", [0, 9, -1])
def test_a_stride_that_leaves_gaps_is_refused(model, stride):
    from tfs.train import nats_per_character

    with pytest.raises(ValueError, match=rf"1 \.\.\. n_ctx = 8, not {stride}"):
        nats_per_character(model, text(20), 20, stride)

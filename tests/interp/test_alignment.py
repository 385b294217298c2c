"""Weight on the words that words come from, and what a head of cross-attention is missed for."""

import pytest
import torch


@pytest.fixture(scope="module")
def two_texts(tiny_config, randomised):
    """A random encoder-decoder, a source, what its decoder has read, and what it wrote."""
    model = randomised(tiny_config(), architecture="EncoderDecoder").requires_grad_(False)
    return model, torch.tensor([[3, 1, 4, 1]]), torch.tensor([[0, 5, 9]]), torch.tensor([[5, 9, 2]])


def test_cells_of_an_alignment(interp) -> None:
    cells = interp.aligned_cells([2, None, 0], 4, 3)
    assert cells.nonzero().tolist() == [[0, 2], [2, 0]]


@pytest.mark.parametrize(("alignment", "says"), [([0, 1, 2], "3 places"), ([3], "outside 0 ... 2")])
def test_an_alignment_that_does_not_fit(interp, alignment, says) -> None:
    with pytest.raises(ValueError, match=says):
        interp.aligned_cells(alignment, 2, 3)


def test_a_perfect_head_a_blind_one_and_one_that_looks_elsewhere(interp) -> None:
    cells = interp.aligned_cells([2, 0, 1], 4, 5)
    perfect = torch.cat([cells[:3].float(), torch.eye(5)[3:4]])
    pattern = torch.stack([perfect, torch.full((4, 5), 0.2), perfect.roll(1, dims=1)])
    torch.testing.assert_close(
        interp.alignment_scores(pattern, cells), torch.tensor([1.0, 0.2, 0.0])
    )
    assert interp.alignment_by_chance(cells).item() == pytest.approx(0.2)


def test_without_an_alignment_there_is_no_score(interp) -> None:
    cells = torch.zeros(2, 3, dtype=torch.bool)
    assert interp.alignment_scores(torch.full((4, 2, 3), 1 / 3), cells).isnan().all()
    assert interp.alignment_by_chance(cells).isnan()


def test_log_probs_are_those_of_one_token_after_the_other(interp, two_texts) -> None:
    model, source, read_back, written = two_texts
    found = interp.written_log_probs(model, source, read_back, written)[0]
    for place in range(3):
        logits = model(source, read_back[:, : place + 1])[0, -1]
        expected = logits[written[0, place]] - logits.logsumexp(-1)
        assert found[place].item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_head_without_its_rows_of_W_O_is_a_head_taken_out(interp, two_texts) -> None:
    model, source, read_back, written = two_texts
    found = interp.log_probs_without_heads(model, source, read_back, written)
    assert found.shape == (model.cfg.n_layers, model.cfg.n_heads, 3)
    whole = interp.written_log_probs(model, source, read_back, written)[0]
    for layer, block in enumerate(model.decoder):
        for head in range(model.cfg.n_heads):
            kept = block.cross_attn.W_O.data[head].clone()
            block.cross_attn.W_O.data[head] = 0.0
            expected = interp.written_log_probs(model, source, read_back, written)[0]
            block.cross_attn.W_O.data[head] = kept
            torch.testing.assert_close(found[layer, head], expected, atol=1e-5, rtol=0)
            assert not torch.allclose(found[layer, head], whole, atol=1e-4)


def test_the_grammar_model_looks_where_its_words_come_from(interp) -> None:
    import tfs
    from tfs.tasks.grammar import GrammarTask

    bundle, task = tfs.load("grammar"), GrammarTask()
    text = "the small red dog does not see the birds"
    source = bundle.tokenizer.encode(text)
    written = [*bundle.tokenizer.encode(task.translate(text)), bundle.tokenizer.mark_id("</s>")]
    read_back = [bundle.tokenizer.mark_id("<s>"), *written[:-1]]
    ids = [torch.tensor([each]) for each in (source, read_back, written)]
    _, cache = bundle.model.run_with_cache(*ids[:2], remove_batch_dim=True)
    cells = interp.aligned_cells(task.alignment(text), len(written), len(source))
    scores = interp.alignment_scores(cache["decoder.0.cross_attn.hook_pattern"], cells)
    assert scores.max() > 3 * interp.alignment_by_chance(cells)
    costs = interp.written_log_probs(bundle.model, *ids).sum() - (
        interp.log_probs_without_heads(bundle.model, *ids)[0].sum(-1)
    )
    best = int(scores.argmax())
    assert costs[best] > 0.5, "it is missed"
    assert costs.argmax() != best, "and yet another head, which looks there less, is missed more"

"""Heads for labels on top of an EncoderOnly: of each token, or of the whole text."""

import pytest
import torch


@pytest.fixture(scope="module")
def heads():
    import tfs

    return {"tokens": tfs.TokenClassifier, "pairs": tfs.PairClassifier}


@pytest.mark.parametrize("kind", ["tokens", "pairs"])
def test_a_classifier_keeps_the_encoders_names_and_numbers(heads, encoder, tokens_for, kind):
    model = encoder()
    before = list(model.hook_dict)
    classifier, tokens = heads[kind](model, 3), tokens_for(model.cfg)
    logits, cache = classifier.run_with_cache(tokens)
    assert logits.shape == ((2, 8, 3) if kind == "tokens" else (2, 3))
    assert torch.equal(cache["classifier.hook_out"], logits)
    _, alone = model.run_with_cache(tokens)
    assert torch.equal(cache["pattern", 1], alone["pattern", 1])
    assert list(model.hook_dict) == before == list(classifier.hook_dict)[: len(before)]
    zeroed = [("blocks.1.hook_mlp_out", lambda out, hook: out * 0)]
    assert not torch.equal(classifier.run_with_hooks(tokens, fwd_hooks=zeroed), logits)


def test_a_token_classifier_reads_each_token_and_a_pair_classifier_the_first(
    heads, encoder, tokens_for
):
    model = encoder()
    tokens = tokens_for(model.cfg)
    at_3 = (torch.arange(8) == 3)[:, None].float()
    hooks = [("blocks.1.hook_normalized_resid_post", lambda resid, hook: resid + at_3)]
    for kind, reads in (("tokens", True), ("pairs", False)):
        classifier = heads[kind](model, 2)
        changed = classifier.run_with_hooks(tokens, fwd_hooks=hooks) != classifier(tokens)
        assert changed.any() == reads
        if reads:
            assert changed.any(-1).any(0).nonzero().flatten().tolist() == [3]


@pytest.mark.parametrize("kind", ["tokens", "pairs"])
def test_a_classifier_is_saved_whole_and_made_by_its_seed(heads, encoder, tokens_for, kind):
    import tfs

    model = encoder()
    tokens = tokens_for(model.cfg)
    classifier, twin = heads[kind](model, 2), heads[kind](model, 2)
    assert torch.equal(classifier(tokens), twin(tokens))
    again = heads[kind](tfs.EncoderOnly(model.cfg), 2)
    assert not torch.equal(again(tokens), classifier(tokens))
    again.load_state_dict(classifier.state_dict())
    assert torch.equal(again(tokens), classifier(tokens))


@pytest.mark.parametrize("kind", ["tokens", "pairs"])
def test_a_classifier_needs_labels_to_choose_from(heads, encoder, kind):
    with pytest.raises(ValueError, match="at least 2 labels to choose from, not 1"):
        heads[kind](encoder(), 1)

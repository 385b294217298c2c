"""The attention that each new token was written under, against that of a full forward."""

import pytest
import torch

PROMPT = torch.tensor([[1, 2, 3, 4]])


DRAWS = [{"temperature": 0.0}, {"temperature": 0.9, "top_k": 20, "top_p": 0.95, "seed": 5}]


@pytest.mark.parametrize("draw", DRAWS, ids=["greedy", "sampled"])
def test_attention_equals_that_of_an_uncached_forward(tfs, decoding, model, draw) -> None:
    model = model()
    steps = list(decoding.generate_with_attention(model, PROMPT, 8, **draw))
    text = tfs.generate(model, PROMPT, 8, **draw)
    assert [step.token for step in steps] == text[0, 4:].tolist()
    for pos, step in enumerate(steps, start=4):
        _, cache = model.run_with_cache(text[:, :pos])
        whole = torch.stack([cache["pattern", layer][0] for layer in range(2)])
        assert step.pattern.shape == (2, 4, pos)
        assert torch.allclose(step.pattern, whole[:, :, -1], atol=1e-5)
        assert step.probs[step.token] > 0


def test_attention_slides_and_stops_with_the_context(decoding, model) -> None:
    model = model()
    slid = list(decoding.generate_with_attention(model, PROMPT, 11, temperature=0.0))
    assert [step.pattern.shape[-1] for step in slid] == [4, 5, 6, 7, 8, 9, 10, 11, 12, 7, 8]
    text = torch.cat([PROMPT[0], torch.tensor([step.token for step in slid])])
    _, cache = model.run_with_cache(text[None, 6:13])
    assert torch.allclose(slid[9].pattern[1], cache["pattern", 1][0, :, -1], atol=1e-5)
    stopped = decoding.generate_with_attention(model, PROMPT, 30, seed=0, when_full="stop")
    assert len(list(stopped)) == 9


def test_between_two_tokens_nobody_is_watched(decoding, model) -> None:
    model = model()
    steps = decoding.generate_with_attention(model, PROMPT, 3)
    first = next(steps)
    before = first.pattern.clone()
    assert not model.blocks[0].attn.hook_pattern.is_watched()
    model(PROMPT)
    next(steps)
    assert torch.equal(first.pattern, before)

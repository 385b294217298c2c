"""Tokens one at a time, with and without a KV cache."""

import pytest
import torch

PROMPT = torch.tensor([[1, 2, 3, 4], [9, 8, 7, 6]])


@pytest.mark.parametrize("direction", ["causal", "bidirectional"])
@pytest.mark.parametrize("positions", ["standard", "sinusoidal", "none"])
@pytest.mark.parametrize(
    "draw", [{"temperature": 0.0}, {"temperature": 0.9, "top_k": 20, "top_p": 0.95, "seed": 5}]
)
@pytest.mark.parametrize("new", [1, 8, 30])
def test_cached_generation_equals_uncached(tfs, model, positions, direction, draw, new) -> None:
    model = model(positional_embedding_type=positions, attention_dir=direction)
    cached, uncached = (
        tfs.generate(model, PROMPT, max_new_tokens=new, use_past_kv_cache=use, **draw)
        for use in (True, False)
    )
    assert cached.shape == (2, 4 + new)
    assert torch.equal(cached, uncached)
    assert torch.equal(cached[:, :4], PROMPT)


def test_cached_logits_equal_those_of_one_forward(tfs, model) -> None:
    model = model()
    steps = list(tfs.generate_stream(model, PROMPT, 8, temperature=0.0))
    whole = torch.cat([PROMPT, *(step.token[:, None] for step in steps)], 1)
    expected = model(whole[:, :-1])[:, 3:]
    assert torch.allclose(torch.stack([s.logits for s in steps], 1), expected, atol=1e-5)


def test_greedy_takes_the_largest_logit(tfs, model) -> None:
    for step in tfs.generate_stream(model(), PROMPT, 5, temperature=0.0):
        assert torch.equal(step.token, step.logits.argmax(-1))


def test_a_seed_repeats_and_leaves_torch_alone(tfs, model) -> None:
    model = model()
    before = torch.random.get_rng_state()
    first, second = (tfs.generate(model, PROMPT, 10, seed=1) for _ in range(2))
    other = tfs.generate(model, PROMPT, 10, seed=2)
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_full_context_slides(tfs, model) -> None:
    """After a slide the model reads the newest half of the window, as positions 0, 1, ..."""
    model = model()
    steps = list(tfs.generate_stream(model, PROMPT, 10, temperature=0.0, when_full="slide"))
    tokens = torch.cat([PROMPT, *(s.token[:, None] for s in steps)], 1)
    seen = tokens[:, 6:13]  # 12 were read; of 13, the last 12 // 2 + 1 stay
    assert torch.allclose(steps[9].logits, model(seen)[:, -1], atol=1e-5)


def test_a_full_context_stops(tfs, model) -> None:
    assert tfs.generate(model(), PROMPT, 30, when_full="stop").shape == (2, 13)


def test_a_full_context_is_refused_before_anything_is_made(tfs, model) -> None:
    with pytest.raises(ValueError, match="n_ctx = 12.*slide"):
        next(tfs.generate_stream(model(), PROMPT, 9, when_full="error"))
    assert tfs.generate(model(), PROMPT, 8, when_full="error").shape == (2, 12)


def test_a_prompt_longer_than_the_context_is_read_from_its_end(tfs, model) -> None:
    model, prompt = model(), torch.randint(50, (1, 20))
    step = next(tfs.generate_stream(model, prompt, 1, temperature=0.0))
    assert torch.allclose(step.logits, model(prompt[:, -12:])[:, -1], atol=1e-5)


def test_hooks_reach_every_generated_token(tfs, model) -> None:
    model = model()

    def only_token_7(logits, hook):
        return torch.zeros_like(logits).index_fill_(-1, torch.tensor([7]), 1.0)

    with model.hooks(fwd_hooks=[("unembed.hook_out", only_token_7)]):
        tokens = tfs.generate(model, PROMPT, 5, temperature=0.0)
    assert (tokens[:, 4:] == 7).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"max_new_tokens": -1}, "max_new_tokens"),
        ({"when_full": "panic"}, "when_full"),
        ({"temperature": -1.0}, "temperature"),
    ],
)
def test_bad_requests_are_refused_by_name(tfs, model, arguments, says) -> None:
    with pytest.raises(ValueError, match=says):
        tfs.generate(model(), PROMPT, **arguments)


def test_an_empty_prompt_is_refused(tfs, model) -> None:
    with pytest.raises(ValueError, match="at least one token"):
        tfs.generate(model(), torch.zeros((1, 0), dtype=torch.int64))

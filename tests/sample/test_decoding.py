"""Beams against brute force, and a race recomputed lane by lane."""

import itertools

import pytest
import torch

PROMPT = torch.tensor([[1, 2, 3, 4]])


def log_probs_of(model, prompt, new):
    """Of each new token, from a forward of its own over all that stands before it."""
    found = []
    for i, token in enumerate(new):
        text = torch.cat([prompt[0], new[:i]])[None, -model.cfg.n_ctx :]
        found.append(model(text)[0, -1].log_softmax(-1)[token].detach())
    return torch.stack(found)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_wide_enough_search_finds_the_most_probable_of_all(decoding, model, seed) -> None:
    model, prompt = model(d_vocab=4, seed=seed), PROMPT % 4
    every = torch.tensor(list(itertools.product(range(4), repeat=4)))  # [continuation new_pos]
    texts = torch.cat([prompt.expand(len(every), -1), every], dim=1)
    each = model(texts[:, :-1])[:, 3:].log_softmax(-1).gather(-1, every[..., None])
    totals = each.sum((1, 2)).detach()
    best = totals.argsort(descending=True)
    found = decoding.beam_search(model, prompt, 4, beams=4**3)
    assert len(found) == 64 and torch.equal(found[0].tokens, every[best[0]])
    assert found[0].log_prob == pytest.approx(float(totals.max()), abs=1e-4)

    exhaustive = decoding.beam_search(model, prompt, 4, beams=4**4)
    assert [beam.tokens.tolist() for beam in exhaustive] == [every[i].tolist() for i in best]
    assert torch.allclose(torch.tensor([b.log_prob for b in exhaustive]), totals[best], atol=1e-4)
    assert torch.tensor([b.log_prob for b in exhaustive]).exp().sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_search_equals_one_that_reads_everything_anew(decoding, model, width) -> None:
    model = model()
    kept = [(0.0, torch.empty(0, dtype=torch.int64))]
    for _ in range(6):
        longer = []
        for total, new in kept:
            text = torch.cat([PROMPT[0], new])[None]
            for token, log_prob in enumerate(model(text)[0, -1].log_softmax(-1).tolist()):
                longer.append((total + log_prob, torch.cat([new, torch.tensor([token])])))
        kept = sorted(longer, key=lambda entry: -entry[0])[:width]
    found = decoding.beam_search(model, PROMPT, 6, beams=width)
    assert [beam.tokens.tolist() for beam in found] == [new.tolist() for _, new in kept]
    for beam, (total, _) in zip(found, kept, strict=True):
        assert beam.log_prob == pytest.approx(total, abs=1e-4)


def test_one_beam_is_greedy(tfs, decoding, model) -> None:
    model = model()
    (beam,) = decoding.beam_search(model, PROMPT, 8, beams=1)
    assert torch.equal(beam.tokens, tfs.generate(model, PROMPT, 8, temperature=0.0)[0, 4:])


def test_the_length_penalty_is_wus_and_keeps_the_order(decoding, model) -> None:
    model = model()
    plain, penalised = (decoding.beam_search(model, PROMPT, 7, 3, alpha) for alpha in (0.0, 0.6))
    assert [b.score for b in plain] == [b.log_prob for b in plain]
    for before, after in zip(plain, penalised, strict=True):
        assert torch.equal(before.tokens, after.tokens) and before.log_prob == after.log_prob
        assert after.score == pytest.approx(after.log_prob / 2**0.6)  # (5 + 7) / (5 + 1) = 2
    assert [b.score for b in penalised] == sorted((b.score for b in penalised), reverse=True)


@pytest.mark.parametrize("prompt", [PROMPT, torch.arange(20)[None]])
def test_beams_and_lanes_end_with_a_full_context(tfs, decoding, model, prompt) -> None:
    model = model()
    greedy = tfs.generate(model, prompt, 30, temperature=0.0, when_full="stop")[0, prompt.numel() :]
    (beam,) = decoding.beam_search(model, prompt, 30, beams=1)
    assert torch.equal(beam.tokens, greedy)
    race = decoding.decoding_race(model, prompt, 30)
    assert torch.equal(race["greedy"].tokens, greedy)
    assert {len(lane.tokens) for lane in race.values()} == {len(greedy)}
    lane = race["beam"]
    assert torch.allclose(lane.log_probs, log_probs_of(model, prompt, lane.tokens), atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"beams": 0}, "beams must be at least 1, not 0"),
        ({"max_new_tokens": -1}, "max_new_tokens"),
        ({"length_penalty": -0.5}, "length_penalty .* -0.5"),
        ({"length_penalty": float("nan")}, "length_penalty"),
    ],
)
def test_searches_that_cannot_be_are_refused(decoding, model, arguments, says) -> None:
    with pytest.raises(ValueError, match=says):
        decoding.beam_search(model(), PROMPT, **arguments)


def test_nothing_new_is_no_error(decoding, model) -> None:
    (beam,) = decoding.beam_search(model(), PROMPT, 0)
    assert beam.tokens.tolist() == [] and beam.log_prob == beam.score == 0
    for lane in decoding.decoding_race(model(), PROMPT, 0).values():
        assert lane.tokens.tolist() == [] and lane.log_prob == lane.log_prob_per_token == 0


RACE = {"seed": 7, "temperature": 1.7, "top_k": 3, "top_p": 0.5, "beams": 3}


def allowed(logits, name):
    """Which tokens a lane may draw, and their order and weight, from the rules alone."""
    heat = (logits.double() / 1.7).softmax(-1)
    order = heat.argsort(descending=True, stable=True).tolist()
    if name == "greedy":
        keep = order[:1]
    elif name == "top-k":
        keep = order[:3]
    elif name == "top-p":
        sums = list(itertools.accumulate(heat[order].tolist()))
        keep = order[: 1 + sum(mass < 0.5 for mass in sums)]
    else:
        keep = order
    return keep, heat[keep] / heat[keep].sum()


def test_every_lane_recomputed_step_by_step(decoding, model) -> None:
    model = model()
    race = decoding.decoding_race(model, PROMPT, 8, **RACE)
    assert list(race) == ["greedy", "temperature", "top-k", "top-p", "beam"]
    dice = torch.rand(8, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    for name in list(race)[:-1]:
        text = PROMPT
        for step, uniform in enumerate(dice.tolist()):
            logits = model(text)[0, -1].detach()
            keep, weights = allowed(logits, name)
            place = next(i for i, mass in enumerate(weights.cumsum(0).tolist()) if uniform < mass)
            assert race[name].tokens[step] == keep[place]
            own = logits.double().softmax(-1)
            torch.testing.assert_close(
                race[name].out_of_reach[step].double(), 1 - own[keep].sum(), atol=1e-5, rtol=0
            )
            text = torch.cat([text, torch.tensor([[keep[place]]])], dim=1)


def test_log_probs_are_the_models_own_in_every_lane(decoding, model) -> None:
    model = model()
    for lane in decoding.decoding_race(model, PROMPT, 8, **RACE).values():
        expected = log_probs_of(model, PROMPT, lane.tokens)
        assert torch.allclose(lane.log_probs, expected, atol=1e-4)
        assert lane.log_prob == pytest.approx(float(expected.sum()), abs=1e-3)
        assert lane.log_prob_per_token == pytest.approx(float(expected.mean()), abs=1e-4)


def test_the_beam_lane_is_the_best_beam_and_throws_nothing_away(decoding, model) -> None:
    model = model()
    lane = decoding.decoding_race(model, PROMPT, 8, **RACE)["beam"]
    best = decoding.beam_search(model, PROMPT, 8, beams=3)[0]
    assert torch.equal(lane.tokens, best.tokens) and lane.out_of_reach is None
    assert lane.log_prob == pytest.approx(best.log_prob, abs=1e-4)
    known = decoding.beam_lane(model, PROMPT, 8, beams=3)
    assert torch.equal(known.tokens, lane.tokens)
    assert torch.equal(known.log_probs, lane.log_probs)
    assert decoding.decoding_race(model, PROMPT, 8, **RACE, beam=known)["beam"] is known


def test_lanes_without_a_cut_are_one_lane(decoding, model) -> None:
    race = decoding.decoding_race(model(), PROMPT, 8, seed=1, top_k=50, top_p=1.0)
    assert torch.equal(race["temperature"].tokens, race["top-k"].tokens)
    assert torch.equal(race["temperature"].tokens, race["top-p"].tokens)
    assert race["top-k"].out_of_reach.tolist() == [0] * 8
    assert race["greedy"].out_of_reach.min() > 0


def test_a_seed_repeats_and_a_longer_race_begins_alike(decoding, model) -> None:
    model, before = model(), torch.random.get_rng_state()
    short, again, long, other = (
        decoding.decoding_race(model, PROMPT, new, seed=seed)["temperature"].tokens
        for new, seed in [(5, 1), (5, 1), (9, 1), (9, 2)]
    )
    assert torch.equal(short, again) and torch.equal(short, long[:5])
    assert not torch.equal(long, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_bad_settings_are_refused_before_anything_is_read(decoding, model) -> None:
    for arguments, says in [
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"beams": 0}, "b"),
    ]:
        with pytest.raises(ValueError, match=says):
            decoding.decoding_race(model(), PROMPT, **arguments)


@pytest.mark.parametrize(
    ("lane", "cuts"), [("temperature", {}), ("top-k", {"top_k": 3}), ("top-p", {"top_p": 0.5})]
)
def test_a_lane_is_what_generate_writes_with_its_cuts(tfs, decoding, model, lane, cuts) -> None:
    model = model()
    race = decoding.decoding_race(model, PROMPT, 8, **RACE)
    text = tfs.generate(model, PROMPT, 8, temperature=1.7, seed=7, **cuts)
    assert torch.equal(race[lane].tokens, text[0, 4:])

"""Ways to write on: a search instead of a draw, several ways side by side, and where they look.

beam_search              keeps several continuations at a time, for the most probable text
decoding_race            greedy, temperature, top-k, top-p and beams on one prompt, same dice
generate_with_attention  sampling, with the attention that each new token was written under

A text's probability is the product of its tokens', so log-probabilities (in nats) add up. All of
them are the model's own, softmax(logits), also where a lane draws from something else: only so can
lanes be compared. A probable text need not be a good one: the most probable continuations of an
open prompt tend to be dull and to repeat themselves (Holtzman et al. 2020, "The Curious Case of
Neural Text Degeneration").

Beams and races end where the context is full, as generate's when_full="stop" does: the last token
is written with all n_ctx positions read.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.hooks import HookPoint
from tfs.model import DecoderOnly, KeyValueCache
from tfs.sample import (
    check_generation,
    check_sampling,
    draw_with,
    generate_stream,
    logits_to_probs,
    throw_dice,
)


class Beam(NamedTuple):
    """One continuation that beam search kept."""

    tokens: Int[Tensor, " new_pos"]  # the new ones only
    log_prob: float  # of all of them together
    score: float  # log_prob over the length penalty


@torch.inference_mode()
def beam_search(
    model: DecoderOnly,
    tokens: Int[Tensor, "1 pos"],
    max_new_tokens: int = 20,
    beams: int = 4,
    length_penalty: float = 0.0,
) -> list[Beam]:
    """The most probable continuations that a search of this width meets, best first.

    Each step extends every beam by every token and keeps the `beams` most probable results
    (Sutskever, Vinyals and Le 2014, section 3.2). One beam is greedy decoding.

    score = log_prob / ((5 + new_pos) / (5 + 1)) ** length_penalty (Wu et al. 2016, section 7,
    equation 14, without coverage). No token ends a text here, so all beams are equally long: the
    penalty changes their scores, and never their order. Raises ValueError for fewer than 1 beam, a
    negative length_penalty, and requests that generate refuses.
    """
    check_beams(beams, length_penalty)
    unread, new_pos = fit_into_context(model, tokens, max_new_tokens)
    past = KeyValueCache(model.cfg, batch=1)
    written = tokens[:, :0]  # [beam new_pos]
    log_probs = torch.zeros(1, dtype=model.cfg.dtype)  # [beam]
    for _ in range(new_pos):
        next_log_probs = model(unread, past_kv_cache=past)[:, -1].log_softmax(-1)
        extended = (log_probs[:, None] + next_log_probs).flatten()  # [beam * d_vocab]
        log_probs, best = extended.topk(min(beams, len(extended)))
        parent, token = best // model.cfg.d_vocab, best % model.cfg.d_vocab
        unread = token[:, None]
        written = torch.cat([written[parent], unread], dim=1)
        for layer in past.layers:  # each beam goes on from what its parent has read
            layer.keys, layer.values = layer.keys[parent], layer.values[parent]
    penalty = ((5 + new_pos) / (5 + 1)) ** length_penalty
    totals = log_probs.tolist()
    return [Beam(row, total, total / penalty) for row, total in zip(written, totals, strict=True)]


class Lane(NamedTuple):
    """What one way to choose has written, and what the model itself thinks of it."""

    tokens: Int[Tensor, " new_pos"]  # the new ones only
    log_probs: Float[Tensor, " new_pos"]  # of each of them, by softmax(logits)
    # The probability, by softmax(logits) too, of all tokens that could not be drawn at this step:
    # also at temperature 0, where one token is left. None for beams, which draw nothing.
    out_of_reach: Float[Tensor, " new_pos"] | None

    @property
    def log_prob(self) -> float:
        """Of all new tokens together."""
        return float(self.log_probs.sum())

    @property
    def log_prob_per_token(self) -> float:
        """The mean over the new tokens; 0 where there is none."""
        return self.log_prob / max(len(self.log_probs), 1)


def decoding_race(
    model: DecoderOnly,
    tokens: Int[Tensor, "1 pos"],
    max_new_tokens: int = 20,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    top_k: int = 10,
    top_p: float = 0.9,
    beams: int = 4,
    beam: Lane | None = None,
) -> dict[str, Lane]:
    """One prompt, five lanes: "greedy", "temperature", "top-k", "top-p" and "beam" (the best one).

    top-k and top-p cut what the temperature leaves, each on its own. Every step has one random
    number, by `seed`, and all lanes that draw do so with it (see draw_with). They are the numbers
    of tfs.generate with this seed: a lane is its text with the lane's settings. beam: that lane,
    where it is known already: nothing else but `beams` changes it. Raises ValueError as
    logits_to_probs and beam_search do.
    """
    check_sampling(temperature, top_k, top_p)
    ways = {
        "greedy": {"temperature": 0.0},
        "temperature": {"temperature": temperature},
        "top-k": {"temperature": temperature, "top_k": top_k},
        "top-p": {"temperature": temperature, "top_p": top_p},
    }
    lanes = sampled_lanes(model, tokens, max_new_tokens, ways, seed)
    return lanes | {"beam": beam or beam_lane(model, tokens, max_new_tokens, beams)}


def beam_lane(
    model: DecoderOnly, tokens: Int[Tensor, "1 pos"], max_new_tokens: int = 20, beams: int = 4
) -> Lane:
    """The best continuation of beam_search. Raises ValueError as it does."""
    best = beam_search(model, tokens, max_new_tokens, beams)[0].tokens
    return Lane(best, continuation_log_probs(model, tokens, best), None)


@torch.inference_mode()
def sampled_lanes(
    model: DecoderOnly,
    tokens: Int[Tensor, "1 pos"],
    max_new_tokens: int,
    ways: Mapping[str, Mapping[str, int | float]],
    seed: int,
) -> dict[str, Lane]:
    """A lane for each way to draw (arguments of logits_to_probs), all read as one batch."""
    unread, new_pos = fit_into_context(model, tokens, max_new_tokens)
    unread = unread.expand(len(ways), -1)
    past = KeyValueCache(model.cfg, batch=len(ways))
    dice = throw_dice(new_pos, torch.Generator().manual_seed(seed))
    written = torch.zeros(len(ways), new_pos, dtype=torch.int64)
    log_probs, out_of_reach = torch.zeros(2, len(ways), new_pos, dtype=model.cfg.dtype)
    for step, uniform in enumerate(dice):
        logits = model(unread, past_kv_cache=past)[:, -1]
        rows = zip(logits, ways.values(), strict=True)
        probs = torch.stack([logits_to_probs(row, **way) for row, way in rows])
        token = draw_with(probs, uniform.expand(len(ways)))
        unread = token[:, None]
        written[:, step] = token
        log_probs[:, step] = logits.log_softmax(-1).gather(-1, unread).squeeze(-1)
        out_of_reach[:, step] = logits.softmax(-1).masked_fill(probs > 0, 0.0).sum(-1)
    lanes = map(Lane, written, log_probs, out_of_reach)
    return dict(zip(ways, lanes, strict=True))


@torch.inference_mode()
def continuation_log_probs(
    model: DecoderOnly, tokens: Int[Tensor, "1 pos"], written: Int[Tensor, " new_pos"]
) -> Float[Tensor, " new_pos"]:
    """The log-probability of each written token after all before it, from one forward."""
    window, _ = fit_into_context(model, tokens, len(written))
    text = torch.cat([window, written[None]], dim=1)[:, : model.cfg.n_ctx]
    log_probs = model(text)[0].log_softmax(-1)
    before_each = log_probs[window.shape[1] - 1 :][: len(written)]
    return before_each.gather(-1, written[:, None]).squeeze(-1)


class AttentionStep(NamedTuple):
    """A new token, and where the position that wrote it was looking."""

    token: int
    probs: Float[Tensor, " d_vocab"]  # what it was drawn from
    pattern: Float[Tensor, "layer head key_pos"]  # of the newest query; it is the last key itself


def generate_with_attention(
    model: DecoderOnly,
    tokens: Int[Tensor, "1 pos"],
    max_new_tokens: int = 20,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    when_full: str = "slide",
) -> Iterator[AttentionStep]:
    """generate_stream's tokens for one sequence, each with the attention it was written under.

    The newest query belongs to the last token that was read; the keys are all tokens in the context
    up to it, so key_pos grows by one with each step, and shrinks when a full context slides.
    Raises ValueError for what generate_stream refuses.
    """
    newest: dict[int, Tensor] = {}

    def keep_newest_query(pattern: Tensor, hook: HookPoint) -> None:
        newest[hook.layer()] = pattern[0, :, -1]

    watched = [(lambda name: name.endswith("hook_pattern"), keep_newest_query)]
    draw = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    steps = generate_stream(model, tokens, max_new_tokens, when_full=when_full, **draw)
    while True:
        with model.hooks(fwd_hooks=watched):  # for one step: whoever looks at it is not watched
            step = next(steps, None)
        if step is None:
            return
        pattern = torch.stack([newest[layer] for layer in range(model.cfg.n_layers)])
        yield AttentionStep(int(step.token), step.probs[0], pattern)


def fit_into_context(
    model: DecoderOnly, tokens: Int[Tensor, "1 pos"], max_new_tokens: int
) -> tuple[Int[Tensor, "1 window"], int]:
    """What the model reads first, the newest n_ctx tokens, and how many new ones have room then."""
    check_generation(model, tokens, max_new_tokens, when_full="stop")
    window = tokens[:, -model.cfg.n_ctx :]
    return window, min(max_new_tokens, model.cfg.n_ctx + 1 - window.shape[1])


def check_beams(beams: int, length_penalty: float) -> None:
    if beams < 1:
        raise ValueError(f"beams must be at least 1, not {beams}")
    if not 0 <= length_penalty < float("inf"):
        raise ValueError(
            f"length_penalty must be 0 (none) or a number above it, not {length_penalty}"
        )

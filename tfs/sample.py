"""From logits to text: a ladder of small functions, each standing on the one before.

logits -> logits_to_probs -> sample -> generate_stream -> generate

`sampling_steps` is logits_to_probs with every step kept, to look at. Beams, and several ways to
choose side by side, are in tfs.decoding.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tfs.model import DecoderOnly, KeyValueCache

LOWEST_TEMPERATURE = 1e-6  # below it, logits over temperature leave float32
WHEN_FULL = ("slide", "stop", "error")


def logits_to_probs(
    logits: Float[Tensor, "*batch d_vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch d_vocab"]:
    """The distribution that the next token is drawn from.

    temperature divides the logits; 0 puts everything on the largest (greedy; the first, in a tie).
    top_k keeps the k most likely tokens (Fan et al. 2018); top_p keeps the fewest tokens whose
    probabilities reach p together (Holtzman et al. 2020). Each step sees what the one before left,
    scaled to sum to 1 again: top_p = 0.9 keeps 0.9 of what top_k kept. Hugging Face's chain of
    LogitsProcessors does the same, except that its top_k keeps all tokens that tie with the last.
    """
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    probs = (logits / temperature).softmax(-1)
    if top_k is not None:
        probs = scaled_to_one(keep_top_k(probs, top_k))
    if top_p is not None:
        probs = scaled_to_one(keep_top_p(probs, top_p))
    return probs


def keep_top_k(probs: Float[Tensor, "*batch d_vocab"], k: int) -> Float[Tensor, "*batch d_vocab"]:
    """Zero all but the k largest; exactly k survive, also where probabilities are equal."""
    kept = probs.topk(min(k, probs.shape[-1])).indices
    return torch.zeros_like(probs).scatter_(-1, kept, probs.gather(-1, kept))


def keep_top_p(probs: Float[Tensor, "*batch d_vocab"], p: float) -> Float[Tensor, "*batch d_vocab"]:
    """Zero the tail: a token stays while those before it, most likely first, sum to less than p."""
    if p >= 1:  # summed up, the tail's rounding would be cut off
        return probs
    ordered, order = probs.sort(descending=True, stable=True)
    mass_before = ordered.cumsum(-1) - ordered
    ordered = ordered.masked_fill(mass_before >= p, 0.0)
    return torch.zeros_like(probs).scatter_(-1, order, ordered)


def scaled_to_one(kept: Float[Tensor, "*batch d_vocab"]) -> Float[Tensor, "*batch d_vocab"]:
    """What a cut left, as a distribution."""
    return kept / kept.sum(-1, keepdim=True)


class SamplingSteps(NamedTuple):
    """The road from logits to the distribution that is drawn from, with every stop on it."""

    logits: Float[Tensor, " d_vocab"]  # what the model said
    scaled: Float[Tensor, " d_vocab"]  # divided by the temperature
    probs: Float[Tensor, " d_vocab"]  # their softmax
    after_top_k: Float[Tensor, " d_vocab"]  # what top_k keeps, scaled to sum to 1
    after_top_p: Float[Tensor, " d_vocab"]  # what top_p keeps of that, scaled too: drawn from
    cut_by_top_k: float  # how much of probs top_k takes away
    cut_by_top_p: float  # how much of after_top_k top_p takes away


def sampling_steps(
    logits: Float[Tensor, " d_vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> SamplingSteps:
    """logits_to_probs for one position, step by step; `after_top_p` is exactly its answer.

    Temperature 0 is the limit of ever smaller ones, up to a shift that softmax does not see:
    `scaled` is 0 for the largest logit (the first, in a tie) and -inf for all others. So one token
    has all the probability before any cut, and the cuts throw nothing away. Raises ValueError for
    settings that logits_to_probs refuses.
    """
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        scaled = torch.full_like(logits, -torch.inf).index_fill_(0, logits.argmax(), 0.0)
    else:
        scaled = logits / temperature
    probs = scaled.softmax(-1)
    after_top_k, after_top_p = probs, probs
    cut_by_top_k = cut_by_top_p = 0.0
    if top_k is not None:
        kept = keep_top_k(probs, top_k)
        cut_by_top_k = float((probs - kept).sum())
        after_top_k = after_top_p = scaled_to_one(kept)
    if top_p is not None:
        kept = keep_top_p(after_top_k, top_p)
        cut_by_top_p = float((after_top_k - kept).sum())
        after_top_p = scaled_to_one(kept)
    return SamplingSteps(
        logits, scaled, probs, after_top_k, after_top_p, cut_by_top_k, cut_by_top_p
    )


def sample(
    probs: Float[Tensor, "batch d_vocab"], generator: torch.Generator | None = None
) -> Int[Tensor, " batch"]:
    """Draw one token for each row, with one throw of the dice for each."""
    return draw_with(probs, throw_dice(len(probs), generator))


def throw_dice(n: int, generator: torch.Generator | None = None) -> Float[Tensor, " n"]:
    """n random numbers, uniform on [0, 1); thrown one by one they are the same numbers."""
    return torch.rand(n, generator=generator, dtype=torch.float64)


def draw_with(
    probs: Float[Tensor, "batch d_vocab"], uniform: Float[Tensor, " batch"]
) -> Int[Tensor, " batch"]:
    """The token of each row whose slice of [0, 1) holds the row's number.

    Slices are as wide as their probabilities and lie side by side, the most likely first: a small
    number draws a likely token in every row, one near 1 an unlikely one. This is inverse transform
    sampling (Devroye 1986, chapter III.2): over uniform numbers, tokens come as often as `probs`
    says. The same number with another cut is then the same luck with another rule.
    """
    ordered, order = probs.sort(descending=True, stable=True)
    edges = ordered.double().cumsum(-1)
    place = (edges <= uniform.to(probs.device)[:, None]).sum(-1, keepdim=True)
    last = (ordered > 0).sum(-1, keepdim=True) - 1  # where rounding ends the slices short of 1
    return order.gather(-1, place.minimum(last)).squeeze(-1)


class GenerationStep(NamedTuple):
    """One new token per sequence, and where it came from."""

    token: Int[Tensor, " batch"]
    logits: Float[Tensor, "batch d_vocab"]  # what the model said
    probs: Float[Tensor, "batch d_vocab"]  # after temperature and cuts: what was drawn from


@torch.inference_mode()
def generate_stream(
    model: DecoderOnly,
    tokens: Int[Tensor, "batch pos"],
    max_new_tokens: int = 20,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    use_past_kv_cache: bool = True,
    when_full: str = "slide",
) -> Iterator[GenerationStep]:
    """Yield new tokens one at a time, each read back in before the next.

    use_past_kv_cache keeps keys and values of what was read, so that each step reads one token (not
    for a bidirectional model, which reads everything anew: there the past changes with the text).
    when_full says what happens once the context holds n_ctx tokens: "slide" drops the oldest half
    of the window and reads the rest anew (positions are learned, so keys cannot simply be shifted);
    "stop" ends quietly; "error" raises ValueError before anything is generated that would not fit.
    A seed makes the draws repeatable and leaves torch's own generator alone.
    """
    check_generation(model, tokens, max_new_tokens, when_full)
    check_sampling(temperature, top_k, top_p)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    n_ctx = model.cfg.n_ctx
    use_past_kv_cache = use_past_kv_cache and model.cfg.attention_dir == "causal"
    past = KeyValueCache(model.cfg, len(tokens)) if use_past_kv_cache else None
    unread = window = tokens[:, -n_ctx:]
    for _ in range(max_new_tokens):
        if window.shape[1] > n_ctx:
            if when_full == "stop":
                return
            unread = window = window[:, -(n_ctx // 2 + 1) :]
            past = KeyValueCache(model.cfg, len(tokens)) if use_past_kv_cache else None
        logits = model(unread if past else window, past_kv_cache=past)[:, -1]
        probs = logits_to_probs(logits, temperature, top_k, top_p)
        token = probs.argmax(-1) if temperature == 0 else sample(probs, generator)
        yield GenerationStep(token, logits, probs)
        unread = token[:, None]
        window = torch.cat([window, unread], dim=1)


def generate(
    model: DecoderOnly,
    tokens: Int[Tensor, "batch pos"],
    max_new_tokens: int = 20,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    use_past_kv_cache: bool = True,
    when_full: str = "slide",
) -> Int[Tensor, "batch pos_and_new"]:
    """The prompt with max_new_tokens more behind it (fewer with when_full="stop")."""
    steps = generate_stream(
        model,
        tokens,
        max_new_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        use_past_kv_cache=use_past_kv_cache,
        when_full=when_full,
    )
    return torch.cat([tokens, *(step.token[:, None] for step in steps)], dim=1)


def check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if temperature != 0 and not LOWEST_TEMPERATURE <= temperature < float("inf"):
        raise ValueError(
            f"temperature must be 0 (greedy) or a number from {LOWEST_TEMPERATURE:g} upward, "
            f"not {temperature}"
        )
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must keep at least 1 token, not {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie above 0 and be at most 1, not {top_p}")


def check_generation(
    model: DecoderOnly, tokens: Tensor, max_new_tokens: int, when_full: str
) -> None:
    if when_full not in WHEN_FULL:
        raise ValueError(f"when_full must be one of {', '.join(WHEN_FULL)}, not {when_full!r}")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, not {max_new_tokens}")
    if tokens.shape[1] == 0:
        raise ValueError("generation needs at least one token to start from")
    wanted, n_ctx = tokens.shape[1] + max_new_tokens, model.cfg.n_ctx
    if when_full == "error" and wanted > n_ctx:
        raise ValueError(
            f"{tokens.shape[1]} tokens and {max_new_tokens} new ones make {wanted}, more than "
            f'n_ctx = {n_ctx}; ask for fewer, or let the window slide (when_full="slide")'
        )

"""From one text to another with an EncoderDecoder: token by token, greedily or with beams.

greedy_decode  the likeliest token each time
beam_decode    several continuations at a time; the best of those that came to an end
beam_steps     the same search, one step after the other, with every candidate to look at

All are batched, read the source once, and keep keys and values of both attentions. A text ends
with the token `end`; what is returned has it, but not the `start` that the decoder begins with.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from tfs.model import DecodingCache, EncoderDecoder
from tfs.model.encoder_decoder import PaddingMask

EARLY_STOPPING = (False, True, "never")


@torch.inference_mode()
def greedy_decode(
    model: EncoderDecoder,
    tokens: Int[Tensor, "batch source_pos"],
    *,
    start: int,
    end: int,
    max_new_tokens: int | None = None,
    one_zero_attention_mask: PaddingMask = None,
) -> Int[Tensor, "batch new_pos"]:
    """The likeliest token after each, until every text has ended or max_new_tokens are written.

    max_new_tokens None: as many as the context holds. A text that ended is filled up with `end`.
    Raises ValueError for special tokens outside the vocabulary and for more than n_ctx new ones.
    """
    max_new_tokens = check_decoding(model, start, end, max_new_tokens)
    encoded = model.encode(tokens, one_zero_attention_mask)
    past = DecodingCache(model.cfg, len(tokens))
    unread = tokens.new_full((len(tokens), 1), start)
    written = unread[:, :0]
    has_ended = torch.zeros_like(unread, dtype=torch.bool)
    while written.shape[1] < max_new_tokens and not has_ended.all():
        logits = model.decode(encoded, unread, one_zero_attention_mask, past)
        unread = logits[:, -1].argmax(-1, keepdim=True).masked_fill(has_ended, end)
        has_ended = has_ended | (unread == end)
        written = torch.cat([written, unread], dim=1)
    return written


class Hypothesis(NamedTuple):
    """A text that came to an end, or to the last step."""

    tokens: tuple[int, ...]  # the new ones, `end` among them
    log_prob: float  # of all of them together, in nats
    score: float  # log_prob / len(tokens) ** length_penalty: the order of preference


class Candidate(NamedTuple):
    """One beam and one token more, as a step of the search weighed it."""

    tokens: tuple[int, ...]  # the new ones up to here
    beam: int  # which of the kept beams it goes on from
    log_prob: float
    fate: str  # "kept", "finished" or "dropped"


class BeamStep(NamedTuple):
    """All candidates of a step, best first, and the best texts finished so far; for each source."""

    candidates: list[list[Candidate]]
    finished: list[list[Hypothesis]]


def beam_decode(
    model: EncoderDecoder,
    tokens: Int[Tensor, "batch source_pos"],
    *,
    start: int,
    end: int,
    beams: int = 4,
    length_penalty: float = 1.0,
    early_stopping: bool | str = False,
    max_new_tokens: int | None = None,
    one_zero_attention_mask: PaddingMask = None,
) -> list[list[Hypothesis]]:
    """For each source the `beams` best texts that beam_steps came by, best first.

    One beam is greedy_decode, unless early_stopping is "never". Raises ValueError as beam_steps.
    """
    steps = beam_steps(
        model,
        tokens,
        start=start,
        end=end,
        beams=beams,
        length_penalty=length_penalty,
        early_stopping=early_stopping,
        max_new_tokens=max_new_tokens,
        one_zero_attention_mask=one_zero_attention_mask,
    )
    finished: list[list[Hypothesis]] = [[] for _ in tokens]
    for step in steps:
        finished = step.finished
    return finished


def beam_steps(
    model: EncoderDecoder,
    tokens: Int[Tensor, "batch source_pos"],
    *,
    start: int,
    end: int,
    beams: int = 4,
    length_penalty: float = 1.0,
    early_stopping: bool | str = False,
    max_new_tokens: int | None = None,
    one_zero_attention_mask: PaddingMask = None,
) -> Iterator[BeamStep]:
    """Beam search as Hugging Face's generate does it, a step at a time.

    Each step extends every beam by every token and looks at the 2 * beams most probable results,
    so that `beams` are left to go on with where others end. Of the first `beams` those that end
    are finished, with score = log_prob / new_tokens ** length_penalty: above 0 it favours long
    texts, below 0 short ones. A source is done when no beam can improve on its finished texts:
    judged at the beam's present length (early_stopping False), as soon as there are `beams` of
    them (True), or, with a length_penalty above 0, at the greatest length ("never"); then all its
    beams are dropped. At the last step what is not finished ends as it is. Sources that are done
    wait for the others.

    max_new_tokens None: as many as the context holds. Raises ValueError for fewer than 1 beam,
    another early_stopping, and what greedy_decode refuses.
    """
    max_new_tokens = check_decoding(model, start, end, max_new_tokens)
    check_search(model, beams, length_penalty, early_stopping)
    searches = [Search(end, beams, length_penalty, early_stopping, max_new_tokens) for _ in tokens]
    return _beam_steps(model, tokens, searches, start, one_zero_attention_mask)


@torch.inference_mode()
def _beam_steps(
    model: EncoderDecoder,
    tokens: Int[Tensor, "batch source_pos"],
    searches: list["Search"],
    start: int,
    one_zero_attention_mask: PaddingMask,
) -> Iterator[BeamStep]:
    """All sources and all their beams are read as one batch, the beams of a source side by side."""
    beams, mask = searches[0].beams, one_zero_attention_mask
    encoded = model.encode(tokens, mask).repeat_interleave(beams, dim=0)
    mask = None if mask is None else mask.repeat_interleave(beams, dim=0)
    past = DecodingCache(model.cfg, len(encoded))
    unread = tokens.new_full((len(encoded), 1), start)
    while not all(search.is_done for search in searches):
        log_probs = model.decode(encoded, unread, mask, past)[:, -1].log_softmax(-1)
        totals = log_probs + log_probs.new_tensor([one.log_probs for one in searches]).view(-1, 1)
        best, place = totals.view(len(searches), -1).topk(2 * beams)  # [batch candidate]
        weighed = zip(searches, best.tolist(), place.tolist(), strict=True)
        candidates = [search.step(*own, model.cfg.d_vocab) for search, *own in weighed]
        parents = [i * beams + beam for i, one in enumerate(searches) for beam in one.parents]
        past.self_attention.take(tokens.new_tensor(parents))
        unread = tokens.new_tensor([token for one in searches for token in one.newest])[:, None]
        yield BeamStep(candidates, [list(search.finished) for search in searches])


class Search:
    """The beam search for one source: the beams that go on, and the texts that are finished."""

    def __init__(
        self,
        end: int,
        beams: int,
        length_penalty: float,
        early_stopping: bool | str,
        max_new_tokens: int,
    ) -> None:
        self.end, self.beams = end, beams
        self.length_penalty, self.early_stopping = length_penalty, early_stopping
        self.max_new_tokens = max_new_tokens
        self.texts: list[tuple[int, ...]] = [()] * beams
        self.log_probs = [0.0] + [-torch.inf] * (beams - 1)  # all start alike: one is enough
        self.finished: list[Hypothesis] = []
        self.is_done = max_new_tokens == 0
        self.parents, self.newest = list(range(beams)), [end] * beams

    def step(self, best: list[float], place: list[int], d_vocab: int) -> list[Candidate]:
        """Decide what becomes of the best continuations; nothing, once the search is done.

        best, place: their log-probabilities, in falling order, and where they stand in [beam
        d_vocab], laid out flat.
        """
        if self.is_done:
            self.parents, self.newest = list(range(self.beams)), [self.end] * self.beams
            return []
        at_end = len(self.texts[0]) + 1 == self.max_new_tokens
        candidates, n_kept = [], 0
        for rank, (log_prob, i) in enumerate(zip(best, place, strict=True)):
            beam, token = divmod(i, d_vocab)
            if token == self.end or at_end:
                fate = "finished" if rank < self.beams and log_prob > -torch.inf else "dropped"
            else:
                fate = "kept" if n_kept < self.beams else "dropped"
                n_kept += fate == "kept"
            candidates.append(Candidate((*self.texts[beam], token), beam, log_prob, fate))
        self.finish([one for one in candidates if one.fate == "finished"])
        if not at_end:
            self.go_on_with([one for one in candidates if one.fate == "kept"])
        self.is_done = at_end or not self.can_improve()
        if self.is_done:  # nobody goes on
            candidates = [
                one._replace(fate="dropped") if one.fate == "kept" else one for one in candidates
            ]
        return candidates

    def finish(self, candidates: list[Candidate]) -> None:
        """Score texts that ended; the best `beams` stay, the earlier where scores are equal."""
        for tokens, _, log_prob, _ in candidates:
            score = log_prob / len(tokens) ** self.length_penalty
            self.finished.append(Hypothesis(tokens, log_prob, score))
        self.finished.sort(key=lambda one: one.score, reverse=True)
        del self.finished[self.beams :]

    def go_on_with(self, candidates: list[Candidate]) -> None:
        self.texts = [one.tokens for one in candidates]
        self.log_probs = [one.log_prob for one in candidates]
        self.parents = [one.beam for one in candidates]
        self.newest = [one.tokens[-1] for one in candidates]

    def can_improve(self) -> bool:
        """Whether the best beam might still beat the worst finished text, by early_stopping's
        rule."""
        if len(self.finished) < self.beams:
            return True
        if self.early_stopping is True:
            return False
        looks_ahead = self.early_stopping == "never" and self.length_penalty > 0
        length = self.max_new_tokens if looks_ahead else len(self.texts[0])
        return self.log_probs[0] / length**self.length_penalty > self.finished[-1].score


def check_decoding(model: EncoderDecoder, start: int, end: int, max_new_tokens: int | None) -> int:
    """The number of new tokens to write at most."""
    for name, token in (("start", start), ("end", end)):
        if not 0 <= token < model.cfg.d_vocab:
            raise ValueError(
                f"{name} must be a token id in 0 ... {model.cfg.d_vocab - 1}, not {token}"
            )
    n_ctx = model.cfg.n_ctx
    if max_new_tokens is not None and not 0 <= max_new_tokens <= n_ctx:
        raise ValueError(
            f"max_new_tokens must lie in 0 ... {n_ctx} (n_ctx), not {max_new_tokens}; ask for "
            "fewer or make a model with a larger n_ctx"
        )
    return n_ctx if max_new_tokens is None else max_new_tokens


def check_search(
    model: EncoderDecoder, beams: int, length_penalty: float, early_stopping: bool | str
) -> None:
    if beams < 1:
        raise ValueError(f"beams must be at least 1, not {beams}")
    if model.cfg.d_vocab < 2:
        raise ValueError("beams need a vocabulary of at least 2 tokens, one of them to go on with")
    if not -10 <= length_penalty <= 10:
        raise ValueError(f"length_penalty must lie in -10 ... 10, not {length_penalty}")
    if early_stopping not in EARLY_STOPPING:
        choices = ", ".join(map(str, EARLY_STOPPING))
        raise ValueError(f"early_stopping must be one of {choices}, not {early_stopping!r}")

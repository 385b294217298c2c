"""Greedy decoding and beam search; that beams are Hugging Face's is in tests/interop."""

import itertools

import pytest
import torch


@pytest.fixture(scope="module")
def seq2seq():
    import tfs.seq2seq

    return tfs.seq2seq


def ended(row, end):
    row = list(row)
    return tuple(row[: row.index(end) + 1] if end in row else row)


@pytest.mark.parametrize("seed", range(6))
def test_greedy_is_the_argmax_of_teacher_forcing_on_the_same_prefix(
    seq2seq, writer, sources, specials, seed
):
    model, source = writer(seed), sources(5, seed)
    written = seq2seq.greedy_decode(model, **source, **specials)
    read = torch.cat([torch.full((5, 1), specials["start"]), written[:, :-1]], dim=1)
    forced = model(decoder_input=read, **source).argmax(-1)
    for ours, theirs in zip(written.tolist(), forced.tolist(), strict=True):
        own = ended(ours, specials["end"])
        assert own == tuple(theirs[: len(own)])
        assert set(ours[len(own) :]) <= {specials["end"]}


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_is_its_texts_one_by_one(seq2seq, writer, sources, specials, seed):
    model, source, end = writer(seed), sources(4, seed), specials["end"]
    together = seq2seq.greedy_decode(model, **source, **specials)
    beams = seq2seq.beam_decode(model, **source, **specials, beams=3)
    for row in range(4):
        own = {name: tensor[row : row + 1] for name, tensor in source.items()}
        alone = seq2seq.greedy_decode(model, **own, **specials)
        assert ended(alone[0].tolist(), end) == ended(together[row].tolist(), end)
        (found,) = seq2seq.beam_decode(model, **own, **specials, beams=3)
        assert [text.tokens for text in found] == [text.tokens for text in beams[row]]


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0, -1.0])
@pytest.mark.parametrize("seed", range(6))
def test_one_beam_is_greedy(
    seq2seq, writer, sources, specials, seed, length_penalty, early_stopping
):
    model, source = writer(seed), sources(5, seed)
    written = seq2seq.greedy_decode(model, **source, **specials).tolist()
    choices = {"length_penalty": length_penalty, "early_stopping": early_stopping}
    found = seq2seq.beam_decode(model, **source, **specials, beams=1, **choices)
    assert [texts[0].tokens for texts in found] == [ended(row, specials["end"]) for row in written]


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_enough_beams_find_the_best_text_of_all(seq2seq, writer, sources, specials, length_penalty):
    """Every text of up to 3 of 5 tokens, weighed one by one."""
    model, source, end = writer(1, d_vocab=5), sources(1), specials["end"]
    source["tokens"] = source["tokens"] % 5
    texts = {
        ended(text, end)
        for length in (1, 2, 3)
        for text in itertools.product(range(5), repeat=length)
        if length == 3 or text[-1] == end
    }
    scores = {}
    for text in texts:
        read = torch.tensor([[specials["start"], *text[:-1]]])
        log_probs = model(decoder_input=read, **source).log_softmax(-1)
        log_prob = sum(float(log_probs[0, pos, token]) for pos, token in enumerate(text))
        scores[text] = log_prob / len(text) ** length_penalty
    (found,) = seq2seq.beam_decode(
        model,
        **source,
        **specials,
        beams=100,
        max_new_tokens=3,
        length_penalty=length_penalty,
        early_stopping="never",
    )
    finite = [text for text in found if text.log_prob > -torch.inf]
    best = sorted(scores, key=scores.get, reverse=True)[: len(finite)]
    assert [text.tokens for text in finite] == best
    for text in finite:
        assert text.score == pytest.approx(scores[text.tokens], abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_what_a_step_shows_adds_up(seq2seq, writer, sources, specials, seed):
    beams, end = 3, specials["end"]
    model, source = writer(seed), sources(4, seed)
    steps = list(seq2seq.beam_steps(model, **source, **specials, beams=beams))
    for text in range(4):
        kept = [()]
        for number, step in enumerate(steps, start=1):
            candidates = step.candidates[text]
            if not candidates:  # done: the others are waited for
                assert step.finished[text] == steps[number - 2].finished[text]
                continue
            assert len(candidates) == 2 * beams
            log_probs = [one.log_prob for one in candidates]
            assert log_probs == sorted(log_probs, reverse=True)
            for one in candidates:
                assert one.tokens[:-1] == kept[one.beam]
                if one.fate == "kept":
                    assert one.tokens[-1] != end
                elif one.fate == "finished":
                    assert one.tokens[-1] == end or number == model.cfg.n_ctx
            kept = [one.tokens for one in candidates if one.fate == "kept"]
            is_last = number == len(steps) or not steps[number].candidates[text]
            assert len(kept) == (0 if is_last else beams)
            assert not is_last or step.finished[text]
        scores = [one.score for one in steps[-1].finished[text]]
        assert scores == sorted(scores, reverse=True) and len(scores) <= beams
    assert steps[-1].finished == seq2seq.beam_decode(model, **source, **specials, beams=beams)


def test_a_candidate_has_the_probability_of_its_text(seq2seq, writer, sources, specials):
    model, source = writer(2), sources(2)
    for step in seq2seq.beam_steps(model, **source, **specials, beams=3, max_new_tokens=5):
        for text, candidates in enumerate(step.candidates):
            for one in candidates:
                own = {name: tensor[text : text + 1] for name, tensor in source.items()}
                read = torch.tensor([[specials["start"], *one.tokens[:-1]]])
                log_probs = model(decoder_input=read, **own)[0].log_softmax(-1)
                chosen = log_probs.gather(-1, torch.tensor(one.tokens)[:, None])
                assert one.log_prob == pytest.approx(float(chosen.sum()), abs=1e-4)


def test_a_higher_penalty_prefers_longer_texts(seq2seq, writer, sources, specials):
    def length(penalty):
        found = [
            seq2seq.beam_decode(
                writer(seed), **sources(5, seed), **specials, beams=4, length_penalty=penalty
            )
            for seed in range(6)
        ]
        return sum(len(texts[0].tokens) for batch in found for texts in batch)

    assert length(-1.0) < length(1.0) < length(4.0)


def test_cross_attention_can_be_watched_while_it_decodes(seq2seq, writer, sources, specials):
    model, source, seen = writer(), sources(2), []
    hooks = [("decoder.1.cross_attn.hook_pattern", lambda p, hook: seen.append(p))]
    with model.hooks(fwd_hooks=hooks):
        written = seq2seq.greedy_decode(model, **source, **specials)
    read = torch.cat([torch.full((2, 1), specials["start"]), written[:, :-1]], dim=1)
    _, cache = model.run_with_cache(decoder_input=read, **source)
    whole = cache["decoder.1.cross_attn.hook_pattern"]
    torch.testing.assert_close(torch.cat(seen, dim=2), whole, rtol=1e-5, atol=1e-5)


def test_nothing_is_written_where_nothing_may_be(seq2seq, writer, sources, specials):
    model, source = writer(), sources(3)
    assert seq2seq.greedy_decode(model, **source, **specials, max_new_tokens=0).shape == (3, 0)
    assert seq2seq.beam_decode(model, **source, **specials, max_new_tokens=0) == [[], [], []]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"start": 13}, "start must be a token id in 0 ... 12, not 13"),
        ({"end": -1}, "end must be a token id in 0 ... 12, not -1"),
        ({"max_new_tokens": 13}, "max_new_tokens must lie in 0 ... 12 .n_ctx., not 13"),
        ({"max_new_tokens": -1}, "max_new_tokens must lie in 0 ... 12"),
        ({"beams": 0}, "beams must be at least 1, not 0"),
        ({"length_penalty": float("nan")}, "length_penalty must lie in -10 ... 10, not nan"),
        ({"early_stopping": "soon"}, "early_stopping must be one of False, True, never"),
    ],
)
def test_bad_requests_are_refused_by_name(seq2seq, writer, sources, specials, request_, message):
    model, tokens = writer(), sources(2)["tokens"]
    with pytest.raises(ValueError, match=message):
        seq2seq.beam_steps(model, tokens, **(specials | request_))
    if request_.keys() <= {"start", "end", "max_new_tokens"}:
        with pytest.raises(ValueError, match=message):
            seq2seq.greedy_decode(model, tokens, **(specials | request_))


def test_beams_need_two_tokens(seq2seq, writer):
    tokens = torch.zeros(1, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match="a vocabulary of at least 2 tokens"):
        seq2seq.beam_steps(writer(d_vocab=1), tokens, start=0, end=0)

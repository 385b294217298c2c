"""What two models expect next, side by side: at every depth, and in the end."""

from functools import partial

import streamlit as st
import torch
from torch import Tensor

from pages._ui.components import token_strip
from pages._ui.controls import View, lock_token
from pages._ui.in_view import positions_in_view
from pages._ui.layout import behind, figure, quoted
from pages._ui.side_by_side import Pair, Places
from tfs.interp import kl_divergence, lens_labels, logit_lens, top_tokens
from tfs.plots import depth_lines, paired_bars, position_bars
from tfs.plots import logit_lens as lens_figure
from tfs.sample import logits_to_probs

MOST_LIKELY = 5  # tokens of each, of which some are the same
CANDIDATES = 5


def lenses(pair: Pair, at: Places) -> None:
    """Both lenses, and how likely what A says in the end is at every depth of either."""
    place = at.token(pair)
    shown = positions_in_view(len(pair.a.tokens), at.query)
    depths = {side: logit_lens(view.model, view.run()[1]) for side, view in pair.sides.items()}
    answer = int(next(iter(depths.values()))[-1, place].argmax())
    word = pair.a.bundle.tokenizer.str_tokens([answer])[0]
    st.markdown(
        f"After position {place}, {quoted(pair.a.labels[place])}, A says {quoted(word)} in the "
        "end. How likely is that token, read from the stream after so many blocks?"
    )
    figure(
        depth_lines({s: each[:, place].softmax(-1)[:, answer] for s, each in depths.items()}),
        key="answer by depth",
        code=[logit_lens],
        reads="blocks.*.hook_resid_pre, hook_resid_post [batch pos d_model]",
        program=pair.program(
            f"""
            both = logit_lens(model_a, cache_a), logit_lens(model_b, cache_b)
            result = [logits[:, {place}].softmax(-1)[:, {answer}] for logits in both]
            """,
            logit_lens,
        ),
    )
    for (side, view), logits in zip(pair.sides.items(), depths.values(), strict=True):
        _lens(pair, side, view, logits, shown, at)


def _lens(pair: Pair, side: str, view: View, logits: Tensor, shown: range, at: Places) -> None:
    words, of = view.bundle.tokenizer.str_tokens, side[0].lower()
    probs, ids = top_tokens(logits, CANDIDATES)
    candidates = [
        [list(zip(words(best), p, strict=True)) for best, p in zip(*row, strict=True)]
        for row in zip(ids.tolist(), probs.tolist(), strict=True)
    ]
    figure(
        lens_figure(
            probs[..., 0],
            [[best[0][0] for best in row] for row in candidates],
            view.labels,
            lens_labels(view.model),
            candidates=candidates,
            shown=shown,
            lock=at.query,
            width=at.width,
            title=side,
        ),
        key=f"lens {of}",
        code=[logit_lens, top_tokens],
        reads="blocks.*.hook_resid_pre, hook_resid_post [batch pos d_model]",
        program=pair.program(
            f"result = top_tokens(logit_lens(model_{of}, cache_{of}), 1)[0][..., 0]",
            logit_lens,
            top_tokens,
        ),
    )


def output(pair: Pair, at: Places) -> None:
    """What each expects next, token by token, and how far apart the two are."""
    place = at.token(pair)
    logits = [view.run()[0] for view in pair[:2]]
    apart = kl_divergence(*logits)
    token_strip(
        pair.a.labels,
        key="apart strip",
        name="The prompt, coloured by how far apart the two expectations are after each token",
        lock=at.query,
        values=apart,
        unit="nats",
        on_lock=lock_token,
    )
    behind(
        {"apart": partial(position_bars, apart, pair.a.labels, unit="KL(A ‖ B)", lock=place)},
        key="apart",
        code=[kl_divergence],
        reads="unembed.hook_out [batch pos d_vocab]",
        program=pair.program("result = kl_divergence(logits_a, logits_b)", kl_divergence),
    )
    there, back = apart[place].item(), kl_divergence(*reversed(logits))[place].item()
    st.markdown(
        f"After position {place}, {quoted(pair.a.labels[place])}: **KL(A ‖ B) = {there:.4f} "
        f"nats**, the cost of expecting what B says where A is right; **KL(B ‖ A) = {back:.4f} "
        "nats**, the other way round. The number under each token is KL(A ‖ B) after it."
    )
    probs = torch.stack([logits_to_probs(each[place]) for each in logits])
    best = probs.topk(min(MOST_LIKELY, probs.shape[1])).indices
    ids = sorted({*best.flatten().tolist()}, key=lambda i: -probs[0, i].item())
    figure(
        paired_bars(probs[:, ids], pair.a.bundle.tokenizer.str_tokens(ids), list(pair.sides)),
        key="next of both",
        code=[logits_to_probs, kl_divergence],
        reads="unembed.hook_out [batch pos d_vocab]",
        program=pair.program(
            f"result = logits_to_probs(torch.stack([logits_a, logits_b])[:, {place}])[:, {ids}]",
            logits_to_probs,
        ),
    )

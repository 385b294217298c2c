"""tfs is imported inside the fixtures, so that the jaxtyping hook is there before it."""

import pytest
import torch

TOKENS = [
    " the",
    "\n",
    "<b>x</b>",
    " the",
    "",
    '<a href="x">y</a>',
    "&amp;",
    " internationalisation",
]


@pytest.fixture(scope="session")
def plots():
    import tfs.plots

    return tfs.plots


@pytest.fixture(scope="session")
def tokens():
    """Tokens that ask for trouble: repeated, invisible, empty, long, and full of markup."""
    return TOKENS


@pytest.fixture(scope="session")
def scores():
    """Causal attention scores of two layers of three heads, -inf where masked."""
    g = torch.Generator().manual_seed(0)
    hidden = ~torch.ones(8, 8).tril().bool()
    return torch.randn(2, 3, 8, 8, generator=g).masked_fill(hidden, -torch.inf)


@pytest.fixture(scope="session")
def figures(plots, tokens, scores):
    """One figure of every public function, by the function's name."""
    pattern, n = scores.softmax(-1), len(tokens)
    g = torch.Generator().manual_seed(1)
    rows = [f"layer {i}" for i in range(3)]
    similarity = torch.nn.functional.cosine_similarity(
        *torch.randn(2, n, n, 4, generator=g), dim=-1
    )
    return {
        "attention_grid": plots.attention_grid(pattern, tokens, columns=2, title="<i>all</i>"),
        "attention_mask": plots.attention_mask(scores[0, 0].isfinite(), tokens),
        "attention_pattern": plots.attention_pattern(pattern[0, 1], tokens, title="L0H1"),
        "attention_scores": plots.attention_scores(scores[0, 0], tokens),
        "head_scores": plots.head_scores(torch.rand(2, 3, generator=g), "Induction"),
        "kv_growth": plots.kv_growth([0, 8, 16], [0, 1024, 2048]),
        "logit_lens": plots.logit_lens(
            torch.rand(3, n, generator=g),
            [tokens] * 3,
            tokens,
            rows,
            candidates=[[[(token, 0.5), ("<b>", 0.1)] for token in tokens]] * 3,
        ),
        "loss_curve": plots.loss_curve(
            [0, 1, 2], [4.6, 3.0, 2.5], [(0, 4.7), (2, 2.6)], {"ln V": 4.605, "floor": 2.149}
        ),
        "lr_schedule": plots.lr_schedule([0, 1, 2], [0.0, 1e-3, 5e-4]),
        "mass_kept": plots.mass_kept(
            {"<b>greedy</b>": torch.rand(4, generator=g), "top-k": torch.rand(4, generator=g)}
        ),
        "next_token_bars": plots.next_token_bars(torch.rand(n, generator=g) / n, tokens),
        "sampling_rows": plots.sampling_rows(
            *torch.rand(5, n, generator=g), tokens, drawn=2, title="<i>T</i>"
        ),
        "scatter_2d": plots.scatter_2d(
            torch.randn(n, 2, generator=g), tokens, explained=(0.5, 0.2)
        ),
        "signed_bars": plots.signed_bars(torch.randn(n, generator=g), tokens, x_title='of "<b>"'),
        "similarity_matrix": plots.similarity_matrix(similarity, tokens),
        "stacked_terms": plots.stacked_terms(
            [f"W_{i}" for i in range(12)], range(12), "parameters"
        ),
        "token_trajectory": plots.token_trajectory(torch.rand(n, 3, generator=g), tokens, rows),
        "vector_strip": plots.vector_strip(torch.randn(n, 16, generator=g), tokens),
    }

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
def weighed():
    """Two steps of two beams, 0 being the end; and the newest token of each candidate."""
    from tfs.seq2seq import Candidate

    steps = [
        [((1,), 0, -0.5, "kept"), ((2,), 0, -1.0, "kept")],
        [((1, 0), 0, -0.75, "finished"), ((2, 1), 1, -1.5, "kept")],
    ]
    steps[0] += [((3,), 0, -3.0, "dropped"), ((1,), 1, -torch.inf, "dropped")]
    steps[1] += [((1, 4), 0, -2.5, "kept"), ((2, 0), 1, -4.0, "dropped")]
    tokens = [["<b>", "b", "c", "<b>"], ["</s>", "<b>", "d", "</s>"]]
    return [[Candidate(*one) for one in step] for step in steps], tokens


@pytest.fixture(scope="session")
def figures(plots, tokens, scores, weighed):
    """One figure of every public function, by the function's name."""
    pattern, n = scores.softmax(-1), len(tokens)
    g = torch.Generator().manual_seed(1)
    rows = [f"layer {i}" for i in range(3)]
    similarity = torch.nn.functional.cosine_similarity(
        *torch.randn(2, n, n, 4, generator=g), dim=-1
    )
    return {
        "attention_contributions": plots.attention_contributions(3 * pattern[0, 0], tokens),
        "accuracy_by_position": plots.accuracy_by_position(
            [25, 50], [[None, 0.25, None, 0.5], [None, 0.75, None, 1.0]]
        ),
        "compare_runs": plots.compare_runs(
            {
                "<b>learned</b>": [([25, 50], [4.0, 2.5]), ([25, 50, 75], [4.2, 2.1, 2.0])],
                "none": [([25, 50], [4.5, 4.4])],
            },
            {"floor": 2.0},
        ),
        "over_training": plots.over_training(
            {
                "loss": {"training": ([0, 1, 2], [4.6, 4.0, 2.5])},
                "<i>score</i>": {"L0H0": ([0, 2], [0.1, 0.9]), "L0H1": ([0, 2], [0.2, 0.3])},
            },
            mark=2,
        ),
        "attention_grid": plots.attention_grid(pattern, tokens, columns=2, title="<i>all</i>"),
        "attention_mask": plots.attention_mask(scores[0, 0].isfinite(), tokens),
        "attention_pattern": plots.attention_pattern(pattern[0, 1], tokens, title="L0H1"),
        "attention_scores": plots.attention_scores(scores[0, 0], tokens),
        "block_road": plots.block_road(
            torch.rand(4, generator=g), ["resid_pre", "ln1", "attn_out", "<p>"]
        ),
        "cut_rows": plots.cut_rows(
            [[token.encode()] if token else [] for token in ("<b>x</b>", "ab")],
            [["<b>x</b>"], ["ab"]],
            ["<i>one</i>", "two"],
            marked=(1, 0),
        ),
        "depth_lines": plots.depth_lines(
            {"<b>A</b>": torch.rand(3, generator=g), "B": torch.rand(5, generator=g)}
        ),
        "paired_bars": plots.paired_bars(torch.rand(2, n, generator=g), tokens, ["<i>A</i>", "B"]),
        "weight_difference": plots.weight_difference(pattern[0, 0] - pattern[1, 2], tokens),
        "equal_tokens": plots.equal_tokens(
            torch.tensor([[a == b for b in tokens] for a in tokens]), tokens
        ),
        "head_scores": plots.head_scores(torch.rand(2, 3, generator=g), "Induction"),
        "key_bars": plots.key_bars(scores[0, 0, 7], tokens, unit="score", lock=1),
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
        "mean_and_scale": plots.mean_and_scale(
            torch.randn(n, generator=g), torch.rand(n, generator=g), tokens, lock=2
        ),
        "neuron_map": plots.neuron_map(
            torch.rand(n, 3, generator=g), torch.arange(3 * n).reshape(n, 3), tokens, lock=1
        ),
        "neuron_vocabulary": plots.neuron_vocabulary(
            torch.tensor([2.0, 1.0]), tokens[:2], torch.tensor([-2.0, -1.0]), tokens[2:4]
        ),
        "next_token_bars": plots.next_token_bars(torch.rand(n, generator=g) / n, tokens),
        "sampling_rows": plots.sampling_rows(
            *torch.rand(5, n, generator=g), tokens, drawn=2, title="<i>T</i>"
        ),
        "norm_lines": plots.norm_lines({name: torch.rand(3, generator=g) for name in "ab<"}),
        "norm_map": plots.norm_map(torch.rand(3, n, generator=g), tokens, lock=(1, 2)),
        "beam_tree": plots.beam_tree(*weighed, path=(1, 0)),
        "probability_rows": plots.probability_rows(
            torch.rand(2, n, generator=g), tokens, ["all heads", "without <b>"]
        ),
        "scaled_strips": plots.scaled_strips(torch.randn(n, 16, generator=g), tokens),
        "scatter_2d": plots.scatter_2d(
            torch.randn(n, 2, generator=g), tokens, explained=(0.5, 0.2)
        ),
        "amount_bars": plots.amount_bars(
            torch.rand(n, generator=g), tokens, x_title="size of <b>", among=[2.0]
        ),
        "signed_bars": plots.signed_bars(torch.randn(n, generator=g), tokens, x_title='of "<b>"'),
        "similarity_matrix": plots.similarity_matrix(similarity, tokens),
        "stacked_terms": plots.stacked_terms(
            [f"W_{i}" for i in range(12)], range(12), "parameters"
        ),
        "token_trajectory": plots.token_trajectory(torch.rand(n, 3, generator=g), tokens, rows),
        "vector_strip": plots.vector_strip(torch.randn(n, 16, generator=g), tokens),
        "loss_by_mask": plots.loss_by_mask(
            {"causal": torch.rand(n - 1, generator=g), "<none>": torch.rand(n - 1, generator=g)},
            tokens,
            blind=0.9,
        ),
        "mask_cells": plots.mask_cells(scores[0, 0].isfinite(), tokens, cells=n * n),
        "neighbour_bars": plots.neighbour_bars(torch.rand(n, generator=g), tokens, of="<b>"),
        "position_bars": plots.position_bars(
            torch.randn(n, generator=g), tokens, unit="of <b>", lock=1
        ),
        "position_matrix": plots.position_matrix(torch.randn(n, 6, generator=g), title="<i>"),
        "scatter_3d": plots.scatter_3d(
            torch.randn(n, 3, generator=g), tokens, explained=(0.5, 0.2, 0.1), highlight=[1]
        ),
        "rotary_turns": plots.rotary_turns(torch.rand(n, 3, generator=g)),
        "bias_by_distance": plots.bias_by_distance(-torch.rand(2, n, generator=g)),
        "similarity_curves": plots.similarity_curves(
            {name: tuple(torch.rand(2, n, generator=g)) for name in ("<learned>", "sines")}
        ),
        "softmax_steps": plots.softmax_steps(
            scores[0, 0, 5], scores[0, 0, 5].exp(), pattern[0, 0, 5], tokens
        ),
        "weights_twice": plots.weights_twice(
            pattern[0, 0, 7], pattern[0, 1, 7], tokens, ("as typed", "<turned>")
        ),
    }

"""Tensors in, Plotly figures out, and nothing else: no model, no page, no showing.

>>> import torch
>>> fig = attention_pattern(torch.eye(2), ["a", "b"], title="L0H0")
>>> figure_alt(fig)[:36]
'Attention of L0H0 on 2 tokens; the l'
>>> figure_table(fig)["weight"]
[1.0, 0.0, 0.0, 1.0]

Every figure carries one sentence of alt text, computed from its data (`figure_alt`), and can be
read as a table (`figure_table`: column name -> list, ready for CSV or a DataFrame).
"""

from tfs.plots.amounts import amount_bars
from tfs.plots.attention import (
    attention_contributions,
    attention_grid,
    attention_mask,
    attention_pattern,
    attention_scores,
)
from tfs.plots.bars import (
    key_bars,
    kv_growth,
    next_token_bars,
    position_bars,
    signed_bars,
    stacked_terms,
)
from tfs.plots.block import block_road, mean_and_scale, norm_lines, norm_map, scaled_strips
from tfs.plots.curves import loss_curve, lr_schedule
from tfs.plots.cuts import cut_rows, equal_tokens
from tfs.plots.decoding import mass_kept, sampling_rows
from tfs.plots.embeddings import scatter_2d, similarity_matrix, vector_strip
from tfs.plots.heads import head_scores
from tfs.plots.lens import logit_lens, token_trajectory
from tfs.plots.masks import loss_by_mask, mask_cells, softmax_steps
from tfs.plots.neurons import neuron_map, neuron_vocabulary
from tfs.plots.positions import (
    bias_by_distance,
    position_matrix,
    rotary_turns,
    similarity_curves,
    weights_twice,
)
from tfs.plots.runs import accuracy_by_position, compare_runs, over_training
from tfs.plots.sides import depth_lines, paired_bars, weight_difference
from tfs.plots.space import neighbour_bars, scatter_3d
from tfs.plots.twin import figure_alt, figure_table
from tfs.plots.writing import beam_tree, probability_rows

__all__ = [
    "accuracy_by_position",
    "amount_bars",
    "attention_contributions",
    "attention_grid",
    "attention_mask",
    "attention_pattern",
    "attention_scores",
    "beam_tree",
    "bias_by_distance",
    "block_road",
    "compare_runs",
    "cut_rows",
    "depth_lines",
    "equal_tokens",
    "figure_alt",
    "figure_table",
    "head_scores",
    "key_bars",
    "kv_growth",
    "logit_lens",
    "loss_by_mask",
    "loss_curve",
    "lr_schedule",
    "mask_cells",
    "mass_kept",
    "mean_and_scale",
    "neighbour_bars",
    "neuron_map",
    "neuron_vocabulary",
    "next_token_bars",
    "norm_lines",
    "norm_map",
    "over_training",
    "paired_bars",
    "position_bars",
    "position_matrix",
    "probability_rows",
    "rotary_turns",
    "sampling_rows",
    "scaled_strips",
    "scatter_2d",
    "scatter_3d",
    "signed_bars",
    "similarity_curves",
    "similarity_matrix",
    "softmax_steps",
    "stacked_terms",
    "token_trajectory",
    "vector_strip",
    "weight_difference",
    "weights_twice",
]

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

from tfs.plots.attention import (
    attention_contributions,
    attention_grid,
    attention_mask,
    attention_pattern,
    attention_scores,
)
from tfs.plots.bars import key_bars, kv_growth, next_token_bars, signed_bars, stacked_terms
from tfs.plots.curves import loss_curve, lr_schedule
from tfs.plots.decoding import mass_kept, sampling_rows
from tfs.plots.embeddings import scatter_2d, similarity_matrix, vector_strip
from tfs.plots.heads import head_scores
from tfs.plots.lens import logit_lens, token_trajectory
from tfs.plots.twin import figure_alt, figure_table

__all__ = [
    "attention_contributions",
    "attention_grid",
    "attention_mask",
    "attention_pattern",
    "attention_scores",
    "figure_alt",
    "figure_table",
    "head_scores",
    "key_bars",
    "kv_growth",
    "logit_lens",
    "loss_curve",
    "lr_schedule",
    "mass_kept",
    "next_token_bars",
    "sampling_rows",
    "scatter_2d",
    "signed_bars",
    "similarity_matrix",
    "stacked_terms",
    "token_trajectory",
    "vector_strip",
]

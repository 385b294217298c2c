"""Questions asked of a model or of its cache: tensors in, tensors out, nothing drawn or printed.

>>> import torch, tfs
>>> cfg = tfs.TransformerConfig(n_layers=2, d_model=16, n_ctx=8, d_head=8, d_vocab=10, seed=0)
>>> model, tokens = tfs.DecoderOnly(cfg), torch.tensor([[1, 2, 3, 1, 2, 3]])
>>> logits, cache = model.run_with_cache(tokens)
>>> bool((logit_lens(model, cache)[-1] - logits).abs().max() < 1e-5)
True
>>> shares, labels = direct_logit_attribution(model, cache, tokens=3)
>>> labels
['embed', 'pos_embed', '0_attn_out', '0_mlp_out', '1_attn_out', '1_mlp_out', 'bias']
>>> {name: score.shape for name, score in head_scores(model, tokens).items()}["induction"]
torch.Size([2, 2])

A model is asked through `tfs.hooks.Openable` only, so every function here takes a HookedTransformer
as well as a model of ours.
"""

from tfs.interp.attention import AttentionSteps, attention_steps
from tfs.interp.attribution import direct_logit_attribution, logit_direction
from tfs.interp.embeddings import cosine_similarity, nearest_neighbours, pca
from tfs.interp.heads import (
    HEAD_SCORES,
    duplicate_token_score,
    earlier_copies,
    head_scores,
    induction_score,
    mean_attention,
    previous_token_score,
)
from tfs.interp.lens import lens_labels, logit_lens, token_ranks, top_tokens

__all__ = [
    "HEAD_SCORES",
    "AttentionSteps",
    "attention_steps",
    "cosine_similarity",
    "direct_logit_attribution",
    "duplicate_token_score",
    "earlier_copies",
    "head_scores",
    "induction_score",
    "lens_labels",
    "logit_direction",
    "logit_lens",
    "mean_attention",
    "nearest_neighbours",
    "pca",
    "previous_token_score",
    "token_ranks",
    "top_tokens",
]

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

from tfs.interp.alignment import (
    aligned_cells,
    alignment_by_chance,
    alignment_scores,
    log_probs_without_heads,
    written_log_probs,
)
from tfs.interp.attention import (
    AttentionRoad,
    AttentionSteps,
    attention_road,
    attention_steps,
    hide_first_token,
    products_of_cell,
    qk_products,
    value_weighted,
)
from tfs.interp.attribution import direct_logit_attribution, logit_direction
from tfs.interp.block import (
    LayerNormSteps,
    NeuronTokens,
    StreamNorms,
    head_norms,
    layer_norm_steps,
    neuron_promotes,
    stream_norms,
    top_neurons,
)
from tfs.interp.change import weight_change
from tfs.interp.compare import kl_divergence
from tfs.interp.distance import (
    AlibiSteps,
    alibi_steps,
    mean_distance,
    scores_by_places,
    spread_of_diagonals,
    turned_to_places,
)
from tfs.interp.embeddings import cosine_similarity, nearest_neighbours, pca
from tfs.interp.heads import (
    HEAD_SCORES,
    duplicate_token_score,
    earlier_copies,
    head_scores,
    induction_score,
    mean_attention,
    mirror_score,
    previous_token_score,
)
from tfs.interp.labels import HeadLabel, ablation_costs, label_heads
from tfs.interp.lens import lens_labels, logit_lens, token_ranks, top_tokens
from tfs.interp.masks import (
    causal,
    everyone,
    hooks_to_look_back,
    looking_back,
    loss_per_position,
    masked_softmax,
    open_ahead,
    padding,
    prefix,
    run_with_mask,
    sliding_window,
)
from tfs.interp.positions import similarity_by_distance, sinusoidal_rotation
from tfs.interp.road import RoadStep, after_norm, road_steps, top_of_stream
from tfs.sinusoids import sinusoidal

__all__ = [
    "HEAD_SCORES",
    "AlibiSteps",
    "AttentionRoad",
    "AttentionSteps",
    "HeadLabel",
    "LayerNormSteps",
    "NeuronTokens",
    "RoadStep",
    "StreamNorms",
    "ablation_costs",
    "after_norm",
    "alibi_steps",
    "aligned_cells",
    "alignment_by_chance",
    "alignment_scores",
    "attention_road",
    "attention_steps",
    "causal",
    "cosine_similarity",
    "direct_logit_attribution",
    "duplicate_token_score",
    "earlier_copies",
    "everyone",
    "head_norms",
    "head_scores",
    "hide_first_token",
    "hooks_to_look_back",
    "induction_score",
    "kl_divergence",
    "label_heads",
    "layer_norm_steps",
    "lens_labels",
    "log_probs_without_heads",
    "logit_direction",
    "logit_lens",
    "looking_back",
    "loss_per_position",
    "masked_softmax",
    "mean_attention",
    "mean_distance",
    "mirror_score",
    "nearest_neighbours",
    "neuron_promotes",
    "open_ahead",
    "padding",
    "pca",
    "prefix",
    "previous_token_score",
    "products_of_cell",
    "qk_products",
    "road_steps",
    "run_with_mask",
    "scores_by_places",
    "similarity_by_distance",
    "sinusoidal",
    "sinusoidal_rotation",
    "sliding_window",
    "spread_of_diagonals",
    "stream_norms",
    "token_ranks",
    "top_neurons",
    "top_of_stream",
    "top_tokens",
    "turned_to_places",
    "value_weighted",
    "weight_change",
    "written_log_probs",
]

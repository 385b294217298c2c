"""The parts of a Transformer beside norms and MLPs: embeddings, attention, unembedding.

Each part that TransformerLens watches has its hook point, under its name. Where nobody watches, the
same numbers take a faster road (torch's fused attention); tests hold the two equal.

Weights of a layer's heads are [head d_model d_head], as in the papers. In memory they are laid out
as [d_model head d_head], so that all heads together are one matrix product that copies nothing.
"""

import math

import torch
import torch.nn.functional as F
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.config import TransformerConfig
from tfs.model.kv_cache import LayerKeyValues
from tfs.model.products import linear
from tfs.model.rotary import Rotary
from tfs.scores import alibi_bias, alibi_slopes, soft_capped


def into_heads(
    x: Float[Tensor, "batch pos d_model"],
    W: Float[Tensor, "head d_model d_head"],
    b: Float[Tensor, "head d_head"],
) -> Float[Tensor, "batch pos head d_head"]:
    """einsum(x, W, "batch pos d_model, head d_model d_head -> batch pos head d_head") + b."""
    head, d_model, d_head = W.shape
    all_heads = W.transpose(0, 1).reshape(d_model, head * d_head)  # a view: see above
    return linear(x, all_heads, b.view(-1)).view(*x.shape[:-1], head, d_head)


def out_of_heads(
    z: Float[Tensor, "batch pos head d_head"],
    W: Float[Tensor, "head d_head d_model"],
    b: Float[Tensor, " d_model"],
) -> Float[Tensor, "batch pos d_model"]:
    """einsum(z, W, "batch pos head d_head, head d_head d_model -> batch pos d_model") + b."""
    head, d_head, d_model = W.shape
    return linear(z.reshape(*z.shape[:-2], -1), W.view(head * d_head, d_model), b)


class Embed(nn.Module):
    """A learned vector for each token of the vocabulary: W_E, [d_vocab d_model].

    scaled: what goes out is multiplied by sqrt(d_model) (Vaswani et al. 2017, section 3.4).
    """

    def __init__(self, cfg: TransformerConfig, scaled: bool = False) -> None:
        super().__init__()
        self.scale = math.sqrt(cfg.d_model) if scaled else None
        self.W_E = nn.Parameter(torch.empty(cfg.d_vocab, cfg.d_model, dtype=cfg.dtype))

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        vectors = F.embedding(tokens, self.W_E)
        return vectors if self.scale is None else vectors * self.scale


class Attention(nn.Module):
    """Every position asks (query), every position it may see answers (key) and gives (value).

    Vaswani et al. 2017, section 3.2, in the per-head form of Elhage et al. 2021. The three inputs
    are one tensor in self-attention and two in cross-attention; `mask` says who may see whom.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.use_attn_result = cfg.use_attn_result
        self.attn_scale = cfg.attn_scale if cfg.use_attn_scale else 1.0
        self.soft_cap = cfg.attn_scores_soft_cap
        self.queries_per_key = cfg.n_heads // cfg.key_heads
        self.is_alibi = cfg.positional_embedding_type == "alibi"
        if self.is_alibi:
            slopes = alibi_slopes(cfg.n_heads).to(cfg.dtype)
            self.register_buffer("slopes", slopes, persistent=False)
        self.make_projections(cfg)
        self.W_O = nn.Parameter(torch.empty(cfg.n_heads, cfg.d_head, cfg.d_model, dtype=cfg.dtype))
        self.b_O = nn.Parameter(torch.zeros(cfg.d_model, dtype=cfg.dtype))

        self.hook_q = HookPoint()  # [batch query_pos head d_head]
        self.hook_k = HookPoint()  # [batch key_pos key_head d_head]
        self.hook_v = HookPoint()  # [batch key_pos key_head d_head]
        is_rotary = cfg.positional_embedding_type == "rotary"
        self.rotary = Rotary(cfg) if is_rotary else None
        if is_rotary:
            self.hook_rot_q = HookPoint()  # [batch query_pos head d_head]
            self.hook_rot_k = HookPoint()  # [batch key_pos key_head d_head], of the new keys
        self.hook_attn_scores = HookPoint()  # [batch head query_pos key_pos]
        self.hook_pattern = HookPoint()  # [batch head query_pos key_pos]
        self.hook_z = HookPoint()  # [batch query_pos head d_head]
        self.hook_result = HookPoint()  # [batch query_pos head d_model], if use_attn_result

    def make_projections(self, cfg: TransformerConfig) -> None:
        for name in "QKV":
            self.make_projection(name, cfg.n_heads, cfg)

    def make_projection(
        self, name: str, heads: int, cfg: TransformerConfig, prefix: str = ""
    ) -> None:
        """W_name [head d_model d_head] and b_name [head d_head]."""
        weight = torch.empty(cfg.d_model, heads, cfg.d_head, dtype=cfg.dtype).permute(1, 0, 2)
        self.register_parameter(f"{prefix}W_{name}", nn.Parameter(weight))
        bias = torch.zeros(heads, cfg.d_head, dtype=cfg.dtype)
        self.register_parameter(f"{prefix}b_{name}", nn.Parameter(bias))

    def key_weights(self) -> tuple[Tensor, Tensor]:
        return self.W_K, self.b_K

    def value_weights(self) -> tuple[Tensor, Tensor]:
        return self.W_V, self.b_V

    def forward(
        self,
        query_input: Float[Tensor, "batch query_pos d_model"],
        key_input: Float[Tensor, "batch new_key_pos d_model"],
        value_input: Float[Tensor, "batch new_key_pos d_model"],
        mask: Bool[Tensor, "*batch_and_head #query_pos key_pos"] | None,
        past: LayerKeyValues | None = None,
    ) -> Float[Tensor, "batch query_pos d_model"]:
        """What the layer writes into the residual stream.

        mask: True where query_pos may attend to key_pos, for all or [batch 1 query_pos key_pos];
        one of query_pos 1 holds for every query, None lets everyone see everything.
        past: keys and values of earlier tokens, to which this call adds its own.
        """
        q = self.hook_q(into_heads(query_input, self.W_Q, self.b_Q))
        k = self.hook_k(into_heads(key_input, *self.key_weights()))
        v = self.hook_v(into_heads(value_input, *self.value_weights()))
        if self.rotary is not None:
            offset = past.length if past is not None else 0
            q, k = self.hook_rot_q(self.rotary(q, offset)), self.hook_rot_k(self.rotary(k, offset))
        if past is not None:
            k, v = past.append(k, v)

        watched = self.hook_attn_scores.is_watched() or self.hook_pattern.is_watched()
        if watched or self.soft_cap > 0:  # the fused kernel knows no cap
            z = self.explicit_attention(q, k, v, mask)
        else:
            z = self.fused_attention(q, k, v, mask)
        z = self.hook_z(z)

        if self.use_attn_result:
            each_head = "batch pos head d_head, head d_head d_model -> batch pos head d_model"
            return self.hook_result(einsum(z, self.W_O, each_head)).sum(-2) + self.b_O
        return out_of_heads(z, self.W_O, self.b_O)

    def explicit_attention(
        self,
        q: Float[Tensor, "batch query_pos head d_head"],
        k: Float[Tensor, "batch key_pos key_head d_head"],
        v: Float[Tensor, "batch key_pos key_head d_head"],
        mask: Bool[Tensor, "*batch_and_head #query_pos key_pos"] | None,
    ) -> Float[Tensor, "batch query_pos head d_head"]:
        """softmax(q k^T / scale) v, step by step, so that each step can be seen and changed."""
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)  # each head by itself
        if self.queries_per_key > 1:
            k, v = (heads.repeat_interleave(self.queries_per_key, dim=1) for heads in (k, v))
        scores = (q / self.attn_scale) @ k.transpose(2, 3)  # [batch head query_pos key_pos]
        scores = soft_capped(scores, self.soft_cap)
        if self.is_alibi:
            scores = scores + alibi_bias(self.slopes, *scores.shape[2:])
        if mask is not None:
            scores = torch.where(mask, scores, -torch.inf)
        pattern = self.hook_attn_scores(scores).softmax(-1)
        if pattern[..., 0].isnan().any():  # a row with nobody to see is NaN from end to end
            pattern = pattern.nan_to_num(0.0)
        pattern = self.hook_pattern(pattern)
        return (pattern @ v).transpose(1, 2)

    def fused_attention(
        self,
        q: Float[Tensor, "batch query_pos head d_head"],
        k: Float[Tensor, "batch key_pos key_head d_head"],
        v: Float[Tensor, "batch key_pos key_head d_head"],
        mask: Bool[Tensor, "*batch_and_head #query_pos key_pos"] | None,
    ) -> Float[Tensor, "batch query_pos head d_head"]:
        """The same numbers from torch's kernel, which never holds the whole pattern in memory."""
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        if self.is_alibi:
            bias = alibi_bias(self.slopes, q.shape[2], k.shape[2])
            mask = bias if mask is None else torch.where(mask, bias, -torch.inf)
        z = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            scale=1 / self.attn_scale,
            enable_gqa=self.queries_per_key > 1,
        )
        return z.transpose(1, 2)


class Unembed(nn.Module):
    """A logit for each token of the vocabulary: a dot product with its column of W_U, plus b_U."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.W_U = nn.Parameter(torch.empty(cfg.d_model, cfg.d_vocab, dtype=cfg.dtype))
        self.b_U = nn.Parameter(torch.zeros(cfg.d_vocab, dtype=cfg.dtype))
        self.hook_in = HookPoint()  # [batch pos d_model]
        self.hook_out = HookPoint()  # [batch pos d_vocab]

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        return self.hook_out(linear(self.hook_in(x), self.W_U, self.b_U))


class TiedUnembed(nn.Module):
    """An Unembed without weights of its own: W_U is W_E transposed, b_U is 0 (Press & Wolf 2017).

    Its state_dict still names W_U and b_U, so that a model which does not tie can load it.
    """

    def __init__(self, embed: Embed) -> None:
        super().__init__()
        object.__setattr__(self, "embed", embed)  # seen, not owned: W_E is counted and saved once
        self.hook_in = HookPoint()
        self.hook_out = HookPoint()
        self.register_state_dict_post_hook(_name_tied_weights)
        self.register_load_state_dict_pre_hook(_drop_tied_weights)

    @property
    def W_U(self) -> Float[Tensor, "d_model d_vocab"]:
        return self.embed.W_E.T

    @property
    def b_U(self) -> Float[Tensor, " d_vocab"]:
        return self.embed.W_E.new_zeros(len(self.embed.W_E))

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_vocab"]:
        return self.hook_out(linear(self.hook_in(x), self.W_U))


def _name_tied_weights(unembed: TiedUnembed, state_dict: dict, prefix: str, metadata: dict) -> None:
    state_dict[f"{prefix}W_U"] = unembed.W_U.detach()
    state_dict[f"{prefix}b_U"] = unembed.b_U


def _drop_tied_weights(
    unembed: TiedUnembed,
    state_dict: dict,
    prefix: str,
    metadata: dict,
    strict: bool,
    *problems: list,
) -> None:
    W_U, b_U = state_dict.pop(f"{prefix}W_U", None), state_dict.pop(f"{prefix}b_U", None)
    if W_U is not None and not torch.equal(W_U, unembed.W_U):  # W_E is loaded before
        problems[-1].append("unembed.W_U is not embed.W_E transposed, but this model ties them")
    if b_U is not None and b_U.count_nonzero():
        problems[-1].append("unembed.b_U is not zero, but this model ties its embeddings")

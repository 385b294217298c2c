"""The decoder-only Transformer on numpy: tokens in, a logit for every possible next token out.

Weight names, shapes and hook names are those of tfs.DecoderOnly, so either opens the other's files.
"""

import numpy as np
from jaxtyping import Bool, Float

from tfs.numpy_engine.attention import Attention, causal_mask, padding_mask
from tfs.numpy_engine.config import Config
from tfs.numpy_engine.hooks import HookPoint
from tfs.numpy_engine.layers import (
    MLP,
    Dropout,
    Embed,
    Generator,
    PosEmbed,
    TiedUnembed,
    Unembed,
    check_tokens,
    make_norm,
)
from tfs.numpy_engine.module import Module, ModuleList
from tfs.numpy_engine.tensor import Tensor
from tfs.numpy_engine.tied import TiedModel

Mask = Bool[np.ndarray, "*batch_and_head #query_pos key_pos"] | None


class Block(Module):
    """A pre-norm block (Radford et al. 2019), without MLP if attn_only (Elhage et al. 2021)."""

    def __init__(self, cfg: Config, generator: Generator, p_dropout: float | int = 0) -> None:
        self.attn_only = cfg.attn_only
        self.use_residual = cfg.use_residual
        self.ln1 = make_norm(cfg)
        self.attn = Attention(cfg, generator)
        self.hook_resid_pre = HookPoint()  # [batch pos d_model], and so the others below
        self.hook_attn_out = HookPoint()
        if not cfg.attn_only:
            self.ln2 = make_norm(cfg)
            self.mlp = MLP(cfg, generator)
            self.hook_resid_mid = HookPoint()
            self.hook_mlp_out = HookPoint()
        self.hook_resid_post = HookPoint()
        self.dropout = Dropout(p_dropout)  # of what is written into the stream

    def forward(
        self, resid_pre: Float[Tensor, "batch pos d_model"], mask: Mask
    ) -> Float[Tensor, "batch pos d_model"]:
        r"""
        resid_pre --+-- ln1 -- attn --(+)-- resid_mid --+-- ln2 -- mlp --(+)-- resid_post
                    |                  |                |                 |
                    +------------------+                +-----------------+
        """
        resid_pre = self.hook_resid_pre(resid_pre)
        normalized = self.ln1(resid_pre)
        attn_out = self.hook_attn_out(self.attn(normalized, normalized, normalized, mask))
        if self.attn_only:
            return self.hook_resid_post(self.joined(resid_pre, attn_out))
        resid_mid = self.hook_resid_mid(self.joined(resid_pre, attn_out))
        mlp_out = self.hook_mlp_out(self.mlp(self.ln2(resid_mid)))
        return self.hook_resid_post(self.joined(resid_mid, mlp_out))

    def joined(self, resid: Tensor, out: Tensor) -> Tensor:
        """The stream after a part has written `out` (He et al. 2016)."""
        out = self.dropout(out)
        return resid + out if self.use_residual else out


class PostNormBlock(Block):
    """A post-norm block (Vaswani et al. 2017, section 3.1), with the hooks of tfs.model's."""

    def __init__(self, cfg: Config, generator: Generator, p_dropout: float | int = 0) -> None:
        super().__init__(cfg, generator, p_dropout)
        self.hook_normalized_resid_post = HookPoint()  # [batch pos d_model]

    def forward(
        self, resid_pre: Float[Tensor, "batch pos d_model"], mask: Mask
    ) -> Float[Tensor, "batch pos d_model"]:
        r"""
        resid_pre --+-- attn --(+)-- resid_mid -- ln1 --+-- mlp --(+)-- resid_post -- ln2 --
                    |           |                       |          |
                    +-----------+                       +----------+
        """
        resid_pre = self.hook_resid_pre(resid_pre)
        attn_out = self.hook_attn_out(self.attn(resid_pre, resid_pre, resid_pre, mask))
        if self.attn_only:
            resid_post = self.hook_resid_post(self.joined(resid_pre, attn_out))
            return self.hook_normalized_resid_post(self.ln1(resid_post))
        resid_mid = self.ln1(self.hook_resid_mid(self.joined(resid_pre, attn_out)))
        mlp_out = self.hook_mlp_out(self.mlp(resid_mid))
        resid_post = self.hook_resid_post(self.joined(resid_mid, mlp_out))
        return self.hook_normalized_resid_post(self.ln2(resid_post))


class Transformer(TiedModel):
    """A GPT (Radford et al. 2019) that can be opened. Random weights come from cfg.seed."""

    def __init__(self, cfg: Config, p_dropout: float | int = 0) -> None:
        generator = np.random.default_rng(cfg.seed)
        self.cfg = cfg
        self.embed = Embed(cfg, generator)
        self.hook_embed = HookPoint()  # [batch pos d_model]
        self.has_positions = cfg.positional_embedding_type != "none"
        if self.has_positions:
            self.pos_embed = PosEmbed(cfg, generator)
            self.hook_pos_embed = HookPoint()  # [batch pos d_model]
        make = PostNormBlock if cfg.norm_first is False else Block
        self.blocks = ModuleList(make(cfg, generator, p_dropout) for _ in range(cfg.n_layers))
        self.ln_final = make_norm(cfg)
        tied = cfg.tie_word_embeddings
        self.unembed = TiedUnembed(self.embed) if tied else Unembed(cfg, generator)
        self.name_hook_points()

    def forward(
        self, tokens: Tensor, is_token: np.ndarray | None = None
    ) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits for the token after each position; tokens: whole numbers, [batch pos].

        is_token: [batch pos], False where a shorter text was filled up; nobody attends there.
        Raises ValueError for a text that is empty or longer than n_ctx, and for other shapes.
        """
        check_tokens(tokens, self.cfg.n_ctx)
        resid = self.hook_embed(self.embed(tokens))
        if self.has_positions:
            resid = resid + self.hook_pos_embed(self.pos_embed(tokens))
        mask = self.mask(tokens.shape[1], is_token)
        for block in self.blocks:
            resid = block(resid, mask)
        return self.unembed(self.ln_final(resid))

    def mask(self, pos: int, is_token: np.ndarray | None) -> Mask:
        """Who may see whom: [query_pos key_pos], with padding [batch 1 query_pos key_pos]."""
        causal = causal_mask(pos) if self.cfg.attention_dir == "causal" else None
        if is_token is None:
            return causal
        return padding_mask(is_token) & (np.ones((pos, pos), bool) if causal is None else causal)

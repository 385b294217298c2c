"""The decoder-only Transformer: tokens in, a logit for every possible next token out.

Hook names, weight names and shapes are HookedTransformer's, so that either loads the other's
state_dict, and what is learned here carries over.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.base import StackedHeads, TransformerModel
from tfs.model.block import make_block
from tfs.model.config import TransformerConfig
from tfs.model.kv_cache import KeyValueCache
from tfs.model.layers import Embed, TiedUnembed, Unembed
from tfs.model.norms import make_norm
from tfs.model.positions import POS_EMBEDS
from tfs.model.post_norm import PostNormBlock
from tfs.scores import soft_capped


def causal_mask(
    query_pos: int, key_pos: int, window: int | None = None
) -> Bool[Tensor, "query_pos key_pos"]:
    """True where a query may attend: to itself and to what came before it.

    The queries are the last query_pos of the key_pos positions. With a window, a query sees that
    many positions and no more, its own the last of them.
    """
    everyone = torch.ones(query_pos, key_pos, dtype=torch.bool)
    own = key_pos - query_pos  # the diagonal on which queries meet themselves
    causal = everyone.tril(diagonal=own)
    return causal if window is None else causal.triu(diagonal=own - window + 1)


class DecoderOnly(TransformerModel, StackedHeads):
    """A GPT (Radford et al. 2019) that can be opened: pre-norm blocks, causal self-attention.

    With attention_dir "bidirectional" the same blocks read in both directions, without a mask.
    With norm_first False they are post-norm blocks (Radford et al. 2018); ln_final stays.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.windows = cfg.windows
        self.embed = Embed(cfg, scaled=cfg.scale_embedding is True)
        self.hook_embed = HookPoint()  # [batch pos d_model]
        if cfg.positional_embedding_type in POS_EMBEDS:
            self.pos_embed = POS_EMBEDS[cfg.positional_embedding_type](cfg)
            self.hook_pos_embed = HookPoint()  # [batch pos d_model]
        make = PostNormBlock if cfg.norm_first is False else make_block
        self.blocks = nn.ModuleList(make(cfg) for _ in range(cfg.n_layers))
        self.ln_final = make_norm(cfg)
        self.unembed = TiedUnembed(self.embed) if cfg.tie_word_embeddings else Unembed(cfg)
        self.init_weights()
        self.name_hook_points()

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        *,
        stop_at_layer: int | None = None,
        past_kv_cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch pos d_vocab"] | Float[Tensor, "batch pos d_model"]:
        """Logits for the token after each position.

        stop_at_layer: return the residual stream before that block instead (negative counts from
        the end), without computing the rest.
        past_kv_cache: keys and values of the tokens before these; it is extended in place. Raises
        ValueError for a bidirectional model, whose keys and values change with every later token.
        """
        if stop_at_layer is not None:
            return self.resid(tokens, stop_at_layer, past_kv_cache)
        logits = self.unembed(self.final_stream(tokens, past_kv_cache))
        return soft_capped(logits, self.cfg.output_logits_soft_cap)

    def final_stream(
        self, tokens: Int[Tensor, "batch pos"], past_kv_cache: KeyValueCache | None = None
    ) -> Float[Tensor, "batch pos d_model"]:
        """The normalised stream after the last block."""
        return self.ln_final(self.resid(tokens, past_kv_cache=past_kv_cache))

    def resid(
        self,
        tokens: Int[Tensor, "batch pos"],
        stop_at_layer: int | None = None,
        past_kv_cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        """The residual stream before block `stop_at_layer`, or after the last block."""
        if past_kv_cache and stop_at_layer is not None:
            raise ValueError("stop_at_layer would leave the layers of the KV cache out of step")
        if past_kv_cache and self.cfg.attention_dir != "causal":
            raise ValueError(
                "a bidirectional model cannot use a KV cache: each new token changes the keys and "
                "values of those before it; give it the whole text every time"
            )
        resid = self.embedded(tokens, past_kv_cache)
        past = past_kv_cache.layers if past_kv_cache else [None] * self.cfg.n_layers
        pos, past_pos = tokens.shape[1], past_kv_cache.length if past_kv_cache else 0
        masks = self.masks(pos, past_pos + pos, tokens.device)
        layers = list(zip(self.blocks, masks, past, strict=True))
        for block, mask, layer_past in layers[:stop_at_layer]:
            resid = block(resid, mask, layer_past)
        if past_kv_cache:
            past_kv_cache.advance(pos)
        return resid

    def masks(
        self, query_pos: int, key_pos: int, device: torch.device
    ) -> list[Bool[Tensor, "query_pos key_pos"] | None]:
        """Who may see whom, layer by layer; None where everyone may see everything."""
        of_window: dict[int | None, Tensor | None] = {}
        for window in set(self.windows):
            sees_all = query_pos == 1 and (window is None or key_pos <= window)
            if sees_all or self.cfg.attention_dir != "causal":
                of_window[window] = None
            else:
                of_window[window] = causal_mask(query_pos, key_pos, window).to(device)
        return [of_window[window] for window in self.windows]

    def embedded(
        self, tokens: Int[Tensor, "batch pos"], past_kv_cache: KeyValueCache | None = None
    ) -> Float[Tensor, "batch pos d_model"]:
        """Token vectors plus position vectors: the residual stream before block 0.

        Raises ValueError for an empty or overlong sequence and for ids outside the vocabulary.
        """
        offset = past_kv_cache.length if past_kv_cache else 0
        self.check_length(offset, tokens.shape[1])
        resid = self.hook_embed(self.looked_up(tokens))
        if self.cfg.positional_embedding_type in POS_EMBEDS:
            resid = resid + self.hook_pos_embed(self.pos_embed(tokens, offset))
        return resid

    @property
    def W_E(self) -> Float[Tensor, "d_vocab d_model"]:
        return self.embed.W_E

    @property
    def W_pos(self) -> Float[Tensor, "n_ctx d_model"]:
        """Position vectors; raises AttributeError for a model that adds none."""
        return self.pos_embed.W_pos

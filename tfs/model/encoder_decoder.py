"""The first Transformer: an encoder reads a text, a decoder writes another one from it.

    logits = model(tokens, decoder_input)

Its hook points are named as in TransformerLens's HookedEncoderDecoder, which is a T5; see
EncoderDecoder for what differs.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.base import TransformerModel
from tfs.model.block import Block
from tfs.model.choices import check_encodes
from tfs.model.config import TransformerConfig
from tfs.model.cross_block import CrossBlock, PostNormCrossBlock
from tfs.model.decoder import causal_mask
from tfs.model.kv_cache import DecodingCache
from tfs.model.layers import Embed, TiedUnembed, Unembed
from tfs.model.norms import make_norm
from tfs.model.padding import padding_mask
from tfs.model.positions import POS_EMBEDS
from tfs.model.post_norm import PostNormBlock

PaddingMask = Int[Tensor, "batch source_pos"] | Bool[Tensor, "batch source_pos"] | None


class EncoderDecoder(TransformerModel):
    """The model of Vaswani et al. 2017: n_layers blocks that read, as many that write.

    One table of token vectors (and one of positions) serves both sides; tie_word_embeddings makes
    it the unembedding, too. As in the paper, token vectors are scaled by sqrt(d_model) and norms
    stand after the sums, unless scale_embedding and norm_first say otherwise; norm_first True adds
    encoder_final_ln and decoder_final_ln. cfg.attention_dir is not asked: the encoder sees both
    ways, the decoder's self-attention back.

    Names of hook points and weights are HookedEncoderDecoder's. That class is a T5, so it has,
    and this one has not: relative position biases (`rel_pos_bias`, `rel_pos_hook`), RMS norms
    without bias, and logits divided by sqrt(d_model) where embeddings are tied. This one has, and
    that one has not: scaled embeddings, hook_pos_embed, hook_decoder_embed and
    hook_decoder_pos_embed (there the decoder's embedding is not hooked), LayerNorm, and the
    post-norm order, with each block's hook_normalized_resid_post.

    Raises ValueError for attn_only: each of its blocks has an MLP.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        check_encodes(cfg, "EncoderDecoder")
        if cfg.attn_only:
            raise ValueError(
                "attn_only is True, but every block of an EncoderDecoder has an MLP; set it to "
                "False, or take a DecoderOnly"
            )
        self.cfg = cfg
        self.embed = Embed(cfg, scaled=cfg.scale_embedding is not False)
        self.hook_embed = HookPoint()  # [batch source_pos d_model]
        self.hook_decoder_embed = HookPoint()  # [batch target_pos d_model]
        if cfg.positional_embedding_type != "none":
            self.pos_embed = POS_EMBEDS[cfg.positional_embedding_type](cfg)
            self.hook_pos_embed = HookPoint()  # [batch source_pos d_model]
            self.hook_decoder_pos_embed = HookPoint()  # [batch target_pos d_model]
        reads = Block if cfg.norm_first else PostNormBlock
        writes = CrossBlock if cfg.norm_first else PostNormCrossBlock
        self.encoder = nn.ModuleList(reads(cfg) for _ in range(cfg.n_layers))
        self.encoder_final_ln = make_norm(cfg) if cfg.norm_first else nn.Identity()
        self.decoder = nn.ModuleList(writes(cfg) for _ in range(cfg.n_layers))
        self.decoder_final_ln = make_norm(cfg) if cfg.norm_first else nn.Identity()
        self.unembed = TiedUnembed(self.embed) if cfg.tie_word_embeddings else Unembed(cfg)
        self.init_weights()
        self.name_hook_points()

    def forward(
        self,
        tokens: Int[Tensor, "batch source_pos"],
        decoder_input: Int[Tensor, "batch target_pos"],
        one_zero_attention_mask: PaddingMask = None,
    ) -> Float[Tensor, "batch target_pos d_vocab"]:
        """Logits for the target token after each position of decoder_input.

        one_zero_attention_mask: 1 for a source token, 0 for padding. The target needs none where
        its padding stands at the end: no real token sees it.
        """
        return self.unembed(self.final_stream(tokens, decoder_input, one_zero_attention_mask))

    def final_stream(
        self,
        tokens: Int[Tensor, "batch source_pos"],
        decoder_input: Int[Tensor, "batch target_pos"],
        one_zero_attention_mask: PaddingMask = None,
    ) -> Float[Tensor, "batch target_pos d_model"]:
        """The decoder's stream after its last block; arguments are forward's."""
        encoded = self.encode(tokens, one_zero_attention_mask)
        return self.decoded(encoded, decoder_input, one_zero_attention_mask)

    def encode(
        self,
        tokens: Int[Tensor, "batch source_pos"],
        one_zero_attention_mask: PaddingMask = None,
    ) -> Float[Tensor, "batch source_pos d_model"]:
        """What the decoder may ask of each source position."""
        mask = padding_mask(one_zero_attention_mask, *tokens.shape)
        self.check_length(0, tokens.shape[1])
        resid = self.hook_embed(self.looked_up(tokens))
        if self.cfg.positional_embedding_type != "none":
            resid = resid + self.hook_pos_embed(self.pos_embed(tokens))
        for block in self.encoder:
            resid = block(resid, mask)
        return self.encoder_final_ln(resid)

    def decode(
        self,
        encoded: Float[Tensor, "batch source_pos d_model"],
        decoder_input: Int[Tensor, "batch target_pos"],
        one_zero_attention_mask: PaddingMask = None,
        past: DecodingCache | None = None,
    ) -> Float[Tensor, "batch target_pos d_vocab"]:
        """Logits after each of these target positions, for a source that was encoded.

        past: the target tokens before these, and what cross-attention needs of the source; it is
        extended in place. Raises ValueError as forward does.
        """
        return self.unembed(self.decoded(encoded, decoder_input, one_zero_attention_mask, past))

    def decoded(
        self,
        encoded: Float[Tensor, "batch source_pos d_model"],
        decoder_input: Int[Tensor, "batch target_pos"],
        one_zero_attention_mask: PaddingMask = None,
        past: DecodingCache | None = None,
    ) -> Float[Tensor, "batch target_pos d_model"]:
        """What the unembedding reads; arguments are decode's."""
        source_mask = padding_mask(one_zero_attention_mask, *encoded.shape[:2])
        offset = past.self_attention.length if past else 0
        resid = self.embedded_target(decoder_input, offset)
        pos = decoder_input.shape[1]
        mask = causal_mask(pos, offset + pos).to(resid.device) if pos > 1 else None
        unread = encoded[:, past.cross_attention.length :] if past else encoded
        for layer, block in enumerate(self.decoder):
            seen = past.self_attention.layers[layer] if past else None
            asked = past.cross_attention.layers[layer] if past else None
            resid = block(resid, unread, mask, source_mask, seen, asked)
        if past:
            past.self_attention.advance(pos)
            past.cross_attention.advance(unread.shape[1])
        return self.decoder_final_ln(resid)

    def embedded_target(
        self, decoder_input: Int[Tensor, "batch target_pos"], offset: int = 0
    ) -> Float[Tensor, "batch target_pos d_model"]:
        """The decoder's stream before its block 0; the first token stands at position `offset`."""
        self.check_length(offset, decoder_input.shape[1])
        resid = self.hook_decoder_embed(self.looked_up(decoder_input))
        if self.cfg.positional_embedding_type != "none":
            resid = resid + self.hook_decoder_pos_embed(self.pos_embed(decoder_input, offset))
        return resid

    @property
    def W_E(self) -> Float[Tensor, "d_vocab d_model"]:
        return self.embed.W_E

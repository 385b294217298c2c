"""The encoder-only Transformer: every position sees the whole text, and says what belongs there.

Hook names, weight names and shapes are those of TransformerLens's HookedEncoder, a BERT (Devlin et
al. 2019). Two classifiers stand on top of it: one label for each token, one for the whole text.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tfs.hooks import HookedModel, HookPoint
from tfs.model.base import StackedHeads, TransformerModel
from tfs.model.block import Block
from tfs.model.choices import check_encodes
from tfs.model.config import TransformerConfig
from tfs.model.layers import Embed, TiedUnembed, Unembed
from tfs.model.norms import make_norm
from tfs.model.padding import padding_mask
from tfs.model.positions import POS_EMBEDS
from tfs.model.post_norm import PostNormBlock
from tfs.model.products import linear

PaddingMask = Int[Tensor, "batch pos"] | Bool[Tensor, "batch pos"] | None


class TokenTypeEmbed(nn.Module):
    """A vector for each of the two texts of a pair: W_token_type, [2 d_model]."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.W_token_type = nn.Parameter(torch.empty(2, cfg.d_model, dtype=cfg.dtype))

    def forward(
        self, token_type_ids: Int[Tensor, "batch pos"]
    ) -> Float[Tensor, "batch pos d_model"]:
        return F.embedding(token_type_ids, self.W_token_type)


class BertEmbed(nn.Module):
    """Token, position and segment vectors, summed and normalised (Devlin et al. 2019, figure 2)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.embed = Embed(cfg, scaled=cfg.scale_embedding is True)
        self.hook_embed = HookPoint()  # [batch pos d_model], and so the others
        self.has_positions = cfg.positional_embedding_type != "none"
        if self.has_positions:
            self.pos_embed = POS_EMBEDS[cfg.positional_embedding_type](cfg)
            self.hook_pos_embed = HookPoint()
        self.token_type_embed = TokenTypeEmbed(cfg)
        self.hook_token_type_embed = HookPoint()
        self.ln = make_norm(cfg)

    @property
    def W_E(self) -> Float[Tensor, "d_vocab d_model"]:
        return self.embed.W_E

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        token_type_ids: Int[Tensor, "batch pos"] | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        """token_type_ids: 0 in the first text, 1 in the second; None is one text, all 0."""
        resid = self.hook_embed(self.embed(tokens))
        if self.has_positions:
            resid = resid + self.hook_pos_embed(self.pos_embed(tokens))
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(tokens)
        segments = self.hook_token_type_embed(self.token_type_embed(token_type_ids))
        return self.ln(resid + segments)


class BertMLMHead(nn.Module):
    """What stands between the stream and the unembedding: a matrix, GELU, a norm."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(cfg.d_model, cfg.d_model, dtype=cfg.dtype))
        self.b = nn.Parameter(torch.zeros(cfg.d_model, dtype=cfg.dtype))
        self.ln = make_norm(cfg)

    def forward(
        self, resid: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        return self.ln(F.gelu(linear(resid, self.W, self.b)))


class EncoderOnly(TransformerModel, StackedHeads):
    """A BERT (Devlin et al. 2019) that can be opened: post-norm blocks, nothing hidden but padding.

    cfg.attention_dir is not asked: every position sees both ways. With norm_first True the blocks
    are pre-norm, and ln_final stands after the last. HookedEncoder's pooler and nsp_head are not
    here but in PairClassifier. A tied model has no b_U, which BERT has: its weights load untied.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        check_encodes(cfg, "EncoderOnly")
        self.cfg = cfg
        self.embed = BertEmbed(cfg)
        self.hook_full_embed = HookPoint()  # [batch pos d_model]
        make_block = Block if cfg.norm_first else PostNormBlock
        self.blocks = nn.ModuleList(make_block(cfg) for _ in range(cfg.n_layers))
        self.ln_final = make_norm(cfg) if cfg.norm_first else nn.Identity()
        self.mlm_head = BertMLMHead(cfg)
        self.unembed = TiedUnembed(self.embed.embed) if cfg.tie_word_embeddings else Unembed(cfg)
        self.init_weights()
        self.name_hook_points()

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        token_type_ids: Int[Tensor, "batch pos"] | None = None,
        one_zero_attention_mask: PaddingMask = None,
    ) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits for the token that belongs at each position, masked or not.

        token_type_ids: 0 in the first text of a pair, 1 in the second; None is one text.
        one_zero_attention_mask: 1 for a token, 0 for padding, which nobody sees.
        """
        resid = self.encoder_output(tokens, token_type_ids, one_zero_attention_mask)
        return self.unembed(self.mlm_head(resid))

    def encoder_output(
        self,
        tokens: Int[Tensor, "batch pos"],
        token_type_ids: Int[Tensor, "batch pos"] | None = None,
        one_zero_attention_mask: PaddingMask = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        """The stream after the last block: what every head on top reads.

        Raises ValueError for an empty or overlong sequence, ids outside the vocabulary, segments
        other than 0 and 1, and a mask of another shape.
        """
        self.check_length(0, tokens.shape[1])
        mask = padding_mask(one_zero_attention_mask, *tokens.shape)
        if token_type_ids is not None and not ((token_type_ids | 1) == 1).all():
            raise ValueError(
                "token_type_ids must be 0 (first text) or 1 (second), but these run from "
                f"{token_type_ids.min()} to {token_type_ids.max()}"
            )
        resid = self.hook_full_embed(self.looked_up(tokens, token_type_ids))
        for block in self.blocks:
            resid = block(resid, mask)
        return self.ln_final(resid)

    def final_stream(
        self, *texts: Tensor | None, **masks: Tensor | None
    ) -> Float[Tensor, "batch pos d_model"]:
        return self.encoder_output(*texts, **masks)

    def for_unembed(
        self, resid: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        return self.mlm_head(resid)

    @property
    def W_E(self) -> Float[Tensor, "d_vocab d_model"]:
        return self.embed.W_E

    @property
    def W_pos(self) -> Float[Tensor, "n_ctx d_model"]:
        """Position vectors; raises AttributeError for a model without positions."""
        return self.embed.pos_embed.W_pos


class Linear(nn.Module):
    """x W + b, for each label: W, [d_model label]."""

    def __init__(self, cfg: TransformerConfig, labels: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(cfg.d_model, labels, dtype=cfg.dtype))
        self.b = nn.Parameter(torch.zeros(labels, dtype=cfg.dtype))
        self.hook_out = HookPoint()  # [*batch label]

    def forward(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch label"]:
        return self.hook_out(linear(x, self.W, self.b))


class BertPooler(nn.Module):
    """The whole text as one vector: position 0 through a matrix and tanh (Devlin et al. 2019)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(cfg.d_model, cfg.d_model, dtype=cfg.dtype))
        self.b = nn.Parameter(torch.zeros(cfg.d_model, dtype=cfg.dtype))
        self.hook_pooler_out = HookPoint()  # [batch d_model]

    def forward(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch d_model"]:
        return self.hook_pooler_out(linear(resid[:, 0], self.W, self.b).tanh())


class EncoderClassifier(HookedModel):
    """An EncoderOnly with a head for labels; the masked-token head stays with the encoder, unused.

    Hook points of the encoder keep the names that they have there ("blocks.0.attn.hook_pattern");
    its weights are named "encoder.*".

    labels: their names, or how many there are. Raises ValueError for fewer than 2.
    """

    def __init__(self, encoder: EncoderOnly, labels: int | Sequence[str]) -> None:
        super().__init__()
        names = map(str, range(labels)) if isinstance(labels, int) else labels
        self.labels = tuple(names)
        if len(self.labels) < 2:
            raise ValueError(
                f"there must be at least 2 labels to choose from, not {len(self.labels)}"
            )
        self.cfg = encoder.cfg
        self.encoder = encoder

    def requires_grad_(self, requires_grad: bool = True) -> "EncoderClassifier":
        """Of every parameter but the masked-token head's, which nothing here asks."""
        super().requires_grad_(requires_grad)
        self.encoder.requires_grad_(requires_grad)  # which keeps fixed positions fixed
        self.encoder.mlm_head.requires_grad_(False)
        self.encoder.unembed.requires_grad_(False)
        return self

    def finish(self, *heads: nn.Module) -> None:
        """Random weights for the heads, as the encoder's are made, and names for hook points."""
        generator = torch.Generator()
        seed = self.cfg.seed
        generator.seed() if seed is None else generator.manual_seed(seed)
        for head in heads:
            nn.init.normal_(head.W, std=self.cfg.initializer_range, generator=generator)
        self.requires_grad_(True)
        self.name_hook_points()
        self.encoder.name_hook_points()
        self.hook_dict = {point.name: point for point in self.hook_dict.values()}


class TokenClassifier(EncoderClassifier):
    """A label for each token, as for names of people and places (Devlin et al. 2019, 5.3)."""

    def __init__(self, encoder: EncoderOnly, labels: int | Sequence[str]) -> None:
        super().__init__(encoder, labels)
        self.classifier = Linear(encoder.cfg, len(self.labels))
        self.finish(self.classifier)

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        token_type_ids: Int[Tensor, "batch pos"] | None = None,
        one_zero_attention_mask: PaddingMask = None,
    ) -> Float[Tensor, "batch pos label"]:
        """Logits of the labels of each token; arguments are EncoderOnly's."""
        resid = self.encoder.encoder_output(tokens, token_type_ids, one_zero_attention_mask)
        return self.classifier(resid)


class PairClassifier(EncoderClassifier):
    """One label for a pair of texts, read at position 0 (Devlin et al. 2019, section 4.1).

    With 2 labels it is HookedEncoder's pooler and nsp_head, here named classifier as in Hugging
    Face's BertForSequenceClassification.
    """

    def __init__(self, encoder: EncoderOnly, labels: int | Sequence[str] = 2) -> None:
        super().__init__(encoder, labels)
        self.pooler = BertPooler(encoder.cfg)
        self.classifier = Linear(encoder.cfg, len(self.labels))
        self.finish(self.pooler, self.classifier)

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        token_type_ids: Int[Tensor, "batch pos"] | None = None,
        one_zero_attention_mask: PaddingMask = None,
    ) -> Float[Tensor, "batch label"]:
        """Logits of the labels of each pair; arguments are EncoderOnly's."""
        resid = self.encoder.encoder_output(tokens, token_type_ids, one_zero_attention_mask)
        return self.classifier(self.pooler(resid))

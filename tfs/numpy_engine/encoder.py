"""The encoder-only Transformer on numpy: every position sees the whole text.

Weight names, shapes and hook names are those of tfs.EncoderOnly, a BERT (Devlin et al. 2019), and
of the two classifiers on top of it, so either opens the other's files.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from tfs.numpy_engine.attention import padding_mask
from tfs.numpy_engine.config import Config
from tfs.numpy_engine.hooks import HookPoint
from tfs.numpy_engine.layers import (
    Embed,
    Generator,
    Identity,
    PosEmbed,
    TiedUnembed,
    Unembed,
    check_tokens,
    make_norm,
    normal,
    zeros,
)
from tfs.numpy_engine.module import Module, ModuleList
from tfs.numpy_engine.nn import embedding
from tfs.numpy_engine.tensor import Tensor
from tfs.numpy_engine.tied import TiedModel
from tfs.numpy_engine.transformer import Block, Mask, PostNormBlock


class TokenTypeEmbed(Module):
    """A vector for each of the two texts of a pair: W_token_type, [2 d_model]."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        std = cfg.initializer_range
        self.W_token_type = normal(generator, std, 2, cfg.d_model, dtype=cfg.dtype)

    def forward(self, token_type_ids: Tensor) -> Float[Tensor, "batch pos d_model"]:
        return embedding(token_type_ids, self.W_token_type)


class BertEmbed(Module):
    """Token, position and segment vectors, summed and normalised (Devlin et al. 2019, figure 2)."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        self.embed = Embed(cfg, generator)
        self.hook_embed = HookPoint()  # [batch pos d_model], and so the others
        self.has_positions = cfg.positional_embedding_type != "none"
        if self.has_positions:
            self.pos_embed = PosEmbed(cfg, generator)
            self.hook_pos_embed = HookPoint()
        self.token_type_embed = TokenTypeEmbed(cfg, generator)
        self.hook_token_type_embed = HookPoint()
        self.ln = make_norm(cfg)

    def forward(
        self, tokens: Tensor, token_type_ids: Tensor | None = None
    ) -> Float[Tensor, "batch pos d_model"]:
        """token_type_ids: 0 in the first text, 1 in the second; None is one text, all 0."""
        resid = self.hook_embed(self.embed(tokens))
        if self.has_positions:
            resid = resid + self.hook_pos_embed(self.pos_embed(tokens))
        if token_type_ids is None:
            token_type_ids = Tensor(np.zeros_like(tokens.data))
        return self.ln(resid + self.hook_token_type_embed(self.token_type_embed(token_type_ids)))


class BertMLMHead(Module):
    """What stands between the stream and the unembedding: a matrix, GELU, a norm."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        self.W = normal(generator, cfg.initializer_range, cfg.d_model, cfg.d_model, dtype=cfg.dtype)
        self.b = zeros(cfg.d_model, dtype=cfg.dtype)
        self.ln = make_norm(cfg)

    def forward(
        self, resid: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        return self.ln((resid @ self.W + self.b).gelu())


class EncoderOnly(TiedModel):
    """A BERT (Devlin et al. 2019) that can be opened: post-norm blocks, nothing hidden but padding.

    cfg.attention_dir is not asked. With norm_first True the blocks are pre-norm, and ln_final
    stands after the last. Random weights come from cfg.seed.
    """

    def __init__(self, cfg: Config, p_dropout: float | int = 0) -> None:
        generator = np.random.default_rng(cfg.seed)
        self.cfg = cfg
        self.embed = BertEmbed(cfg, generator)
        self.hook_full_embed = HookPoint()  # [batch pos d_model]
        make = Block if cfg.norm_first else PostNormBlock
        self.blocks = ModuleList(make(cfg, generator, p_dropout) for _ in range(cfg.n_layers))
        self.ln_final = make_norm(cfg) if cfg.norm_first else Identity()
        self.mlm_head = BertMLMHead(cfg, generator)
        tied = cfg.tie_word_embeddings
        self.unembed = TiedUnembed(self.embed.embed) if tied else Unembed(cfg, generator)
        self.name_hook_points()

    def forward(
        self,
        tokens: Tensor,
        token_type_ids: Tensor | None = None,
        one_zero_attention_mask: Tensor | None = None,
    ) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits for the token that belongs at each position, masked or not.

        tokens: whole numbers, [batch pos], and so the others, where they are given.
        token_type_ids: 0 in the first text of a pair, 1 in the second; None is one text.
        one_zero_attention_mask: 1 for a token, 0 for padding, which nobody sees.
        """
        resid = self.encoder_output(tokens, token_type_ids, one_zero_attention_mask)
        return self.unembed(self.mlm_head(resid))

    def encoder_output(
        self,
        tokens: Tensor,
        token_type_ids: Tensor | None = None,
        one_zero_attention_mask: Tensor | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        """The stream after the last block: what every head on top reads.

        Raises ValueError for an empty or overlong sequence, ids outside the vocabulary, segments
        other than 0 and 1, and inputs of other shapes.
        """
        self._check(tokens, token_type_ids, one_zero_attention_mask)
        resid = self.hook_full_embed(self.embed(tokens, token_type_ids))
        mask = mask_of(one_zero_attention_mask)
        for block in self.blocks:
            resid = block(resid, mask)
        return self.ln_final(resid)

    def _check(self, tokens: Tensor, segments: Tensor | None, is_token: Tensor | None) -> None:
        check_tokens(tokens, self.cfg.n_ctx)
        for name, given in (("token_type_ids", segments), ("one_zero_attention_mask", is_token)):
            if given is not None and given.shape != tokens.shape:
                raise ValueError(
                    f"{name} has shape {given.shape}, but the tokens have {tokens.shape}; give "
                    "each token its 1 or 0"
                )
        if segments is not None and not np.isin(segments.data, (0, 1)).all():
            raise ValueError(
                "token_type_ids must be 0 (first text) or 1 (second), but these run from "
                f"{segments.data.min()} to {segments.data.max()}"
            )


def mask_of(is_token: Tensor | None) -> Mask:
    """Who may be seen, [batch 1 1 key_pos]; None where nothing is padding."""
    return None if is_token is None or is_token.data.all() else padding_mask(is_token.data)


class LabelLinear(Module):
    """x W + b, for each label: W, [d_model label]."""

    def __init__(self, cfg: Config, labels: int, generator: Generator) -> None:
        self.W = normal(generator, cfg.initializer_range, cfg.d_model, labels, dtype=cfg.dtype)
        self.b = zeros(labels, dtype=cfg.dtype)
        self.hook_out = HookPoint()  # [*batch label]

    def forward(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch label"]:
        return self.hook_out(x @ self.W + self.b)


class BertPooler(Module):
    """The whole text as one vector: position 0 through a matrix and tanh (Devlin et al. 2019)."""

    def __init__(self, cfg: Config, generator: Generator) -> None:
        self.W = normal(generator, cfg.initializer_range, cfg.d_model, cfg.d_model, dtype=cfg.dtype)
        self.b = zeros(cfg.d_model, dtype=cfg.dtype)
        self.hook_pooler_out = HookPoint()  # [batch d_model]

    def forward(self, resid: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch d_model"]:
        return self.hook_pooler_out((resid[:, 0] @ self.W + self.b).tanh())


class EncoderClassifier(TiedModel):
    """An EncoderOnly with a head for labels; the masked-token head stays with the encoder, unused.

    Hook points of the encoder keep the names that they have there ("blocks.0.attn.hook_pattern");
    its weights are named "encoder.*". What nothing here asks has no gradient.

    labels: their names, or how many there are. Raises ValueError for fewer than 2.
    """

    def __init__(self, encoder: EncoderOnly, labels: int | Sequence[str]) -> None:
        names = map(str, range(labels)) if isinstance(labels, int) else labels
        self.labels = tuple(names)
        if len(self.labels) < 2:
            raise ValueError(
                f"there must be at least 2 labels to choose from, not {len(self.labels)}"
            )
        self.cfg = encoder.cfg
        self.encoder = encoder
        seed = encoder.cfg.seed
        self.add_heads(np.random.default_rng(None if seed is None else (seed, 1)))
        for head in (encoder.mlm_head, encoder.unembed):
            for parameter in head.parameters():
                parameter.requires_grad_(False)
        self.name_hook_points()
        encoder.name_hook_points()
        self.hook_dict = {point.name: point for point in self.hook_dict.values()}

    def add_heads(self, generator: Generator) -> None:
        """Whatever stands between the encoder's stream and the labels; each kind's own."""
        raise NotImplementedError


class TokenClassifier(EncoderClassifier):
    """A label for each token, as for names of people and places (Devlin et al. 2019, 5.3)."""

    def add_heads(self, generator: Generator) -> None:
        self.classifier = LabelLinear(self.cfg, len(self.labels), generator)

    def forward(
        self,
        tokens: Tensor,
        token_type_ids: Tensor | None = None,
        one_zero_attention_mask: Tensor | None = None,
    ) -> Float[Tensor, "batch pos label"]:
        """Logits of the labels of each token; arguments are EncoderOnly's."""
        resid = self.encoder.encoder_output(tokens, token_type_ids, one_zero_attention_mask)
        return self.classifier(resid)


class PairClassifier(EncoderClassifier):
    """One label for a pair of texts, read at position 0 (Devlin et al. 2019, section 4.1)."""

    def __init__(self, encoder: EncoderOnly, labels: int | Sequence[str] = 2) -> None:
        super().__init__(encoder, labels)

    def add_heads(self, generator: Generator) -> None:
        self.pooler = BertPooler(self.cfg, generator)
        self.classifier = LabelLinear(self.cfg, len(self.labels), generator)

    def forward(
        self,
        tokens: Tensor,
        token_type_ids: Tensor | None = None,
        one_zero_attention_mask: Tensor | None = None,
    ) -> Float[Tensor, "batch label"]:
        """Logits of the labels of each pair; arguments are EncoderOnly's."""
        resid = self.encoder.encoder_output(tokens, token_type_ids, one_zero_attention_mask)
        return self.classifier(self.pooler(resid))

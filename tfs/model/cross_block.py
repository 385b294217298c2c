"""A decoder's block that also asks the encoder: self-attention, cross-attention, MLP."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.config import TransformerConfig
from tfs.model.grouped import make_attention
from tfs.model.kv_cache import LayerKeyValues
from tfs.model.mlps import make_mlp
from tfs.model.norms import make_norm


class CrossBlock(nn.Module):
    """A pre-norm block with cross-attention, its parts named as in TransformerLens's T5Block."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.use_residual = cfg.use_residual
        self.ln1 = make_norm(cfg)
        self.attn = make_attention(cfg)
        self.ln2 = make_norm(cfg)
        self.cross_attn = make_attention(cfg)
        self.ln3 = make_norm(cfg)
        self.mlp = make_mlp(cfg)
        self.hook_resid_pre = HookPoint()  # [batch pos d_model], and so the others below
        self.hook_attn_out = HookPoint()
        self.hook_resid_mid = HookPoint()
        self.hook_cross_attn_out = HookPoint()
        self.hook_resid_mid_cross = HookPoint()
        self.hook_mlp_out = HookPoint()
        self.hook_resid_post = HookPoint()

    def forward(
        self,
        resid_pre: Float[Tensor, "batch pos d_model"],
        encoded: Float[Tensor, "batch new_source_pos d_model"],
        mask: Bool[Tensor, "pos key_pos"] | None,
        source_mask: Bool[Tensor, "batch 1 1 source_pos"] | None,
        past: LayerKeyValues | None = None,
        cross_past: LayerKeyValues | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        """resid_mid = resid_pre + attn_out; resid_mid_cross = resid_mid + cross_attn_out;
        resid_post = resid_mid_cross + mlp_out. Each part reads a normalised copy of the stream.

        encoded is normalised already: keys and values of cross-attention are computed from it.
        What of it cross_past holds need not come again, so with a cache it may be empty.
        """
        resid_pre = self.hook_resid_pre(resid_pre)
        normalized = self.ln1(resid_pre)
        attn_out = self.hook_attn_out(self.attn(normalized, normalized, normalized, mask, past))
        resid_mid = self.hook_resid_mid(self.joined(resid_pre, attn_out))
        asked = self.cross_attn(self.ln2(resid_mid), encoded, encoded, source_mask, cross_past)
        cross_attn_out = self.hook_cross_attn_out(asked)
        resid_mid_cross = self.hook_resid_mid_cross(self.joined(resid_mid, cross_attn_out))
        mlp_out = self.hook_mlp_out(self.mlp(self.ln3(resid_mid_cross)))
        return self.hook_resid_post(self.joined(resid_mid_cross, mlp_out))

    def joined(
        self, resid: Float[Tensor, "batch pos d_model"], out: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        """The stream after a part has written `out`: resid + out (He et al. 2016)."""
        return resid + out if self.use_residual else out


class PostNormCrossBlock(CrossBlock):
    """The decoder's block of Vaswani et al. 2017, section 3.1: each norm stands after its sum."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__(cfg)
        self.hook_normalized_resid_post = HookPoint()  # [batch pos d_model]

    def forward(
        self,
        resid_pre: Float[Tensor, "batch pos d_model"],
        encoded: Float[Tensor, "batch new_source_pos d_model"],
        mask: Bool[Tensor, "pos key_pos"] | None,
        source_mask: Bool[Tensor, "batch 1 1 source_pos"] | None,
        past: LayerKeyValues | None = None,
        cross_past: LayerKeyValues | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        """The same sums as CrossBlock's, each normalised before the next part reads it.

        The hook points are on the sums; hook_normalized_resid_post is what the next block reads.
        """
        resid_pre = self.hook_resid_pre(resid_pre)
        attn_out = self.hook_attn_out(self.attn(resid_pre, resid_pre, resid_pre, mask, past))
        resid_mid = self.ln1(self.hook_resid_mid(self.joined(resid_pre, attn_out)))
        asked = self.cross_attn(resid_mid, encoded, encoded, source_mask, cross_past)
        cross_attn_out = self.hook_cross_attn_out(asked)
        resid_mid_cross = self.hook_resid_mid_cross(self.joined(resid_mid, cross_attn_out))
        resid_mid_cross = self.ln2(resid_mid_cross)
        mlp_out = self.hook_mlp_out(self.mlp(resid_mid_cross))
        resid_post = self.hook_resid_post(self.joined(resid_mid_cross, mlp_out))
        return self.hook_normalized_resid_post(self.ln3(resid_post))

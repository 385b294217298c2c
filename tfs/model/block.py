"""One block: attention and an MLP, each reads a normalised copy of the stream and adds to it."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.config import TransformerConfig
from tfs.model.kv_cache import LayerKeyValues
from tfs.model.layers import MLP, Attention, make_norm


class Block(nn.Module):
    """A pre-norm block (Radford et al. 2019), without MLP if attn_only (Elhage et al. 2021)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.attn_only = cfg.attn_only
        self.use_residual = cfg.use_residual
        self.ln1 = make_norm(cfg)
        self.attn = Attention(cfg)
        self.hook_resid_pre = HookPoint()  # [batch pos d_model], and so the others below
        self.hook_attn_out = HookPoint()
        if not cfg.attn_only:
            self.ln2 = make_norm(cfg)
            self.mlp = MLP(cfg)
            self.hook_resid_mid = HookPoint()
            self.hook_mlp_out = HookPoint()
        self.hook_resid_post = HookPoint()

    def forward(
        self,
        resid_pre: Float[Tensor, "batch pos d_model"],
        mask: Bool[Tensor, "*batch_and_head #pos key_pos"] | None,
        past: LayerKeyValues | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        r"""
        resid_pre --+-- ln1 -- attn --(+)-- resid_mid --+-- ln2 -- mlp --(+)-- resid_post
                    |                  |                |                 |
                    +------------------+                +-----------------+

        Without residual connections (use_residual) the lower two lines are cut.
        """
        resid_pre = self.hook_resid_pre(resid_pre)
        normalized = self.ln1(resid_pre)
        attn_out = self.hook_attn_out(self.attn(normalized, normalized, normalized, mask, past))
        if self.attn_only:
            return self.hook_resid_post(self.joined(resid_pre, attn_out))
        resid_mid = self.hook_resid_mid(self.joined(resid_pre, attn_out))
        mlp_out = self.hook_mlp_out(self.mlp(self.ln2(resid_mid)))
        return self.hook_resid_post(self.joined(resid_mid, mlp_out))

    def joined(
        self, resid: Float[Tensor, "batch pos d_model"], out: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        """The stream after a part has written `out`: resid + out (He et al. 2016)."""
        return resid + out if self.use_residual else out

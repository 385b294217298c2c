"""One block: attention and an MLP, each reads a normalised copy of the stream and adds to it."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.config import TransformerConfig
from tfs.model.grouped import make_attention
from tfs.model.kv_cache import LayerKeyValues
from tfs.model.mlps import make_mlp
from tfs.model.norms import make_norm


class Block(nn.Module):
    """A pre-norm block (Radford et al. 2019), without MLP if attn_only (Elhage et al. 2021)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.attn_only = cfg.attn_only
        self.use_residual = cfg.use_residual
        self.ln1 = make_norm(cfg)
        self.attn = make_attention(cfg)
        self.hook_resid_pre = HookPoint()  # [batch pos d_model], and so the others below
        self.hook_attn_out = HookPoint()
        if not cfg.attn_only:
            self.ln2 = make_norm(cfg)
            self.mlp = make_mlp(cfg)
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


class ParallelBlock(Block):
    """Attention and MLP read the same stream, side by side (Wang & Komatsuzaki 2021, GPT-J).

    There is no resid_mid. Each has a norm of its own, as in HookedTransformer.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__(cfg)
        del self.hook_resid_mid

    def forward(
        self,
        resid_pre: Float[Tensor, "batch pos d_model"],
        mask: Bool[Tensor, "pos key_pos"] | None,
        past: LayerKeyValues | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        r"""
                    +-- ln1 -- attn --+
                    |                 |
        resid_pre --+----------------(+)-- resid_post
                    |                 |
                    +-- ln2 -- mlp  --+
        """
        resid_pre = self.hook_resid_pre(resid_pre)
        normalized = self.ln1(resid_pre)
        attn_out = self.hook_attn_out(self.attn(normalized, normalized, normalized, mask, past))
        mlp_out = self.hook_mlp_out(self.mlp(self.ln2(resid_pre)))
        return self.hook_resid_post(resid_pre + attn_out + mlp_out)


def make_block(cfg: TransformerConfig) -> Block:
    """Attention, then an MLP; or both at once with parallel_attn_mlp."""
    return ParallelBlock(cfg) if cfg.parallel_attn_mlp else Block(cfg)

"""The block as it was first drawn: the norm stands after the sum, not before attention and MLP."""

from jaxtyping import Bool, Float
from torch import Tensor

from tfs.hooks import HookPoint
from tfs.model.block import Block
from tfs.model.config import TransformerConfig
from tfs.model.kv_cache import LayerKeyValues


class PostNormBlock(Block):
    """A post-norm block (Vaswani et al. 2017, section 3.1; Devlin et al. 2019).

    Its hook points are those of TransformerLens's BertBlock: hook_resid_mid and hook_resid_post
    stand before the norms, and hook_normalized_resid_post is what the next block reads.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__(cfg)
        self.hook_normalized_resid_post = HookPoint()  # [batch pos d_model]

    def forward(
        self,
        resid_pre: Float[Tensor, "batch pos d_model"],
        mask: Bool[Tensor, "*batch_and_head #pos key_pos"] | None,
        past: LayerKeyValues | None = None,
    ) -> Float[Tensor, "batch pos d_model"]:
        r"""
        resid_pre --+-- attn --(+)-- resid_mid -- ln1 --+-- mlp --(+)-- resid_post -- ln2 --
                    |           |                       |          |
                    +-----------+                       +----------+

        Without an MLP (attn_only) the first sum is resid_post, and ln1 normalises it.
        """
        resid_pre = self.hook_resid_pre(resid_pre)
        attn_out = self.hook_attn_out(self.attn(resid_pre, resid_pre, resid_pre, mask, past))
        if self.attn_only:
            resid_post = self.hook_resid_post(self.joined(resid_pre, attn_out))
            return self.hook_normalized_resid_post(self.ln1(resid_post))
        resid_mid = self.ln1(self.hook_resid_mid(self.joined(resid_pre, attn_out)))
        mlp_out = self.hook_mlp_out(self.mlp(resid_mid))
        resid_post = self.hook_resid_post(self.joined(resid_mid, mlp_out))
        return self.hook_normalized_resid_post(self.ln2(resid_post))

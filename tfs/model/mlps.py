"""The second half of a block: at each position on its own, wide, bent, and narrow again.

Three kinds. The MLP of the first Transformer; the gated one, where a second matrix decides how much
of each hidden unit comes through; and a mixture of experts, many gated ones of which a token visits
a few.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tfs.hooks import HookPoint
from tfs.model.config import TransformerConfig
from tfs.model.products import linear

ACTIVATIONS = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
}


class MLP(nn.Module):
    """Two matrices, an activation between, at each position on its own (Vaswani et al., 3.3)."""

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[cfg.act_fn]
        self.W_in = nn.Parameter(torch.empty(cfg.d_model, cfg.d_mlp, dtype=cfg.dtype))
        self.b_in = nn.Parameter(torch.zeros(cfg.d_mlp, dtype=cfg.dtype))
        self.W_out = nn.Parameter(torch.empty(cfg.d_mlp, cfg.d_model, dtype=cfg.dtype))
        self.b_out = nn.Parameter(torch.zeros(cfg.d_model, dtype=cfg.dtype))
        self.hook_pre = HookPoint()  # [batch pos d_mlp]
        self.hook_post = HookPoint()  # [batch pos d_mlp]

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        pre = self.hook_pre(linear(x, self.W_in, self.b_in))
        post = self.hook_post(self.activation(pre))
        return linear(post, self.W_out, self.b_out)


class GatedMLP(nn.Module):
    """mlp_out = (act_fn(x W_gate) * (x W_in) + b_in) W_out + b_out: one matrix gates the other.

    Shazeer 2020, "GLU Variants Improve Transformer", equation 6: SwiGLU with act_fn "silu", GEGLU
    with a gelu. The biases stand where HookedTransformer has them; there the paper has none.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[cfg.act_fn]
        self.W_gate = nn.Parameter(torch.empty(cfg.d_model, cfg.d_mlp, dtype=cfg.dtype))
        self.W_in = nn.Parameter(torch.empty(cfg.d_model, cfg.d_mlp, dtype=cfg.dtype))
        self.b_in = nn.Parameter(torch.zeros(cfg.d_mlp, dtype=cfg.dtype))
        self.W_out = nn.Parameter(torch.empty(cfg.d_mlp, cfg.d_model, dtype=cfg.dtype))
        self.b_out = nn.Parameter(torch.zeros(cfg.d_model, dtype=cfg.dtype))
        self.hook_pre = HookPoint()  # [batch pos d_mlp], the gate before its activation
        self.hook_pre_linear = HookPoint()  # [batch pos d_mlp], what it lets through
        self.hook_post = HookPoint()  # [batch pos d_mlp]

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        pre = self.hook_pre(linear(x, self.W_gate))
        pre_linear = self.hook_pre_linear(linear(x, self.W_in))
        post = self.hook_post(torch.addcmul(self.b_in, self.activation(pre), pre_linear))
        return linear(post, self.W_out, self.b_out)


class Expert(nn.Module):
    """A gated MLP without biases, for the tokens that are sent to it.

    Its weights are [out in], as in HookedTransformer, which takes nn.Linear here.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[cfg.act_fn]
        self.W_gate = _matrix(cfg.d_model, cfg.d_mlp, cfg.dtype)
        self.W_in = _matrix(cfg.d_model, cfg.d_mlp, cfg.dtype)
        self.W_out = _matrix(cfg.d_mlp, cfg.d_model, cfg.dtype)
        self.hook_gate = HookPoint()  # [token d_mlp], before the activation
        self.hook_pre = HookPoint()  # [token d_mlp]
        self.hook_post = HookPoint()  # [token d_mlp]

    def forward(self, x: Float[Tensor, "token d_model"]) -> Float[Tensor, "token d_model"]:
        gate = self.hook_gate(linear(x, self.W_gate.weight.T))
        pre = self.hook_pre(linear(x, self.W_in.weight.T))
        post = self.hook_post(self.activation(gate) * pre)
        return linear(post, self.W_out.weight.T)


class MixtureOfExperts(nn.Module):
    """A router sends each token to experts_per_token of the experts, and weighs what they answer.

    Shazeer et al. 2017, "Outrageously Large Neural Networks", in the form of Jiang et al. 2024,
    "Mixtral of Experts", section 2.1 (which divides the chosen weights by their sum: that is
    norm_topk_prob). Tokens of all sequences stand in one row here, [batch * pos], as in
    HookedTransformer: hook points inside have no batch axis.
    """

    def __init__(self, cfg: TransformerConfig) -> None:
        super().__init__()
        self.experts_per_token = cfg.experts_per_token
        self.norm_topk_prob = cfg.norm_topk_prob
        self.experts = nn.ModuleList(Expert(cfg) for _ in range(cfg.num_experts))
        self.W_gate = _matrix(cfg.d_model, cfg.num_experts, cfg.dtype)
        self.hook_expert_weights = HookPoint()  # [token expert], of all experts
        self.hook_expert_indices = HookPoint()  # [token experts_per_token], the chosen ones

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        tokens = x.flatten(0, 1)
        probs = linear(tokens, self.W_gate.weight.T).softmax(-1, dtype=torch.float32)
        weights, indices = self.hook_expert_weights(probs).topk(self.experts_per_token, dim=-1)
        if self.norm_topk_prob:
            weights = weights / weights.sum(-1, keepdim=True)
        indices, weights = self.hook_expert_indices(indices), weights.to(x.dtype)
        out = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            place, token = torch.where(indices.T == number)  # first choices come first
            answers = expert(tokens[token]) * weights[token, place, None]
            out = out.index_add(0, token, answers)
        return out.view_as(x)


def _matrix(d_in: int, d_out: int, dtype: torch.dtype) -> nn.Linear:
    """A weight [out in] under the name that nn.Linear gives it, not yet filled."""
    return nn.utils.skip_init(nn.Linear, d_in, d_out, bias=False, dtype=dtype)


def make_mlp(cfg: TransformerConfig) -> nn.Module:
    """What the config asks for; experts are gated whether or not gated_mlp says so."""
    if cfg.num_experts:
        return MixtureOfExperts(cfg)
    return GatedMLP(cfg) if cfg.gated_mlp else MLP(cfg)

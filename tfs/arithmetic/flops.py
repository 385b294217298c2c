"""How much arithmetic a pass through a Transformer takes.

A matrix product [m k] @ [k n] makes m * n numbers, each from k multiplications and k additions:
2 * m * n * k floating-point operations (FLOPs). Only matrix products are counted here, as
torch.utils.flop_counter.FlopCounterMode does. Softmax, LayerNorm, activation functions, biases and
residual additions touch each number a few times rather than d_model times; looking up an
embedding is no arithmetic at all.

Every weight matrix multiplies each token once, so its term grows with batch * pos. Two products
have no weight, the attention scores and the pattern times the values: they pair each position
with each other one, so they grow with query_pos * key_pos. That square is the price of long
contexts. A causal mask does not lower it here: the masked half is computed, then thrown away. (A
fused kernel may skip some of it, and FlopCounterMode does not see into one on a CPU.)

FLOPs are not seconds. A small model on a laptop mostly waits for memory and for Python.
"""

from tfs.arithmetic.parameters import parameter_terms
from tfs.arithmetic.terms import Term, sizes_of, total
from tfs.model.config import TransformerConfig

Products = dict[str, tuple[str | int, ...]]


def forward_flops_terms(cfg: TransformerConfig, pos: int, batch: int = 1) -> list[Term]:
    """FLOPs of each matrix product of one forward pass, logits at every position included.

    A term has the name of the weight that is multiplied by; the scores and z, which come from
    activations alone, have their hook's. unembed.W_U costs the same where it is tied to W_E: the
    tie saves parameters, not arithmetic. Of a mixture of experts a token pays for the
    experts_per_token that it visits.

    Raises ValueError unless pos is in 1..n_ctx and batch at least 1.
    Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", table 1, which counts
    likewise but leaves out the pattern times the values.
    """
    sizes = sizes_of(cfg, pos=pos, batch=batch) | {"query_pos": pos, "key_pos": pos}
    products = attention_products(cfg, "blocks.*.attn")
    if not cfg.attn_only:
        products |= mlp_products(cfg, "blocks.*.mlp")
    products["unembed.W_U"] = (2, "batch", "pos", "d_model", "d_vocab")
    return [Term.product(name, factors, sizes) for name, factors in products.items()]


def attention_products(
    cfg: TransformerConfig,
    part: str,
    asks: str = "pos",
    read: str = "pos",
    pairs: tuple[str, str] = ("query_pos", "key_pos"),
) -> Products:
    """The products of attention in all layers, `part` of each.

    asks, read: the size of the positions that queries come from, and keys and values; pairs: those
    two sizes as the scores pair them.
    """
    project = (2, "n_layers", "batch", asks, "n_heads", "d_model", "d_head")
    attend = (2, "n_layers", "batch", "n_heads", *pairs, "d_head")
    shared = "_" if cfg.n_key_value_heads else ""
    key_heads = "n_key_value_heads" if shared else "n_heads"
    keys = (2, "n_layers", "batch", read, key_heads, "d_model", "d_head")
    return {
        f"{part}.W_Q": project,
        f"{part}.{shared}W_K": keys,
        f"{part}.{shared}W_V": keys,
        f"{part}.hook_attn_scores": attend,
        f"{part}.hook_z": attend,
        f"{part}.W_O": project,
    }


def mlp_products(cfg: TransformerConfig, part: str, pos: str = "pos") -> Products:
    """The products of the MLPs, `part` of each layer, on so many positions."""
    mlp = (2, "n_layers", "batch", pos, "d_model", "d_mlp")
    if cfg.num_experts:
        router = (2, "n_layers", "batch", pos, "d_model", "num_experts")
        of_experts = ("W_gate", "W_in", "W_out")
        visited = (*mlp, "experts_per_token")
        return {f"{part}.W_gate.weight": router} | {
            f"{part}.experts.*.{name}.weight": visited for name in of_experts
        }
    names = ("W_gate", "W_in", "W_out") if cfg.gated_mlp else ("W_in", "W_out")
    return {f"{part}.{name}": mlp for name in names}


def training_flops(cfg: TransformerConfig, pos: int, batch: int = 1) -> int:
    """FLOPs of the matrix products of one training step: three forward passes' worth.

    For each product A @ B, the backward pass computes two of the same size: the gradient with
    respect to A and the one with respect to B. The optimiser's few operations per parameter are
    left out, and so are activations computed a second time to save memory (checkpointing).

    Raises ValueError unless pos is in 1..n_ctx and batch at least 1.
    Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1.
    """
    return 3 * total(forward_flops_terms(cfg, pos, batch))


def training_flops_6nd(cfg: TransformerConfig, pos: int, batch: int = 1) -> Term:
    """The well-known estimate of a training step's FLOPs: 6 * N * D, as one term.

    N is the number of entries in the blocks' matrices, D the number of tokens (batch * pos). Each
    entry takes part in 2 FLOPs per token forward and 4 backward. Of a mixture of experts only those
    that a token visits are in N.

    What it leaves out of `training_flops` is exactly the products whose size is not N: the scores
    and the pattern times the values (a small part while pos is far below 6 * d_model) and the
    unembedding (a small part while d_vocab is far below 12 * n_layers * d_model). A small model
    with a large vocabulary or a long context costs much more than 6ND says.

    Raises ValueError unless pos is in 1..n_ctx and batch at least 1.
    Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1 (there N
    without embeddings, biases and LayerNorm, and C = 6NBS for S steps of B tokens).
    """
    sizes_of(cfg, pos=pos, batch=batch)
    entries = 0
    for term in parameter_terms(cfg):
        if term.name.startswith("blocks.*.") and "W_" in term.name:
            visits = ".experts.*." in term.name
            share = (cfg.experts_per_token, cfg.num_experts) if visits else (1, 1)
            entries += term.value * share[0] // share[1]
    return Term.product("6ND", (6, "N", "D"), {"N": entries, "D": batch * pos})

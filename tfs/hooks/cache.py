"""What a run left behind: every activation by name, and the ways to take the residual stream apart.

The residual stream is a sum: embedding + positions + what each attention layer and each MLP wrote.
`decompose_resid` returns those summands, `accumulated_resid` their running total, and
`stack_head_results` splits attention further into heads. In a post-norm model it is none, since
each block normalises the whole of it; what asks for summands is refused there. Because unembedding
is linear (once the final norm's scale is held at the value it had), each summand's effect on a
logit can be read off on its own: that is `logit_attrs`.

Method names and results are those of TransformerLens's ActivationCache. In particular
`apply_ln_to_stack` centres and scales but leaves out the norm's own weight and bias, which there
are assumed to be folded into the next matrix; `tfs.interp.direct_logit_attribution` puts them back.
"""

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

import einops
import torch
from jaxtyping import Float
from torch import Tensor

from tfs.hooks.names import act_name
from tfs.hooks.stream import check_linear_end, is_post_norm


class ActivationCache:
    """Activations of one run, by hook name: cache["blocks.0.attn.hook_z"] is cache["z", 0].

    Tensors are [batch pos ...] as the hook point saw them ([pos ...] after remove_batch_dim),
    detached from the graph. A name that the run did not cache raises KeyError and says what was
    cached.
    """

    def __init__(
        self, cache_dict: dict[str, Tensor], model: Any, has_batch_dim: bool = True
    ) -> None:
        self.cache_dict = cache_dict
        self.model = model
        self.has_batch_dim = has_batch_dim

    def __getitem__(self, key: str | tuple) -> Tensor:
        if isinstance(key, str):
            name = key if key in self.cache_dict else act_name(key)
        else:
            short, layer, *rest = (*key, None) if len(key) == 1 else key
            if isinstance(layer, int) and layer < 0:
                layer += self.model.cfg.n_layers
            name = act_name(short, layer, *rest)
        if name not in self.cache_dict:
            raise KeyError(f"{name} was not cached; this run cached: {', '.join(self.cache_dict)}")
        return self.cache_dict[name]

    def __contains__(self, name: object) -> bool:
        return name in self.cache_dict

    def __iter__(self) -> Iterator[str]:
        return iter(self.cache_dict)

    def __len__(self) -> int:
        return len(self.cache_dict)

    def __repr__(self) -> str:
        return f"ActivationCache with keys {list(self.cache_dict)}"

    def keys(self) -> KeysView[str]:
        return self.cache_dict.keys()

    def values(self) -> ValuesView[Tensor]:
        return self.cache_dict.values()

    def items(self) -> ItemsView[str, Tensor]:
        return self.cache_dict.items()

    def remove_batch_dim(self) -> "ActivationCache":
        """Drop the batch axis, in place. Raises ValueError where it is not 1.

        Inside a mixture of experts there is none: tokens of all sequences stand in one row.
        """
        if self.has_batch_dim:
            batched = [name for name in self.cache_dict if "expert" not in name]
            batch = max((len(self.cache_dict[name]) for name in batched), default=1)
            if batch != 1:
                raise ValueError(
                    f"the batch axis can be removed when batch is 1; here it is {batch}"
                )
            self.cache_dict |= {name: self.cache_dict[name][0] for name in batched}
            self.has_batch_dim = False
        return self

    def stack_activation(
        self, activation_name: str, layer: int | None = None, sublayer_type: str | None = None
    ) -> Float[Tensor, "layer ..."]:
        """The same activation of every layer before `layer` (all of them by default), stacked."""
        layers = range(self._up_to(layer))
        return torch.stack([self[activation_name, i, sublayer_type] for i in layers])

    def accumulated_resid(
        self,
        layer: int | None = None,
        incl_mid: bool = False,
        apply_ln: bool = False,
        mlp_input: bool = False,
        return_labels: bool = False,
    ) -> Float[Tensor, "component ... d_model"] | tuple[Tensor, list[str]]:
        """The residual stream as it stands before each layer up to `layer`, and at the end.

        With incl_mid also between attention and MLP. apply_ln applies the norm that reads the
        stream at `layer`: at the end of the model that is ln_final afresh on every row (the logit
        lens), at an earlier layer its cached scale. In a post-norm model every row is what the
        next part reads, after the norm; apply_ln raises ValueError where no other norm follows.
        """
        layer, n_layers = self._up_to(layer), self.model.cfg.n_layers
        rows: dict[str, Tensor] = {}
        for i in range(layer + 1):
            if i == n_layers:
                left = "normalized_resid_post" if is_post_norm(self.model) else "resid_post"
                rows["final_post"] = self[left, n_layers - 1]
                continue
            rows[f"{i}_pre"] = self["resid_pre", i]
            if (incl_mid and i < layer) or (mlp_input and i == layer):
                mid = self["resid_mid", i]
                rows[f"{i}_mid"] = (
                    self.model.blocks[i].ln1(mid) if is_post_norm(self.model) else mid
                )
        stack = torch.stack(list(rows.values()))
        if apply_ln:
            at_end = layer == n_layers
            stack = self.apply_ln_to_stack(stack, layer, mlp_input, recompute_ln=at_end)
        return (stack, list(rows)) if return_labels else stack

    def decompose_resid(
        self,
        layer: int | None = None,
        mlp_input: bool = False,
        mode: str = "all",
        apply_ln: bool = False,
        incl_embeds: bool = True,
        return_labels: bool = False,
    ) -> Float[Tensor, "component ... d_model"] | tuple[Tensor, list[str]]:
        """What each part wrote into the stream that `layer` reads; the rows sum to that stream.

        mode "attn" or "mlp" keeps only those layers' outputs (then the rows no longer sum to it).
        A model without residual connections has one row past the embeddings: the last part's. An
        encoder's embeddings, which it normalises, are one row. Raises ValueError for another mode,
        and past the embeddings of a post-norm model.
        """
        if mode not in ("all", "attn", "mlp"):
            raise ValueError(f'mode must be "all", "attn" or "mlp", not {mode!r}')
        layer = self._up_to(layer)
        if layer > 0 or mlp_input:
            self._check_adds_up()
        rows: dict[str, Tensor] = {}
        if incl_embeds:
            every = ("full_embed",) if "hook_full_embed" in self else ("embed", "pos_embed")
            embeds = [name for name in every if f"hook_{name}" in self]
            rows |= {name: self[f"hook_{name}"] for name in embeds}
        for i in range(layer):
            if mode != "mlp":
                rows[f"{i}_attn_out"] = self["attn_out", i]
            if mode != "attn" and not self.model.cfg.attn_only:
                rows[f"{i}_mlp_out"] = self["mlp_out", i]
        in_parallel = getattr(self.model.cfg, "parallel_attn_mlp", False)
        if mlp_input and mode != "mlp" and not in_parallel:
            rows[f"{layer}_attn_out"] = self["attn_out", layer]
        adds_up = getattr(self.model.cfg, "use_residual", True)  # as in a HookedTransformer, always
        if mode == "all" and not adds_up and (layer > 0 or mlp_input):
            rows = dict([rows.popitem()])
        stack = torch.stack(list(rows.values()))
        if apply_ln:
            stack = self.apply_ln_to_stack(stack, layer, mlp_input)
        return (stack, list(rows)) if return_labels else stack

    def stack_head_results(
        self,
        layer: int | None = None,
        return_labels: bool = False,
        incl_remainder: bool = False,
        apply_ln: bool = False,
    ) -> Float[Tensor, "component ... d_model"] | tuple[Tensor, list[str]]:
        """What every head before `layer` wrote into the stream: L0H0, L0H1, ..., L1H0, ...

        A head's result is z W_O, without the layer's shared b_O. With incl_remainder a last row
        holds the rest of the stream (embeddings, MLPs, biases), so that the rows sum to it.
        Raises ValueError for layer 0, before which there is no head, and for the rest of a
        post-norm model's stream.
        """
        layer = self._up_to(layer)
        if layer == 0:
            raise ValueError("no head comes before layer 0; ask for layer 1 or later")
        heads = [self._head_results(i) for i in range(layer)]
        stack = torch.cat(heads)
        labels = [f"L{i}H{head}" for i in range(layer) for head in range(self.model.cfg.n_heads)]
        if incl_remainder:
            self._check_adds_up()
            remainder = self["resid_post", layer - 1] - stack.sum(0)
            stack = torch.cat([stack, remainder[None]])
            labels.append("remainder")
        if apply_ln:
            stack = self.apply_ln_to_stack(stack, layer)
        return (stack, labels) if return_labels else stack

    def _head_results(self, layer: int) -> Float[Tensor, "head ... d_model"]:
        if f"blocks.{layer}.attn.hook_result" in self:
            return einops.rearrange(self["result", layer], "... head d_model -> head ... d_model")
        return einops.einsum(
            self["z", layer],
            self.model.blocks[layer].attn.W_O,
            "... head d_head, head d_head d_model -> head ... d_model",
        )

    def apply_ln_to_stack(
        self,
        residual_stack: Float[Tensor, "component ... d_model"],
        layer: int | None = None,
        mlp_input: bool = False,
        recompute_ln: bool = False,
    ) -> Float[Tensor, "component ... d_model"]:
        """Each row as the norm before `layer` would pass it on: centred, divided by the cached
        scale; an RMS norm does not centre.

        The scale belongs to the whole stream, so it is read from the cache and not computed from a
        row; then the rows still sum to the normalised stream. recompute_ln, at the end of the
        model, instead treats each row as a stream of its own and applies ln_final to it. Raises
        ValueError where no norm stands, as before the blocks of a post-norm model.
        """
        if self.model.cfg.normalization_type is None:
            return residual_stack
        layer = self._up_to(layer)
        if is_post_norm(self.model):
            self._check_norm_before(layer)
        if layer == self.model.cfg.n_layers:
            if recompute_ln:
                return torch.stack([self.model.ln_final(row) for row in residual_stack])
            scale = self["ln_final.hook_scale"]
        else:
            scale = self["scale", layer, "ln2" if mlp_input else "ln1"]
        if self.model.cfg.normalization_type in ("LN", "LNPre"):
            residual_stack = residual_stack - residual_stack.mean(-1, keepdim=True)
        return residual_stack / scale

    def logit_attrs(
        self,
        residual_stack: Float[Tensor, "component ... d_model"],
        tokens: Tensor | int,
        incorrect_tokens: Tensor | int | None = None,
    ) -> Float[Tensor, "component ..."]:
        """What each row adds to the logit of `tokens` (or to its lead over `incorrect_tokens`).

        tokens: one token id, or ids of shape [batch] or [batch pos] that match the stack. Raises
        ValueError for an encoder, whose head is no sum over rows.
        """
        check_linear_end(self.model)
        directions = self._unembed_directions(tokens, residual_stack)
        if incorrect_tokens is not None:
            directions = directions - self._unembed_directions(incorrect_tokens, residual_stack)
        return (self.apply_ln_to_stack(residual_stack) * directions).sum(-1)

    def _mid(self, layer: int) -> Float[Tensor, "... d_model"]:
        """The stream that the MLP, or its norm, reads."""
        mid = self["resid_mid", layer]
        return self.model.blocks[layer].ln1(mid).detach() if is_post_norm(self.model) else mid

    def _check_adds_up(self) -> None:
        if is_post_norm(self.model):
            raise ValueError(
                "this model is post-norm: each block normalises the whole stream, so the stream is "
                "no sum of what the parts wrote; read the stream itself with accumulated_resid"
            )

    def _check_norm_before(self, layer: int) -> None:
        at_end = layer == self.model.cfg.n_layers
        if not (at_end and "ln_final.hook_scale" in self.model.hook_dict):
            raise ValueError(
                f"this model is post-norm, and {'its head' if at_end else f'block {layer}'} reads "
                "the stream as it is: there is no norm to apply; leave it out"
            )

    def _unembed_directions(self, tokens: Tensor | int, stack: Tensor) -> Tensor:
        directions = self.model.W_U.T[torch.as_tensor(tokens)]  # [*tokens d_model]
        missing_pos = directions.ndim == 2 and self.has_batch_dim and stack.ndim == 4
        return directions[:, None] if missing_pos else directions

    def _up_to(self, layer: int | None) -> int:
        n_layers = self.model.cfg.n_layers
        layer = n_layers if layer is None or layer == -1 else layer
        if not 0 <= layer <= n_layers:
            raise ValueError(
                f"layer must lie in 0 ... {n_layers}, the end of the model, not {layer}"
            )
        return layer

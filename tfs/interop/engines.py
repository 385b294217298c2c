"""One forward, three ways: the same weights and tokens through torch, numpy and TransformerLens.

Each gives every activation by hook name, so that what differs, and where it begins to, can be seen.
Sums are taken in another order by each, so the last digit or two may differ; float64 has nine more.
"""

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from tfs.model import DecoderOnly

Activations = dict[str, np.ndarray]
LOGITS = "logits"


def in_precision(model: DecoderOnly, dtype: torch.dtype) -> DecoderOnly:
    """The same model, its weights as exact in dtype as they are."""
    twin = DecoderOnly(replace(model.cfg, dtype=dtype))
    twin.load_state_dict(model.state_dict())
    return twin.requires_grad_(False)


@torch.inference_mode()
def torch_activations(model: DecoderOnly, tokens: Int[Tensor, "batch pos"]) -> Activations:
    """By hook name in the order of the run, and the logits last."""
    logits, cache = model.run_with_cache(tokens)
    return {name: cache[name].numpy() for name in cache} | {LOGITS: logits.numpy()}


def numpy_activations(model: DecoderOnly, tokens: Int[Tensor, "batch pos"]) -> Activations:
    """The same from tfs.numpy_engine. Raises ValueError for a model that it does not do."""
    from tfs import numpy_engine

    known = {field.name: getattr(model.cfg, field.name) for field in fields(model.cfg)}
    known["dtype"] = str(model.cfg.dtype).removeprefix("torch.")
    twin = numpy_engine.Transformer(numpy_engine.Config.from_dict(known))
    twin.load_state_dict({name: weight.numpy() for name, weight in model.state_dict().items()})
    with numpy_engine.no_grad():
        logits, cache = twin.run_with_cache(numpy_engine.Tensor(tokens.numpy()))
    return {name: value.data for name, value in cache.items()} | {LOGITS: logits.data}


def hooked_activations(model: DecoderOnly, tokens: Int[Tensor, "batch pos"]) -> Activations:
    """The same from TransformerLens's HookedTransformer.

    Raises ValueError for a model that it cannot be: cfg.hooked_fields says which.
    """
    import contextlib
    import io
    import warnings

    given = model.cfg.hooked_fields() | {"device": "cpu"}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from transformer_lens import HookedTransformer, HookedTransformerConfig

        twin = HookedTransformer(HookedTransformerConfig(**given))
    state = model.state_dict()
    if model.cfg.positional_embedding_type == "none":
        state["pos_embed.W_pos"] = torch.zeros(
            model.cfg.n_ctx, model.cfg.d_model, dtype=model.cfg.dtype
        )
    twin.load_state_dict(state, strict=False)
    with torch.inference_mode():
        logits, cache = twin.run_with_cache(tokens)
    return {name: cache[name].numpy() for name in cache} | {LOGITS: logits.numpy()}


def largest_differences(ours: Mapping[str, np.ndarray], theirs: Mapping) -> dict[str, float]:
    """The largest difference at each name that both have; infinite where shapes or masks differ."""
    return {name: _apart(ours[name], theirs[name]) for name in ours if name in theirs}


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    finite = np.isfinite(a)
    if a.shape != b.shape or not np.array_equal(finite, np.isfinite(b)):
        return float("inf")
    return float(np.abs(a[finite] - b[finite]).max(initial=0.0))

"""tfs is imported inside the fixtures, so that the jaxtyping hook is there before it."""

import pytest
import torch


@pytest.fixture(scope="session")
def interp():
    import tfs.interp

    return tfs.interp


@pytest.fixture(scope="session", params=["ours", "HookedTransformer"])
def either(request, tiny_config, randomised, reference_of, tokens_for):
    """(fields of a config) -> model, tokens, logits, cache: of our model, then of the reference."""

    def make(**fields):
        cfg = tiny_config(**fields)
        model = randomised(cfg)
        if request.param == "HookedTransformer":
            model = reference_of(model)
            if cfg.normalization_type is None:
                model.ln_final = torch.nn.Identity()  # Openable asks for one; it has none then
        tokens = tokens_for(cfg)
        return model, tokens, *model.run_with_cache(tokens)

    return make

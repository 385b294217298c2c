"""Fixtures for every folder. tfs is imported inside them, so that jaxtyping's hook comes first."""

import os
import warnings
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
FOUND_IN = {"TFS_DATA_DIR": "data", "TIKTOKEN_CACHE_DIR": "tiktoken-cache"}
TINY = {"n_layers": 2, "d_model": 12, "n_ctx": 8, "n_heads": 3, "d_head": 5, "d_vocab": 11}


def pytest_configure():
    for variable, folder in FOUND_IN.items():
        if variable not in os.environ and (SHARED / folder).is_dir():
            os.environ[variable] = str(SHARED / folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Browser tests share one worker: two browsers on two cores only slow each other down."""
    from xdist.scheduler import LoadScopeScheduling

    class BrowserTestsTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "browser" if nodeid.startswith("tests/e2e/") else nodeid

    return BrowserTestsTogether(config, log)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_config():
    """TransformerConfig with small, all different sizes where the test gives none."""
    import tfs

    return lambda **fields: tfs.TransformerConfig(**(TINY | {"seed": 0} | fields))


@pytest.fixture(scope="session")
def randomised():
    """A model whose every trained number is random, biases and norms too, and of order 1."""
    import torch

    import tfs

    def make(cfg, seed=0, architecture="DecoderOnly"):
        model, g = getattr(tfs, architecture)(cfg), torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if not parameter.requires_grad:
                    continue
                kind = name.removesuffix(".weight").rpartition(".")[2].lstrip("_")
                scale = 0.8 * cfg.d_model**-0.5 if kind.startswith("W") else 0.2
                values = torch.randn(parameter.shape, generator=g, dtype=cfg.dtype) * scale
                parameter.copy_(values + 1 if kind == "w" else values)
        return model

    return make


@pytest.fixture(scope="session")
def reference_of():
    """HookedTransformer with a model's weights; "none" positions are "standard" with W_pos = 0."""
    import torch
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    def make(model):
        fields = model.cfg.hooked_fields()
        with warnings.catch_warnings():  # it goes in 4.0; requirements.txt stays below
            warnings.filterwarnings("ignore", "HookedTransformer is deprecated")
            reference = HookedTransformer(HookedTransformerConfig(**fields, device="cpu"))
        if model.cfg.positional_embedding_type == "none":
            torch.nn.init.zeros_(reference.pos_embed.W_pos)
        reference.load_state_dict(model.state_dict(), strict=False)
        return reference

    return make


@pytest.fixture(scope="session")
def model_and_reference(randomised, reference_of):
    """cfg -> our DecoderOnly and a HookedTransformer with the same random weights."""

    def make(cfg, seed=0):
        model = randomised(cfg, seed)
        return model, reference_of(model)

    return make


@pytest.fixture(scope="session")
def tokens_for():
    """cfg -> random tokens [batch n_ctx], or [batch pos]."""
    import torch

    def make(cfg, batch=2, pos=None, seed=0):
        g = torch.Generator().manual_seed(seed)
        return torch.randint(cfg.d_vocab, (batch, pos or cfg.n_ctx), generator=g)

    return make

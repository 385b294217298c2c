"""tfs is imported inside the fixtures, so that the jaxtyping hook is there before it."""

import pytest
from hypothesis import strategies as st


@pytest.fixture(scope="session")
def arithmetic():
    import tfs.arithmetic

    return tfs.arithmetic


@pytest.fixture(scope="session")
def make_config():
    """TransformerConfig with small, all different sizes where the test gives none."""
    from tfs.model.config import TransformerConfig

    small = {"n_layers": 2, "d_model": 20, "n_ctx": 12, "n_heads": 3, "d_head": 5, "d_vocab": 17}
    return lambda **fields: TransformerConfig(**(small | {"d_mlp": 28} | fields))


@pytest.fixture(scope="session")
def gpt2_small(make_config):
    return make_config(
        n_layers=12,
        d_model=768,
        n_ctx=1024,
        n_heads=12,
        d_head=64,
        d_mlp=3072,
        d_vocab=50_257,
        act_fn="gelu_new",
        tie_word_embeddings=True,
    )


@pytest.fixture(scope="session")
def config_fields():
    """A hypothesis strategy: the fields of any small config."""
    sizes = ("n_layers", "d_model", "n_ctx", "n_heads", "d_head", "d_mlp", "d_vocab")
    choices = {
        "normalization_type": ("LN", "LNPre", None),
        "positional_embedding_type": ("standard", "sinusoidal", "none"),
        "attn_only": (False, True),
        "tie_word_embeddings": (False, True),
    }
    return st.fixed_dictionaries(
        {size: st.integers(1, 4) for size in sizes}
        | {field: st.sampled_from(values) for field, values in choices.items()}
    )

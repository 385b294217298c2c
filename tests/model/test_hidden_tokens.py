"""What a position may not see never changes what it says: the future in every kind of decoder, and
padding in both classifiers. (EncoderOnly and EncoderDecoder: in the files of their names.)

A leak through a mask would move a logit by far more than rounding does.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

CAUSAL = {
    "learned positions": {},
    "sinusoidal": {"positional_embedding_type": "sinusoidal"},
    "no positions": {"positional_embedding_type": "none"},
    "rotary": {"positional_embedding_type": "rotary"},
    "alibi": {"positional_embedding_type": "alibi"},
    "window": {
        "use_local_attn": True,
        "window_size": 2,
        "attn_types": ("local", "local"),
        "positional_embedding_type": "rotary",
    },
    "window in one layer": {
        "use_local_attn": True,
        "window_size": 3,
        "attn_types": ("local", "global"),
    },
    "grouped": {"n_key_value_heads": 1, "positional_embedding_type": "rotary"},
    "parallel": {"parallel_attn_mlp": True},
    "experts": {"num_experts": 3, "experts_per_token": 2},
    "post-norm": {"norm_first": False},
}
SIX_WIDE = {"d_head": 6}  # rotary positions turn pairs
POS, D_VOCAB = 8, 11
TOKENS = st.lists(st.integers(0, D_VOCAB - 1), min_size=POS, max_size=POS)
MASKS = st.lists(st.booleans(), min_size=POS, max_size=POS)


@pytest.fixture(scope="module")
def models(tiny_config, randomised):
    """name -> a DecoderOnly with random weights of order 1, made once."""
    return {
        name: randomised(tiny_config(**SIX_WIDE, **fields)).requires_grad_(False)
        for name, fields in CAUSAL.items()
    }


@pytest.fixture(scope="module")
def classifiers(tiny_config, randomised):
    """Post-norm and pre-norm: labels of tokens, and of pairs."""
    import tfs

    def make(norm_first):
        encoder = randomised(tiny_config(norm_first=norm_first), architecture="EncoderOnly")
        both = {"tags": tfs.TokenClassifier(encoder, 3), "pairs": tfs.PairClassifier(encoder, 3)}
        return {name: model.requires_grad_(False) for name, model in both.items()}

    return {norm_first: make(norm_first) for norm_first in (False, True)}


def assert_same(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", CAUSAL)
@settings(deadline=None, max_examples=15)
@given(tokens=TOKENS, others=TOKENS, seen=st.integers(1, POS - 1))
def test_a_later_token_never_changes_a_logit(models, name, tokens, others, seen):
    before = models[name](torch.tensor([tokens]))
    after = models[name](torch.tensor([tokens[:seen] + others[seen:]]))
    assert_same(before[:, :seen], after[:, :seen])


@settings(deadline=None, max_examples=40)
@given(tokens=TOKENS, at=st.integers(0, POS - 1), token=st.integers(0, D_VOCAB - 1))
def test_a_token_before_all_windows_never_changes_a_logit(models, tokens, at, token):
    """Two layers that see 2 positions each: a token reaches 2 places on, and no further."""
    other = [*tokens[:at], token, *tokens[at + 1 :]]
    before, after = (models["window"](torch.tensor([each])) for each in (tokens, other))
    unmoved = [pos for pos in range(POS) if not at <= pos <= at + 2]
    assert_same(before[:, unmoved], after[:, unmoved])
    if token != tokens[at]:
        assert (before[:, at] - after[:, at]).abs().max() > 1e-4


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("name", ["tags", "pairs"])
@settings(deadline=None, max_examples=15)
@given(tokens=TOKENS, others=TOKENS, real=MASKS, segments=MASKS)
def test_a_padded_token_never_changes_a_label(
    classifiers, norm_first, name, tokens, others, real, segments
):
    """Of real tokens; the label of a pair is read at position 0, which is one."""
    model, mask = classifiers[norm_first][name], torch.tensor([[True, *real[1:]]])
    first, second = torch.tensor([tokens]), torch.tensor([segments]).long()
    before = model(first, second, mask)
    after = model(torch.where(mask, first, torch.tensor([others])), second, mask)
    assert_same(*((x if name == "pairs" else x[mask]) for x in (before, after)))

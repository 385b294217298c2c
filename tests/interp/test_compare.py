"""The divergence of two answers, against torch's own and against sums by hand."""

import math

import torch


def test_it_is_torchs_and_has_a_direction(interp) -> None:
    from tfs.interp.compare import kl_divergence

    g = torch.Generator().manual_seed(0)
    p, q = torch.randn(2, 3, 5, 7, generator=g)
    for one, other in ((p, q), (q, p)):
        reference = torch.nn.functional.kl_div(
            other.log_softmax(-1), one.log_softmax(-1), log_target=True, reduction="none"
        ).sum(-1)
        torch.testing.assert_close(kl_divergence(one, other), reference, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(kl_divergence(p, q), kl_divergence(q, p))


def test_a_sum_by_hand_and_the_same_twice(interp) -> None:
    from tfs.interp import kl_divergence

    p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
    by_hand = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    torch.testing.assert_close(kl_divergence(p.log(), q.log()).item(), by_hand, atol=1e-6, rtol=0)
    logits = torch.randn(50, 100, generator=torch.Generator().manual_seed(1)) * 30
    assert (kl_divergence(logits, logits + 5) < 1e-4).all()
    assert (kl_divergence(logits, logits) == 0).all()

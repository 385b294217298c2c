"""What torch's numbers are compared with numpy's by, of whole models."""

import numpy as np


def same(ours, theirs, digits):
    """Of one size everywhere, relative to the largest number; -inf only where -inf is."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    finite = np.isfinite(theirs)
    assert np.array_equal(np.isfinite(ours.data), finite)
    largest = max(1.0, np.abs(theirs[finite]).max(initial=0))
    assert np.abs(ours.data[finite] - theirs[finite]).max(initial=0) <= digits * largest

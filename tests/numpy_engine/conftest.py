"""What these tests share: one thread for numpy's small products, as in the app."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread():
    from tfs.numpy_engine.by_hand.threads import one_blas_thread

    one_blas_thread()

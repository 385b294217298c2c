"""How many threads numpy's products may use."""


def one_blas_thread() -> None:
    """From now on, in this process, one: products as small as ours are over before threads meet.

    Where other work runs beside them, threads that wait for each other take many times as long.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")

"""Freed memory is kept for the next run's tensors, where the C library can be told so."""

import ctypes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # mallopt(3): glibc's malloc.h
MIB = 2**20


def keep_freed_memory() -> bool:
    """Tell glibc not to hand freed blocks straight back to the system; True if it agreed.

    It would map large tensors anew at every run, and the first touch of each page of 4 KiB then
    goes through the kernel: a tenth of the time of a run that keeps all its activations. The price:
    the process stays near its largest size (up to 512 MiB are kept). Other C libraries have no such
    switch; there nothing happens, and the answer is False.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):
        return False
    wishes = {M_MMAP_THRESHOLD: 32 * MIB, M_TRIM_THRESHOLD: 512 * MIB, M_TOP_PAD: 64 * MIB}
    return all([mallopt(parameter, size) == 1 for parameter, size in wishes.items()])

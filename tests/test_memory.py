"""Freed memory is kept: fewer page faults, as counted by the system."""

import ctypes
import subprocess
import sys

import pytest

FAULTS = """
import ctypes, resource, sys, torch
from tfs.memory import M_MMAP_THRESHOLD, keep_freed_memory

ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 128 * 1024)  # glibc's default, held still
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for run in range(30):
    if run == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    activations = [torch.ones(2**20) for _ in range(8)]
    del activations
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")
def test_what_a_run_freed_serves_the_next() -> None:
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert faults("kept") < 0.1 * faults("given back")


def test_another_c_library_is_left_alone(monkeypatch) -> None:
    from tfs import memory

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory.keep_freed_memory() is False

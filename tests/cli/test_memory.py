"""Memory that large answers took goes back to the system."""

import asyncio
import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.cli import memory


async def test_it_is_done_again_and_again_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    twice = asyncio.Event()
    loop = asyncio.get_running_loop()

    def trim(pad: int) -> int:
        calls.append(pad)
        if len(calls) == 2:
            loop.call_soon_threadsafe(twice.set)
        return 1

    monkeypatch.setattr(memory, "trimmer", lambda: trim)
    async with memory.given_back(0.001):
        await twice.wait()
    assert {0} == set(calls)
    assert {asyncio.current_task()} == asyncio.all_tasks()  # nobody is left who would do it


async def test_a_system_without_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "trimmer", lambda: None)
    async with memory.given_back(0.001):
        await asyncio.sleep(0.005)


@pytest.mark.skipif(
    sys.platform != "linux" or memory.trimmer() is None, reason="only glibc has malloc_trim"
)
def test_the_pages_of_holes_go_back() -> None:
    """Large buffers between small ones that live on: half of what they took is free, and none of it
    at the heap's end."""
    trim = memory.trimmer()
    assert trim is not None
    live, buffers = [], []
    for _ in range(300):
        buffers.append(bytes(100_000))
        live.append(bytes(1_000))
    before = _resident_bytes()
    buffers.clear()
    trim(0)
    assert before - _resident_bytes() > 10_000_000
    assert 300 == len(live)


_BLOCKS = """
import ctypes
from proxy.cli import memory

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "free", "fast", "mapped", *"abcdef")]

info = ctypes.CDLL(None).mallinfo2
info.restype = Info
tuned = memory.tune()
bytes(8_000_000)  # freed at once: glibc then takes what is smaller into its heap
before = info().mapped
held = [bytes(1_000_000) for _ in range(20)]
print(tuned, info().mapped - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="only glibc (2.33 or newer) has mallinfo2",
)
@pytest.mark.parametrize(
    ("more", "said"), [({}, "True 20"), ({"MALLOC_ARENA_MAX": "4"}, "False 0")]
)
def test_large_buffers_have_pages_of_their_own(more: dict[str, str], said: str) -> None:
    """Unless the operator has set it otherwise."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC")}
    run = [sys.executable, "-c", _BLOCKS]
    told = subprocess.run(run, env={**own, **more}, capture_output=True, text=True, check=True)
    assert said == told.stdout.strip()


def test_a_system_that_cannot_be_tuned_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: None)
    assert memory.tune() is False
    assert memory.trimmer() is None


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

"""Starting and stopping the processes of the bench: the upstream, the proxies, the load. Each is
stopped by its own id."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests import stopping
from tests.bench.account import cpus
from tests.bench.load import Plan, Result

ROOT = Path(__file__).resolve().parents[2]
PROXY_CPU, OTHER_CPU = cpus()
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
LOAD_TIMEOUT_S = 120.0
OPENING_TIMEOUT_S = 0.05  # for each stream


@contextlib.contextmanager
def process(
    command: Sequence[str], cpu: set[int], log: Path, **more: object
) -> Iterator[subprocess.Popen[str]]:
    """Runs a command on the given processors, its errors in `log`; stops it at the end, whatever
    happened."""
    with log.open("a") as errors:
        started = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for us; we stop it
            preexec_fn=lambda: os.sched_setaffinity(0, cpu),  # noqa: PLW1509  (no threads here)
            **more,  # type: ignore[call-overload]
        )
    try:
        yield started
    finally:
        stop(started)


def stop(started: subprocess.Popen[str]) -> None:
    """Asks it to end, insists after a while, and waits."""
    stopping.stop(started, STOP_TIMEOUT_S)
    if started.stdout is not None:
        started.stdout.close()


@contextlib.contextmanager
def upstream(log: Path) -> Iterator[int]:
    """The vendor of the bench; gives its port."""
    with process([sys.executable, "-m", "tests.bench.upstream"], OTHER_CPU, log) as started:
        assert started.stdout is not None
        yield int(json.loads(started.stdout.readline())["port"])


def load(plan: Plan, log: Path) -> Result:
    """Carries one plan out in a process of its own."""
    with process(
        [sys.executable, "-m", "tests.bench.load", json.dumps(asdict(plan))], OTHER_CPU, log
    ) as started:
        output, _ = started.communicate(timeout=LOAD_TIMEOUT_S + plan.streams * OPENING_TIMEOUT_S)
    if started.returncode != 0:
        raise RuntimeError(f"the load client failed: {log.read_text()[-2000:]}")
    return Result(**json.loads(output))


def wait_for_port(
    port: int, started: subprocess.Popen[str], log: Path, patience_s: float = START_TIMEOUT_S
) -> None:
    """Until it accepts connections; RuntimeError with its log if it ended instead."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and started.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{started.args} does not listen on port {port}: {log.read_text()[-2000:]}")

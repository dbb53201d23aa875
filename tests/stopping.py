"""Ends a program that a test has started."""

import signal
import subprocess
from typing import Any


def stop(process: "subprocess.Popen[Any]", patience_s: float) -> None:
    """Asks it to end, insists after a while, and waits. One that has ended already is only waited
    for."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()

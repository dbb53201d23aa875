"""A worker's side of what it has in common with who started it (`foreman`).

It inherits the sockets that all workers listen on. It says what it has to say in lines on its
standard output, and its standard input ends when the other has gone, however it went, so that no
worker is left behind.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from typing import Protocol

from proxy.settings.model import Settings

_STDIN, _STDOUT = 0, 1
LISTENS, RENEW = "listens", "renew"
RETIRE = signal.SIGUSR1  # see your streams out: another has your place


class Ending(Protocol):
    """What can be ended at once or when its streams have ended."""

    def end(self) -> None: ...
    def retire(self) -> None: ...


def sockets(numbers: str) -> Sequence[socket.socket]:
    """Those that it inherits, as their descriptors' numbers with commas."""
    return [socket.socket(fileno=int(number)) for number in numbers.split(",")]


def begin(process: Ending) -> None:
    """Say that it listens; heed who started it."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(_STDIN)
        process.end()

    loop.add_reader(_STDIN, gone)
    loop.add_signal_handler(RETIRE, process.retire)
    _say(LISTENS)


def renew(settings: Settings) -> None:
    """Ask for one that begins with these settings, and that there be as many as they say."""
    _say(f"{RENEW} {settings.server.workers}")


def _say(what: str) -> None:
    os.write(_STDOUT, f"{os.getpid()} {what}\n".encode())  # so short a line arrives in one piece

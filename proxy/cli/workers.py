"""Several processes that share one port (SO_REUSEPORT). This one only starts them, passes signals on and replaces one that died.

It and its workers know of each other by two pipes: a worker writes a byte to its standard output once it listens, and its standard input
ends when this process has gone, however it went, so that no worker is left behind.
"""

import argparse
import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from proxy.app import ListenError, authority, played
from proxy.cli import common
from proxy.mock.server import MockServer
from proxy.observe.metrics import mark_process_dead
from proxy.settings.model import Settings

# A worker that dies again and again must not spin: the next start waits this long.
_RESTART_S = 1.0
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_STDIN, _STDOUT = 0, 1
Greeting = Callable[[str, str | None, Settings], str]


def run(options: argparse.Namespace, settings: Settings, greeting: Greeting) -> int:
    """Run `server.workers` processes until SIGTERM or SIGINT. Raises ListenError, or MockError for a mock that cannot be played."""
    MockServer(played(settings))
    server, admin = settings.server, settings.admin
    with contextlib.ExitStack() as held, tempfile.TemporaryDirectory(prefix="mainstem-metrics-") as metrics_dir:
        port = _reserve(held, server.host, server.port, "server")
        given = {"MAINSTEM_SERVER__PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": metrics_dir, "PYTHONPATH": _python_path()}
        admin_url = None
        if admin is not None:
            admin_port = _reserve(held, admin.host, admin.port, "admin")
            admin_url = f"http://{authority(admin.host)}:{admin_port}"
            given["MAINSTEM_ADMIN__PORT"] = str(admin_port)
        environ = common.overridden(common.environ_of(options), given)
        url = f"http://{authority(server.host)}:{port}"
        crew = _Crew(_command(options), environ, server.workers, lambda: print(greeting(url, admin_url, settings), flush=True))
        return crew.run()


def tell_parent(end: Callable[[], None]) -> None:
    """In a worker: say that it listens, and call `end` when the parent has gone."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(_STDIN)
        end()

    loop.add_reader(_STDIN, gone)
    os.write(_STDOUT, b".")


def _reserve(held: contextlib.ExitStack, host: str, port: int, section: str) -> int:
    """Hold the port, without listening, so that it stays ours while no worker is up; answers its number."""
    where = f"{section}.host, {section}.port"
    try:
        family, _, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family) as other:  # would share it with anybody's SO_REUSEPORT, and never say so
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(address)
        place = held.enter_context(socket.socket(family))
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind(address)
    except OSError as error:
        raise ListenError(host, port, error, where) from error
    number: int = place.getsockname()[1]
    return number


def _heed_signals() -> int:
    """From now on a signal does nothing but write its number into the pipe whose end this answers."""
    heard, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in _HEEDED:
        signal.signal(number, lambda _number, _frame: None)
    return heard


class _Crew:
    """The workers. `ready` is called once all of them listen."""

    def __init__(self, command: list[str], environ: dict[str, str], size: int, ready: Callable[[], None]) -> None:
        self._command = command
        self._environ = environ
        self._size = size
        self._ready = ready
        self._log = structlog.get_logger("mainstem")
        self._workers: list[subprocess.Popen[bytes]] = []
        self._due: list[float] = []  # when the next ones are started
        self._listen = 0  # how many have said that they do
        self._life, self._held = os.pipe()  # theirs to read, ours to hold
        self._hear, self._told = os.pipe()  # ours to read, theirs to write
        self._stopping = False
        self._status = 0

    def run(self) -> int:
        """Until SIGTERM or SIGINT. Answers 1 when a worker could not start or did not end well."""
        signals = _heed_signals()
        self._workers = [self._start() for _ in range(self._size)]
        while self._workers or not self._stopping:
            wait = max(0.0, min(self._due) - time.monotonic()) if self._due else None
            readable, _, _ = select.select([signals, self._hear], [], [], wait)
            for pipe in readable:
                said = os.read(pipe, 1024)
                if pipe == signals:
                    self._heed(said)
                else:
                    self._count(len(said))
            self._part()
            self._replace()
        return self._status

    def _start(self) -> "subprocess.Popen[bytes]":
        # SIGHUP is held back until the worker can heed it: until then it would end it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            # In a session of its own: the terminal's Ctrl-C is for this process, which tells the worker.
            return subprocess.Popen(  # noqa: S603  our own command
                self._command, env=self._environ, stdin=self._life, stdout=self._told, start_new_session=True
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _heed(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGHUP:
                self._tell(signal.SIGHUP)
            elif number in {signal.SIGTERM, signal.SIGINT}:
                self._stop(1 if self._stopping else 0)

    def _count(self, more: int) -> None:
        before, self._listen = self._listen, self._listen + more
        if before < self._size <= self._listen:
            self._ready()

    def _part(self) -> None:
        """With the workers that have ended."""
        for worker in [worker for worker in self._workers if worker.poll() is not None]:
            self._workers.remove(worker)
            mark_process_dead(worker.pid, self._environ["PROMETHEUS_MULTIPROC_DIR"])
            if self._stopping:
                self._status = self._status or int(worker.returncode not in {0, -signal.SIGTERM})
            elif self._listen < self._size:  # it could not even start, and has said why
                self._stop(1)
            else:
                self._log.error("a worker died and is replaced", pid=worker.pid, status=worker.returncode)
                self._due.append(time.monotonic() + _RESTART_S)

    def _replace(self) -> None:
        while self._due and not self._stopping and self._due[0] <= time.monotonic():
            self._due.pop(0)
            self._workers.append(self._start())

    def _stop(self, status: int) -> None:
        self._stopping, self._status, self._due = True, self._status or status, []
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(number)


def _python_path() -> str:
    """So that a worker finds this package, installed or not."""
    ours = str(Path(__file__).parents[2])
    return os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])


def _command(options: argparse.Namespace) -> list[str]:
    # -P: a folder or file named proxy, where the command was given, is not us.
    command = [sys.executable, "-P", "-m", "proxy", "serve", "--worker"]
    return [*command, "--config", options.config] if options.config else command

"""Several processes that share one port (SO_REUSEPORT). This one only starts them, passes signals
on and replaces one that died.

It and its workers know of each other by two pipes: a worker writes a byte to its standard output
once it listens, and its standard input ends when this process has gone, however it went, so that no
worker is left behind. Each worker watches the configuration's files for itself: this process reads
no configuration after its start, so that nothing in one can bring it down.
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
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from proxy.cli import common
from proxy.cli.scratch import metrics_folder
from proxy.mock import played
from proxy.net.ports import ListenError, authority
from proxy.observe.crew import Crew
from proxy.settings.defaults import is_embedded
from proxy.settings.model import Settings

# A worker that dies again and again must not spin: the next start waits, twice as long every time,
# until one has lived for a while.
_RESTART_S, _LONGEST_RESTART_S, _STEADY_S = 1.0, 30.0, 60.0
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_STDIN, _STDOUT = 0, 1
Greeting = Callable[[str, str | None, Settings], str]


def run(options: argparse.Namespace, settings: Settings, greeting: Greeting) -> int:
    """Run `server.workers` processes until SIGTERM or SIGINT. Raises ListenError, or MockError for
    a mock that cannot be played.
    """
    played.check(settings)
    server, admin = settings.server, settings.admin
    with contextlib.ExitStack() as held, metrics_folder() as (metrics_dir, lock):
        port = _reserve(held, server.host, server.port, "server")
        given = {
            "MAINSTEM_SERVER__PORT": str(port),
            "PROMETHEUS_MULTIPROC_DIR": metrics_dir,
            "PYTHONPATH": _python_path(),
        }
        admin_url = None
        if admin is not None:
            admin_port = _reserve(held, admin.host, admin.port, "admin")
            admin_url = f"http://{authority(admin.host)}:{admin_port}"
            given["MAINSTEM_ADMIN__PORT"] = str(admin_port)
        environ = common.overridden(common.environ_of(options), given)
        url = f"http://{authority(server.host)}:{port}"
        crew = _Crew(
            _command(options, settings),
            environ,
            lock,
            server.workers,
            books=held.enter_context(contextlib.closing(Crew(metrics_dir))),
            ready=lambda: print(greeting(url, admin_url, settings), flush=True),
        )
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
    """Hold the port, without listening, so that it stays ours while no worker is up; answers its
    number.
    """
    where = f"{section}.host, {section}.port"
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # would share it with anybody's SO_REUSEPORT, and never say so
        with socket.socket(family) as other:
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
    """From now on a signal does nothing but write its number into the pipe whose end this
    answers.
    """
    heard, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in _HEEDED:
        signal.signal(number, lambda _number, _frame: None)
    return heard


class _Crew:
    """The workers. `ready` is called once all of them listen; `lock` is a descriptor that they
    inherit.
    """

    def __init__(
        self,
        command: list[str],
        environ: dict[str, str],
        lock: int,
        size: int,
        *,
        books: Crew,
        ready: Callable[[], None],
    ) -> None:
        self._command = command
        self._environ = environ
        self._lock = lock
        self._size = size
        self._books = books
        self._ready = ready
        self._log = structlog.get_logger("mainstem")
        self._workers: list[subprocess.Popen[bytes]] = []
        self._begun: dict[int, float] = {}  # when each was started, by its process id
        self._due: list[float] = []  # when the next ones are started
        self._wait_s = 0.0  # before the last of them
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
            # In a session of its own: the terminal's Ctrl-C is for this process, which tells the
            # worker.
            worker = subprocess.Popen(  # noqa: S603  our own command
                self._command,
                env=self._environ,
                stdin=self._life,
                stdout=self._told,
                pass_fds=(self._lock,),
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self._begun[worker.pid] = time.monotonic()
        return worker

    def _heed(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGHUP:
                self._tell(signal.SIGHUP)
                # whatever kept it from starting may have been mended
                self._due = [time.monotonic() for _ in self._due]
            elif number in {signal.SIGTERM, signal.SIGINT}:
                self._stop(1 if self._stopping else 0)

    def _count(self, more: int) -> None:
        before, self._listen = self._listen, self._listen + more
        if before < self._size <= self._listen:
            self._ready()

    def _part(self) -> None:
        """With the workers that have ended."""
        now = time.monotonic()
        for worker in [worker for worker in self._workers if worker.poll() is not None]:
            self._workers.remove(worker)
            if not self._stopping and self._listen >= self._size:
                self._books.died(worker.pid)
            self._books.gone(worker.pid)
            if self._stopping:
                self._status = self._status or int(worker.returncode not in {0, -signal.SIGTERM})
            elif self._listen < self._size:  # it could not even start, and has said why
                self._stop(1)
            else:
                self._log.error(
                    "a worker died and is replaced", pid=worker.pid, status=worker.returncode
                )
                steady = now - self._begun.pop(worker.pid) > _STEADY_S
                self._wait_s = (
                    _RESTART_S
                    if steady or not self._wait_s
                    else min(2 * self._wait_s, _LONGEST_RESTART_S)
                )
                self._due.append(now + self._wait_s)

    def _replace(self) -> None:
        now = time.monotonic()
        ready = [due for due in self._due if due <= now]
        self._due = [due for due in self._due if due > now]
        for _ in ready:
            try:
                self._workers.append(self._start())
            except (
                OSError
            ) as error:  # the system has no room for it now: those that run must not end for that
                self._log.error(
                    "a worker could not be started and is tried again", error=str(error)
                )
                self._due.append(now + _LONGEST_RESTART_S)

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


def _command(options: argparse.Namespace, settings: Settings) -> list[str]:
    # -P: a folder or file named proxy, where the command was given, is not us.
    command = [sys.executable, "-P", "-m", "proxy", "serve", "--worker"]
    if not is_embedded(settings):
        command.append("--never-embedded")
    return [*command, "--config", options.config] if options.config else command

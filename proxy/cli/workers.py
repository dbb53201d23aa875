"""Several processes that share one port (SO_REUSEPORT). This one only starts them, passes signals on and replaces one that died."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import structlog

from proxy.observe.metrics import mark_process_dead
from proxy.settings.model import Settings

# A worker that dies again and again must not spin: the next start waits this long.
_RESTART_S = 1.0
_POLL_S = 0.1
Greeting = Callable[[str, str | None, Settings], str]


def run(options: argparse.Namespace, settings: Settings, greeting: Greeting) -> int:
    """Run `server.workers` processes until SIGTERM or SIGINT."""
    with contextlib.ExitStack() as held, tempfile.TemporaryDirectory(prefix="mainstem-metrics-") as metrics_dir:
        try:
            port = _reserve(held, settings.server.host, settings.server.port)
            admin_port = None if settings.admin is None else _reserve(held, settings.admin.host, settings.admin.port)
        except OSError as error:
            place = f"{settings.server.host}:{settings.server.port}"
            print(f"Cannot listen on {place}: {error.strerror}. Choose another port, or stop what uses it.", file=sys.stderr)
            return 1
        environ = {**os.environ, "MAINSTEM_SERVER__PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": metrics_dir}
        if admin_port is not None:
            environ["MAINSTEM_ADMIN__PORT"] = str(admin_port)
        crew = _Crew(_command(options), environ, settings.server.workers)
        host = settings.server.host if settings.server.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104  said, not bound
        admin_url = None if settings.admin is None else f"http://{settings.admin.host}:{admin_port}"
        print(greeting(f"http://{host}:{port}", admin_url, settings), flush=True)
        return crew.run()


def _reserve(held: contextlib.ExitStack, host: str, port: int) -> int:
    """Hold the port, without listening, so that it stays ours while no worker is up; answers its number."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind((host, port))
    number: int = place.getsockname()[1]
    return number


def _command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "proxy", "serve", "--worker"]
    if options.config:
        command += ["--config", options.config]
    if options.mock:
        command.append("--mock")
    return command


class _Crew:
    def __init__(self, command: list[str], environ: dict[str, str], size: int) -> None:
        self._command = command
        self._environ = environ
        self._log = structlog.get_logger("mainstem")
        self._stopping = False
        self._workers = [self._start() for _ in range(size)]

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, lambda number, _: self._tell(number))
        while any(worker.poll() is None for worker in self._workers) or not self._stopping:
            time.sleep(_POLL_S)
            if not self._stopping:
                self._replace_dead()
        return 0

    def _start(self) -> "subprocess.Popen[bytes]":
        # The worker keeps running when the terminal's Ctrl-C reaches its group: this process tells it when to stop.
        return subprocess.Popen(self._command, env=self._environ, start_new_session=True)  # noqa: S603  our own command

    def _replace_dead(self) -> None:
        for place, worker in enumerate(self._workers):
            if worker.poll() is not None:
                self._log.error("a worker died and is replaced", pid=worker.pid, status=worker.returncode)
                mark_process_dead(worker.pid, self._environ["PROMETHEUS_MULTIPROC_DIR"])
                time.sleep(_RESTART_S)
                self._workers[place] = self._start()

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True
        self._tell(signal.SIGTERM)

    def _tell(self, number: int) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(number)

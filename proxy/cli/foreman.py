"""Starts the workers, passes signals on, replaces one that died, and one after another those that
are to begin anew.

It and its workers know of each other by two pipes (`worker`). One that takes another's place takes
its sockets too, and the other stops listening only when this one does: no connection finds the door
closed. Each worker watches the configuration's files for itself: this process reads no
configuration after its start, so that nothing in one can bring it down.
"""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from proxy.cli.places import Places
from proxy.cli.worker import LISTENS, RETIRE
from proxy.observe.crew import Crew

# A worker that dies again and again must not spin: the next start waits, twice as long every time,
# until one has lived for a while.
_RESTART_S, _LONGEST_RESTART_S, _STEADY_S = 1.0, 30.0, 60.0
_RENEW_ALL = signal.SIGUSR2
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, _RENEW_ALL)
_PIECE_BYTES = 1024


class Foreman:
    """The workers. `lock` is a descriptor that they inherit; `ready` is called once all of them
    listen.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        lock: int,
        size: int,
        *,
        places: Places,
        books: Crew,
        ready: Callable[[], None],
    ) -> None:
        self._command = command
        self._environ = environ
        self._lock = lock
        self._size = size
        self._books = books
        self._places = places
        self._ready = ready
        self._log = structlog.get_logger("mainstem")
        self._workers: dict[int, subprocess.Popen[bytes]] = {}  # by process id, oldest first
        self._begun: dict[int, float] = {}  # when each was started
        self._sockets: dict[int, list[socket.socket]] = {}  # of those at work
        self._heir: tuple[int, int] | None = None  # who is to take whose place, once it listens
        self._listening: set[int] = set()  # those that have said that they do
        self._stale: set[int] = set()  # those that are to be replaced
        self._retired: set[int] = set()  # those that see their streams out
        self._due: list[float] = []  # when those are started that take a dead one's place
        self._wait_s = 0.0  # before the last of them
        self._life, self._held = os.pipe()  # theirs to read, ours to hold
        self._hear, self._told = os.pipe()  # ours to read, theirs to write
        self._said = b""  # by them: the beginning of a line
        self._up = self._stopping = False
        self._status = 0

    def run(self) -> int:
        """Until SIGTERM or SIGINT. Answers 1 when a worker could not start or did not end well."""
        signals = _heed_signals()
        for _ in range(self._size):
            self._add(self._places.listening())
        while self._workers or not self._stopping:
            wait = max(0.0, min(self._due) - time.monotonic()) if self._due else None
            readable, _, _ = select.select([signals, self._hear], [], [], wait)
            for pipe in readable:
                said = os.read(pipe, _PIECE_BYTES)
                if pipe == signals:
                    self._heed(said)
                else:
                    self._listen(said)
            self._part()
            self._replace()
            self._renew()
        return self._status

    def _add(self, sockets: list[socket.socket], instead_of: int | None = None) -> None:
        """One more worker, or the heir of another, whose sockets these are."""
        worker = self._start([each.fileno() for each in sockets])
        self._workers[worker.pid] = worker
        self._begun[worker.pid] = time.monotonic()
        if instead_of is None:
            self._sockets[worker.pid] = sockets
        else:
            self._heir = worker.pid, instead_of

    def _start(self, sockets: Sequence[int]) -> "subprocess.Popen[bytes]":
        # Signals are held back until the worker can heed them: until then they would end it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            # In a session of its own: the terminal's Ctrl-C is for this process, which tells the
            # worker.
            return subprocess.Popen(  # noqa: S603  our own command
                [*self._command, "--worker", ",".join(map(str, sockets))],
                env=self._environ,
                stdin=self._life,
                stdout=self._told,
                pass_fds=(self._lock, *sockets),
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _heed(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGHUP:
                self._tell(signal.SIGHUP)
                # whatever kept it from starting may have been mended
                self._due = [time.monotonic() for _ in self._due]
            elif number == _RENEW_ALL:
                self._stale |= self._workers.keys()
            elif number in {signal.SIGTERM, signal.SIGINT}:
                self._stop(1 if self._stopping else 0)

    def _listen(self, said: bytes) -> None:
        *lines, self._said = (self._said + said).split(b"\n")
        for line in lines:
            pid, word, *rest = line.decode().split()
            if word == LISTENS:
                self._listening.add(int(pid))
            elif int(pid) not in self._retired:
                self._stale.add(int(pid))
                self._size = int(rest[0])
        if not self._up and len(self._listening) >= self._size:
            self._up = True
            self._ready()

    def _part(self) -> None:
        """With the workers that have ended."""
        for pid, worker in list(self._workers.items()):
            if worker.poll() is None:
                continue
            retired, inherited = pid in self._retired, self._forget(pid)
            if not self._stopping and self._up and (not retired or worker.returncode):
                self._books.died(pid)
            self._books.gone(pid)
            if self._stopping:
                self._status = self._status or int(worker.returncode not in {0, -signal.SIGTERM})
            elif not self._up:  # it could not even start, and has said why
                self._stop(1)
            elif not retired:
                self._log.error("a worker died and is replaced", pid=pid, status=worker.returncode)
                if not inherited:
                    self._due.append(time.monotonic() + self._pause(pid))
            elif worker.returncode:
                self._log.error(
                    "a worker died that was replaced", pid=pid, status=worker.returncode
                )
            self._begun.pop(pid, None)

    def _forget(self, pid: int) -> bool:
        """Whether another has its place already."""
        del self._workers[pid]
        for group in (self._listening, self._stale, self._retired):
            group.discard(pid)
        heir, self._heir = self._heir, None if self._heir and pid in self._heir else self._heir
        if heir is not None and heir[1] == pid:
            self._sockets[heir[0]] = self._sockets.pop(pid)
            return True
        _close(self._sockets.pop(pid, []))
        return False

    def _pause(self, pid: int) -> float:
        """How long to wait before another takes the place of this one."""
        steady = time.monotonic() - self._begun[pid] > _STEADY_S
        self._wait_s = (
            _RESTART_S if steady or not self._wait_s else min(2 * self._wait_s, _LONGEST_RESTART_S)
        )
        return self._wait_s

    def _replace(self) -> None:
        """Those that died."""
        now = time.monotonic()
        ready = [due for due in self._due if due <= now]
        self._due = [due for due in self._due if due > now]
        for _ in ready:
            self._try_to_add()

    def _try_to_add(self) -> None:
        try:
            self._add(self._places.listening())
        except OSError as error:
            # the system has no room for it now: those that run must not end for that
            self._log.error("a worker could not be started and is tried again", error=str(error))
            self._due.append(time.monotonic() + _LONGEST_RESTART_S)

    def _renew(self) -> None:
        """One step towards as many workers as there should be, none of them stale. Each step waits
        until what was started before it listens.
        """
        if self._heir is not None and self._heir[0] in self._listening:
            new, old = self._heir
            self._heir, self._sockets[new] = None, self._sockets.pop(old)
            self._retire(old)
        at_work = [pid for pid in self._workers if pid not in self._retired]
        if self._stopping or self._due or not self._listening.issuperset(at_work):
            return
        stale = [pid for pid in at_work if pid in self._stale]
        for pid in (stale + at_work)[: max(0, len(at_work) - self._size)]:
            _close(self._sockets.pop(pid))
            self._retire(pid)
        if len(at_work) < self._size:
            self._try_to_add()
        elif stale and len(at_work) == self._size and len(self._retired) < self._size:
            try:
                self._add(self._sockets[stale[0]], stale[0])
            except OSError as error:
                self._log.error("a worker could not be replaced", error=str(error))
                self._stale.clear()

    def _retire(self, pid: int) -> None:
        self._stale.discard(pid)
        self._retired.add(pid)
        self._workers[pid].send_signal(RETIRE)

    def _stop(self, status: int) -> None:
        self._stopping, self._status, self._due = True, self._status or status, []
        for sockets in self._sockets.values():
            _close(sockets)
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            if worker.poll() is None:
                worker.send_signal(number)


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()


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

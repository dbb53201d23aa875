"""Dear requests: those of very many small values, which take a thousand times longer to read than
their bytes to arrive. They are read and built in a process of its own (`dear_work`), as a thread
would take its turns from the event loop, and whole calls of C at a time.

The process begins with the first such request, which waits for it. Where none can be started, or
it is not up in time, the thread of `apart` does its work. There is one, with one job at a time:
dear requests wait for one another, all others do not.
"""

import asyncio
import os
import pickle
import subprocess
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from time import monotonic
from typing import NamedTuple, cast

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.errors import Failure, Refused, failure
from proxy.relay.apart import beside
from proxy.relay.dear_work import Building, Job, Read, Reading, Result, Unread, Worker
from proxy.relay.itself import PYTHON, python_path

# So many quotation marks, commas and brackets take some three milliseconds to read.
DEAR_MARKS = 8192
_MARKS = (b'"', b",", b"{", b"[")
# A body of 4 MB takes half a second.
_MOST_S = 30.0
_STARTS_S = 3.0  # of which it needs less than half of one
_LEAVES_S = 1.0  # once its wire has ended
_PAUSE_S = 10.0  # between two that could not be started
_PROGRAM = "from proxy.relay.dear_work import main; main()"
_UNPICKLED = (pickle.PicklingError, TypeError, AttributeError)


def is_dear(body: bytes) -> bool:
    """Whether it may take long to read, for the values in it."""
    return len(body) > DEAR_MARKS and sum(map(body.count, _MARKS)) > DEAR_MARKS


class _Wire(NamedTuple):
    """Two pipes: what is to be done, and what came of it."""

    jobs: Connection
    results: Connection

    def close(self) -> None:
        self.jobs.close()
        self.results.close()


class DearProcess:
    """The process, as it is seen from here. One thread has to do with it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dear-requests")
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: _Wire | None = None
        self._ready = False
        self._not_before = 0.0
        self._up_by = 0.0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process, once it takes requests."""
        return self._process.pid if self._process is not None and self._ready else None

    async def do(self, job: Job) -> Result:
        """Raises Refused (overloaded) where the process broke off over it."""
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._thread, self._asked, job)
        return await beside(lambda: Worker().done(job)) if result is None else result

    async def close(self) -> None:
        """End it, whatever it does."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._end()

    def _asked(self, job: Job) -> Result | None:
        """None: it is not there, or cannot do it."""
        if not self._is_up():
            return None
        assert self._wire is not None
        try:
            self._wire.jobs.send(job)
            if not self._wire.results.poll(_MOST_S):
                raise TimeoutError
            return cast("Result | None", self._wire.results.recv())
        except _UNPICKLED:
            return None
        except (EOFError, OSError):
            if self._end() == 0:  # it had had nothing to do for long
                return None
            said = "This request could not be read: what reads large requests broke off over it."
            raise Refused(failure("overloaded", said, retry_after_s=1)) from None

    def _is_up(self) -> bool:
        if self._wire is None and not self._closed and monotonic() >= self._not_before:
            self._start()
        if self._wire is None or self._ready:
            return self._ready
        try:
            if self._wire.results.poll(max(0.0, self._up_by - monotonic())):
                self._wire.results.recv()
                self._ready = True
        except (EOFError, OSError):
            self._failed()
        return self._ready

    def _start(self) -> None:
        try:
            (its_jobs, jobs), (results, its_results) = Pipe(duplex=False), Pipe(duplex=False)
        except OSError:
            self._failed()
            return
        with its_jobs, its_results:
            files = its_jobs.fileno(), its_results.fileno()
            command = [*PYTHON, "-c", _PROGRAM, *map(str, files)]
            self._wire = _Wire(jobs, results)
            self._up_by = monotonic() + _STARTS_S
            try:
                self._process = subprocess.Popen(  # noqa: S603  it is ourselves
                    command,
                    env={**os.environ, "PYTHONPATH": python_path()},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=files,
                )
            except OSError:
                self._failed()

    def _failed(self) -> None:
        self._not_before = monotonic() + _PAUSE_S
        self._end()

    def _end(self) -> int | None:
        """Its exit status, where it ended by itself."""
        wire, process = self._wire, self._process
        self._wire = self._process = None
        self._ready = False
        if wire is not None:
            wire.close()
        if process is None:
            return None
        try:
            return process.wait(_LEAVES_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class Dear:
    """One dear request. `reading` holds its bytes."""

    def __init__(self, process: DearProcess, reading: Reading) -> None:
        self._process = process
        self._reading = reading

    async def read(self) -> Read | Unread:
        """Raises Refused where it could not be looked at."""
        result = await self._process.do(self._reading)
        assert isinstance(result, Read | Unread)
        return result

    async def built(self, upstream: str, config: TargetConfig) -> Outgoing:
        """For a target in that upstream dialect; where its tokens are to be counted, the request
        for that. Raises Refused.
        """
        result = await self._process.do(Building(self._reading, upstream, config))
        if isinstance(result, Outgoing):
            return result
        assert isinstance(result, Failure)
        raise Refused(result)


def plain(incoming: Incoming) -> Incoming:
    """The same, without what only this process has."""
    return incoming._replace(path=dict(incoming.path), query=dict(incoming.query))

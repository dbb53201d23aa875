"""`python -m tests.bench.stored`: what streams take that have ended and are kept, as the process
counts it, as the system sees it, and in a Redis; and what is left when their time is over.

The proxy is the real command, the vendor and the Redis are processes beside it.
"""

import argparse
import contextlib
import http.client
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from redis import Redis

from tests.bench.asking import ASKING
from tests.bench.matrix import REFERENCE
from tests.bench.processes import OTHER_CPU, process, upstream, wait_for_port
from tests.bench.proxies import Proxy, Served, mainstem, mainstem_config, upstream_path
from tests.bench.wire import KEY
from tests.load.watch import resident_bytes
from tests.needs import path_of
from tests.ports import free_port

_CLIENTS = 8  # at a time
_TIMEOUT_S = 60.0
_LOG_BYTES = "mainstem_log_bytes"


class Load(NamedTuple):
    """How many streams of how many chunks, and how they are kept."""

    streams: int = 1000
    tokens: int = 2000
    most_bytes: int = 64_000_000
    keep_s: int = 20


class Taken(NamedTuple):
    """Bytes: counted by the process, resident in it, in Redis (0 without); and Redis' keys."""

    counted: int
    resident: int
    redis: int
    keys: int


class Found(NamedTuple):
    """With a few streams, with all of them ended, and when they have expired."""

    before: Taken
    kept: Taken
    after: Taken


def measure(load: Load, folder: Path, *, redis: bool) -> Found:
    """Runs the streams. Raises RuntimeError where something does not answer in time."""
    log = folder / "log"
    with contextlib.ExitStack() as stack:
        store, server = "memory", None
        if redis:
            store = stack.enter_context(_redis(folder, log))
            server = Redis.from_url(store)
            stack.callback(server.close)
        served = {"short": Served(REFERENCE.upstream, upstream_path("short", 0, load.tokens))}
        resume = f'{{store: "{store}", keep_s: {load.keep_s}, max_bytes: {load.most_bytes}}}'
        config = mainstem_config(stack.enter_context(upstream(log)), served)
        config = config.replace("{name: bench,", "{name: bench, admin: true,")  # for its metrics
        config += f"streams: {{resume: {resume}}}\n"
        proxy = stack.enter_context(mainstem(config, folder, log))
        _run(proxy.port, 2 * _CLIENTS)  # what is made once is made then
        before = _taken(proxy, server)
        _run(proxy.port, load.streams)
        kept = _taken(proxy, server)
        _wait(lambda: _counted(proxy.port) == 0 and (server is None or _keys(server) == 0), load)
        return Found(before, kept, _taken(proxy, server))


def text(load: Load, found: Found) -> str:
    """A table, in millions of bytes."""
    rows = ["                counted   resident      redis   keys of streams"]
    for name, taken in found._asdict().items():
        numbers = "".join(f"{each / 1e6:>11.2f}" for each in taken[:3])
        rows.append(f"{name:<12}{numbers}{taken.keys:>18}")
    rows.append(f"max_bytes {load.most_bytes / 1e6:>13.2f}")
    return "\n".join(rows)


def _run(port: int, streams: int) -> None:
    with ThreadPoolExecutor(_CLIENTS) as pool:
        for said in pool.map(lambda _: _asked(port), range(streams)):
            if ASKING[REFERENCE.client].terminal not in said:
                raise RuntimeError(f"an answer without an end: {said[-300:]!r}")


def _asked(port: int) -> bytes:
    asking = ASKING[REFERENCE.client]
    return _got(port, "POST", asking.path.format(model="short"), asking.body("short"))


def _got(port: int, method: str, path: str, body: bytes | None = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        return connection.getresponse().read()


def _counted(port: int) -> int:
    lines = _got(port, "GET", "/metrics").decode().splitlines()
    found = [row.split()[-1] for row in lines if row.startswith(_LOG_BYTES)]
    return int(float(found[0])) if found else 0


def _taken(proxy: Proxy, server: "Redis | None") -> Taken:
    used = 0 if server is None else int(server.info("memory")["used_memory"])  # type: ignore[index]
    keys = 0 if server is None else _keys(server)
    return Taken(_counted(proxy.port), resident_bytes(proxy.pid), used, keys)


def _keys(server: "Redis") -> int:
    return len(list(server.scan_iter("*:stream:*", count=1000)))


def _wait(holds: Callable[[], bool], load: Load) -> None:
    until = time.monotonic() + load.keep_s + _TIMEOUT_S
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError("kept streams have not expired")
        time.sleep(0.1)


@contextlib.contextmanager
def _redis(folder: Path, log: Path) -> Iterator[str]:
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with process([str(path_of("redis")), *options], OTHER_CPU, log) as server:
        wait_for_port(port, server, log)
        yield f"redis://127.0.0.1:{port}/0"


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in Load()._asdict().items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    load = Load(**vars(parser.parse_args()))
    good = True
    for redis in (False, True):
        if redis and path_of("redis") is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = measure(load, Path(folder), redis=redis)
        sys.stdout.write(f"{'with a Redis' if redis else 'in memory'}\n{text(load, found)}\n")
        good = good and 0 < found.kept.counted <= load.most_bytes and not found.after.counted
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(_main())

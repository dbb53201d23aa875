"""`make bench ARGS=--kept`: what it costs that streams are kept: a chunk's CPU in the proxy's
process, and the time to the first content, without `streams.resume`, with it in memory, and with a
Redis.

Three processes run at once and are measured in turn, again and again; of each the median counts, as
what a processor does in a second changes with the minutes.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.asking import ASKING
from tests.bench.matrix import REFERENCE
from tests.bench.measure import Measurement, Row, Scale, Way
from tests.bench.processes import OTHER_CPU, process, wait_for_port
from tests.bench.proxies import Proxy, Served, client_path, mainstem, mainstem_config
from tests.bench.wire import KEY, MARK
from tests.needs import path_of
from tests.ports import free_port

ROUNDS = 5
PACED = Scale(window_s=2.5, warm_s=0.4)
_FIRSTS = 40  # requests in a round whose first content is waited for
_TIMEOUT_S = 10.0
# Of what a chunk costs without `streams.resume`.
AIMS: Mapping[str, float] = {"memory": 1.15, "redis": 1.4}


class Kept(NamedTuple):
    """One way to keep streams: what each round measured, in microseconds and milliseconds."""

    chunk_us: list[float]
    first_ms: list[float]
    lost: list[int]


def measure(
    folder: Path, log: Path, upstream_port: int, scale: Scale, say: Callable[[str], None]
) -> dict[str, Kept]:
    """By the store; "none" is without."""
    found: dict[str, Kept] = {}
    with contextlib.ExitStack() as stack:
        stores = {"none": "", "memory": "memory"}
        if path_of("redis") is not None:
            stores["redis"] = stack.enter_context(_redis(folder, log))
        proxies = {}
        for name, store in stores.items():
            place = folder / name
            place.mkdir()
            proxies[name] = stack.enter_context(
                mainstem(_config(upstream_port, scale, store), place, log)
            )
            found[name] = Kept([], [], [])
        for at in range(ROUNDS + 1):
            for name, proxy in proxies.items():
                say(f"round {at} of {ROUNDS}, {name} ...")
                row = _paced(proxy, upstream_port, scale, log)
                firsts = [_first_s(proxy.port) for _ in range(_FIRSTS)]
                if at:  # the first streams of a process pay for what later ones find
                    found[name].chunk_us.append(row.cpu_per_chunk_us)
                    found[name].first_ms.append(median(firsts) * 1e3)
                found[name].lost.append(row.lost)
    return found


def steps() -> int:
    """How often something is measured."""
    return (ROUNDS + 1) * (2 + (path_of("redis") is not None))


def text(found: Mapping[str, Kept]) -> str:
    """A table, with what each costs beside none in the same round."""
    plain = found["none"]
    lines = ["streams.resume   CPU per chunk  beside none   aim   first content, p50"]
    for name, kept in found.items():
        ratio = median(
            mine / none for mine, none in zip(kept.chunk_us, plain.chunk_us, strict=True)
        )
        aim = f"{AIMS[name]:.2f}x" if name in AIMS else ""
        lines.append(
            f"{name:<14} {median(kept.chunk_us):>11.1f} µs {ratio:>11.2f}x {aim:>6} "
            f"{median(kept.first_ms):>16.2f} ms"
        )
    return "\n".join(lines)


def _config(upstream_port: int, scale: Scale, store: str) -> str:
    modes = scale.mode_paths()
    served = {
        "paced": Served(REFERENCE.upstream, modes["paced"]),
        "short": Served(REFERENCE.upstream, modes["short"]),
    }
    kept = f'streams: {{resume: {{store: "{store}", keep_s: 5}}}}\n' if store else ""
    return mainstem_config(upstream_port, served) + kept


@contextlib.contextmanager
def _redis(folder: Path, log: Path) -> Iterator[str]:
    port = free_port()
    program = str(path_of("redis"))
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with process([program, *options], OTHER_CPU, log) as server:
        wait_for_port(port, server, log)
        yield f"redis://127.0.0.1:{port}/0"


def _paced(proxy: Proxy, upstream_port: int, scale: Scale, log: Path) -> Row:
    row = Row("kept", REFERENCE.upstream, "mainstem")
    way = Way(REFERENCE.client, lambda mode: client_path(REFERENCE.client, mode), lambda mode: mode)
    measurement = Measurement(row, proxy, way, upstream_port, scale=scale, log=log)
    measurement.paced()
    return row


def _first_s(port: int) -> float:
    """From a request to its first content, on a connection of its own."""
    body = ASKING[REFERENCE.client].body("short")
    path = ASKING[REFERENCE.client].path.format(model="short")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as client:
        began, got = time.perf_counter(), b""
        client.sendall(head.encode() + body)
        while MARK not in got:
            more = client.recv(1 << 16)
            if not more:
                raise RuntimeError(f"an answer without content: {got[:500]!r}")
            got += more
        return time.perf_counter() - began

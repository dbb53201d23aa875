"""What an open stream keeps in the proxy, by who allocated it: `python -m tests.bench.held` prints
a table. Python's own allocations, which are alike on any machine and under any load; a vendor and
clients run in processes of their own, as in the bench.
"""

import argparse
import asyncio
import gc
import io
import json
import sys
import sysconfig
import tracemalloc
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from proxy.app import Process
from proxy.observe import logs
from tests.bench.asking import ASKING
from tests.bench.load import SETTLE_S, Plan, Result
from tests.bench.matrix import REFERENCE, Pair
from tests.bench.proxies import client_path, upstream_path
from tests.bench.through import config
from tests.bench.wire import VENDORS
from tests.running import settings_of

STREAMS = 150
_FIRST = 3  # whose connections to the vendor are used again
_TIMEOUT_S = 60
_ROOTS = (f"{Path(__file__).parents[2]}/", f"{sysconfig.get_path('purelib')}/")


def held(pair: Pair, streams: int = STREAMS, **more: Any) -> Counter[str]:
    """Bytes for each open stream, by file and line."""
    logs.configure("json", "info", io.StringIO())
    return uvloop.run(_held(pair, streams, more))


async def _held(pair: Pair, streams: int, more: dict[str, Any]) -> Counter[str]:
    vendor = await _started("tests.bench.upstream")
    assert vendor.stdout is not None
    port = int(json.loads(await vendor.stdout.readline())["port"])
    mode = upstream_path("hold", 0, 0)
    process = Process(settings_of({**config(pair.upstream, port, mode), **more}))
    await process.start()
    tracemalloc.start()
    try:
        await _opened(pair, process, port, _FIRST)  # what is made once is made then
        return await _opened(pair, process, port, streams)
    finally:
        tracemalloc.stop()
        vendor.kill()
        await vendor.wait()
        await process.stop()


async def _opened(pair: Pair, process: Process, vendor: int, streams: int) -> Counter[str]:
    """What so many streams keep while they are open; then they end."""
    asking = ASKING[pair.client]
    plan = Plan(
        mode="hold",
        port=int(process.urls[0].rstrip("/").rpartition(":")[2]),
        path=client_path(pair.client, pair.upstream),
        body=asking.body(pair.upstream).decode(),
        terminal=asking.terminal.decode(),
        streams=streams,
        upstream_port=vendor,
    )
    before = _allocated()
    clients = await _started("tests.bench.load", json.dumps(asdict(plan)))
    async with asyncio.timeout(_TIMEOUT_S):
        while process.gateway.open_requests < streams:  # noqa: ASYNC110  nobody says when
            await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE_S / 2)  # they stay open for twice as long
        kept = _allocated()
        said, _ = await clients.communicate()
    result = Result(**json.loads(said))
    assert (streams, 0) == (result.counted, result.lost), result
    return Counter(
        {
            line: (size - before[line]) // streams
            for line, size in kept.items()
            if size > before[line]
        }
    )


async def _started(module: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE
    )


def _allocated() -> Counter[str]:
    """Bytes by the file and the line that asked for them."""
    gc.collect()
    here = tracemalloc.Filter(False, tracemalloc.__file__)
    found: Counter[str] = Counter()
    for one in tracemalloc.take_snapshot().filter_traces([here]).statistics("lineno"):
        frame = one.traceback[0]
        name = frame.filename
        for root in _ROOTS:
            name = name.removeprefix(root)
        found[f"{name}:{frame.lineno}"] += one.size
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.held", description=__doc__)
    parser.add_argument("--upstream", default=REFERENCE.upstream, choices=list(VENDORS))
    parser.add_argument("--client", default=REFERENCE.client, choices=list(ASKING))
    parser.add_argument("--streams", type=int, default=STREAMS, help=f"open at once ({STREAMS})")
    options = parser.parse_args()
    pair = Pair(options.upstream, options.client)
    lines = held(pair, options.streams)
    files: Counter[str] = Counter()
    for line, size in lines.items():
        files[line.rpartition(":")[0]] += size
    print(f"{pair}: {lines.total()} bytes for each open stream")
    for counted, heading in ((files, "by file"), (lines, "by line")):
        print(f"\n{heading}")
        for name, size in counted.most_common(40):
            print(f"{size:8}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

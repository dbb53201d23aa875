"""`make panels`: draws the dashboard into docs/dashboard.svg, from what a real Prometheus answers that
watches a real Mainstem: three workers, a Redis, mixed load with faults, a worker that is killed, a
reload, and clients that come back. Takes two minutes.
"""

import asyncio
import json
import math
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.cli.test_workers import children
from tests.cli.tools import Started
from tests.deploy.drawing import Panel, Points, picture
from tests.deploy.prometheus_server import Prometheus
from tests.deploy.test_deploy import DASHBOARD, PICTURE, filled
from tests.deploy.test_prometheus import KEY, Load, scene
from tests.redis_server import redis_server

_SECONDS = 90
_STEP_S = 2.0
_WINDOW = "5s"  # of rates; Prometheus scrapes twice a second
_CALM_S, _KILLED_S, _RELOADED_S = 15, 40, 55
_HELD, _HELD_S, _RELEASED_S = 20, 65, 78  # streams whose vendor says nothing
_WAVES_S = 2.5  # from one wave of the load to the next


async def drawn() -> str:
    """The picture."""
    with tempfile.TemporaryDirectory() as folder:
        async with redis_server() as redis:
            more = {"streams": {"heartbeat_s": 1, "resume": {"store": redis.url}}}
            async with scene(Path(folder), more) as (_, proxy, server, load):
                assert proxy.process.stderr is not None
                log = asyncio.create_task(proxy.process.stderr.read())  # else its lines are dropped
                begun = time.time()
                clients = await _play(Path(folder) / "mainstem.yaml", proxy, load)
                made = await _asked(server, begun)
                done = await asyncio.gather(*clients, return_exceptions=True)
                # those whose worker was killed
                lost = [each for each in done if isinstance(each, BaseException)]
                assert len(lost) < len(clients) / 4, lost[0]
                proxy.process.terminate()
                await log
                return made


async def _play(file: Path, proxy: Started, load: Load) -> list[asyncio.Task[None]]:
    """So many seconds of clients, which are answered, and what happens meanwhile."""
    began = time.monotonic()
    release = asyncio.Event()
    clients: list[asyncio.Task[None]] = []

    def held() -> None:
        clients.extend(asyncio.create_task(load.ask("left", release)) for _ in range(_HELD))

    happens = [
        (_KILLED_S, lambda: os.kill(children(proxy.process.pid)[0], signal.SIGKILL)),
        (_RELOADED_S, lambda: _reload(file)),
        (_HELD_S, held),
        (_RELEASED_S, release.set),
    ]
    while (passed := time.monotonic() - began) < _SECONDS:
        if happens and passed >= happens[0][0]:
            happens.pop(0)[1]()
        if passed >= _CALM_S:
            clients.append(asyncio.create_task(load.wave()))
        clients += [asyncio.create_task(load.ask("fine")) for _ in range(6)]
        clients.append(asyncio.create_task(_come_back(proxy.url)))
        await asyncio.sleep(_WAVES_S)
    return clients


def _reload(file: Path) -> None:
    tree = json.loads(file.read_text())
    tree["models"]["fast"]["targets"].reverse()
    file.write_text(json.dumps({**tree, "limits": {"max_streams": 9000}}))


async def _come_back(url: str) -> None:
    """A stream that two follow, of whom one leaves and comes back."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        await _follow(session, url)


async def _follow(session: aiohttp.ClientSession, url: str) -> None:
    body = {"model": "narrow", "prompt": "Count these words, please."}
    async with session.post(f"{url}/v1/streams", json=body) as response:
        stream = (await response.json()).get("stream")
    if stream is None:
        return
    place, last = f"{url}/v1/streams/{stream}", ""
    other = asyncio.create_task(_read(session, place))
    async with session.get(place) as response:
        async for line in response.content:
            if line.startswith(b"id: "):
                last = line[4:].decode().strip()
                break
    async with session.get(place, headers={"Last-Event-ID": last}) as response:
        await response.read()
    await other


async def _read(session: aiohttp.ClientSession, place: str) -> None:
    async with session.get(place) as response:
        await response.read()


async def _asked(server: Prometheus, begun: float) -> str:
    panels = []
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        series: dict[str, Points] = {}
        for target in panel.get("targets", []):
            query = filled(target["expr"], _WINDOW)
            for row in await server.over(query, begun, begun + _SECONDS, _STEP_S):
                series[_name(target, row["metric"])] = _points(row["values"], begun)
        panels.append(Panel({**panel, "title": filled(panel["title"])}, series))
    return picture(panels, _SECONDS)


def _name(target: dict[str, Any], labels: dict[str, str]) -> str:
    """As Grafana says it. Where a process listens and what its id is are of no interest here."""
    own = {**labels, "instance": "proxy"}
    return re.sub(
        r"\{\{(\w+)\}\}", lambda found: own.get(found[1], ""), target.get("legendFormat", "")
    ).strip()


def _points(values: list[Any], begun: float) -> Points:
    found = [(round(at - begun, 1), float(value)) for at, value in values]
    return [point for point in found if math.isfinite(point[1])]


def main() -> int:
    PICTURE.write_text(asyncio.run(drawn()))
    print(f"{PICTURE}: {PICTURE.stat().st_size} bytes. Look at it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

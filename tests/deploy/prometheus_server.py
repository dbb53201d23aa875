"""A real Prometheus that scrapes one address, and what it says when it is asked."""

import asyncio
import json
import math
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.needs import program
from tests.ports import free_port

SCRAPE = "500ms"
RULES = Path(__file__).parents[2] / "deploy" / "alerts.yml"
_START_S = 60
Labels = tuple[str, ...]


class Prometheus:
    """One that runs."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query, as the API has them."""
        parameters = {"query": expression}
        async with self._session.get(f"{self._url}/api/v1/query", params=parameters) as response:
            answer = await response.json()
        assert "success" == answer["status"], f"{expression}: {answer}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    async def over(
        self, expression: str, begin: float, end: float, step_s: float
    ) -> list[dict[str, Any]]:
        """The series of an expression from one Unix time to another."""
        asked = {"query": expression, "start": begin, "end": end, "step": step_s}
        parameters = {name: str(value) for name, value in asked.items()}
        url = f"{self._url}/api/v1/query_range"
        async with self._session.get(url, params=parameters) as response:
            answer = await response.json()
        assert "success" == answer["status"], f"{expression}: {answer}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    async def sums(self, expression: str, *by: str) -> dict[Labels, float]:
        """The sum of an expression by these labels, to the billionth; sums of 0 are left out."""
        found = await self.query(f"sum by ({', '.join(by)}) ({expression})")
        rows = {
            tuple(row["metric"].get(name, "") for name in by): round(float(row["value"][1]), 9)
            for row in found
        }
        return {labels: value for labels, value in rows.items() if value}

    async def numbers(self, expression: str) -> list[float]:
        """The values of an expression that are numbers."""
        values = [float(row["value"][1]) for row in await self.query(expression)]
        return [value for value in values if not math.isnan(value)]


@asynccontextmanager
async def prometheus(target: str) -> AsyncIterator[Prometheus]:
    """Scrapes `target`, a host and port, as job `mainstem`, and records what deploy/ says."""
    config: Mapping[str, Any] = {
        "global": {
            "scrape_interval": SCRAPE,
            "scrape_timeout": SCRAPE,
            "evaluation_interval": SCRAPE,
        },
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "mainstem", "static_configs": [{"targets": [target]}]}],
    }
    with tempfile.TemporaryDirectory(prefix="mainstem-prometheus-") as name:
        file = Path(name) / "prometheus.yml"
        file.write_text(json.dumps(config))
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            program("prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={name}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession() as session:
                await _ready(session, f"http://127.0.0.1:{port}", process)
                yield Prometheus(f"http://127.0.0.1:{port}", session)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _ready(
    session: aiohttp.ClientSession, url: str, process: asyncio.subprocess.Process
) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            assert process.returncode is None, "prometheus ended at its start"
            try:
                async with session.get(f"{url}/-/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)

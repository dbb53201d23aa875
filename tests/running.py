"""The whole proxy in this process, for tests: real sockets on both sides. For what depends on the
command line see tests/e2e."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from proxy.app import Process
from proxy.mock.server import MockServer
from proxy.settings.model import Settings

LOCAL_KEY = "the local key"
OPERATOR = {"Authorization": f"Bearer {LOCAL_KEY}"}


class Running:
    """A proxy that listens at `url`, and a client session."""

    def __init__(self, process: Process, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.session = session
        self.url = process.urls[0]

    @property
    def mock(self) -> MockServer:
        assert self.process.mocks.newest is not None
        return self.process.mocks.newest

    async def reload(self, config: dict[str, Any]) -> None:
        """Has it read this configuration, which must be good."""
        settings = settings_of(config)
        self.process.reloader._load = lambda _: settings
        await self.process.reloader.reload()
        assert settings is self.process.reloader.settings

    async def metric(self, line: str) -> float:
        """The value of the one sample that begins with `line`; 0 where there is none."""
        async with self.session.get(f"{self.url}/metrics") as response:
            text = await response.text()
        found = [row for row in text.splitlines() if row.startswith(line)]
        assert len(found) <= 1, found
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


@asynccontextmanager
async def running(config: dict[str, Any]) -> AsyncIterator[Running]:
    """The proxy with this configuration, listening on a port of the system's choice. What it drains
    at the end it gets half a second for."""
    process = Process(settings_of(config), local_key=LOCAL_KEY)
    await process.start()
    try:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            yield Running(process, session)
    finally:
        await process.stop()


def settings_of(config: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {**config, "server": {"port": 0, "drain_s": 0.5, **config.get("server", {})}}
    )


def one(dialect: str, base_url: str, **upstream: Any) -> dict[str, Any]:
    """A configuration with one upstream, asked for any model."""
    return {
        "upstreams": {"far": {"dialect": dialect, "base_url": base_url, **upstream}},
        "models": {"*": [{"upstream": "far"}]},
    }

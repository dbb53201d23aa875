"""What a start loads: only what the configuration uses. Told by the interpreter itself (`-X
importtime`), never by a clock."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from proxy.dialects.registry import CLIENTS
from tests.cli.tools import ROOT

FAR = {"base_url": "http://127.0.0.1:9", "api_key": "a-key-of-some-length"}
# What only a setting brings, or another command.
OPTIONAL = {
    *("botocore", "genai_prices", "jwt", "limits", "opentelemetry", "redis"),
    *("pydantic_settings", "rich.console"),
    *("proxy.cli.foreman", "proxy.cli.places", "proxy.cli.workers", "proxy.cli.streams"),
    *("proxy.mock.server", "proxy.mock.player", "proxy.observe.spans", "proxy.recording.har"),
    *("proxy.relay.recorder", "proxy.server.stores.shared"),
}


async def loaded(folder: Path, given: dict[str, Any]) -> set[str]:
    """The modules that `mainstem serve` has imported when it says that it listens."""
    file = folder / "mainstem.yaml"
    file.write_text(json.dumps({"admin": {"port": 0}, **given}))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "proxy", "serve", "--config", str(file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    said = asyncio.create_task(process.stderr.read()) if process.stderr else None
    assert said is not None
    async with asyncio.timeout(30):
        line = await process.stdout.readline()
        process.terminate()
        text = (await said).decode()
        await process.communicate()
    assert b"listening" in line, text
    return {row.rpartition("|")[2].strip() for row in text.splitlines() if "import time:" in row}


def one(dialect: str, **more: Any) -> dict[str, Any]:
    return {
        "server": {"port": 0},
        "upstreams": {"far": {"dialect": dialect, **FAR}},
        "models": {"*": [{"upstream": "far"}]},
        **more,
    }


def dialects(modules: set[str]) -> set[str]:
    return {name.split(".")[2] for name in modules if name.startswith("proxy.dialects.")} - {
        "registry"
    }


async def test_a_proxy_loads_what_its_configuration_uses(tmp_path: Path) -> None:
    modules = await loaded(tmp_path, one("openai_chat"))
    assert set(CLIENTS) == dialects(modules)  # a client may come to any of their paths
    assert set() == OPTIONAL & modules
    played = {name for name in modules if name.startswith("proxy.mock.")}
    assert {f"proxy.mock.{name}" for name in ("embedded", "played", "script")} == played


async def test_what_is_configured_is_loaded(tmp_path: Path) -> None:
    keys = {"keys": [{"name": "web", "sha256": "0" * 64, "requests_per_minute": 9}]}
    demo = {"demo": {"dialect": "gemini", "mock": {"scenario": "hello"}}}
    given = one("zhipu", auth=keys)
    given["upstreams"] |= demo
    modules = await loaded(tmp_path, given)
    assert {*CLIENTS, "zhipu"} == dialects(modules)
    assert {"limits", "proxy.mock.server"} <= modules


async def test_who_only_watches_workers_loads_no_server(tmp_path: Path) -> None:
    modules = await loaded(tmp_path, one("openai_chat", server={"port": 0, "workers": 2}))
    assert set() == {"aiohttp", "uvloop", "proxy.app", "limits"} & modules
    # how another process of ours is started, and nothing else that relays
    assert {"proxy.relay.itself"} == {name for name in modules if name.startswith("proxy.relay.")}
    assert set() == dialects(modules)

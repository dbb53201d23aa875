"""Coding agents in front of Mainstem: each mends a file through an upstream of its own dialect,
where what reaches the vendor is what reaches it without Mainstem in between, and through upstreams
of other dialects.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.proxy_process import running_proxy
from tests.needs import requires
from tests.programs.coding_agents import AGENTS, MENDED, TYPO, Agent, run
from tests.programs.vendor import DONE, Asked, Vendor, scripted

pytestmark = [requires("node", "agents"), pytest.mark.slow, pytest.mark.timeout(240)]

DIALECTS = ("anthropic", "openai_chat", "openai_responses", "gemini")
# What is another one in each run of a program: its own ids, times and folders.
# Gemini CLI makes an id for a call that has none, which no vendor can know.
_MADE_ID = re.compile(r"\w+_\d{13}_\d+")
_VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{24,}|"
    r"Chunk ID: [0-9a-f]+|Wall time: [0-9.]+|"
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?|\b\d{10,13}\b|127\.0\.0\.1:\d+"
)


def base_of(dialect: str, url: str) -> str:
    """The base URL that an upstream of this dialect wants."""
    return f"{url}/v1" if dialect.startswith("openai") else url


def config(vendor: Vendor, dialect: str) -> dict[str, Any]:
    upstream = {
        "dialect": dialect,
        "base_url": base_of(dialect, vendor.url),
        "api_key": "upstream-key",
    }
    return {
        "upstreams": {"far": upstream},
        "models": {"*": [{"upstream": "far"}]},
        "auth": "none",
    }


class Scene:
    """A folder with a file that has a typo, and a home for the program, of one run."""

    def __init__(self, folder: Path) -> None:
        self.home, self.work = folder / "home", folder / "work"
        self.home.mkdir(parents=True)
        self.work.mkdir()
        self.file = self.work / "a.txt"
        self.file.write_text(TYPO)


async def mended(agent: Agent, scene: Scene, upstream: str, *, direct: bool) -> Vendor:
    """Runs the program, and holds that it did what it was asked."""
    async with scripted(upstream, agent.call(scene.file)) as vendor:
        if direct:
            said = await run(agent, vendor.url, scene.home, scene.work)
        else:
            async with running_proxy(config(vendor, upstream)) as proxy:
                said = await run(agent, proxy, scene.home, scene.work)
    assert MENDED == scene.file.read_text(), said[-3000:]
    assert DONE in said, said[-3000:]
    return vendor


def known(value: dict[str, Any]) -> dict[str, Any]:
    """An object without an id that the program made up."""
    made = _MADE_ID.fullmatch(str(value.get("id")))
    return {name: of for name, of in value.items() if name != "id"} if made else value


def comparable(asked: list[Asked], scene: Scene) -> list[Any]:
    """The bodies, without what differs between two runs of the same program."""
    bodies = []
    for each in asked:
        body = dict(each.body)
        body.pop("stream_options", None)  # where the client gave none, so that there are counts
        if "client_metadata" in body:  # Codex's: its run's ids and a digest of its folder
            body["client_metadata"] = sorted(body["client_metadata"])
        folder = str(scene.work.parent)
        body = json.loads(json.dumps(body), object_hook=known)
        text = json.dumps(body).replace(folder, "FOLDER")
        text = text.replace(re.sub(r"[^0-9A-Za-z]", "-", folder), "FOLDER")
        bodies.append(json.loads(_VOLATILE.sub("VOLATILE", text)))
    return sorted(bodies, key=lambda body: len(json.dumps(body)))


def differences(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """The places where two JSON values differ, keys' order included, with what stands there."""
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        for key in one:
            yield from differences(one[key], other[key], f"{at}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, theirs, f"{at}[{number}]")
    elif one != other or isinstance(one, dict):
        if isinstance(one, str) and isinstance(other, str):
            start = next(n for n in range(len(one) + 1) if one[: n + 1] != other[: n + 1])
            one, other = one[max(0, start - 40) :], other[max(0, start - 40) :]
        yield f"{at}: {json.dumps(one)[:150]} is {json.dumps(other)[:150]}"


@pytest.mark.parametrize("name", AGENTS)
async def test_the_same_reaches_the_vendor_with_and_without_mainstem(
    name: str, tmp_path: Path
) -> None:
    """Over an upstream of the program's own dialect, key by key, and its dialect's headers too."""
    agent = AGENTS[name]
    without, through = Scene(tmp_path / "without"), Scene(tmp_path / "through")
    plain = await mended(agent, without, agent.dialect, direct=True)
    relayed = await mended(agent, through, agent.dialect, direct=False)
    expected, found = comparable(plain.asked, without), comparable(relayed.asked, through)
    assert [] == list(differences(expected, found))
    betas = {each.headers.get("anthropic-beta") for each in plain.asked}
    assert betas == {each.headers.get("anthropic-beta") for each in relayed.asked}


@pytest.mark.parametrize("upstream", DIALECTS)
@pytest.mark.parametrize("name", AGENTS)
async def test_an_agent_works_over_an_upstream_of_another_dialect(
    name: str, upstream: str, tmp_path: Path
) -> None:
    """It edits the file and says so: its tools and the tool's result reached the vendor."""
    agent = AGENTS[name]
    if upstream == agent.dialect:
        pytest.skip("its own dialect is tested above")
    scene = Scene(tmp_path)
    vendor = await mended(agent, scene, upstream, direct=False)
    assert any(len(json.dumps(each.body)) > 1000 for each in vendor.asked)
    assert "upstream-key" in str([each.headers for each in vendor.asked])

"""`mainstem record` and `mainstem replay`: what one keeps the other plays, byte for byte."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
import yaml

from proxy.recording.tape import SUFFIX, parsed
from tests.cli.tools import ASK, mainstem, stage, started

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


async def post(url: str, body: object) -> bytes:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        assert 200 == response.status
        return await response.read()


async def said(url: str) -> object:
    return json.loads(await post(f"{url}/v1/chat/completions", CHAT))["choices"]


async def test_what_is_recorded_is_replayed(tmp_path: Path) -> None:
    async with stage() as upstream:
        config = tmp_path / "mainstem.yaml"
        tree = {
            "upstreams": {"up": {"dialect": "openai_chat", "base_url": upstream.url}},
            "models": {"*": [{"upstream": "up"}]},
        }
        config.write_text(yaml.safe_dump(tree))
        arguments = ("record", "--config", str(config), "--port", "0", "--redact", "user,email")
        async with started(*arguments, "--to", str(tmp_path / "kept"), last="record") as proxy:
            first = await said(proxy.url)
            assert 0 == (await proxy.end()).status
    (path,) = await asyncio.to_thread(lambda: list((tmp_path / "kept").iterdir()))
    kept = parsed(path.read_bytes())
    assert ("user", "email") == kept.masked
    assert path.name.endswith(SUFFIX)
    async with started("replay", str(path), "--port", "0", last="its account") as mock:
        again = await post(f"{mock.url}/v1/chat/completions", kept.request.body)
        config.write_text(yaml.safe_dump({**tree, "upstreams": {"up": played(path)}}))
        async with started("serve", "--config", str(config), "--port", "0", last="mock") as proxy:
            second = await said(proxy.url)
    assert kept.body == again
    assert first == second


def played(path: Path) -> dict[str, object]:
    return {"dialect": "openai_chat", "mock": {"scenario": str(path), "speed": 0}}


async def test_a_folder_of_the_configuration_is_found_from_its_file(tmp_path: Path) -> None:
    config = tmp_path / "mainstem.yaml"
    mock = {"dialect": "openai_chat", "mock": {"scenario": "hello", "tokens_per_s": 0}}
    tree = {
        "upstreams": {"up": {**mock, "record": {"folder": "mine"}}},
        "models": {"*": [{"upstream": "up"}]},
    }
    config.write_text(yaml.safe_dump(tree))
    async with started("serve", "--config", str(config), "--port", "0", last="mock") as proxy:
        await post(f"{proxy.url}/v1/stream", ASK)
        assert 0 == (await proxy.end()).status
    assert 1 == len(await asyncio.to_thread(lambda: list((tmp_path / "mine").iterdir())))


async def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / f"a{SUFFIX}"
    wrong.write_text("data: hi")
    ended = await mainstem("replay", str(wrong))
    assert (1, "") == (ended.status, ended.out)
    assert ended.err.startswith(f"{wrong}: line 1: is no line of a recording")
    ended = await mainstem("replay", str(wrong), "--speed", "fast")
    assert 2 == ended.status
    assert "'fast' is not a number from 0" in ended.err


@pytest.mark.parametrize(
    ("to", "says"),
    [("file", "file is no folder: name another with --to."), ("file/in", "cannot be made (")],
)
async def test_where_nothing_can_be_kept_nothing_is_begun(
    tmp_path: Path, to: str, says: str
) -> None:
    (tmp_path / "file").write_text("")
    ended = await mainstem("record", "--mock", "--port", "0", "--to", str(tmp_path / to))
    assert (1, "") == (ended.status, ended.out)
    assert says in ended.err


async def test_a_folder_has_a_name() -> None:
    ended = await mainstem("record", "--to", "")
    assert 2 == ended.status
    assert "argument --to: names no folder" in ended.err

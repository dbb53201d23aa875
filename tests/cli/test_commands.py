"""`mainstem check`, `tap` and `mock`, as they are typed."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from proxy.dialects.registry import CLIENTS
from tests.cli.tools import HELLO, ROLE, ROOT, STOP, mainstem, started
from tests.e2e.proxy_process import command
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream

KEY = "the-vendors-key"


def answered(status: str, content_type: str, body: bytes) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


FIXED = {
    "page": answered("200 OK", "text/html", b"<html>"),
    "json": answered("200 OK", "application/json", b"{}"),
    "401": answered(
        "401 Unauthorized",
        "application/json",
        b'{"error": {"message": "\\u001b[2JIncorrect API key"}}',
    ),
    "404": answered(
        "404 Not Found", "application/json", b'{"error": {"message": "There is no such model"}}'
    ),
}


async def vendor(peer: Peer) -> None:
    """Answers as the path begins."""
    head = await peer.request()
    name = head.split(b"/")[1].decode()
    if name in FIXED:
        peer.write(FIXED[name])
        return
    asked = json.loads(peer.body)
    assert f"Bearer {KEY}".encode() in head
    assert [{"role": "user", "content": "ping"}] == asked["messages"]
    peer.write(CHUNKED)
    peer.send(ROLE + HELLO)
    peer.send(STOP)
    peer.write(LAST_CHUNK)


def upstreams(url: str, *names: str) -> dict[str, Any]:
    return {
        name: {"dialect": "openai_chat", "base_url": f"{url}/{name}", "api_key": KEY}
        for name in names
    }


async def test_check_prints_the_tree_without_secrets_and_asks_the_upstreams(tmp_path: Path) -> None:
    async with raw_upstream(vendor) as url:
        good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
        played = {"played": {"dialect": "plain", "headers": {"x-cookie": "the-cookie"}, "mock": {}}}
        models = {
            "m": [{"upstream": "good", "model": "vendor-model"}],
            "*": [{"upstream": "404"}, {"upstream": "played"}],
        }
        good.write_text(
            yaml.safe_dump(
                sort_keys=False,
                data={"upstreams": {**upstreams(url, "good", "404"), **played}, "models": models},
            )
        )
        models = {name: [{"upstream": name}] for name in ("page", "json", "401", "404", "refused")}
        refused = {"refused": {"dialect": "anthropic", "base_url": "http://127.0.0.1:9"}}
        bad.write_text(
            yaml.safe_dump(
                sort_keys=False,
                data={
                    "upstreams": {**upstreams(url, "page", "json", "401", "404"), **refused},
                    "models": models,
                },
            )
        )

        plain, pinged, failed = await asyncio.gather(
            mainstem("check", "--config", str(good), env={"MAINSTEM_SERVER__PORT": "1234"}),
            mainstem("check", "--config", str(good), "--ping"),
            mainstem("check", "--config", str(bad), "--ping"),
        )
    assert (0, "") == (plain.status, plain.err)
    tree = yaml.safe_load(plain.out)
    assert "# ok" == plain.out.splitlines()[-1]
    assert 1234 == tree["server"]["port"]
    assert "x-cookie" in tree["upstreams"]["played"]["headers"]
    for ended in (plain, pinged, failed):
        assert KEY not in ended.out + ended.err
        assert "the-cookie" not in ended.out
        assert yaml.safe_load(ended.out)  # what the ping says is comments

    assert (0, "") == (pinged.status, pinged.err)
    said = pinged.out.splitlines()[-3:]
    assert said[0].startswith("# good: answers, as openai_chat should, after ")
    assert said[0].endswith(f" s, at {url}/good/chat/completions")
    assert said[1].startswith('# 404: answers, but only "*" leads to it')
    assert "# played: is a mock, played here" == said[2]

    assert (1, "") == (failed.status, failed.err)
    kinds = [line.split(": ")[1].partition(" at ")[0] for line in failed.out.splitlines()[-5:]]
    assert [
        f"failed ({kind})"
        for kind in (
            "upstream_malformed",
            "upstream_malformed",
            "upstream_status",
            "model_not_found",
            "connect_failed",
        )
    ] == kinds
    assert "\ufffd[2JIncorrect API key" in failed.out  # it steers no terminal


async def test_tap_prints_an_answer(tmp_path: Path) -> None:
    one = {
        "upstreams": {
            "played": {"dialect": "plain", "mock": {"scenario": "echo", "tokens_per_s": 0}}
        },
        "models": {"only": [{"upstream": "played"}]},
    }
    config = tmp_path / "mainstem.yaml"
    config.write_text(yaml.safe_dump(one))
    given = {"MAINSTEM_CONFIG": str(config)}
    text, lines, raw, piped, unknown, garbage, broken = await asyncio.gather(
        mainstem("tap", "How are you?", "--max-tokens", "9", env=given),
        mainstem("tap", "--events", "How are you?", env=given),
        mainstem("tap", "--raw", "How are you?", env=given),
        mainstem("tap", "-", stdin="Grüße, 世界".encode(), env=given),
        mainstem("tap", "--model", "onyl", "hi", env=given),
        mainstem("tap", "-", stdin=b"caf\xe9", env=given),
        mainstem("tap", b"caf\xe9", env=given),
    )
    assert (0, "How are you?") == (text.status, text.out)
    assert ["max_tokens", "[stop]"] == [
        next(word for word in ("max_tokens", "[stop]") if word in line)
        for line in text.err.split("\n")
        if line
    ]
    assert [0, ""] == [lines.status, lines.err]
    types = [json.loads(line)["type"] for line in lines.out.splitlines()]
    assert ["stream.start", "stream.end"] == [types[0], types[-1]]
    assert 0 == raw.status
    assert raw.out.startswith("data: ")
    assert "[stop]" in raw.err
    assert (0, "Grüße, 世界") == (piped.status, piped.out)
    assert (
        1,
        "",
        "model_not_found: There is no model 'onyl' here; did you mean 'only'?\n",
    ) == unknown
    assert (1, "", "Standard input is not UTF-8 text: look at byte 3.\n") == garbage
    assert (1, "") == broken[:2]
    assert broken.err.startswith("The prompt is not text")


async def test_tap_says_how_a_broken_answer_ended(tmp_path: Path) -> None:
    config = tmp_path / "mainstem.yaml"
    played = {
        "dialect": "openai_chat",
        "mock": {"scenario": "echo", "tokens_per_s": 0, "fault": "cut@2"},
    }
    config.write_text(
        yaml.safe_dump({"upstreams": {"played": played}, "models": {"*": [{"upstream": "played"}]}})
    )
    ended = await mainstem("tap", "one two three four", "--config", str(config))
    assert 1 == ended.status
    assert ended.out.startswith("one")
    assert ended.err.strip().startswith("upstream_truncated: played broke off its answer")


@pytest.mark.parametrize("line", ["tap --events hi", "tap --raw hi", "check"])
async def test_a_reader_that_has_seen_enough_is_no_error(line: str) -> None:
    words = " ".join(command())
    done = await asyncio.to_thread(
        subprocess.run,
        f"{words} {line} | head -c 1",
        shell=True,
        check=True,
        capture_output=True,
        timeout=60,
        cwd=ROOT,
    )
    assert (1, b"") == (len(done.stdout), done.stderr)


async def test_mock_answers_on_every_dialects_path_and_keeps_an_account() -> None:
    async with (
        started("mock", "--port", "0", last="its account") as mock,
        aiohttp.ClientSession() as session,
    ):
        paths = {
            route.path
            for half in CLIENTS.values()
            for route in half.routes
            if route.method == "POST" and "{" not in route.path
        }
        paths |= {f"/{dialect}/v1/anything" for dialect in CLIENTS}
        body = {
            "model": "m",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "Good morning"}],
            "stream": True,
        }
        statuses = {}
        for path in paths:
            async with session.post(
                mock.url + path, json=body, headers={"x-mock-tokens-per-s": "0"}
            ) as response:
                statuses[path] = response.status
                assert await response.read()
        assert {200, 400, 422} >= set(statuses.values())  # not every dialect has messages
        assert [200] * 3 == [
            statuses[path] for path in ("/v1/stream", "/v1/chat/completions", "/v1/messages")
        ]
        async with session.get(f"{mock.url}/mock/requests") as response:
            assert paths == {entry["path"] for entry in await response.json()}
        async with session.get(mock.url) as response:
            assert "x-mock-fault" in await response.text()
        ended = await mock.end()
        assert (0, "") == (ended.status, ended.err)


async def test_check_warns_of_what_is_most_likely_not_meant(tmp_path: Path) -> None:
    far = {"dialect": "anthropic", "base_url": "http://127.0.0.1:9/v1", "api_key": "$SECRET_KEY"}
    config = tmp_path / "mainstem.yaml"
    config.write_text(
        yaml.safe_dump({"upstreams": {"far": far}, "models": {"*": [{"upstream": "far"}]}})
    )
    ended = await mainstem("check", "--config", str(config))
    assert (0, "# ok, with 2 warnings") == (ended.status, ended.out.splitlines()[-1])
    assert ["warning: upstreams.far.api_key", "warning: upstreams.far.base_url"] == [
        line.partition(" is ")[0].partition(" ends ")[0] for line in ended.err.splitlines()
    ]

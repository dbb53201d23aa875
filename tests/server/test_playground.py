"""The playground's part of the server: where its page is, what it is told, and the microscope, which
shows a stream's pieces to the page that asked for it and to nobody else."""

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from proxy.dialects.registry import CLIENTS
from proxy.relay.microscope import KEPT_BYTES, SHOWN_BYTES
from proxy.settings.defaults import embedded
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import ROLE, STOP, Far, delta, proxied, says
from tests.running import Running, running
from tests.samples import ASKED

FAST = {"x-mock-tokens-per-s": "0"}
LOOKS = {"x-mainstem-microscope": "1"}
BODY = {"model": "m", "prompt": "hi"}
KEY = "a key that only tests know"
KEPT = {"streams": {"resume": {}}}


def shown(text: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]


def raw_of(frames: list[dict[str, Any]]) -> bytes:
    chunks = [chunk for frame in frames for chunk in frame["chunks"]]
    assert list(range(chunks[0]["number"], chunks[-1]["number"] + 1)) == [
        chunk["number"] for chunk in chunks
    ]
    return b"".join(base64.b64decode(chunk["raw"]) for chunk in chunks)


def out_of(frames: list[dict[str, Any]]) -> str:
    return b"".join(base64.b64decode(frame["out"]) for frame in frames).decode()


async def look(run: Running, path: str = "/v1/stream", **more: Any) -> list[dict[str, Any]]:
    headers = {**LOOKS, **more.pop("headers", {})}
    async with run.session.post(
        f"{run.url}{path}", headers=headers, **(more or {"json": BODY})
    ) as response:
        assert 200 == response.status, await response.text()
        return shown(await response.text())


@pytest.mark.parametrize("config", [{}, KEPT], ids=["passed on", "kept"])
async def test_each_event_is_shown_with_the_bytes_that_it_came_of_and_those_that_it_became(
    config: dict[str, Any],
) -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, **config) as run:
        frames = await look(run)
    assert b"".join((ROLE, delta("Hello"), STOP)) == raw_of(frames)
    said = next(frame for frame in frames if frame["event"]["type"] == "text.delta")
    chunks = {chunk["number"]: chunk for frame in frames for chunk in frame["chunks"]}
    source = chunks[said["source"]]
    assert delta("Hello") in base64.b64decode(source["raw"])
    assert ("far", len(base64.b64decode(source["raw"]))) == (source["upstream"], source["size"])
    assert json.loads(out_of([said]).partition("\n")[0].removeprefix("data: ")) == said["event"]
    assert f"id: {said['id']}\n" in out_of([said])
    assert None is frames[0]["source"]
    assert "stream.end" == frames[-1]["event"]["type"]
    assert None is not frames[-1]["source"]


@pytest.mark.parametrize("dialect", [name for name in CLIENTS if name in ASKED])
async def test_what_is_shown_as_sent_is_a_stream_of_the_clients_own_dialect(dialect: str) -> None:
    """Its content type, and the last bytes that the same client gets when it does not look."""
    asked = ASKED[dialect]
    sent = (
        {"json": {**asked.body, "stream": True}} if "stream" in asked.body else {"json": asked.body}
    )
    async with running(embedded()) as run:
        async with run.session.post(f"{run.url}{asked.path}", headers=FAST, **sent) as plain:
            expected = plain.headers["content-type"], (await plain.text())[-1:]
        async with run.session.post(
            f"{run.url}{asked.path}", headers={**FAST, **LOOKS}, **sent
        ) as looked:
            frames = shown(await looked.text())
            actual = looked.headers["x-mainstem-microscope"], out_of(frames)[-1:]
    assert expected == actual
    assert "stream.end" == frames[-1]["event"]["type"]


async def test_who_comes_back_sees_the_rest_of_the_pieces() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, **KEPT) as run:
        frames = await look(run)
        stream = frames[0]["event"]["stream"]
        headers = {**LOOKS, "Last-Event-ID": frames[1]["id"]}
        async with run.session.get(f"{run.url}/v1/streams/{stream}", headers=headers) as again:
            rest = shown(await again.text())
    assert [frame["id"] for frame in frames[2:]] == [frame["id"] for frame in rest]
    assert raw_of(frames) == raw_of(rest)
    assert [frame["source"] for frame in frames[2:]] == [frame["source"] for frame in rest]


async def test_what_is_shown_of_a_large_piece_and_kept_of_many_is_bounded() -> None:
    async def large(peer: Peer) -> None:
        peer.write(CHUNKED)
        for _ in range(8):
            peer.send(delta("x" * 100_000))
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with proxied(["far"], {"far": Far(large)}, **KEPT) as run:
        frames = await look(run)
        stream = frames[0]["event"]["stream"]
        async with run.session.get(f"{run.url}/v1/streams/{stream}", headers=LOOKS) as again:
            late = shown(await again.text())
    pieces = [base64.b64decode(frame["out"]) for frame in frames]
    assert SHOWN_BYTES == max(map(len, pieces))
    assert 100_000 < max(frame["size"] for frame in frames)
    assert KEPT_BYTES >= len(raw_of(late))
    assert 8 == len([frame for frame in frames if frame["event"]["type"] == "text.delta"])


async def test_an_upstreams_secret_is_hidden_in_its_bytes() -> None:
    far = Far(says("the key sk-secret-of-the-vendor is yours"))
    upstream = {"api_key": "sk-secret-of-the-vendor"}
    async with proxied(["far"], {"far": far}, upstream) as run:
        frames = await look(run)
    assert b"sk-secret" not in raw_of(frames)
    assert b"the key " in raw_of(frames)


async def test_another_origins_page_may_not_look_and_a_page_of_our_own_may() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, cors={"allow_origins": ["*"]}) as run:
        for origin, expected in (("https://evil.example", 403), (run.url, 200)):
            headers = {**LOOKS, "Origin": origin}
            async with run.session.post(
                f"{run.url}/v1/stream", json=BODY, headers=headers
            ) as response:
                assert expected == response.status


async def test_a_stream_of_another_key_is_not_shown() -> None:
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in ("a", "b")
    ]
    async with proxied(["far"], {"far": Far(says("Hello"))}, auth={"keys": keys}, **KEPT) as run:
        frames = await look(run, json=BODY, headers={"authorization": "Bearer a"})
        url = f"{run.url}/v1/streams/{frames[0]['event']['stream']}"
        for key, expected in (("a", 200), ("b", 404)):
            headers = {**LOOKS, "authorization": f"Bearer {key}"}
            async with run.session.get(url, headers=headers) as response:
                assert expected == response.status


@pytest.mark.parametrize(
    ("server", "on"),
    [
        ({}, True),
        ({"playground": False}, False),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "playground": True}, True),
    ],
)
async def test_the_page_is_where_it_is_chosen_and_on_loopback(
    server: dict[str, Any], *, on: bool
) -> None:
    """Without it there is neither its page nor its files nor the microscope, but still the client
    module."""
    async with running({**embedded(), "server": server, "auth": "none"}) as run:
        url = run.url.replace("0.0.0.0", "127.0.0.1")

        async def status(path: str) -> int:
            async with run.session.get(f"{url}{path}") as response:
                return response.status

        async with run.session.get(url) as front:
            assert on == (await front.text()).startswith("<!doctype html>")
        page = 200 if on else 404
        assert [page, page, 200] == [
            await status(path)
            for path in ("/web/playground/app.js", "/playground/about", "/web/client.js")
        ]
        async with run.session.post(f"{url}/v1/stream", json=BODY, headers=LOOKS) as looked:
            assert (200 if on else 403) == looked.status


async def test_the_page_is_told_what_there_is() -> None:
    async with (
        running(embedded()) as run,
        run.session.get(f"{run.url}/playground/about") as response,
    ):
        told = await response.json()
        assert "Access-Control-Allow-Origin" not in response.headers
    assert {"name": "anthropic", "upstreams": ["mock-anthropic"], "played": True} in told["models"]
    assert "Thinking, then the answer." == told["scenarios"]["reasoning"]["en"]
    assert {"cut@5", "slow:500", "huge_event@5:2097152"} < set(told["faults"])
    assert (False, False) == (told["key_wanted"], told["resume"])


async def test_each_dialects_example_is_a_good_request_of_its_clients() -> None:
    """As the page fills it in. It is answered in that dialect, by what was asked."""
    words = "river {model} delta"
    async with running(embedded()) as run:
        async with run.session.get(f"{run.url}/playground/about") as response:
            dialects = (await response.json())["dialects"]
        assert list(CLIENTS) == [row["name"] for row in dialects]
        for row in dialects:
            values = {"model": row["name"], "prompt": words}
            url = f"{run.url}{filled(row['path'], values)}"
            body = filled(row["body"], values)
            headers = {"x-mock-scenario": "echo", **FAST, **LOOKS}
            async with run.session.post(url, json=body, headers=headers) as response:
                assert 200 == response.status, await response.text()
                frames = shown(await response.text())
            start = frames[0]["event"]
            assert row["name"] == start["model"]
            said = "".join(frame["event"].get("text", "") for frame in frames)
            assert words == said


def filled(part: Any, values: dict[str, str]) -> Any:
    if isinstance(part, str):
        return re.sub(r"\{(model|prompt)\}", lambda found: values[found[1]], part)
    if isinstance(part, list):
        return [filled(each, values) for each in part]
    if isinstance(part, dict):
        return {name: filled(value, values) for name, value in part.items()}
    return part


async def test_real_vendors_are_not_said_to_play_anything() -> None:
    async with (
        proxied(["far"], {"far": Far(says("Hello"))}) as run,
        run.session.get(f"{run.url}/playground/about") as response,
    ):
        told = await response.json()
    assert [{"name": "m", "upstreams": ["far"], "played": False}] == told["models"]
    assert "scenarios" not in told


async def test_without_a_good_key_only_that_one_is_wanted_is_told() -> None:
    key = {"name": "a", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), "models": ["native"]}
    async with running({**embedded(), "auth": {"keys": [key]}}) as run:

        async def told(**headers: str) -> dict[str, Any]:
            async with run.session.get(f"{run.url}/playground/about", headers=headers) as response:
                assert 200 == response.status
                found: dict[str, Any] = await response.json()
                return found

        nobody, wrong = await told(), await told(authorization="Bearer wrong")
        known = await told(authorization=f"Bearer {KEY}")
    assert (True, [], None) == (nobody["key_wanted"], nobody["models"], nobody["refused"])
    assert (True, []) == (wrong["key_wanted"], wrong["models"])
    assert wrong["refused"]
    assert ["native"] == [model["name"] for model in known["models"]]

"""Requests of very many small values, through the whole proxy: what reads them is no part of the
event loop, and its end is no end of the proxy."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.cli.test_workers import runs
from tests.cli.tools import started, until
from tests.running import Running, running

MOCKED = {
    "upstreams": {
        "chat": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}},
        "claude": {"dialect": "anthropic", "mock": {"tokens_per_s": 0}},
    },
    "models": {"m": [{"upstream": "chat"}], "c": [{"upstream": "claude"}]},
}
TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}] * 900
MESSAGES = [*TURNS, {"role": "user", "content": "last"}]


def children(pid: int) -> list[int]:
    """Of all its threads, of which one may end meanwhile."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return found


async def posted(run: Running, path: str, body: Any) -> tuple[int, Any]:
    async with run.session.post(f"{run.url}{path}", json=body) as response:
        return response.status, await response.json()


async def until_read_apart(run: Running) -> int:
    """The process that reads them, once it does."""
    dear = run.process.gateway.dear
    assert dear is not None
    async with asyncio.timeout(20):
        while dear.pid is None:
            assert 404 == (await posted(run, "/v1/stream", {"model": "x", "messages": MESSAGES}))[0]
    return dear.pid


async def test_they_are_answered_as_all_others() -> None:
    async with running(MOCKED) as run:
        await until_read_apart(run)
        body = {"model": "m", "messages": MESSAGES, "stream": False}
        for path in ("/v1/stream", "/v1/chat/completions"):
            assert 200 == (await posted(run, path, body))[0]
            newest = next(iter(run.mock.account.newest()))
            assert MESSAGES == newest["body"]["messages"]
        status, counted = await posted(
            run, "/v1/messages/count_tokens", {"model": "c", "messages": MESSAGES}
        )
        assert (200, True) == (status, counted["input_tokens"] > 0)


async def test_one_is_refused_in_the_words_of_its_dialect() -> None:
    async with running(MOCKED) as run:
        await until_read_apart(run)
        wrong = {"model": "m", "messages": [*MESSAGES, {"role": 1}]}
        status, said = await posted(run, "/v1/chat/completions", wrong)
        assert (400, "invalid_request_error") == (status, said["error"]["type"])
        status, said = await posted(run, "/v1/messages", {**wrong, "max_tokens": 5})
        assert (400, "error") == (status, said["type"])


async def test_where_the_reader_dies_over_one_it_alone_fails() -> None:
    async with running(MOCKED) as run:
        os.kill(await until_read_apart(run), signal.SIGKILL)
        body = {"model": "m", "messages": MESSAGES, "stream": False}
        first, second = [(await posted(run, "/v1/stream", body))[0] for _ in range(2)]
        assert (503, 200) == (first, second)


async def test_an_answer_that_breaks_off_is_gone_on_with() -> None:
    """Whoever goes on with it needs the conversation here."""
    model = {
        "targets": [{"upstream": "chat"}, {"upstream": "claude"}],
        "continue_after_commit": True,
    }
    async with running({**MOCKED, "models": {"m": model}}) as run:
        asked = {"model": "m", "messages": MESSAGES}
        headers = {"x-mock-fault": "cut@5"}
        async with run.session.post(f"{run.url}/v1/stream", json=asked, headers=headers) as answer:
            assert "continued" in await answer.text()


async def test_a_kept_response_goes_on_from_one() -> None:
    config = {**MOCKED, "streams": {"resume": {}}}
    async with running(config) as run:
        await until_read_apart(run)
        items = [{"role": "user", "content": "a"}] * 2000
        status, first = await posted(run, "/v1/responses", {"model": "m", "input": items})
        assert 200 == status
        more = {"model": "m", "input": "and?", "previous_response_id": first["id"]}
        assert 200 == (await posted(run, "/v1/responses", more))[0]
        newest = next(iter(run.mock.account.newest()))
        assert 2002 == len(newest["body"]["messages"])


async def test_the_reader_is_not_left_behind(tmp_path: Path) -> None:
    file = tmp_path / "mainstem.yaml"
    file.write_text(json.dumps({"server": {"port": 0}, **MOCKED}))
    async with started("serve", "--config", str(file), last="mock") as proxy:
        pid = proxy.process.pid
        url = proxy.url

        async def read_apart() -> bool:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(*_place(url))
                body = json.dumps({"model": "x", "messages": MESSAGES}).encode()
                writer.write(
                    b"POST /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
                )
                await reader.read()
                writer.close()
            return bool(children(pid))

        await until(read_apart)
        (child,) = children(pid)
        proxy.process.kill()
        await proxy.process.wait()

        async def gone() -> bool:
            return not runs(child)

        await until(gone)


def _place(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port.strip("/"))

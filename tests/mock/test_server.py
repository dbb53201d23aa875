"""The mock over real HTTP: its routes, what requests may choose, and its account."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from proxy.dialects.registry import CLIENTS
from proxy.mock.alone import run
from proxy.mock.compose import MockSpec
from proxy.mock.manual import greeting
from proxy.mock.script import MockError
from proxy.mock.server import MockServer
from tests.mock.wire import PLAIN, ask, connect, newest


@pytest.fixture
async def mock(tmp_path: Path) -> AsyncIterator[MockServer]:
    """One mock named demo of the plain dialect, as fast as can be, with a folder of scripts."""
    server = MockServer(
        {"demo": MockSpec("plain", "hello", 0), "gpt": MockSpec("openai_chat", "hello", 0)},
        scripts=tmp_path,
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def every() -> AsyncIterator[MockServer]:
    """Stand-alone: every dialect on its own paths."""
    server = MockServer({}, every_dialect=True)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_mock_answers_at_its_prefix(mock: MockServer, http: aiohttp.ClientSession):
    """Any path below it, so that a vendor's path can be appended with or without /v1."""
    question = {"model": "gpt-x", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    for path in ("/chat/completions", "/v1/chat/completions", "/whatever", ""):
        async with http.post(mock.base_url("gpt") + path, json=question) as response:
            assert (200, "text/event-stream") == (response.status, response.content_type)
            assert b"data: [DONE]\n\n" in await response.read()


async def test_stream_false_gives_one_document(mock: MockServer, http: aiohttp.ClientSession):
    """Folded from the same events."""
    question = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hi"}]}
    async with http.post(mock.base_url("gpt") + "/chat/completions", json=question) as response:
        document = await response.json()
    assert (
        "Hello! I am gpt-x, played by a mock, one token at a time. You said: Hi"
        == document["choices"][0]["message"]["content"]
    )


async def test_a_get_is_answered_too(mock: MockServer, http: aiohttp.ClientSession):
    """An EventSource can only GET, and has no headers: query parameters choose."""
    async with http.get(
        mock.base_url("demo") + "/data", params={"prompt": "one two", "x-mock-scenario": "echo"}
    ) as response:
        assert b"data: one\n" in await response.read()
    assert "echo" == mock.account.newest(1)[0]["scenario"]
    assert {"prompt": "one two"} == mock.account.newest(1)[0]["query"]


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"x-mock-fault": "cutt@3"}, "there is no fault 'cutt' (did you mean \"cut\"?)"),
        (
            {"x-mock-scenario": "helo"},
            "there is no scenario 'helo' (did you mean \"hello\"?); the scenarios are hello, echo,",
        ),
        ({"x-mock-tokens-per-s": "fast"}, "x-mock-tokens-per-s must be a number from 0"),
        ({"x-mock-chars-per-s": "-1"}, "x-mock-chars-per-s must be a number from 0"),
        ({"x-mock-scenario": "../secret.yaml"}, "lies outside the folder of scripts"),
        ({"x-mock-scenario": "gone.yaml"}, "cannot be read (No such file or directory)"),
    ],
)
async def test_a_bad_choice_is_a_400_in_the_vendors_shape(
    mock: MockServer, http: aiohttp.ClientSession, headers: dict[str, str], says: str
):
    """One sentence with the fix."""
    async with http.post(mock.base_url("demo"), json=PLAIN, headers=headers) as response:
        assert 400 == response.status
        assert says in (await response.json())["detail"]


async def test_a_bad_request_is_a_400_in_the_vendors_shape(
    mock: MockServer, http: aiohttp.ClientSession
):
    """The dialect's own parser refuses, and the account has it."""
    async with http.post(mock.base_url("gpt"), data=b"{") as response:
        assert 400 == response.status
        assert "error" in await response.json()
    assert 400 == (await newest(mock))["status"]


async def test_files_are_played(mock: MockServer, http: aiohttp.ClientSession, tmp_path: Path):
    """A request may name a script below the folder that the mock was given, and nothing else."""
    (tmp_path / "busy.yaml").write_text(
        "- status: {code: 503, headers: {x-busy: very}}\n- send: {json: {busy: true}}\n"
    )
    async with http.post(
        mock.base_url("demo"), json=PLAIN, headers={"x-mock-scenario": "busy.yaml"}
    ) as response:
        assert (503, "very", b'{"busy":true}') == (
            response.status,
            response.headers["x-busy"],
            await response.read(),
        )
    closed = MockServer({"demo": MockSpec("plain")})
    await closed.start()
    async with http.post(
        closed.base_url("demo"),
        json=PLAIN,
        headers={"x-mock-scenario": str(tmp_path / "busy.yaml")},
    ) as response:
        assert 400 == response.status
        assert "no folder was given" in (await response.json())["detail"]
    await closed.stop()


async def test_a_configured_file_may_be_anywhere(http: aiohttp.ClientSession, tmp_path: Path):
    """Who writes the config may name any file, and edit it while the mock runs."""
    path = tmp_path / "one.yaml"
    path.write_text("- send: one")
    server = MockServer({"demo": MockSpec("plain", str(path))})
    await server.start()
    for text in ("one", "two"):
        path.write_text(f"- send: {text}")
        async with http.post(server.base_url("demo"), json=PLAIN) as response:
            assert text == await response.text()
    await server.stop()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            MockSpec("opena_chat"),
            "mock demo: no dialect 'opena_chat' can be played (did you mean \"openai_chat\"?); the dialects are",
        ),
        (MockSpec("plain", "helo"), "mock demo: there is no scenario 'helo'"),
        (MockSpec("plain", fault="cut@"), "mock demo: fault 'cut@' cannot be read"),
        (MockSpec("plain", "gone.yaml"), "mock demo: gone.yaml: cannot be read"),
    ],
)
def test_a_mock_that_cannot_be_played_is_refused_at_once(spec: MockSpec, says: str):
    """When the server is made, not when it is first asked."""
    with pytest.raises(MockError) as caught:
        MockServer({"demo": spec})
    assert says in str(caught.value)


async def test_the_account(mock: MockServer, http: aiohttp.ClientSession):
    """What was asked, by whom, and what became of it; secrets are left out."""
    headers = {"authorization": "Bearer secret", "x-mock-fault": "bytewise"}
    async with http.post(
        mock.base_url("demo") + "/data?key=k", json=PLAIN, headers=headers
    ) as response:
        body = await response.read()
    await newest(mock)
    async with http.get(mock.address + "/mock/requests", params={"limit": "1"}) as response:
        (row,) = await response.json()
    assert {
        "dialect": "plain",
        "upstream": "demo",
        "method": "POST",
        "path": "/demo/data",
        "query": {"key": "redacted (1 characters)"},
        "body": PLAIN,
        "scenario": "hello",
        "fault": "bytewise",
        "status": 200,
        "ended": "complete",
        "open": False,
        "gone_after_ms": None,
        "bytes_sent": len(body),
    }.items() <= row.items()
    assert "redacted (13 characters)" == row["headers"]["authorization"]
    assert 15 < row["frames_sent"] < 35


async def test_the_account_is_cleared_and_limited(mock: MockServer, http: aiohttp.ClientSession):
    """DELETE forgets; a limit that is none is a sentence."""
    for _ in range(3):
        async with http.post(mock.base_url("demo"), json=PLAIN) as response:
            await response.read()
    url = mock.address + "/mock/requests"
    async with http.get(url, params={"limit": "2"}) as response:
        assert ["mock-3", "mock-2"] == [row["id"] for row in await response.json()]
    async with http.get(url, params={"limit": "many"}) as response:
        assert (400, "limit must be a number from 0 to 2000, not 'many'") == (
            response.status,
            (await response.json())["error"],
        )
    async with http.delete(url) as response:
        assert 204 == response.status
    async with http.get(url) as response:
        assert [] == await response.json()


@pytest.mark.parametrize("fault", ["stall@2", "first_event_delay:60", "delay:60"])
async def test_a_hang_up_is_noticed_while_nothing_is_sent(mock: MockServer, fault: str):
    """In a pause, in a stall, and even before the headers."""
    _, writer = await connect(mock.address, "/demo/data", PLAIN, {"x-mock-fault": fault})
    assert (await newest(mock, still_open=True))["open"]
    writer.close()
    row = await newest(mock)
    assert "client_gone" == row["ended"]
    assert isinstance(row["gone_after_ms"], float)


async def test_a_hang_up_is_noticed_while_all_is_sent(mock: MockServer):
    """As fast as can be, to a client that reads nothing and leaves."""
    headers = {"x-mock-fault": "huge_event:60000000", "x-mock-scenario": "long"}
    reader, writer = await connect(mock.address, "/demo/data", PLAIN, headers)
    await reader.read(1)
    writer.transport.abort()
    assert "client_gone" == (await newest(mock))["ended"]


async def test_stopping_cuts_what_is_played():
    """An answer that would never end does not hold the server up."""
    server = MockServer({"demo": MockSpec("plain", fault="stall@0")})
    base = await server.start()
    reader, writer = await connect(base, "/demo", PLAIN)
    await reader.readuntil(b"\r\n\r\n")
    await server.stop()
    assert "stopped" == server.account.newest(1)[0]["ended"]
    writer.close()
    await server.stop()


async def test_hundreds_of_streams_at_once(mock: MockServer):
    """All complete, each with its own answer."""
    seen = await asyncio.gather(
        *(
            ask(mock.address, "/demo", {"prompt": f"number {n}"}, {"x-mock-scenario": "echo"})
            for n in range(300)
        )
    )
    assert all(answer.whole for answer in seen)
    assert 300 == len({answer.body.split(b"\nid", 2)[1] for answer in seen})
    assert 300 == len(
        {row for answer in seen for row in answer.body.split(b"\n") if row.startswith(b"data:  ")}
    )


async def test_what_is_not_mocked(mock: MockServer, http: aiohttp.ClientSession):
    """A 404 that names the near one and all there are; models are listed below each."""
    async with http.post(mock.address + "/dem/data", json=PLAIN) as response:
        assert (404, 'nothing is mocked at /dem (did you mean "demo"?); mocks: /demo, /gpt') == (
            response.status,
            (await response.json())["error"],
        )
    async with http.get(mock.base_url("gpt") + "/v1/models") as response:
        assert ["mock"] == [row["id"] for row in (await response.json())["data"]]


def test_base_urls_are_addresses_only_when_started():
    """Asking before is a defect of the caller."""
    with pytest.raises(AssertionError):
        MockServer({}).base_url("demo")


async def test_any_page_may_call_a_mock_but_not_read_its_account(
    mock: MockServer, http: aiohttp.ClientSession
):
    """CORS is open for answers and preflights, and closed for the account."""
    async with http.post(
        mock.base_url("demo"), json=PLAIN, headers={"origin": "http://page"}
    ) as response:
        assert "*" == response.headers["access-control-allow-origin"]
    async with http.options(
        mock.base_url("demo"), headers={"access-control-request-headers": "x-a,x-b"}
    ) as response:
        assert (204, "*", "x-a,x-b") == (
            response.status,
            response.headers["access-control-allow-origin"],
            response.headers["access-control-allow-headers"],
        )
    async with http.get(mock.address + "/mock/requests") as response:
        assert "access-control-allow-origin" not in response.headers


async def test_every_dialect_is_at_its_own_path_and_prefix(
    every: MockServer, http: aiohttp.ClientSession
):
    """What a bare GET of an unknown mock answers does not matter; each own path must be known."""
    for dialect, client in CLIENTS.items():
        for route in client.routes:
            if "{" in route.path:
                continue
            for prefix in ("", f"/{dialect}"):
                async with http.request(
                    route.method, every.address + prefix + route.path, data=b"?"
                ) as response:
                    assert 404 != response.status, (dialect, route)
    asked = {row["dialect"] for row in every.account.newest()}
    fixed = {
        dialect
        for dialect, client in CLIENTS.items()
        if any("{" not in route.path for route in client.routes)
    }
    assert fixed - {"sider", "chatglm"} <= asked | {"sider", "chatglm"}


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (PLAIN, "plain"),
        ({"query": "Hi", "history": [], "data": []}, "chatglm"),
        (
            {
                "prompt": "Hi",
                "stream": True,
                "app_name": "a",
                "app_version": "1",
                "tz_name": "UTC",
                "cid": "",
                "model": "m",
                "from": "ask",
            },
            "sider",
        ),
    ],
)
async def test_the_shared_path_is_told_apart_by_the_body(
    every: MockServer, http: aiohttp.ClientSession, body: object, dialect: str
):
    """POST /data is plain, chatglm or sider."""
    async with http.post(
        every.address + "/data", json=body, headers={"x-mock-tokens-per-s": "0"}
    ) as response:
        assert 200 == response.status
        await response.read()
    assert dialect == every.account.newest(1)[0]["dialect"]


async def test_the_front_page_lists_everything(every: MockServer, http: aiohttp.ClientSession):
    """Paths, scenarios, faults."""
    async with http.get(every.address + "/") as response:
        text = await response.text()
    for part in (
        "POST /data",
        "/plain/...",
        "tool_then_answer",
        "error_429",
        "cut@n",
        "Every byte in its own write.",
        "/mock/requests",
    ):
        assert part in text


async def test_run_prints_where_it_is_and_stops(capsys: pytest.CaptureFixture[str]):
    """The printed curl line is one that works; cancelling it stops it."""
    task = asyncio.create_task(run(MockServer({}, every_dialect=True), "127.0.0.1", 0, greeting))
    text = ""
    while "curl -N" not in text:
        await asyncio.sleep(0.005)
        text += capsys.readouterr().out
    line = next(line for line in text.splitlines() if "curl -N" in line)
    url, body = line.split("curl -N ")[1].split(" ")[0], line.split("-d '")[1].removesuffix("'")
    seen = await ask(
        url.removesuffix("/v1/chat/completions"),
        "/v1/chat/completions",
        json.loads(body),
        {"x-mock-tokens-per-s": "0"},
    )
    assert b"data: [DONE]" in seen.body
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

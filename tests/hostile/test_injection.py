"""Line ends, NUL and the like in everything that a client can say: they break no frame, no header
and no line of the log."""

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
import structlog

from proxy.dialects.registry import CLIENTS
from proxy.observe import logs
from tests.hostile.wire import Got, exchange
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running
from tests.samples import ASKED

pytestmark = pytest.mark.asyncio(loop_scope="module")
TELL = "X-Evil: 1"
# Each is to be a line, a header, a frame or an answer of its own; the mark in it tells where it
# came out.
HOSTILE = {
    "line ends": f"a\r\n{TELL}\r\n\r\n<p>{TELL}\r\n\r\n",
    "line feeds": f"a\n{TELL}\n\ndata: {TELL}\n\n",
    "carriage returns": f"a\r{TELL}\r\rdata: {TELL}\r\r",
    "NUL": f"a\x00{TELL}\x00",
    "separators": f"a\u2028{TELL}\u2029\x85{TELL}\x0b\x0c",
    "escapes": f"a\x1b[2K\x1b[1A{TELL}\x08\x7f",
    "a frame": f'"}}\n\nevent: error\ndata: {{"x":"{TELL}"}}\n\n: {TELL}',
}
BENIGN = "benign"


class Scene:
    """The proxy, and what its upstream was sent: heads and bodies."""

    def __init__(self, run: Running, log: io.StringIO) -> None:
        self.run = run
        self.log = log
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    async def play(self, peer: Peer) -> None:
        self.heads.append(await peer.request())
        self.bodies.append(peer.body)
        peer.write(CHUNKED)
        peer.send(b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n')
        peer.send(
            b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        )
        peer.write(LAST_CHUNK)


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    """What the proxy logs, as JSON."""
    before, handlers, level = (
        structlog.get_config(),
        list(logging.getLogger().handlers),
        logging.getLogger().level,
    )
    out = io.StringIO()
    logs.configure("json", "info", out)
    yield out
    structlog.configure(**before)
    logging.captureWarnings(False)
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(log: io.StringIO) -> AsyncIterator[Scene]:
    scene: Scene | None = None

    async def script(peer: Peer) -> None:
        assert scene is not None
        await scene.play(peer)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        scene = Scene(run, log)
        yield scene


@pytest.fixture(autouse=True)
def _afresh(scene: Scene) -> None:
    scene.heads.clear()
    scene.bodies.clear()
    scene.log.seek(0)
    scene.log.truncate()


def post(path: str, body: Any, **fields: str) -> bytes:
    data = json.dumps(body).encode()
    given = {
        "Host": "x",
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
        "Connection": "close",
    }
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogateescape") + data


def shape(got: Got) -> tuple[list[bytes], list[bytes]]:
    """The names of the headers, and what stands in the body's lines before their values."""
    head, _, body = got.data.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")]
    if b"transfer-encoding: chunked" in head.lower():
        body = b"".join(body.split(b"\r\n")[1::2])
    return names, [line.partition(b":")[0][:12] for line in re.split(rb"\r\n|\r|\n", body)]


def planted(value: Any, text: str) -> Any:
    """The body with the text behind everything that a client may choose freely."""
    free = {
        "model",
        "content",
        "text",
        "name",
        "id",
        "user",
        "system",
        "prompt",
        "query",
        "tool_call_id",
        "tool_use_id",
        "toolCallId",
        "call_id",
    }
    if isinstance(value, dict):
        return {
            key: inner + text if key in free and isinstance(inner, str) else planted(inner, text)
            for key, inner in value.items()
        }
    return [planted(inner, text) for inner in value] if isinstance(value, list) else value


def check_log(scene: Scene, requests: int) -> None:
    lines = scene.log.getvalue().splitlines(keepends=True)
    assert (
        requests
        == len([line for line in lines if json.loads(line)["event"] == "stream"])
        == len(lines)
    )
    assert all(line.endswith("\n") and line.isascii() and line[:-1].isprintable() for line in lines)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("dialect", CLIENTS)
async def test_what_a_body_says_breaks_nothing(
    scene: Scene, dialect: str, text: str, stream: bool
) -> None:
    """The answer has as many lines, and the same headers, as that to a request which says nothing
    odd."""
    shapes = []
    for said in (BENIGN, HOSTILE[text]):
        path = ASKED[dialect].path
        if dialect == "gemini":
            method = "streamGenerateContent" if stream else "generateContent"
            path = f"/v1beta/models/m{quote(said, safe='')}:{method}"
        got = await exchange(
            scene.run.url,
            [
                post(
                    path,
                    {
                        **planted(ASKED[dialect].body, said),
                        **({} if dialect == "gemini" else {"stream": stream}),
                    },
                )
            ],
        )
        assert 1 == len(got.statuses)
        shapes.append((got.statuses, *shape(got)))
    if dialect == "gemini" and "\n" in HOSTILE[text]:  # no path that leads anywhere
        assert ([404], 1) == (shapes[1][0], len(shapes[1][2]))
        return
    assert shapes[0] == shapes[1]
    assert all(b"\n" not in body.strip() for body in scene.bodies)
    assert all(TELL.encode() not in head for head in scene.heads)
    check_log(scene, 2)


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_a_query_says_breaks_nothing(scene: Scene, text: str) -> None:
    said = quote(HOSTILE[text], safe="")
    for query in (
        f"model={said}&prompt=hi",
        f"model=m&prompt={said}",
        f"model=m&prompt=hi&system={said}",
        f"{said}=1&model=m&prompt=hi",
        f"model=m&prompt=hi&key={said}",
        f"model=m&prompt=hi&x-mock-scenario={said}",
    ):
        got = await exchange(
            scene.run.url,
            [
                f"GET /v1/stream?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            ],
        )
        names, lines = shape(got)
        assert 1 == len(got.statuses)
        assert b"x-evil" not in names
        assert {b"id", b"data", b""} >= set(lines) or (got.statuses == [400] and 1 == len(lines))
    assert all(TELL.encode() not in head for head in scene.heads)
    check_log(scene, 6)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "path",
    ["/{}", "/v1/{}", "/v1/stream/{}", "/api/{}", "/v1beta/models/{}:generateContent", "/web/{}"],
)
async def test_what_a_path_says_breaks_nothing(scene: Scene, path: str, text: str) -> None:
    got = await exchange(scene.run.url, [post(path.format(quote(HOSTILE[text], safe="")), {})])
    names, lines = shape(got)
    assert (1, 1) == (len(got.statuses), len(lines))
    assert b"x-evil" not in names


# What the parser lets through in a header: anything but line ends and NUL.
ODD = [
    "\x01x",
    "a\tb",
    "\x7f",
    "\x1b[31m",
    "caf\udce9",
    "\udcff\udcfe",
    "\u4f60\u597d",
    '"}{',
    "a, b; c=d",
    "x" * 5000,
]


@pytest.mark.parametrize("value", ODD, ids=[repr(value)[:20] for value in ODD])
@pytest.mark.parametrize(
    "name",
    ["x_request_id", "origin", "cookie", "authorization", "x_api_key", "x_mock_scenario", "x_mock_fault", "anthropic_beta", "user_agent", "accept",
     "x_mainstem_on_disconnect", "access_control_request_headers", "referer", "content_type"],
)  # fmt: skip
async def test_what_a_header_says_breaks_nothing(scene: Scene, name: str, value: str) -> None:
    """A value that no parser takes is a 400; any other comes back nowhere but in a text of JSON."""
    shapes = []
    for said in ("benign", value):
        got = await exchange(
            scene.run.url, [post("/v1/stream", {"model": "m", "prompt": "hi"}, **{name: said})]
        )
        assert 1 == len(got.statuses)
        shapes.append((got.statuses, *shape(got)))
        head = got.data.partition(b"\r\n\r\n")[0]
        assert all(32 <= byte < 127 or byte in b"\r\n" for byte in head)
    assert shapes[0] == shapes[1] or [400] == shapes[1][0]
    assert all(32 <= byte < 127 or byte in b"\r\n" for head in scene.heads for byte in head)
    lines = scene.log.getvalue().splitlines()
    assert all(
        json.loads(line)["event"] == "stream" and line.isascii() and line.isprintable()
        for line in lines
    )


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_a_preflight_asks_for_breaks_nothing(scene: Scene, text: str) -> None:
    said = re.sub(r"[\r\n\0]", " ", HOSTILE[text])
    asked = "OPTIONS /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
    got = await exchange(
        scene.run.url, [f"{asked}Access-Control-Request-Headers: {said}\r\n\r\n".encode()]
    )
    names, _ = shape(got)
    assert 1 == len(got.statuses)
    assert b"x-evil" not in names
    assert all(32 <= byte < 127 or byte in b"\r\n" for byte in got.data.partition(b"\r\n\r\n")[0])


async def test_what_a_wish_for_the_mock_says_breaks_nothing() -> None:
    """A mock is asked for by headers or in the query, and says what it does not know."""
    mocked = {
        "upstreams": {"far": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
        "models": {"*": [{"upstream": "far"}]},
    }
    async with running(mocked) as run:
        for name in ("x-mock-scenario", "x-mock-fault", "x-mock-tokens-per-s", "x-mock-nothing"):
            asked = [
                post("/v1/stream", {"model": "m", "prompt": "hi"}, **{name: value}) for value in ODD
            ]
            for said in (*HOSTILE.values(), *ODD):
                query = f"model=m&prompt=hi&{name}={quote(said, safe='', errors='surrogateescape')}"
                asked.append(
                    f"GET /v1/stream?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
                )
            for request in asked:
                got = await exchange(run.url, [request])
                names, lines = shape(got)
                assert 1 == len(got.statuses)
                assert got.statuses[0] != 500
                assert b"x-evil" not in names
                assert {b"id", b"data", b""} >= set(lines) or (
                    got.statuses[0] >= 400 and 1 == len(lines)
                )

"""Requests that two readers could read in two ways, sent to the proxy itself: one clean refusal and
the end, or one right answer."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.hostile.cases import BODY, CASES, HIDDEN, Case, whole
from tests.hostile.wire import exchange, models, place, prompts
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running

pytestmark = pytest.mark.asyncio(loop_scope="module")
MOCKED = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "far"}]},
}
LAST = whole(b"Connection: close\r\n").replace(b"seen", b"last")
HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run() -> AsyncIterator[Running]:
    async with running(MOCKED) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _no_account(run: Running) -> None:
    run.mock.account.clear()


def cut(data: bytes) -> list[bytes]:
    """The head, the beginning of what follows, and the rest: a fault may come when the request is
    in service already."""
    at = data.find(b"\r\n\r\n") + 4
    return [piece for piece in (data[:at], data[at : at + 9], data[at + 9 :]) if piece]


@pytest.mark.parametrize("pieces", [lambda data: [data], cut], ids=["at once", "in pieces"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_each_is_refused_or_answered_once(run: Running, case: Case, pieces) -> None:
    got = await exchange(run.url, pieces(case.data), then=LAST)
    asked = models(await prompts(run.url))
    if case.runs:
        assert {200} == set(got.statuses)
        assert ["last", "seen"][-len(got.statuses) :] == asked
    else:
        assert ([], 1) == (asked, len(got.statuses)), got.data
        assert 400 <= got.statuses[0] < 500
        assert b"aiohttp" not in got.data


async def test_a_refusal_is_in_our_shape_and_repeats_nothing_that_was_sent(run: Running) -> None:
    got = await exchange(run.url, [whole(b"X-Secret : sk-0123456789\r\n")])
    head, _, body = got.data.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert ("bad_request", 400) == (error["kind"], error["status"])
    assert b"application/json" in head
    assert b"sk-0123456789" not in got.data


@pytest.mark.parametrize(
    "line", [b"X-A : b\r\n", b"X-A: " + b"a" * 70_000], ids=["no HTTP", "too large"]
)
async def test_a_client_that_goes_on_sending_reads_why_it_was_refused(
    run: Running, line: bytes
) -> None:
    """Closed at once, with bytes that nobody has read, its connection would be reset, and the
    answer lost on the way."""
    reader, writer = await asyncio.open_connection(*place(run.url))
    writer.write(b"POST /v1/stream HTTP/1.1\r\nHost: localhost\r\n" + line)
    for _ in range(5):
        await asyncio.sleep(0.02)
        writer.write(b"x" * 10_000)
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ")[1] in (b"400", b"431")
    assert b'{"error":{"kind":' in answer


@pytest.mark.parametrize(
    "request_line",
    [b"GET /v1/stream?model=seen&prompt=hi", b"GET /v1/stream?model=seen&prompt=hi HTTP/0.9"],
)
async def test_http_0_9_runs_nothing(run: Running, request_line: bytes) -> None:
    got = await exchange(
        run.url,
        [
            request_line + b"\r\nHost: localhost\r\n\r\n"
            if request_line.endswith(b"9")
            else request_line + b"\r\n\r\n"
        ],
    )
    assert [] == await prompts(run.url)
    assert b" 400 " in got.data.split(b"\r\n")[0]


async def test_a_request_that_is_hidden_in_a_body_is_a_part_of_it(run: Running) -> None:
    head = (
        whole()
        .partition(b"\r\n\r\n")[0]
        .replace(b" %d" % len(BODY), b" %d" % (len(BODY) + len(HIDDEN)))
    )
    got = await exchange(
        run.url, [head + b"\r\n\r\n" + BODY + HIDDEN + whole(b"Connection: close\r\n")]
    )
    assert ([400, 200], ["seen"]) == (got.statuses, models(await prompts(run.url)))
    assert b"trailing characters" in got.data


async def test_a_request_behind_one_that_streams_waits_for_its_end(run: Running) -> None:
    """The second is sent while the first is at its beginning, and its upstream is not asked before
    the first has ended."""
    go_on, asked = asyncio.Event(), 0

    async def script(peer: Peer) -> None:
        nonlocal asked
        await peer.request()
        asked += 1
        number = asked
        peer.write(CHUNKED)
        peer.send(HELLO)
        if number == 1:
            await go_on.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as proxy:
        reader, writer = await asyncio.open_connection(*place(proxy.url))
        writer.write(whole())
        first = await reader.readuntil(b"text.delta")
        writer.write(LAST)
        # the second has been read by then
        async with proxy.session.get(f"{proxy.url}/livez") as response:
            assert 200 == response.status
        assert 1 == asked
        go_on.set()
        first += await reader.readuntil(b"0\r\n\r\n")
        assert (1, b"seen" in first, b"last" in first) == (
            first.count(b"HTTP/1.1 200"),
            True,
            False,
        )
        second = await reader.readuntil(b"0\r\n\r\n")
        assert (1, b"last" in second, b"seen" in second) == (
            second.count(b"HTTP/1.1 200"),
            True,
            False,
        )
        writer.close()


async def test_a_compressed_body_is_bounded_by_what_it_becomes(run: Running) -> None:
    """Ten kilobytes of it would be ten megabytes."""
    body = gzip.compress(b'{"prompt":"' + b"x" * 10_000_000 + b'"}')
    assert 20_000 > len(body)
    head = b"POST /v1/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\n"
    got = await exchange(run.url, [head + b"Content-Length: %d\r\n\r\n" % len(body) + body])
    assert ([413], []) == (got.statuses, await prompts(run.url))


async def test_nothing_of_a_broken_request_is_logged(
    run: Running, caplog: pytest.LogCaptureFixture
) -> None:
    for case in CASES:
        if not case.runs:
            await exchange(run.url, cut(case.data))
    assert [] == caplog.records

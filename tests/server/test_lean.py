"""While an answer streams, nothing is kept of its request that is not needed; and what its client
sends behind it is understood all the same."""

import asyncio
import gc

import pytest

from proxy.server.connection import Connection
from tests.running import running
from tests.server.test_listener import BODY, HEAD, WHOLE, Client, client

SLOWLY = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"tokens_per_s": 150}}},
    "models": {"*": [{"upstream": "far"}]},
}
BESIDE = b"X-Beside: not-to-be-kept-while-it-streams\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"


def connections() -> list[Connection]:
    return [found for found in gc.get_objects() if isinstance(found, Connection)]


async def send(asked: Client, cuts: list[bytes]) -> None:
    for cut in cuts:
        asked.writer.write(cut)
        await asyncio.sleep(0.02)


async def test_of_a_request_whose_answer_streams_no_head_no_parser_and_no_timer_is_kept():
    """Neither by its connection nor by anything else of aiohttp's."""
    gc.collect()
    before = connections()
    async with running(SLOWLY) as run, client(run) as asked:
        asked.writer.write(WHOLE.replace(b"\r\n\r\n", b"\r\n" + BESIDE, 1))
        await asked.reader.readuntil(b"text.delta")
        (connection,) = [
            found for found in connections() if found not in before and found.transport
        ]
        request = connection._current_request
        kept = [
            fields
            for fields in gc.get_objects()
            if isinstance(fields, list | tuple) and (b"X-Beside", BESIDE[10:-4]) in fields
        ]

        assert request is not None
        assert (None, None, None) == (
            connection._parser,
            connection._keepalive_handle,
            connection._timer,
        )
        assert 0 == len(request.headers) == len(request._message.headers)
        assert [] == kept
        assert (await asked.answer()).count(b"stream.end") == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param([WHOLE], [WHOLE], id="whole ones"),
        pytest.param([HEAD, BODY], [HEAD[:40], HEAD[40:] + BODY], id="heads and bodies apart"),
        pytest.param([HEAD[:50], HEAD[50:-1], HEAD[-1:] + BODY], [WHOLE], id="a head in three"),
        pytest.param([WHOLE + HEAD[:30]], [HEAD[30:] + BODY], id="half a head behind the first"),
        pytest.param([WHOLE + HEAD], [BODY], id="a head behind the first"),
        pytest.param([WHOLE + WHOLE], [], id="both at once"),
    ],
)
@pytest.mark.parametrize("during", [False, True], ids=["afterwards", "while it streams"])
async def test_what_comes_behind_a_request_is_the_next_one_however_it_is_cut(first, then, during):
    """The parser that was let go is made anew, or was kept where it had more than one request."""
    async with running(SLOWLY) as run, client(run) as asked:
        await send(asked, first)
        answers = await (asked.reader.readuntil(b"text.delta") if during else asked.answer())
        await send(asked, then)
        while answers.count(LAST_CHUNK) < 2:
            answers += await asked.answer()

    assert 2 == answers.count(b"HTTP/1.1 200 ") == answers.count(b"stream.end")

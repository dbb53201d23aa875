"""Who asks is known before what is asked is read. Every client here sends the head of a request and
no byte of its body: an answer can only have come by the head.
"""

import asyncio
import hashlib
from typing import Any

import pytest

from tests.hostile.wire import WAIT_S, place
from tests.running import Running, running
from tests.samples import ASKED

KEY = "a-key-for-tests"
MODELS = {
    "upstreams": {
        "up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 20, "scenario": "long"}}
    },
    "models": {"*": [{"upstream": "up"}]},
}
BODY = b'{"model":"m","prompt":"x"}'


def keyed(**key: Any) -> dict[str, Any]:
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    return {**MODELS, "auth": {"keys": [{"name": "k", "sha256": digest, **key}]}}


def head(path: str = "/v1/stream", **fields: str) -> bytes:
    """A head that promises a body."""
    given = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": "4000000",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def answered(run: Running, said: bytes) -> bytes:
    """The head of the answer."""
    reader, writer = await asyncio.open_connection(*place(run.url))
    writer.write(said)
    try:
        async with asyncio.timeout(WAIT_S):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


def status(answer: bytes) -> int:
    return int(answer.split()[1])


@pytest.mark.parametrize("path", sorted({asked.path for asked in ASKED.values()}))
async def test_a_stranger_is_refused_by_the_head_and_the_connection_closed(path: str) -> None:
    async with running(keyed()) as run:
        answer = await answered(run, head(path))
    assert status(answer) == 401
    assert b"connection: close" in answer.lower()


REFUSED: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "a wrong key": (keyed(), {"Authorization": "Bearer wrong"}, 401),
    "an expired key": (
        keyed(expires="2020-01-01T00:00:00Z"),
        {"Authorization": f"Bearer {KEY}"},
        401,
    ),
    "a compressed body": (keyed(), {"Content-Encoding": "gzip"}, 401),
    "a coding that is not taken": (keyed(), {"Content-Encoding": "br"}, 401),
    "a body that is too large": (keyed(), {"Content-Length": "9999999999"}, 401),
    "a stranger who asks whether to send": (keyed(), {"Expect": "100-continue"}, 401),
    "a page from elsewhere": (
        {**keyed(), "cors": {"allow_origins": ["https://a.example"]}},
        {"Origin": "https://b.example", "Authorization": f"Bearer {KEY}"},
        403,
    ),
    "a body too large of one with a key": (
        keyed(),
        {"Authorization": f"Bearer {KEY}", "Content-Length": "9999999999"},
        413,
    ),
    "a coding of one with a key": (
        keyed(),
        {"Authorization": f"Bearer {KEY}", "Content-Encoding": "br"},
        415,
    ),
    "a type of one with a key": (
        keyed(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "text/plain"},
        415,
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_the_head_tells_is_refused_before_the_body_comes(what: str) -> None:
    config, fields, expected = REFUSED[what]
    async with running(config) as run:
        assert expected == status(await answered(run, head(**fields)))


LIMITED: dict[str, tuple[dict[str, Any], int]] = {
    "requests a minute": (keyed(requests_per_minute=1), 429),
    "streams of a key": (keyed(max_streams=1), 429),
    "streams in all": ({**MODELS, "limits": {"max_streams": 1}}, 503),
}


@pytest.mark.parametrize("what", LIMITED)
async def test_who_has_had_enough_is_told_so_before_the_body_comes(what: str) -> None:
    config, expected = LIMITED[what]
    mine = {"Authorization": f"Bearer {KEY}"}
    async with running(config) as run:
        posted = run.session.post(
            f"{run.url}/v1/stream", data=BODY, headers={**mine, "Content-Type": "application/json"}
        )
        async with posted as first:
            assert first.status == 200
            answer = await answered(run, head(**mine))
    assert status(answer) == expected
    assert b"retry-after: " in answer.lower()


async def test_a_body_is_asked_for_only_when_it_is_wanted() -> None:
    """Of one who sends `Expect: 100-continue` (RFC 9110, 10.1.1)."""
    asked = head(
        Authorization=f"Bearer {KEY}", Content_Length=f"{len(BODY)}", Expect="100-continue"
    )
    async with running(keyed()) as run:
        reader, writer = await asyncio.open_connection(*place(run.url))
        writer.write(asked)
        async with asyncio.timeout(WAIT_S):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(BODY)
            assert 200 == status(await reader.readuntil(b"\r\n\r\n"))
        writer.transport.abort()
        assert 417 == status(await answered(run, head(Expect="something-else")))

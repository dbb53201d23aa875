"""Which headers pass: up and down only those that are listed, with plain and bounded values."""

import json
from typing import Any

import pytest

from tests.hostile.upstream import ASK, Far, answer, asked_in, far_of, good, listening
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import one, running
from tests.samples import SAMPLES

SAMPLE = SAMPLES["openai_chat"]


async def sent_up(said: Any, **upstream: Any) -> str:
    """What the upstream is sent, in lower case."""
    far = far_of("openai_chat")
    async with listening(far), running(one("openai_chat", far.url, **upstream)) as run:
        async with run.session.post(f"{run.url}/v1/stream", json=ASK, headers=said) as response:
            assert 200 == response.status, await response.text()
    return far.asked[0].decode("latin-1").lower()


async def test_by_default_no_header_of_a_client_goes_up() -> None:
    """What does go up is all that there is."""
    sent = await sent_up(
        {
            "x-user-id": "u1",
            "traceparent": "00-1-2-03",
            "Accept-Language": "xx",
            "User-Agent": "odd/1",
            "OpenAI-Beta": "b",
        }
    )
    names = {line.partition(":")[0] for line in sent.partition("\r\n\r\n")[0].split("\r\n")[1:]}
    assert {"host", "content-type", "content-length", "accept", "accept-encoding"} >= names
    assert "odd/1" not in sent


async def test_listed_headers_go_up_and_no_others() -> None:
    sent = await sent_up(
        {"X-User-Id": "u1", "traceparent": "00-1-2-03", "x-other": "o"},
        forward_headers=["x-user-id", "traceparent", "absent"],
    )
    assert "\r\nx-user-id: u1\r\n" in sent
    assert "\r\ntraceparent: 00-1-2-03\r\n" in sent
    assert "x-other" not in sent
    assert "absent" not in sent


async def test_what_the_configuration_says_goes_before_what_a_client_says() -> None:
    sent = await sent_up({"X-Team": "evil"}, forward_headers=["x-team"], headers={"X-Team": "ours"})
    assert 1 == sent.count("x-team")
    assert "x-team: ours" in sent


@pytest.mark.parametrize("value", ["é", "\x80", "a\tb", "x" * 1025, ""])
async def test_a_value_that_is_not_plain_stays(value: str) -> None:
    assert "x-user-id" not in await sent_up({"x-user-id": value}, forward_headers=["x-user-id"])


async def test_of_a_mixed_fallback_each_gets_its_own() -> None:
    first, second = Far(answer(b"{}", "application/json", "503 Busy")), far_of("openai_chat")
    async with listening(first, second):
        config = {
            "upstreams": {
                "a": {"dialect": "openai_chat", "base_url": first.url, "forward_headers": ["x-a"]},
                "b": {"dialect": "openai_chat", "base_url": second.url, "forward_headers": ["x-b"]},
            },
            "models": {"*": [{"upstream": "a"}, {"upstream": "b"}]},
        }
        async with running(config) as run:
            await asked_in(run, "anthropic", headers={"x-a": "1", "x-b": "2"})
    assert (True, False) == (b"x-a: 1" in first.asked[0], b"x-b: 2" in first.asked[0])
    assert (False, True) == (b"x-a: 1" in second.asked[0], b"x-b: 2" in second.asked[0])


LIMITS = {
    "x_ratelimit_remaining": "7",
    "x_ratelimit_reset": "1s",
    "openai_processing_ms": "12",
    "Set_Cookie": "a=b",
    "x_request_id": "theirs",
}
LISTED = ["openai-processing-ms", "x-ratelimit-*", "x-*"]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("listed", [[], LISTED])
async def test_listed_headers_come_down_and_no_others(stream: bool, listed: list[str]) -> None:
    """Over a stream and over a document; what this proxy says itself stays its own."""
    far = Far(
        good(
            SAMPLE,
            **LIMITS,
            Server="evil",
            x_accel_redirect="/etc",
            x_mainstem_upstream="evil",
            Cache_Control="public",
        )
    )
    async with listening(far), running(one("openai_chat", far.url, return_headers=listed)) as run:
        async with run.session.post(
            f"{run.url}/v1/stream", json={**ASK, "stream": stream}
        ) as response:
            assert 200 == response.status
            got = response.headers
    assert (["7"] if listed else []) == got.getall("x-ratelimit-remaining", [])
    assert (["12"] if listed else []) == got.getall("openai-processing-ms", [])
    assert [] == got.getall("Set-Cookie", [])
    assert [] == got.getall("x-accel-redirect", [])
    assert ["far"] == got.getall("x-mainstem-upstream")
    assert 1 == len(got.getall("x-request-id"))
    assert "theirs" != got["x-request-id"]
    assert got["Server"].startswith("mainstem/")
    assert 1 == len(got.getall("Cache-Control"))
    assert got["Cache-Control"].startswith("no-")


async def test_headers_come_down_with_an_error_too() -> None:
    """That is when a client wants to know its limits."""
    far = Far(answer(b'{"error":{"message":"slow"}}', "application/json", "429 Slow", **LIMITS))
    async with (
        listening(far),
        running(
            {
                **one("openai_chat", far.url, return_headers=["x-ratelimit-*"]),
                "cors": {"allow_origins": ["*"]},
            }
        ) as run,
    ):
        status, _, headers = await asked_in(
            run, "openai_chat", headers={"Origin": "https://page.example"}
        )
    assert (429, "7", None) == (
        status,
        headers.get("x-ratelimit-remaining"),
        headers.get("openai-processing-ms"),
    )
    assert "x-ratelimit-remaining" in headers["Access-Control-Expose-Headers"]


async def test_pages_may_read_what_comes_down() -> None:
    """And nothing is exposed to a page that may not call."""
    far = Far(good(SAMPLE, **LIMITS))
    config = {**one("openai_chat", far.url), "cors": {"allow_origins": ["https://page.example"]}}
    async with listening(far):
        config["upstreams"] = {
            "far": {"dialect": "openai_chat", "base_url": far.url, "return_headers": LISTED[:2]}
        }
        async with running(config) as run:
            _, _, page = await asked_in(run, "native", headers={"Origin": "https://page.example"})
            _, _, none = await asked_in(run, "native")
    exposed = [name.strip() for name in page["Access-Control-Expose-Headers"].split(",")]
    assert {"x-request-id", "retry-after", "x-mainstem-upstream"} <= set(exposed)
    assert {"x-ratelimit-remaining", "x-ratelimit-reset", "openai-processing-ms"} == {
        name for name in exposed if name in page
    } - {*("x-request-id", "x-mainstem-upstream", "x-mainstem-notes")}
    assert "Access-Control-Expose-Headers" not in none
    assert "7" == none["x-ratelimit-remaining"]


@pytest.mark.parametrize("value", [b"a\xc3\xa9", b"a\xff", b"x" * 1025, b"", b"a\tb"])
async def test_an_upstreams_value_that_is_not_plain_is_left_out(value: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED[:-2] + b"x-bad: " + value + b"\r\nx-good: 1\r\n\r\n")
        peer.send(SAMPLE.whole)
        peer.write(LAST_CHUNK)

    async with (
        raw_upstream(script) as url,
        running(one("openai_chat", url, return_headers=["x-bad", "x-good"])) as run,
    ):
        status, body, headers = await asked_in(run, "native")
    assert 200 == status, body
    assert (None, "1") == (headers.get("x-bad"), headers.get("x-good"))


async def test_no_more_than_a_few_come_down() -> None:
    far = Far(good(SAMPLE, **{f"x_many_{number}": "v" for number in range(100)}))
    async with (
        listening(far),
        running(one("openai_chat", far.url, return_headers=["x-many-*"])) as run,
    ):
        _, _, headers = await asked_in(run, "native")
    assert 32 == sum(name.lower().startswith("x-many-") for name in headers)


@pytest.mark.parametrize("client", ["native", "openai_chat", "anthropic", "gemini", "ollama"])
@pytest.mark.parametrize("message", ["a\r\nx-evil: 1\r\n\r\nboo", "a\u2028b\x00c"])
async def test_what_an_upstream_says_went_wrong_never_stands_in_a_header(
    client: str, message: str
) -> None:
    body = json.dumps(
        {"error": {"message": message, "code": message, "type": message, "param": message}}
    ).encode()
    for status in ("400 Bad", "401 No", "429 Slow", "500 Oops", "200 OK"):
        far = Far(answer(body, "application/json", status))
        async with (
            listening(far),
            running(one("openai_chat", far.url, return_headers=["x-*"])) as run,
        ):
            _, _, headers = await asked_in(run, client)
        assert "x-evil" not in headers
        assert not any("\u2028" in value or "boo" in value for value in headers.values())

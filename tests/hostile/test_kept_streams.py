"""Kept streams asked for by who should not have them, and in every odd way by who may."""

import asyncio
import hashlib
from typing import Any

import pytest
from yarl import URL

from tests.running import Running, running

MINE, HERS = ({"Authorization": f"Bearer {name}"} for name in ("mine", "hers"))
KEPT = {
    "server": {"drain_s": 0.01},  # most leave a stream behind
    "auth": {
        "keys": [
            {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
            for name in ("mine", "hers")
        ]
    },
    "streams": {"resume": {"max_bytes": 100_000, "max_bytes_per_stream": 20_000}},
    "upstreams": {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 20}}},
    "models": {"*": [{"upstream": "up"}]},
}
FAST = {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}}
IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
FORM = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": "null"}


async def asked(
    run: Running, method: str, path: str, headers: Any = MINE, body: Any = None
) -> tuple[int, str]:
    """What is answered, in its first half second."""
    async with run.session.request(
        method, URL(run.url + path, encoded=True), headers=headers, json=body
    ) as response:
        said = b""
        try:
            async with asyncio.timeout(0.5):
                said = await response.read()
        except TimeoutError:  # it streams
            pass
        return response.status, said.decode(errors="replace")


async def started(run: Running, headers: Any = MINE, **fields: str) -> str:
    body = {"model": "m", "prompt": "x", **fields}
    async with run.session.post(f"{run.url}/v1/streams", json=body, headers=headers) as response:
        assert 201 == response.status
        stream: str = (await response.json())["stream"]
        return stream


async def runs(run: Running, stream: str) -> bool:
    status, said = await asked(run, "GET", f"/v1/streams/{stream}/status")
    return status == 200 and ('"in_progress"' in said or '"queued"' in said)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/streams/{}", 404),
        ("GET", "/v1/streams/{}/status", 404),
        ("DELETE", "/v1/streams/{}", 404),
        ("GET", "/v1/ag-ui?runId={}", 204),
        ("GET", "/v1/ai-sdk/{}/stream", 204),
        ("POST", "/v1/ai-sdk/{}/stop", 204),
        ("POST", "/v1/chat-messages/{}/stop", 200),
        ("GET", "/v1/responses/resp_{}", 404),
        ("GET", "/v1/responses/resp_{}/input_items", 404),
        ("POST", "/v1/responses/resp_{}/cancel", 404),
        ("DELETE", "/v1/responses/resp_{}", 404),
    ],
)
async def test_another_s_stream_is_not_there_on_any_path(
    method: str, path: str, status: int
) -> None:
    """The answer is that for an id that nobody has; without a key there is none."""
    async with running(KEPT) as run:
        stream = await started(run)
        hers = await asked(run, method, path.format(stream), HERS)
        nobodys = await asked(run, method, path.format("0" * 32), HERS)
        assert (status, hers[1].replace(stream, "")) == (
            nobodys[0],
            nobodys[1].replace("0" * 32, ""),
        )
        assert 401 == (await asked(run, method, path.format(stream), {}))[0]
        assert await runs(run, stream)


@pytest.mark.parametrize(
    "name",
    [
        "x" * 5000,
        "..%2f..",
        "%00",
        "%ff",
        "{}:0",
        "{}%00",
        "{}%0d%0ax:%20y",
        "*",
        "%25",
        "mainstem:{}",
    ],
)
async def test_an_id_that_is_none_is_not_found(name: str) -> None:
    async with running(KEPT) as run:
        stream = await started(run)
        for method, more in (("GET", ""), ("GET", "/status"), ("DELETE", "")):
            status, _ = await asked(run, method, f"/v1/streams/{name.format(stream)}{more}")
            assert 404 == status
        assert await runs(run, stream)


@pytest.mark.parametrize(
    "seen",
    [
        *("-1", "9" * 400, "{}", "{}:", "{}:-1", "{}:99999999999999999999", "{}:1e3", "{}:0x1"),
        *("{}: 1", ":{}", "{}:1:2", "{}:+1", "{}:\u0661", "\u00e9"),
    ],
)
async def test_an_event_that_there_is_not_gives_nothing_and_starts_nothing(seen: str) -> None:
    async with running(KEPT) as run:
        stream = await started(run)
        headers = {**MINE, "Last-Event-ID": seen.format(stream)}
        for path in (f"/v1/streams/{stream}", "/v1/stream?model=m&prompt=x"):
            assert 204 == (await asked(run, "GET", path, headers))[0]
        assert 1 == len(run.mock.account.newest())


@pytest.mark.parametrize(
    "number", ["1e9", "9" * 400, "NaN", "", "0x1", "1.5", "%D9%A1", "--1", "%00"]
)
async def test_a_place_that_is_no_number_is_refused(number: str) -> None:
    async with running(KEPT) as run:
        for path in ("/v1/ai-sdk/c/stream?startIndex=", "/v1/responses/resp_x?starting_after="):
            status, _ = await asked(run, "GET", path + number)
            assert status in (204, 400, 404)


async def test_a_flood_of_streams_keeps_no_more_than_it_may() -> None:
    slow = {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0.5}}}
    config = {**KEPT, "limits": {"max_streams": 40}, "upstreams": slow}
    async with running(config) as run:
        body = {"model": "m", "prompt": "x" * 100}
        all_said = [(await asked(run, "POST", "/v1/streams", MINE, body))[0] for _ in range(60)]
        assert {201: 40, 503: 20} == {status: all_said.count(status) for status in (201, 503)}


async def test_a_flood_of_idempotency_keys_takes_no_more_than_streams_do() -> None:
    config = {**KEPT, "upstreams": FAST}
    del config["auth"]  # so that the metrics need no key
    async with running(config) as run:
        body = {"model": "m", "prompt": "x", "stream": False}
        for number in range(40):
            headers = {**MINE, "Idempotency-Key": str(number) * 3000}
            assert 200 == (await asked(run, "POST", "/v1/stream", headers, body))[0]
        kept = await run.metric("mainstem_log_bytes")
        assert 0 < kept <= KEPT["streams"]["resume"]["max_bytes"]  # type: ignore[index]


@pytest.mark.parametrize("key", ["a,b", "\u00e9", "a" * 7000, '"quoted"', "mine\\0x"])
async def test_an_odd_idempotency_key_is_a_key_like_any_other(key: str) -> None:
    async with running({**KEPT, "upstreams": FAST}) as run:
        headers = {"Idempotency-Key": key}
        body, other = ({"model": "m", "prompt": text} for text in ("x", "y"))
        path = "/v1/stream"
        assert 200 == (await asked(run, "POST", path, {**MINE, **headers}, body))[0]
        assert 422 == (await asked(run, "POST", path, {**MINE, **headers}, other))[0]
        assert 200 == (await asked(run, "POST", path, {**HERS, **headers}, other))[0]


async def test_of_many_who_delete_one_is_told_that_it_is_done() -> None:
    async with running(KEPT) as run:
        path = f"/v1/streams/{await started(run)}"
        async with run.session.get(run.url + path, headers=MINE) as reading:
            said = await reading.content.readany()
            told = await asyncio.gather(*(asked(run, "DELETE", path) for _ in range(20)))
            assert {status for status, _ in told} <= {204, 404, 409}
            said += await reading.read()
        assert 1 == said.count(b'"stream.error"')


@pytest.mark.parametrize("page", [IMAGE, FORM])
async def test_a_page_that_embeds_or_sends_a_form_reads_and_ends_nothing(page: Any) -> None:
    async with running(KEPT) as run:
        stream = await started(run)
        for method, path in (
            ("GET", f"/v1/streams/{stream}"),
            ("GET", f"/v1/streams/{stream}/status"),
            ("DELETE", f"/v1/streams/{stream}"),
            ("POST", f"/v1/ai-sdk/{stream}/stop"),
            ("POST", f"/v1/chat-messages/{stream}/stop"),
            ("POST", f"/v1/responses/resp_{stream}/cancel"),
        ):
            assert 403 == (await asked(run, method, path, {**MINE, **page}))[0]
        assert await runs(run, stream)


async def test_a_hundred_readers_that_take_nothing_slow_nobody() -> None:
    async with running({**KEPT, "streams": {**KEPT["streams"], "write_timeout_s": 0.5}}) as run:  # type: ignore[dict-item]
        stream = await started(run)
        idle = [
            await run.session.get(f"{run.url}/v1/streams/{stream}", headers=MINE)
            for _ in range(90)  # the client's pool has a hundred connections
        ]
        async with run.session.get(f"{run.url}/v1/streams/{stream}", headers=MINE) as response:
            assert "stream.end" in await response.text()
        for each in idle:
            each.close()


async def test_a_conversation_that_grows_from_answer_to_answer_is_bounded() -> None:
    limits = {"limits": {"max_body_bytes": 20_000}}
    resume = {"streams": {"resume": {}}}
    async with running({**KEPT, **limits, **resume, "upstreams": FAST}) as run:
        before, statuses = None, []
        for _ in range(12):
            body = {"model": "m", "input": "x" * 5000, "previous_response_id": before}
            async with run.session.post(
                f"{run.url}/v1/responses", json=body, headers=MINE
            ) as response:
                statuses.append(response.status)
                if response.status != 200:
                    break
                before = (await response.json())["id"]
        assert [200, 413] == sorted(set(statuses))

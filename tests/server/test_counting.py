"""How many tokens a request has: asked of a vendor that counts, in the client's own form, and never
made up."""

import hashlib
import json
from typing import Any

import pytest

from tests.raw_upstream import Peer, raw_upstream
from tests.running import Running, one, running

TURNS = [{"role": "user", "content": "How are you?"}]
ANTHROPIC = {"model": "m", "messages": TURNS, "system": "Be short."}
RESPONSES = {"model": "m", "input": "How are you?", "instructions": "Be short."}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "How are you?"}]}]}
# client dialect -> path, request, where the count stands
CLIENTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "anthropic": ("/v1/messages/count_tokens", ANTHROPIC, "input_tokens"),
    "openai_responses": ("/v1/responses/input_tokens", RESPONSES, "input_tokens"),
    "gemini": ("/v1beta/models/m:countTokens", GEMINI, "totalTokens"),
}
ANSWERS = {
    "anthropic": b'{"input_tokens": 1234}',
    "openai_responses": b'{"object": "response.input_tokens", "input_tokens": 1234}',
    "gemini": b'{"totalTokens": 1234, "promptTokensDetails": [{"modality": "TEXT"}]}',
}
PATHS = {
    "anthropic": "/v1/messages/count_tokens",
    "openai_responses": "/responses/input_tokens",
    "gemini": "/v1beta/models/m:countTokens",
}


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


async def asked(run: Running, client: str, **headers: str) -> tuple[int, Any]:
    path, body, _ = CLIENTS[client]
    async with run.session.post(run.url + path, json=body, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("upstream", list(ANSWERS))
@pytest.mark.parametrize("client", list(CLIENTS))
async def test_the_vendor_s_own_counter_is_asked(client: str, upstream: str) -> None:
    seen: list[tuple[str, Any]] = []

    async def script(peer: Peer) -> None:
        head = await peer.request()
        seen.append((head.split(b" ")[1].decode(), json.loads(peer.body)))
        peer.write(answer(ANSWERS[upstream]))

    async with raw_upstream(script) as url, running(one(upstream, url)) as run:
        status, said = await asked(run, client)
        assert (200, 1234) == (status, said[CLIENTS[client][2]])
        ((path, body),) = seen
        assert PATHS[upstream] == path
        assert "How are you?" in json.dumps(body)
        assert not {"max_tokens", "stream", "max_output_tokens", "store"} & set(body)
        assert 1.0 == await run.metric(
            f'mainstem_requests_total{{client_dialect="{client}",model="*",status="200"}}'
        )
        assert 0.0 == await run.metric(f'mainstem_streams_total{{client_dialect="{client}"')


async def test_a_client_of_the_vendor_s_own_gets_all_that_it_says() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(answer(ANSWERS["gemini"]))

    async with raw_upstream(script) as url, running(one("gemini", url)) as run:
        assert (200, json.loads(ANSWERS["gemini"])) == await asked(run, "gemini")


async def test_gemini_s_counter_gets_the_whole_request_and_vertex_its_keys() -> None:
    seen: list[Any] = []

    async def script(peer: Peer) -> None:
        head = await peer.request()
        seen.append((head.split(b" ")[1].decode(), json.loads(peer.body)))
        peer.write(answer(ANSWERS["gemini"]))

    vertex = {"vertex": {"project": "p", "location": "l"}}
    async with raw_upstream(script) as url:
        for options in ({}, vertex):
            async with running(one("gemini", url, options=options)) as run:
                assert 200 == (await asked(run, "anthropic"))[0]
    (_, api), (path, keys) = seen
    assert "models/m" == api["generateContentRequest"]["model"]
    assert {"contents", "systemInstruction"} <= set(api["generateContentRequest"])
    assert "/v1/projects/p/locations/l/publishers/google/models/m:countTokens" == path
    assert {"contents", "systemInstruction"} <= set(keys)


@pytest.mark.parametrize(
    ("client", "status"), [("anthropic", 404), ("openai_responses", 404), ("gemini", 501)]
)
async def test_where_nobody_counts_there_is_an_error_in_the_client_s_form(
    client: str, status: int
) -> None:
    async with running(one("openai_chat", "http://127.0.0.1:9/v1")) as run:
        got, said = await asked(run, client)
        assert status == got
        assert "no target of 'm' counts them" in said["error"]["message"]
        assert 0.0 == await run.metric("mainstem_upstream_attempts_total")


async def test_the_first_target_that_can_count_is_asked_and_then_the_next() -> None:
    async def failing(peer: Peer) -> None:
        await peer.request()
        peer.write(answer(b'{"error": {"message": "No."}}', "500 Internal Server Error"))

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(answer(ANSWERS["openai_responses"]))

    async with raw_upstream(failing) as broken, raw_upstream(script) as good:
        config = {
            "upstreams": {
                "chat": {"dialect": "openai_chat", "base_url": "http://127.0.0.1:9/v1"},
                "broken": {"dialect": "anthropic", "base_url": broken},
                "good": {"dialect": "openai_responses", "base_url": good},
            },
            "models": {"m": [{"upstream": name} for name in ("chat", "broken", "good")]},
        }
        async with running(config) as run:
            assert (200, {"input_tokens": 1234}) == await asked(run, "anthropic")
            fallback = 'from_upstream="broken",kind="upstream_status",to_upstream="good"'
            assert 1.0 == await run.metric(f"mainstem_fallbacks_total{{{fallback}}}")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"no JSON", b'{"input_tokens": "many"}'])
async def test_an_answer_without_a_count_is_a_failure(body: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(answer(body))

    async with raw_upstream(script) as url, running(one("anthropic", url)) as run:
        status, said = await asked(run, "anthropic")
        assert (502, "api_error") == (status, said["error"]["type"])


async def test_a_vendor_that_refuses_the_request_is_heard() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        error = b'{"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}'
        peer.write(answer(error, "400 Bad Request"))

    async with raw_upstream(script) as url, running(one("anthropic", url)) as run:
        status, said = await asked(run, "openai_responses")
        assert (400, "No.") == (status, said["error"]["message"])


async def test_a_vendor_that_is_silent_is_waited_for_as_for_an_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.left()

    async with (
        raw_upstream(script) as url,
        running({**one("anthropic", url), "timeouts": {"first_event_s": 0.15}}) as run,
    ):
        assert 504 == (await asked(run, "anthropic"))[0]


async def test_keys_and_their_models_hold() -> None:
    digest = hashlib.sha256(b"secret-of-web").hexdigest()
    keys = [{"name": "web", "sha256": digest, "models": ["other"]}]
    config = {**one("anthropic", "http://127.0.0.1:9"), "auth": {"keys": keys}}
    async with running(config) as run:
        assert 401 == (await asked(run, "anthropic"))[0]
        key = {"x-api-key": "secret-of-web"}
        assert 403 == (await asked(run, "anthropic", **key))[0]
        assert 0.0 == await run.metric("mainstem_upstream_attempts_total")


async def test_pages_that_may_not_call_count_nothing() -> None:
    config = {
        **one("anthropic", "http://127.0.0.1:9"),
        "cors": {"allow_origins": ["https://mine.example"]},
    }
    async with running(config) as run:
        status, _ = await asked(run, "anthropic", Origin="https://other.example")
        assert 403 == status


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_a_mock_counts_too(client: str) -> None:
    config = {
        "upstreams": {"far": {"dialect": "anthropic", "mock": {"scenario": "hello"}}},
        "models": {"*": [{"upstream": "far"}]},
    }
    async with running(config) as run:
        status, said = await asked(run, client)
        assert 200 == status
        assert 1 < said[CLIENTS[client][2]] < 20

"""Paths that are none and methods that a path does not take: said in the client's own form, with
what it most likely meant."""

import asyncio
from typing import Any

import pytest

from tests.running import Running, running

CONFIG: dict[str, Any] = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"scenario": "hello"}}},
    "models": {"*": [{"upstream": "far"}]},
}


def form(body: Any) -> str:
    """Whose error this is, by its shape alone."""
    error = body["error"]
    if isinstance(error, str):
        return "ollama"
    if body.get("type") == "error":
        return "anthropic"
    if "details" in error:
        return "gemini"
    return "native" if "kind" in error else "openai"


def message(body: Any) -> str:
    error = body["error"]
    said = error if isinstance(error, str) else error["message"]
    assert isinstance(said, str)
    return said


async def asked(run: Running, path: str, **headers: str) -> tuple[int, Any]:
    async with run.session.post(run.url + path, json={}, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("path", "meant", "dialect"),
    [
        ("/chat/completions", "/v1/chat/completions", "openai"),
        ("/v1/v1/chat/completions", "/v1/chat/completions", "openai"),
        ("/v1/chat/completions/", "/v1/chat/completions", "openai"),
        ("/v1//chat/completions", "/v1/chat/completions", "openai"),
        ("/openai/v1/chat/completions", "/v1/chat/completions", "openai"),
        ("/v1/chat/completion", "/v1/chat/completions", "openai"),
        ("/v1/v1/messages", "/v1/messages", "anthropic"),
        ("/messages", "/v1/messages", "anthropic"),
        ("/anthropic/v1/messages", "/v1/messages", "anthropic"),
        ("/responses", "/v1/responses", "openai"),
        (
            "/v1beta/v1beta/models/m:generateContent",
            "/v1beta/models/m:generateContent",
            "gemini",
        ),
        ("/google/models/m:generateContent", "/models/m:generateContent", "gemini"),
        ("/v1/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent", "gemini"),
        ("/v1/api/chat", "/api/chat", "ollama"),
        ("/api/chat/", "/api/chat", "ollama"),
        ("/api/api/generate", "/api/generate", "ollama"),
        ("/stream", "/v1/stream", "native"),
    ],
)
async def test_a_near_path_is_named_in_the_form_of_its_dialect(
    path: str, meant: str, dialect: str
) -> None:
    async with running(CONFIG) as run:
        status, body = await asked(run, path)
        assert 404 == status
        assert (f"Did you mean {meant!r}?", dialect) == (
            message(body).rpartition(". ")[2],
            form(body),
        )


@pytest.mark.parametrize(
    ("path", "headers", "dialect"),
    [
        ("/v1/embeddings", {}, "openai"),
        ("/v1/messages/batches/b1/results", {}, "anthropic"),
        ("/v1/files", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1beta/cachedContents", {}, "gemini"),
        ("/api/blobs/sha256:1", {}, "ollama"),
        ("/elsewhere", {}, "native"),
        ("/" + "x/" * 2000, {}, "native"),
        ("/%0d%0aSet-Cookie:x=y", {}, "native"),
    ],
)
async def test_another_path_is_answered_in_the_form_of_its_prefix(
    path: str, headers: dict[str, str], dialect: str
) -> None:
    async with running(CONFIG) as run:
        status, body = await asked(run, path, **headers)
        assert (404, dialect) == (status, form(body))
        assert "/v1/chat/completions" in message(body)


@pytest.mark.parametrize(
    "path", ["/health", "/healthz", "/metrics/", "/v1/health", "/-/ready", "/health/liveness"]
)
async def test_who_watches_is_told_the_paths_for_that(path: str) -> None:
    async with running(CONFIG) as run, run.session.get(run.url + path) as response:
        said = message(await response.json())
        assert (404, True) == (response.status, "asks /livez, /readyz or /metrics" in said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600), "got TLS: ask http://"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 alone, and got HTTP/2"),
    ],
)
async def test_another_protocol_is_named(data: bytes, said: str) -> None:
    async with running(CONFIG) as run:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(run.url.rpartition(":")[2]))
        try:
            writer.write(data)
            answer = (await reader.readuntil(b"}}")).decode()
        finally:
            writer.close()
        assert (True, True) == ("400 Bad Request" in answer, said in answer)


async def test_a_word_behind_a_colon_that_is_none_is_told_those_that_are() -> None:
    async with running(CONFIG) as run:
        status, body = await asked(run, "/v1beta/models/m:streamContent")
        assert 405 == status
        assert message(body).endswith(
            "takes GET or HEAD, not POST. What stands behind a model's colon is one of: "
            "generateContent, streamGenerateContent, countTokens."
        )


@pytest.mark.parametrize(
    ("method", "path", "takes", "dialect"),
    [
        ("GET", "/v1/messages", "takes POST, not GET.", "anthropic"),
        ("GET", "/v1beta/models/m:generateContent", "takes POST, not GET.", "gemini"),
        ("DELETE", "/v1/models/m", "takes GET or HEAD, not DELETE.", "openai"),
        ("GET", "/api/show", "takes POST, not GET.", "ollama"),
        ("HEAD", "/v1/stream", "", ""),
    ],
)
async def test_a_wrong_method_is_named(method: str, path: str, takes: str, dialect: str) -> None:
    async with (
        running(CONFIG) as run,
        run.session.request(method, run.url + path) as response,
    ):
        assert 405 == response.status
        if takes:
            body = await response.json()
            assert (takes, dialect) == (message(body).partition(" ")[2], form(body))


async def test_a_preflight_of_any_path_is_answered() -> None:
    async with running(CONFIG) as run:
        for path in ("/nowhere", "/v1/models/m", "/api/show"):
            async with run.session.options(run.url + path) as response:
                assert 204 == response.status

"""A key for some models gets no other one through a field in which a vendor lets its clients name
more of them: models to fall back to, to choose among or to ask on the way.
"""

import hashlib
from typing import Any

import pytest

from tests.running import running

SECRET = "secret-of-web"
KEY = {"name": "web", "sha256": hashlib.sha256(SECRET.encode()).hexdigest(), "models": ["cheap"]}
CHAT: dict[str, Any] = {"model": "cheap", "messages": [{"role": "user", "content": "x"}]}
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "openai_responses": "/v1/responses",
    "gemini": "/v1beta/models/cheap:generateContent",
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
    "native": "/v1/stream",
}
BODIES: dict[str, dict[str, Any]] = {
    "openai_chat": CHAT,
    "anthropic": {**CHAT, "max_tokens": 9},
    "openai_responses": {"model": "cheap", "input": "x"},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "x"}]}]},
    "cohere": CHAT,
    "ollama": CHAT,
    "native": {"model": "cheap", "prompt": "x", "stream": False},
}


async def status(client: str, keys: list[dict[str, Any]], **fields: Any) -> int:
    """What a client with the first key is told, with these fields in its body."""
    config = {
        "upstreams": {"up": {"dialect": client, "mock": {"tokens_per_s": 0}}},
        "models": {
            "cheap": [{"upstream": "up", "model": "vendor/cheap"}],
            "dear": [{"upstream": "up"}],
        },
        "auth": {"keys": keys},
    }
    said = {**BODIES[client], **({"vendor": fields} if client == "native" else fields)}
    async with running(config) as run:
        async with run.session.post(
            run.url + PATHS[client], json=said, headers={"Authorization": f"Bearer {SECRET}"}
        ) as response:
            await response.read()
            asked = run.mock.account.newest()
            assert (response.status == 403) is (len(asked) == 0)
            return response.status


@pytest.mark.parametrize("client", PATHS)
async def test_a_limited_key_names_no_other_model_anywhere(client: str) -> None:
    assert 403 == await status(client, [KEY], fallbacks=[{"model": "dear"}])


async def test_nor_where_the_request_is_too_dear_to_be_read_here() -> None:
    many = [{"role": "user", "content": "x"}] * 2000
    assert 403 == await status("openai_chat", [KEY], messages=many, models=["dear"])
    assert 200 == await status("openai_chat", [KEY], messages=many, models=["cheap"])


async def test_it_may_name_its_own_models_and_what_their_vendors_call_them() -> None:
    assert 200 == await status("openai_chat", [KEY], models=["cheap", "vendor/cheap"])
    assert 403 == await status("openai_chat", [KEY], models=["cheap", "vendor/dear"])


async def test_a_key_for_all_models_may_name_any() -> None:
    assert 200 == await status("openai_chat", [{**KEY, "models": ["*"]}], models=["vendor/dear"])

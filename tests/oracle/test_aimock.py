"""Somebody else's mock of the vendors as the upstream: what it says arrives whole, and what it is
asked is what it expects.

aimock writes each vendor's wire format by its own reading of the vendor's documentation, and
matches requests by their content: an answer to the second turn of a tool call shows that the call
and its result went up in that vendor's form.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.needs import requires
from tests.oracle.node import serving
from tests.running import Running, running

pytestmark = requires("node", "js_sdks")
# Upstream dialect -> what stands behind aimock's address in a base_url.
BASE = {
    "openai_chat": "/v1",
    "anthropic": "",
    "openai_responses": "/v1",
    "gemini": "",
    "cohere": "",
    "ollama": "",
}
DIALECTS = list(BASE)
# For these aimock plays everything asked of it below; for the others it plays text, tools and
# errors.
THOROUGH = ("openai_chat", "anthropic")
WITHOUT_IDS = ("gemini", "ollama")  # their calls have none; ours are made up
UNCOUNTED = ("ollama",)  # aimock counts no tokens in this form
TOOLS = [
    {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]


@pytest.fixture(scope="module")
def aimock() -> Iterator[str]:
    with serving("aimock") as url:
        yield url


@pytest.fixture
async def run(aimock: str) -> AsyncIterator[Running]:
    upstreams = {
        name: {"dialect": name, "base_url": aimock + base, "api_key": "k"}
        for name, base in BASE.items()
    }
    models = {name: [{"upstream": name, "model": "a-model"}] for name in BASE}
    async with running({"upstreams": upstreams, "models": models}) as started:
        yield started


async def asked(run: Running, dialect: str, messages: Any, **more: Any) -> list[dict[str, Any]]:
    """The native events of one streamed answer, or the one error before it."""
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    async with run.session.post(
        f"{run.url}/v1/stream",
        json={"model": dialect, "messages": turns, "max_tokens": 4000, **more},
    ) as response:
        text = await response.text()
        if response.status != 200:
            return [
                {
                    "type": "stream.error",
                    **json.loads(text),
                    "retry_after": response.headers.get("retry-after"),
                }
            ]
        return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def said(events: list[dict[str, Any]], kind: str) -> str:
    return "".join(event["text"] for event in events if event["type"] == f"{kind}.delta")


def called(events: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    calls: dict[int, list[str]] = {
        e["block"]: [e["tool"]["id"], e["tool"]["name"], ""]
        for e in events
        if e.get("kind") == "tool_call"
    }
    for event in events:
        if event["type"] == "tool_call.delta":
            calls[event["block"]][2] += event["arguments"]
    return [(call_id, name, json.loads(arguments)) for call_id, name, arguments in calls.values()]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_text_arrives_whole(run: Running, dialect: str) -> None:
    """With its counts and its finish."""
    events = await asked(run, dialect, "text")
    last = events[-1]
    assert 'Grüße 🌱, 你好 — a "quoted" line\nand another.' == said(events, "text")
    assert ("stream.end", "stop") == (last["type"], last["finish"]["reason"])
    if dialect not in UNCOUNTED:
        assert (12, 34) == (last["usage"]["input_tokens"], last["usage"]["output_tokens"])
    assert "x" * 200_000 == said(await asked(run, dialect, "long"), "text")


@pytest.mark.parametrize("dialect", THOROUGH)
async def test_a_limit_is_told(run: Running, dialect: str) -> None:
    assert "length" == (await asked(run, dialect, "length"))[-1]["finish"]["reason"]


@pytest.mark.parametrize("dialect", THOROUGH)
async def test_reasoning_arrives(run: Running, dialect: str) -> None:
    """With its signature, where the vendor has one."""
    events = await asked(run, dialect, "think", reasoning={"max_tokens": 2000})
    assert ("Two sides, one answer.", "42") == (said(events, "reasoning"), said(events, "text"))
    if dialect == "anthropic":
        assert ["c2lnbmF0dXJl"] == [event["signature"] for event in events if "signature" in event]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_tool_loop(run: Running, dialect: str) -> None:
    """Two calls with their ids; their results in that vendor's form, or aimock would have no
    answer."""
    first = await asked(run, dialect, "tools", tools=TOOLS)
    calls = called(first)
    assert [
        ("get_weather", {"city": "Paris", "unit": "°C"}),
        ("get_weather", {"city": "北京"}),
    ] == [call[1:] for call in calls]
    assert dialect in WITHOUT_IDS or ["call_one", "call_two"] == [call[0] for call in calls]
    assert "Let me look." == said(first, "text")
    # aimock's Gemini ends calls with a word of its own making, FUNCTION_CALL; the vendor's is STOP.
    assert (
        "tool_calls" == first[-1]["finish"]["reason"]
        or "FUNCTION_CALL" == first[-1]["finish"]["raw"]
    )
    turns = [
        {"role": "user", "content": "tools"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_call", "id": i, "name": n, "arguments": json.dumps(a)}
                for i, n, a in calls
            ],
        },
        {
            "role": "tool",
            "content": [
                {"type": "tool_result", "id": i, "content": f"21 degrees, {i}"} for i, _, _ in calls
            ],
        },
    ]
    second = await asked(run, dialect, turns, tools=TOOLS)
    assert ("It is 21 degrees.", "stop") == (said(second, "text"), second[-1]["finish"]["reason"])


@pytest.mark.parametrize("dialect", THOROUGH)
async def test_a_call_before_the_text(run: Running, dialect: str) -> None:
    events = await asked(run, dialect, "order", tools=TOOLS)
    assert ["tool_call", "text"] == [
        event["kind"] for event in events if event["type"] == "block.start"
    ]
    assert (["call_one"], "Called.") == ([call[0] for call in called(events)], said(events, "text"))


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "bad_request", 400),
        (401, "upstream_status", 401),
        (404, "model_not_found", 404),
        (429, "rate_limited", 429),
        (500, "upstream_status", 502),
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_errors_arrive_whole(
    run: Running, dialect: str, status: int, kind: str, expected: int
) -> None:
    """The vendor's words, its status and its advice when to come back."""
    (event,) = await asked(run, dialect, f"error {status}")
    error = event["error"]
    assert (kind, expected, dialect) == (error["kind"], error["status"], error["upstream"])
    assert f"told to answer {status}" in error["message"]
    assert ("9" if status == 429 else None) == event["retry_after"]


@pytest.mark.parametrize("dialect", THOROUGH)
async def test_a_truncated_answer_is_none(run: Running, dialect: str) -> None:
    """What came stays; the end is an error."""
    events = await asked(run, dialect, "truncated")
    assert ("stream.error", "upstream_truncated") == (
        events[-1]["type"],
        events[-1]["error"]["kind"],
    )
    assert "This answer will not reach its end.".startswith(said(events, "text"))
    assert said(events, "text")

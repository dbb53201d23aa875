"""Real vendors' bytes through the whole proxy, over sockets on both sides: the native client reads what the recording holds.

The expectations are the facts that stand beside the recordings, made by a plain reader of their JSON; the client here splits lines and parses JSON.
"""

import hashlib
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running
from tests.support import facts, needs_recordings, recording_bytes

# An HTTP chunk a byte is slow to send, so longer recordings are cut into this many pieces at most.
MOST_PIECES = 3000
# Where the facts, one pass over the payloads, and a reader that knows the vendors differ.
TEXT = {  # a refusal stands in a field of its own; it is what the model said, so it is text here
    "openai-chat/openaisdk-snapshot-173417d5.sse": "I'm sorry, I can't assist with that request.",
    "openai-chat/openaisdk-snapshot-569c877e.sse": "I'm very sorry, but I can't assist with that.",
}
REASONING = {"openai-compat-other/pydanticai-snowflake-thinking-streaming.sse": "15 * 27 = 405"}  # only in `reasoning_details`
ARGUMENTS = {  # whole in the block's start, with no piece after it
    "anthropic/vercel-anthropic-programmatic-tool-calling-1.chunks.jsonl": ['{"player":"player1"}'],
}
CUT = {"tgi/tgi-tools-choice-stream.chunks.jsonl"}  # neither a finish nor a terminator was recorded


def pieces(data: bytes, how: str) -> list[bytes]:
    if how == "whole":
        return [data]
    if how == "bytes" and len(data) <= MOST_PIECES:
        return [data[i : i + 1] for i in range(len(data))]
    chance = random.Random(how + str(len(data)))
    count = MOST_PIECES if how == "bytes" else min(40, len(data) - 1)
    cuts = sorted(chance.sample(range(1, len(data)), min(count, len(data) - 1)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def upstream_of(recordings: dict[str, Sequence[bytes]]) -> Any:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.write(CHUNKED)
            for piece in recordings[json.loads(peer.body)["model"]]:
                peer.send(piece)
                await peer.writer.drain()
            peer.write(LAST_CHUNK)

    return script


async def native_events(run: Running, model: str) -> list[dict[str, Any]]:
    async with run.session.post(f"{run.url}/v1/stream", json={"model": model, "prompt": "x"}) as response:
        text = await response.text()
        if response.status != 200:
            return [{"type": "stream.error", **json.loads(text)}]
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]


def folded(events: list[dict[str, Any]]) -> dict[str, Any]:
    choices = {event["block"]: event.get("choice", 0) for event in events if event["type"] == "block.start"}

    def joined(kind: str) -> str:
        return "".join(event["text"] for event in events if event["type"] == kind and choices[event["block"]] == 0)

    tools = [event for event in events if event["type"] == "block.start" and event["kind"] == "tool_call" and choices[event["block"]] == 0]
    arguments = {tool["block"]: "" for tool in tools}
    for event in events:
        if event["type"] == "tool_call.delta" and event["block"] in arguments:
            arguments[event["block"]] += event["arguments"]
    return {
        "text": joined("text.delta"),
        "reasoning": joined("reasoning.delta"),
        "tools": [(tool["tool"]["name"], arguments[tool["block"]]) for tool in tools],
    }


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def same_usage(fact: dict[str, Any], usage: dict[str, Any]) -> bool:
    if "prompt_tokens" in fact:
        output = fact["completion_tokens"]
        reasoning = (fact.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
        if fact["prompt_tokens"] + output + reasoning == fact["total_tokens"]:
            output += reasoning  # xAI counts reasoning beside the completion; here it is part of the output
        return (usage["input_tokens"], usage["output_tokens"]) == (fact["prompt_tokens"], output)
    cached = (fact.get("cache_creation_input_tokens") or 0) + (fact.get("cache_read_input_tokens") or 0)
    return (usage["input_tokens"], usage["output_tokens"]) == (fact["input_tokens"] + cached, fact["output_tokens"])


def check(row: dict[str, Any], events: list[dict[str, Any]]) -> None:
    last, got = events[-1], folded(events)
    assert 1 == sum(event["type"] in ("stream.end", "stream.error") for event in events)
    file = row["file"]
    assert (sha256(TEXT[file]) if file in TEXT else row["text_sha256"]) == sha256(got["text"])
    if file in REASONING:
        assert REASONING[file] == got["reasoning"]
    else:
        assert row["reasoning_chars"] == len(got["reasoning"])
        assert row["reasoning_sha256"] in (None, sha256(got["reasoning"]))
    arguments = ARGUMENTS.get(file, [tool["arguments"] or "" for tool in row["tools"]])
    assert list(zip([tool["name"] for tool in row["tools"]], arguments, strict=True)) == got["tools"]
    if row["error"] or file in CUT:
        assert "stream.error" == last["type"]
    else:
        assert "stream.end" == last["type"], last
        assert row["finish"] == last["finish"]["raw"]
        if row["usage"]:
            assert same_usage(row["usage"], last["usage"]), (row["usage"], last["usage"])


@needs_recordings
@pytest.mark.parametrize("how", ["whole", "bytes", "random 1", "random 2"])
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
async def test_every_recording_gives_what_it_holds(dialect: str, how: str) -> None:
    rows = [row for row in facts(dialect) if not row.get("contested")]
    recordings = {row["file"]: pieces(recording_bytes(row), how) for row in rows}
    wrong: dict[str, str] = {}
    async with raw_upstream(upstream_of(recordings)) as url, running(one(dialect, url)) as run:
        for row in rows:
            try:
                check(row, await native_events(run, row["file"]))
            except AssertionError as error:
                wrong[row["file"]] = str(error)[:300]
    assert not wrong, f"{len(wrong)} of {len(rows)}: " + json.dumps(wrong, indent=1, ensure_ascii=False)[:4000]

"""What plays a recording to the proxy and reads what a native client gets: a raw upstream, ways to
cut bytes, and a plain reader of frames."""

import json
import random
from collections.abc import Sequence
from typing import Any

from tests.raw_upstream import LAST_CHUNK, Peer
from tests.running import Running

# An HTTP chunk a byte is slow to send, so longer recordings are cut into this many pieces at most.
MOST_PIECES = 3000
_TYPES = {
    ".ndjson": "application/x-ndjson",
    ".json": "application/json",
    ".bin": "application/vnd.amazon.eventstream",
}


def content_type(row: dict[str, Any]) -> str:
    if row["dialect"].startswith("bedrock_"):
        return _TYPES[".bin"]
    return next(
        (kind for ending, kind in _TYPES.items() if row["file"].endswith(ending)),
        "text/event-stream",
    )


def pieces(data: bytes, how: str) -> list[bytes]:
    if how == "whole":
        return [data]
    if how == "bytes" and len(data) <= MOST_PIECES:
        return [data[i : i + 1] for i in range(len(data))]
    chance = random.Random(how + str(len(data)))
    count = MOST_PIECES if how == "bytes" else min(40, len(data) - 1)
    cuts = sorted(chance.sample(range(1, len(data)), min(count, len(data) - 1)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


class Player:
    """An upstream that answers every request, whatever it asks for, with what `load` was given
    last. One client at a time.

    `document` is what a POST gets where that only says where the stream is; the stream is then what
    a GET gets.
    """

    def __init__(self) -> None:
        self.document = b""
        self._type = ""
        self._pieces: Sequence[bytes] = ()

    def load(self, kind: str, chunks: Sequence[bytes]) -> None:
        self._type = kind
        self._pieces = chunks

    async def __call__(self, peer: Peer) -> None:
        while True:
            head = await peer.request()
            if self.document and head.startswith(b"POST"):
                peer.write(
                    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    % len(self.document)
                )
                peer.write(self.document)
                continue
            peer.write(
                f"HTTP/1.1 200 OK\r\nContent-Type: {self._type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            )
            for piece in self._pieces:
                peer.send(piece)
                await peer.writer.drain()
            peer.write(LAST_CHUNK)


async def native_events(run: Running, model: str) -> list[dict[str, Any]]:
    """A refusal before the stream began is given as the stream's error."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": model, "prompt": "x"}
    ) as response:
        text = await response.text()
        if response.status != 200:
            return [{"type": "stream.error", **json.loads(text)}]
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]


def folded(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The first choice: its text, its reasoning, its calls as (name, arguments)."""
    choices = {
        event["block"]: event.get("choice", 0) for event in events if event["type"] == "block.start"
    }

    def joined(kind: str) -> str:
        return "".join(
            event["text"]
            for event in events
            if event["type"] == kind and choices[event["block"]] == 0
        )

    tools = [
        event
        for event in events
        if event["type"] == "block.start"
        and event["kind"] == "tool_call"
        and choices[event["block"]] == 0
    ]
    arguments = {tool["block"]: "" for tool in tools}
    for event in events:
        if event["type"] == "tool_call.delta" and event["block"] in arguments:
            arguments[event["block"]] += event["arguments"]
    return {
        "text": joined("text.delta"),
        "reasoning": joined("reasoning.delta"),
        "tools": [(tool["tool"]["name"], arguments[tool["block"]]) for tool in tools],
    }


# How vendors name the counts of input and output.
_COUNTS = {
    "bedrock_invoke": ("inputTokenCount", "outputTokenCount"),
    "coze": ("input_count", "output_count"),
    "dashscope": ("input_tokens", "output_tokens"),
    "ollama": ("prompt_eval_count", "eval_count"),
    "openai_responses": ("input_tokens", "output_tokens"),
}


def counts(dialect: str, said: dict[str, Any]) -> tuple[int | None, int | None]:
    """Input and output tokens of a vendor's usage, as Mainstem counts: the cache is part of the
    input, reasoning part of the output."""
    match dialect:
        case "anthropic":
            cached = (said.get("cache_creation_input_tokens") or 0) + (
                said.get("cache_read_input_tokens") or 0
            )
            return said["input_tokens"] + cached, said["output_tokens"]
        case "bedrock_converse":
            cached = (said.get("cacheReadInputTokens") or 0) + (
                said.get("cacheWriteInputTokens") or 0
            )
            return said["inputTokens"] + cached, said["outputTokens"]
        case "cohere":
            return said.get("tokens", {}).get("input_tokens"), said.get("tokens", {}).get(
                "output_tokens"
            )
        case "gemini":
            answer, thoughts = said.get("candidatesTokenCount"), said.get("thoughtsTokenCount")
            return said.get("promptTokenCount"), None if answer is thoughts is None else (
                answer or 0
            ) + (thoughts or 0)
    if dialect in _COUNTS:
        first, second = _COUNTS[dialect]
        return said.get(first), said.get(second)
    output = said["completion_tokens"]
    reasoning = (said.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    if said["prompt_tokens"] + output + reasoning == said["total_tokens"]:
        output += reasoning  # xAI counts reasoning beside the completion
    return said["prompt_tokens"], output

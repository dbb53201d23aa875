"""What the stream and a whole message say alike."""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.media import data_of
from proxy.events import Citation, Finish, FinishReason, Image, StreamStart, Usage

FINISH: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "content_filter": "content-filter",
    "refusal": "content-filter",
    "other": "other",
}
_ENDINGS = {"jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp", "svg": "svg+xml"}
_BAD_INPUT = "The model's arguments for this tool are no JSON."


def began(start: StreamStart) -> dict[str, Any]:
    """The metadata that a message begins with."""
    said: dict[str, Any] = {"model": start.model}
    if start.notes:
        said["notes"] = msgspec.to_builtins(start.notes)
    return said


def ended(finish: Finish, usage: Usage) -> dict[str, Any]:
    """The metadata that it ends with: the counts in the SDK's names, which has no other place for
    them. Unknown ones are left out.
    """
    total = (
        None
        if usage.input_tokens is None or usage.output_tokens is None
        else usage.input_tokens + usage.output_tokens
    )
    counts = {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": total,
        "cachedInputTokens": usage.cached_input_tokens,
        "reasoningTokens": usage.reasoning_tokens,
    }
    known: dict[str, Any] = _known(counts)
    known |= _parts(usage)
    said: dict[str, Any] = {"finishReason": FINISH[finish.reason]}
    return {**said, "usage": known} if known else said


def _parts(usage: Usage) -> dict[str, Any]:
    """Version 6 of the SDK tells the parts of the counts; ours are those beyond the flat ones."""
    read = _known(
        {
            "cacheReadTokens": usage.cached_input_tokens,
            "cacheWriteTokens": usage.cache_write_tokens,
            "audioTokens": usage.audio_input_tokens,
        }
    )
    written = _known(
        {"reasoningTokens": usage.reasoning_tokens, "audioTokens": usage.audio_output_tokens}
    )
    parts = {"inputTokenDetails": read, "outputTokenDetails": written}
    return {name: said for name, said in parts.items() if said}


def _known(counts: Mapping[str, int | None]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if number is not None}


def file(image: Image) -> dict[str, Any]:
    """A picture. Its kind is told by its data, or by how its address ends."""
    data = data_of(image.url)
    ending = image.url.partition("?")[0].rpartition(".")[2].lower()
    kind = f"image/{_ENDINGS.get(ending, 'png')}" if data is None else data.media_type
    return {"type": "file", "url": image.url, "mediaType": kind}


def source(citation: Citation, number: int) -> dict[str, Any] | None:
    """A source with an address, or one that has but a title; None for one that has neither."""
    named = f"source-{number}"
    if citation.url is not None:
        title = {} if citation.title is None else {"title": citation.title}
        return {"type": "source-url", "sourceId": named, "url": citation.url, **title}
    title_or_text = citation.title or citation.text
    if not title_or_text:
        return None
    return {
        "type": "source-document",
        "sourceId": named,
        "mediaType": "text/plain",
        "title": title_or_text,
    }


def tool_input(arguments: str) -> tuple[Any, str | None]:
    """The arguments as a JSON value, and no fault; or their text as it is, and what is wrong with
    it.
    """
    try:
        return msgspec.json.decode(arguments or "{}"), None
    except (ValueError, RecursionError):  # cut by a limit, or nested too deep
        return arguments, _BAD_INPUT

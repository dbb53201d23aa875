"""What the stream and a whole message say alike."""

from typing import Any

import msgspec

from proxy.events import Citation, Finish, FinishReason, StreamStart, Usage

FINISH: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "content_filter": "content-filter",
    "refusal": "content-filter",
    "other": "other",
}
# The name under which our signatures stand among those of other providers.
_PROVIDER = "mainstem"
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
    known = {name: number for name, number in counts.items() if number is not None}
    said: dict[str, Any] = {"finishReason": FINISH[finish.reason]}
    return {**said, "usage": known} if known else said


def signed(signature: str) -> dict[str, Any]:
    """Provider metadata that a later turn brings back."""
    return {_PROVIDER: {"signature": signature}}


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

"""What the stream and a whole answer say alike.

Source: https://docs.ag-ui.com/concepts/events and the types of `@ag-ui/core`.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec import proofs
from proxy.dialects.ag_ui.parse import Options
from proxy.errors import Failure
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    Citation,
    Finish,
    FinishReason,
    Image,
    StreamStart,
    Usage,
)

PROTOCOL = "1.0"
# TanStack AI looks for it in its own part of the metadata, and runs a page's tools for
# `tool_calls`.
_FINISH: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "other": "stop",
}


def ids(start: StreamStart, options: Options) -> dict[str, str]:
    """Of which conversation and run an answer is."""
    return {"threadId": options.thread or start.stream, "runId": options.run or start.stream}


def started(start: StreamStart, options: Options) -> dict[str, Any]:
    """The start of a run. The losses of the request are metadata of ours."""
    parent = {"parentRunId": options.parent} if options.parent else {}
    notes = {"metadata": {"mainstem": {"notes": start.notes}}} if start.notes else {}
    said = ids(start, options)
    return {"type": "RUN_STARTED", **said, "protocolVersion": PROTOCOL, **parent, **notes}


def own(event: Image | Citation) -> dict[str, Any]:
    """An event of ours, without its type and number."""
    said: dict[str, Any] = msgspec.to_builtins(event)
    return {name: value for name, value in said.items() if name not in ("type", "block")}


def thought_id(stream: str, block: int) -> str:
    """The id of a message of reasoning; the answer's own is the stream's."""
    return f"{stream}-r{block}"


def proof(end: BlockEnd) -> str | None:
    """What a vendor must see again, and whose it is, as one text."""
    if not isinstance(end.signature, str):
        return None
    of = None if end.format is UNSET else end.format
    return proofs.carried(end.signature, of, None, name=None if end.id is UNSET else end.id)


def finished(said: dict[str, str], finish: Finish, usage: Usage, model: str) -> dict[str, Any]:
    """The end of a complete run."""
    reason = _FINISH[finish.reason]
    return {
        "type": "RUN_FINISHED",
        **said,
        "result": {"finishReason": reason},
        "metadata": {"tanstack": {"finishReason": reason}},
        **_counted(usage, model),
    }


def failed(why: Failure, usage: Usage, model: str) -> dict[str, Any]:
    """The end of a run that failed."""
    return {
        "type": "RUN_ERROR",
        "message": why.message,
        "code": why.kind,
        **_counted(usage, model),
    }


def _counted(usage: Usage, model: str) -> dict[str, Any]:
    if usage == NO_USAGE:
        return {}
    both = usage.input_tokens is not None and usage.output_tokens is not None
    counts = {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": (usage.input_tokens or 0) + (usage.output_tokens or 0) if both else None,
        "reasoningTokens": usage.reasoning_tokens,
        "cachedInputTokens": usage.cached_input_tokens,
        "cacheWriteInputTokens": usage.cache_write_tokens,
    }
    known = {name: number for name, number in counts.items() if number is not None}
    return {"usage": [{"model": model, **known}]} if known else {}

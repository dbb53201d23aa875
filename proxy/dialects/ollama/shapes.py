"""What a streamed and a whole answer say alike: the beginning of a line, a tool call, the last
line.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from proxy.codec.tool_calls import arguments_object
from proxy.events import StreamEnd, StreamStart, Tool, Usage

_NS_PER_MS = 1_000_000


def stamp(created: int) -> str:
    """Unix seconds as the vendor writes times."""
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def head(start: StreamStart) -> dict[str, Any]:
    """What every line begins with. There is no clock here: all lines have the time of the
    beginning.
    """
    return {"model": start.model, "created_at": stamp(start.created)}


def call_object(tool: Tool, arguments: str, index: int) -> dict[str, Any]:
    """A call. Arguments that are no JSON object, for example cut by a limit, are kept under one
    key.
    """
    said = arguments_object(arguments)
    function = {
        "index": index,
        "name": tool.name,
        "arguments": {"arguments": arguments} if said is None else said,
    }
    return {"id": tool.id, "function": function}


def last_line(end: StreamEnd, usage: Usage, extras: Mapping[str, Any]) -> dict[str, Any]:
    """What the last line says beside the text. Unknown counts are left out, as the vendor does;
    durations are in nanoseconds.

    `extras` are this vendor's own words, where the answer came from it; the model stays the one
    asked for.
    """
    said: dict[str, Any] = {
        "done": True,
        "done_reason": "length" if end.finish.reason == "length" else "stop",
    }
    if end.timing is not None:
        said["total_duration"] = int(end.timing.total_ms * _NS_PER_MS)
    said |= {name: value for name, value in extras.items() if name != "model"}
    counts = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
    return said | {name: count for name, count in counts.items() if count is not None}

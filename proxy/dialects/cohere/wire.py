"""What decoder and encoder of this dialect have in common: the frames' shapes and the vendor's
words for ours.

Source: Cohere's API reference, "Chat with Streaming" of API v2. Structs hold what is used and
tolerate the rest.
"""

from typing import Any

import msgspec
from msgspec import Raw

from proxy.events import FinishReason

NAME = "cohere"

# The value of a Raw field that the frame does not have.
ABSENT = Raw(b"")


class Content(msgspec.Struct, gc=False):
    """A piece of the answer's content. Deltas have no type: the key that is there tells text from
    thinking.
    """

    text: str | None = None
    thinking: str | None = None


class Function(msgspec.Struct, gc=False):
    """A called function; in a delta only a piece of the arguments."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Call(msgspec.Struct, gc=False):
    """A tool call. In the stream it is an object where a whole answer has a list."""

    id: str | None = None
    function: Function | None = None


class Message(msgspec.Struct, gc=False):
    """What a frame adds to the message. The lists are those of message-start, and empty; content is
    text or a list of parts at gateways.
    """

    content: Content | str | list[Any] | None = None
    tool_plan: str | None = None
    tool_calls: Call | list[Any] | None = None
    citations: dict[str, Any] | list[Any] | None = None


class Delta(msgspec.Struct, gc=False):
    """A frame's news. All but the message belong to message-end."""

    message: Message | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: str | None = None
    error_type: str | None = None


class Event(msgspec.Struct, gc=False):
    """One frame. `index` counts contents, tool calls and citations, each for themselves. `message`
    is that of a bare error. `event_type` names an event of API v1.
    """

    type: str | None = None
    index: int | None = None
    id: str | None = None
    delta: Delta | None = None
    logprobs: Raw = ABSENT
    message: str | None = None
    event_type: str | None = None


FINISH: dict[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    # the vendor's older word, still among those that its SDKs know
    "ERROR_TOXIC": "content_filter",
}
# The answer is broken, whatever came before.
BROKEN = frozenset({"ERROR", "TIMEOUT", "ERROR_LIMIT", "USER_CANCEL"})
# The word for each of our reasons. There is none for a refusal: it is a complete answer.
FINISH_WORD: dict[FinishReason, str] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "content_filter": "ERROR_TOXIC",
    "refusal": "COMPLETE",
    "other": "COMPLETE",
}

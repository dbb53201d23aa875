"""What decoder and encoder of this dialect have in common: the frames' names and shapes, and the
vendor's words for ours.

Source: Anthropic's Messages API, "Streaming messages" and "Errors". Structs hold what is used and
tolerate the rest.
"""

from typing import Any

import msgspec

from proxy.events import FinishReason

NAME = "anthropic"


class TextDelta(msgspec.Struct, tag="text_delta", gc=False):
    """More text. Null, as everywhere below, is taken for nothing."""

    text: str | None = None


class ThinkingDelta(msgspec.Struct, tag="thinking_delta", gc=False):
    """More visible reasoning."""

    thinking: str | None = None


class SignatureDelta(msgspec.Struct, tag="signature_delta", gc=False):
    """The signature of a thinking block; comes after its text."""

    signature: str | None = None


class InputJsonDelta(msgspec.Struct, tag="input_json_delta", gc=False):
    """A piece of a tool's arguments. The first is usually empty."""

    partial_json: str | None = None


class CitationsDelta(msgspec.Struct, tag="citations_delta"):
    """A source of the text block. Five shapes exist; `citation.type` tells them apart."""

    citation: dict[str, Any] | None = None


Delta = TextDelta | ThinkingDelta | SignatureDelta | InputJsonDelta | CitationsDelta


class MessageStart(msgspec.Struct, tag="message_start"):
    """`message` is a message as in a whole answer, usually still without content."""

    message: dict[str, Any] | None = None


class BlockStart(msgspec.Struct, tag="content_block_start"):
    """`content_block` stays a dict: of most kinds of block nothing is used but that they are passed
    on whole.
    """

    content_block: dict[str, Any]
    index: int = 0


class BlockDelta(msgspec.Struct, tag="content_block_delta"):
    """One piece of a block: the frame of the hot path."""

    delta: Delta
    index: int = 0


class BlockStop(msgspec.Struct, tag="content_block_stop"):
    """A block is complete."""

    index: int = 0


class MessageDelta(msgspec.Struct, tag="message_delta"):
    """Why the message stopped, and its usage: totals, not increments."""

    delta: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    context_management: dict[str, Any] | None = None


class MessageStop(msgspec.Struct, tag="message_stop"):
    """The terminator."""


class Ping(msgspec.Struct, tag="ping"):
    """Keep-alive; comes at any time, any number of times."""


Frame = BlockDelta | BlockStart | BlockStop | MessageStart | MessageDelta | MessageStop | Ping

FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    # The vendor's server tools paused, or the context was compacted: the client is to call again.
    # None of our words says that.
    "pause_turn": "other",
    "compaction": "other",
}
# The word for each of our reasons, for an answer of another vendor.
STOP_REASON: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "other": "end_turn",
}

# "Errors" of the API reference: the type of an error and its HTTP status.
ERROR_STATUS: dict[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def is_opaque_block(kind: str) -> bool:
    """Whether a block of this type is none of ours and is passed on whole: server tools and their
    results, redacted thinking, ...
    """
    return kind in _OPAQUE or kind.endswith(("_tool_use", "_tool_result"))


_OPAQUE = frozenset({"redacted_thinking", "compaction", "container_upload", "fallback"})

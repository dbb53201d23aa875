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

    content_block: dict[str, Any] = {}
    index: int = 0


class BlockDelta(msgspec.Struct, tag="content_block_delta"):
    """One piece of a block: the frame of the hot path."""

    delta: Delta | None = None
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


# `type` of a Vendor event that holds no whole block of an answer but something of one: what the
# vendor counted in the beginning, what it said with its stop reason, a source with all its places,
# what else a block began with, a frame of a kind that is not known, a piece of such a kind.
MESSAGE_START = "message_start"
MESSAGE_DELTA = "message_delta"
CITATION = "citations_delta"
BLOCK_EXTRAS = "content_block"
UNKNOWN_FRAME = "unknown_frame"
UNKNOWN_DELTA = "content_block_delta"
_NO_BLOCKS = frozenset(
    {MESSAGE_START, MESSAGE_DELTA, CITATION, BLOCK_EXTRAS, UNKNOWN_FRAME, UNKNOWN_DELTA}
)


def is_opaque_block(kind: str) -> bool:
    """Whether a Vendor event of this type is a block that is none of ours and is passed on whole:
    server tools and their results, compaction, kinds yet unknown, ...
    """
    return kind not in _NO_BLOCKS

"""Everything that can happen in an answer, as frozen data. Any module may import this one; it
imports only `errors`.

The structs are the native schema itself (version 1): encoding one with msgspec gives the JSON
object of a native frame, with `type` as its tag. Decoders of every dialect make them, encoders of
every dialect take them.

Grammar of one stream, which a decoder must keep for any input whatever:

    stream  = [start] (block | image | usage | vendor)* terminal      nothing comes after terminal
    block   = block.start delta* block.end            blocks may overlap; each number is used once
    delta   = text.delta | text.rewrite | citation            in a text block
            | reasoning.delta                                 in a reasoning block
            | tool_call.delta                                 in a tool_call block
    terminal= stream.end | stream.error

A `stream.end` closes every open block first; a `stream.error` need not. `stream.start` is made by
the relay (it knows the stream's id and the clock), never by a decoder; `timing` of `stream.end` and
`upstream` of a failure likewise, and what a stream cost. Empty deltas are not sent.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from proxy.errors import Failure

SCHEMA_VERSION = 1

BlockKind = Literal["text", "reasoning", "tool_call"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "other"]


# A larger count is garbage, and neither JavaScript nor a metric could hold it.
MAX_COUNT = 2**53 - 1


class Cost(msgspec.Struct, frozen=True):
    """Money. `currency` is a code of ISO 4217, such as USD."""

    amount: float
    currency: str


class Usage(msgspec.Struct, frozen=True):
    """Tokens, as the vendor counted them: 0 to MAX_COUNT. Unknown is null, never 0.

    `input_tokens` includes those read from the vendor's cache (`cached_input_tokens`), those
    written into it and those of audio; `output_tokens` includes those of reasoning and of audio,
    whatever the vendor's own habit. `cost` is filled in by the relay at the end of the stream,
    where prices are known; a decoder only says what its upstream said.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cost: Cost | None = None


NO_USAGE = Usage()


class Finish(msgspec.Struct, frozen=True):
    """Why the answer ended: our word, and the vendor's own (null when it gave none)."""

    reason: FinishReason
    raw: str | None = None


class Timing(msgspec.Struct, frozen=True):
    """Milliseconds since the request was read. `first_event_ms` is that of the first content, null
    if none came.
    """

    first_event_ms: float | None
    total_ms: float


class Tool(msgspec.Struct, frozen=True):
    """Which tool is called. `id` is the vendor's, or made by us where it gives none. `custom`: it
    takes free text, and the arguments are `{"input": "<the text>"}`.
    """

    id: str
    name: str
    custom: bool | UnsetType = UNSET


class Note(msgspec.Struct, frozen=True):
    """What a request, or an answer, lost in translation.

    `note` says how: `dropped` (the upstream cannot say it), `changed` (said differently),
    `defaulted` (the upstream insists on a value and the client gave none: no loss). `param` is a
    name from a fixed set in the code, never a client's text.
    """

    note: Literal["dropped", "changed", "defaulted"]
    param: str
    message: str


class StreamStart(msgspec.Struct, frozen=True, tag="stream.start"):
    """The first event. `created` is in unix seconds; `model` is as the client asked."""

    stream: str
    model: str
    upstream: str
    upstream_model: str
    created: int
    notes: list[Note] = []


class BlockStart(msgspec.Struct, frozen=True, tag="block.start"):
    """`tool` only for a tool call; `choice` only when the upstream answers several times (choice 0
    may leave it out). `refusal`: the text says that the model will not answer.
    """

    block: int
    kind: BlockKind
    tool: Tool | UnsetType = UNSET
    choice: int | UnsetType = UNSET
    refusal: bool | UnsetType = UNSET


class TextDelta(msgspec.Struct, frozen=True, tag="text.delta", gc=False):
    """More text. `text` is never empty."""

    block: int
    text: str


class TextRewrite(msgspec.Struct, frozen=True, tag="text.rewrite", gc=False):
    """Keep the first `keep` code points of the block's text, then append `text`."""

    block: int
    keep: int
    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning.delta", gc=False):
    """More of the model's visible reasoning."""

    block: int
    text: str


class ToolCallDelta(msgspec.Struct, frozen=True, tag="tool_call.delta", gc=False):
    """A piece of JSON text; the pieces of a block joined are the arguments ("" stands for {})."""

    block: int
    arguments: str


class BlockEnd(msgspec.Struct, frozen=True, tag="block.end"):
    """The block is complete.

    `signature` is what the vendor must see again in a later turn, with the reasoning or the call
    that it belongs to. `format` says whose it is (`proxy/codec/proofs.py` has the words).
    `redacted`: the signature is the whole reasoning, encrypted, and the block has no text. `id` is
    the vendor's name of the reasoning, where that must go back too.
    """

    block: int
    signature: str | UnsetType = UNSET
    format: str | UnsetType = UNSET
    redacted: bool | UnsetType = UNSET
    id: str | UnsetType = UNSET


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture in the answer: `url` is a data: URL that holds it in base64, or http(s)."""

    url: str
    choice: int | UnsetType = UNSET


class Citation(msgspec.Struct, frozen=True, tag="citation"):
    """A source of the text. `start` and `end` are code points in the block's text; unknown is
    null.
    """

    block: int
    url: str | None = None
    title: str | None = None
    text: str | None = None
    start: int | None = None
    end: int | None = None


class UsageEvent(msgspec.Struct, frozen=True, tag="usage"):
    """The usage known so far; replaces what was said before. What it costs is said at the end."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cost: Cost | None = None


class Vendor(msgspec.Struct, frozen=True, tag="vendor"):
    """What the vendor said that has no place in this schema. `data` is the vendor's own JSON
    value.
    """

    dialect: str
    data: Any


class StreamEnd(msgspec.Struct, frozen=True, tag="stream.end"):
    """A complete answer. `timing` is filled in by the relay."""

    finish: Finish
    usage: Usage = NO_USAGE
    timing: Timing | None = None


class StreamError(msgspec.Struct, frozen=True, tag="stream.error"):
    """A failed answer: the last event of a stream that is not complete."""

    error: Failure
    usage: Usage = NO_USAGE


Event = (
    StreamStart
    | BlockStart
    | TextDelta
    | TextRewrite
    | ReasoningDelta
    | ToolCallDelta
    | BlockEnd
    | Image
    | Citation
    | UsageEvent
    | Vendor
    | StreamEnd
    | StreamError
)
TERMINAL = (StreamEnd, StreamError)
# Content commits an answer: after it the client has bytes, and no other target may be tried.
CONTENT = (TextDelta, TextRewrite, ReasoningDelta, ToolCallDelta, Image)


def event_type(cls: type[Any]) -> str:
    """The `type` word of an event class, for metrics and logs."""
    tag = cls.__struct_config__.tag
    assert isinstance(tag, str)
    return tag

"""What is read of an event of MiniMax's `chatcompletion_v2`. Source: MiniMax's API reference; there
are no recordings.

Close to OpenAI's chunks. The last event is a whole `chat.completion`, with the text again in
`message`.
"""

from typing import Any

import msgspec
from msgspec import Raw

from proxy.codec.sse_json import ABSENT

NAME = "minimax"
PATH = "/text/chatcompletion_v2"
WHOLE = "chat.completion"


class FunctionPiece(msgspec.Struct, gc=False):
    """A piece of a function call."""

    name: str | None = None
    arguments: str | None = None


class CallPiece(msgspec.Struct, gc=False):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class Delta(msgspec.Struct, gc=False):
    """What an event adds, or the whole message. With the role `tool` its content is what a built-in
    search found, no text.
    """

    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[Any] | None = None
    tool_calls: list[CallPiece] | None = None
    audio_content: Raw = ABSENT


class Choice(msgspec.Struct, gc=False):
    """One answer."""

    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class Details(msgspec.Struct, gc=False):
    """Parts of either count."""

    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


class Counts(msgspec.Struct, gc=False):
    """It may have the total alone, which is then told as it is."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    total_tokens: Raw = ABSENT


class BaseResp(msgspec.Struct, gc=False):
    """Whether all is well: 0."""

    status_code: int | str | None = None
    status_msg: str | None = None


class Event(msgspec.Struct, gc=False):
    """One event."""

    id: str | None = None
    object: str | None = None
    choices: list[Choice] | None = None
    usage: Counts | None = None
    base_resp: BaseResp | None = None
    input_sensitive: Raw = ABSENT
    input_sensitive_type: Raw = ABSENT
    output_sensitive: Raw = ABSENT
    output_sensitive_type: Raw = ABSENT
    output_sensitive_int: Raw = ABSENT

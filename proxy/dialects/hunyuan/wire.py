"""What is read of an event of Hunyuan's ChatCompletions. Source: Tencent Cloud's API metadata
(version 2023-09-01) and samples.
"""

import msgspec
from msgspec import Raw

from proxy.codec.sse_json import ABSENT

NAME = "hunyuan"
PATH = "/"
VERSION = "2023-09-01"
ACTION = "ChatCompletions"


class FunctionPiece(msgspec.Struct, rename="pascal", gc=False):
    """A piece of a function call. Later pieces have the name ""."""

    name: str | None = None
    arguments: str | None = None


class CallPiece(msgspec.Struct, rename="pascal", gc=False):
    """A piece of a tool call. Pieces of a call have one id; older answers have no index."""

    id: str | None = None
    index: int | None = None
    function: FunctionPiece | None = None


class Delta(msgspec.Struct, rename="pascal", gc=False):
    """What an event adds."""

    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[CallPiece] | None = None


class Choice(msgspec.Struct, rename="pascal", gc=False):
    """One answer; the vendor gives one. `finish_reason` is "" until the end."""

    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None
    moderation_level: Raw = ABSENT


class Counts(msgspec.Struct, rename="pascal", gc=False):
    """Cumulative, in every event."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Found(msgspec.Struct, rename="pascal", gc=False):
    """A page that a search found."""

    title: str | None = None
    url: str | None = None


class SearchInfo(msgspec.Struct, rename="pascal", gc=False):
    """What a search found, if it was asked to say so."""

    search_results: list[Found] | None = None


class Wrong(msgspec.Struct, rename="pascal", gc=False):
    """An error within the stream. It may be there with nothing in it."""

    code: int | str | None = None
    msg: str | None = None


class Event(msgspec.Struct, rename="pascal", gc=False):
    """One event. `note` is a notice that the vendor wants shown; `response` is what an answer that
    is no stream is wrapped in.
    """

    id: str | None = None
    choices: list[Choice] | None = None
    usage: Counts | None = None
    error_msg: Wrong | None = None
    search_info: SearchInfo | None = None
    note: Raw = ABSENT
    moderation_level: Raw = ABSENT
    replaces: Raw = ABSENT
    recommended_questions: Raw = ABSENT
    response: Raw = ABSENT

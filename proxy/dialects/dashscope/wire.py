"""What is read of an event of DashScope's generation API. Source: Alibaba's reference, and the
recordings.

With `result_format: text` the answer stands in `output.text`; with `message`, which is what we ask
for, in `output.choices`.
"""

from typing import Any

import msgspec
from msgspec import Raw

from proxy.codec.sse_json import ABSENT

NAME = "dashscope"
TEXT_PATH = "/services/aigc/text-generation/generation"
MULTIMODAL_PATH = "/services/aigc/multimodal-generation/generation"


class FunctionPiece(msgspec.Struct, gc=False):
    """A piece of a function call; `{}` at the end of some."""

    name: str | None = None
    arguments: str | None = None


class CallPiece(msgspec.Struct, gc=False):
    """A piece of a tool call. Later ones have the id ""."""

    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class Message(msgspec.Struct, gc=False):
    """The new piece, or the whole so far. `content` is a list of parts from the multimodal
    endpoint.
    """

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    tool_calls: list[CallPiece] | None = None


class Choice(msgspec.Struct, gc=False):
    """One answer. `finish_reason` is the text "null" until the end."""

    index: int | None = None
    message: Message | None = None
    finish_reason: str | None = None
    logprobs: Raw = ABSENT


class Found(msgspec.Struct, gc=False):
    """A page that a search found."""

    url: str | None = None
    title: str | None = None


class SearchInfo(msgspec.Struct, gc=False):
    """What a search found."""

    search_results: list[Found] | None = None


class Output(msgspec.Struct, gc=False):
    """The answer in either form."""

    text: str | None = None
    finish_reason: str | None = None
    choices: list[Choice] | None = None
    search_info: SearchInfo | None = None


class InputDetails(msgspec.Struct, gc=False):
    """Part of the input."""

    cached_tokens: int | None = None


class OutputDetails(msgspec.Struct, gc=False):
    """Part of the output."""

    reasoning_tokens: int | None = None


class ModelCounts(msgspec.Struct, gc=False):
    """What one of the models took that an application asks."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Counts(msgspec.Struct, gc=False):
    """Cumulative, in every event. An application's are told by model."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    models: list[ModelCounts] | None = None


class Event(msgspec.Struct, gc=False):
    """One event. `code` is an error's."""

    output: Output | None = None
    usage: Counts | None = None
    request_id: str | None = None
    code: str | int | None = None
    message: str | None = None

"""What we read of a `chat.completion.chunk`. Only what is used is declared; msgspec skips the rest.

Source: OpenAI's API reference, "The chat completion chunk object"; what compatible vendors add is
named where it is read. Fields that a vendor repeats in every chunk are `Raw`: they are compared as
bytes with what was seen before, and parsed only when they differ. None of these can hold a cycle,
so the garbage collector need not watch them.
"""

from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from operator import is_not
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

NAME = "openai_chat"
T = TypeVar("T")

# The value of a Raw field that the chunk does not have. Compare with `is`.
ABSENT = Raw(b"")
# What a Raw field says when it says nothing.
QUIET = (ABSENT, Raw(b"null"), Raw(b'""'), Raw(b"[]"), Raw(b"{}"))


class FunctionPiece(msgspec.Struct, gc=False):
    """A piece of a function call. `arguments` is text to be appended; a few vendors send the object
    itself.
    """

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CustomPiece(msgspec.Struct, gc=False):
    """A piece of a call of a tool that takes free text."""

    name: str | None = None
    input: str | None = None


class CallPiece(msgspec.Struct, gc=False):
    """A piece of a tool call. Pieces with the same `index` belong together; Mistral may leave it
    out. In `extra_content` Gemini's endpoint has what it wants to see again. Some gateways say the
    name and the arguments in the call itself, as the Responses API does.
    """

    index: int | None = None
    id: str | int | None = None
    function: FunctionPiece | None = None
    custom: CustomPiece | None = None
    extra_content: Any = None
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to one choice; also read from `message` of an answer that was not streamed.

    `content` is a list of typed parts at Mistral. `reasoning_content` (DeepSeek, Qwen, xAI and most
    others), `reasoning` (OpenRouter, Groq, Ollama), `reasoning_text` (GitHub Copilot), `thinking`
    (gateways) are names of one thing; some gateways make an object of it. `reasoning_details` are
    OpenRouter's, `thinking_blocks` LiteLLM's.
    """

    content: str | list[Any] | None = None
    reasoning_content: str | dict[str, Any] | None = None
    reasoning: Any = None
    reasoning_text: str | None = None
    thinking: str | None = None
    reasoning_details: list[Any] | None = None
    thinking_blocks: list[Any] | None = None
    refusal: str | None = None
    tool_calls: list[CallPiece] | CallPiece | None = None
    function_call: FunctionPiece | None = None
    annotations: list[Any] | None = None
    images: list[Any] | None = None
    audio: Any = None
    executed_tools: Any = None
    extra_content: Any = None
    reasoning_opaque: Any = None


class Choice(msgspec.Struct, gc=False):
    """One answer's part of a chunk. `message` is parsed only where there is no `delta`: Perplexity
    repeats the whole text in it.
    """

    index: int | None = 0
    delta: Delta | None = None
    message: Raw = ABSENT
    text: str | None = None
    finish_reason: str | None = None
    error: Raw = ABSENT
    usage: Raw = ABSENT
    logprobs: Raw = ABSENT
    content_filter_results: Raw = ABSENT
    content_filter_offsets: Raw = ABSENT
    native_finish_reason: Raw = ABSENT
    stop_reason: Raw = ABSENT
    matched_stop: Raw = ABSENT
    token_ids: Raw = ABSENT
    seed: Raw = ABSENT


class Chunk(msgspec.Struct, gc=False):
    """One frame of the stream."""

    id: Any = None
    choices: list[Choice] | None = None
    usage: Raw = ABSENT
    error: Raw = ABSENT
    code: Raw = ABSENT
    model: Raw = ABSENT
    system_fingerprint: Raw = ABSENT
    service_tier: Raw = ABSENT
    provider: Raw = ABSENT
    prompt_filter_results: Raw = ABSENT
    moderation: Raw = ABSENT
    x_groq: Raw = ABSENT
    citations: Raw = ABSENT
    search_results: Raw = ABSENT
    images: Raw = ABSENT
    related_questions: Raw = ABSENT
    note: Raw = ABSENT
    latency_checkpoint: Raw = ABSENT
    sla_metrics: Raw = ABSENT
    base_resp: Raw = ABSENT
    timings: Raw = ABSENT
    web_search: Raw = ABSENT


# What has no place in the events and goes into a `vendor` event, in the vendor's own place and
# under its own name.
CHUNK_EXTRAS = (
    "model",
    "system_fingerprint",
    "service_tier",
    "provider",
    "prompt_filter_results",
    "moderation",
    "x_groq",
    "citations",
    "search_results",
    "images",
    "related_questions",
    "note",
    "latency_checkpoint",
    "sla_metrics",
    "base_resp",
    "timings",
    "web_search",
)
CHOICE_EXTRAS = (
    "logprobs",
    "content_filter_results",
    "content_filter_offsets",
    "native_finish_reason",
    "stop_reason",
    "matched_stop",
    "token_ids",
    "seed",
)
DELTA_EXTRAS = ("audio", "executed_tools", "extra_content", "reasoning_opaque")


def present(names: Iterable[T], values: Sequence[Any]) -> Iterable[tuple[T, Any]]:
    """Of the fields with these names and values those that the chunk has: a few of many, so they
    are picked in C.
    """
    return compress(zip(names, values, strict=False), map(is_not, values, repeat(ABSENT)))

"""What decoder and encoder of this dialect have in common: the shape of a chunk, and the vendor's
words for ours.

Source: the Gemini API's reference (GenerateContentResponse) and Vertex AI's; recordings. Structs
hold what is used and tolerate the rest.
"""

from typing import Any

import msgspec
from msgspec import Raw

from proxy.events import FinishReason

NAME = "gemini"
NOTHING = Raw()


class PartialArg(msgspec.Struct, rename="camel"):
    """A piece of one argument; `json_path` says of which. The pieces of a string append."""

    json_path: str | None = None
    string_value: str | None = None
    number_value: Raw = NOTHING
    bool_value: bool | None = None
    null_value: Raw = NOTHING


class FunctionCall(msgspec.Struct, rename="camel"):
    """A call, usually whole. With streamed arguments: a name, then pieces without one, then an
    empty object that may be missing.
    """

    id: str | None = None
    name: str | None = None
    args: Raw = NOTHING
    partial_args: list[PartialArg] | None = None
    will_continue: bool | None = None


class Part(msgspec.Struct, rename="camel"):
    """A piece of content. Those that are neither text nor a call are passed on as the vendor's
    own.
    """

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None


class Content(msgspec.Struct, rename="camel"):
    """What a candidate says in this chunk; a final one may lack its parts."""

    parts: list[Part] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    """One of several answers. `finish_reason` is a number where the client asked for enums as such,
    and is no terminator.
    """

    content: Content | None = None
    finish_reason: str | int | None = None
    index: int | None = None
    finish_message: Raw = NOTHING
    safety_ratings: Raw = NOTHING
    citation_metadata: Raw = NOTHING
    grounding_metadata: Raw = NOTHING
    url_context_metadata: Raw = NOTHING
    logprobs_result: Raw = NOTHING
    avg_logprobs: Raw = NOTHING
    token_count: Raw = NOTHING
    continuation_token: Raw = NOTHING


class Chunk(msgspec.Struct, rename="camel"):
    """One frame of an answer, or an error in its place."""

    candidates: list[Candidate] | None = None
    usage_metadata: Raw = NOTHING
    prompt_feedback: Raw = NOTHING
    error: Any = None
    response_id: str | None = None
    create_time: Raw = NOTHING
    model_status: Raw = NOTHING
    response: Raw = NOTHING  # all of it, in Code Assist's wrapper


FINISH: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "LANGUAGE": "other",
    "OTHER": "other",
}
# The model's output was no answer: these end a stream in an error.
BROKEN = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
    }
)
# The same numbers in both of the vendor's services; beyond them their numbers differ.
FINISH_NUMBERS = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
# The word for each of our reasons, for an answer of another vendor. A call has none of its own.
FINISH_WORD: dict[FinishReason, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "other": "OTHER",
}

"""The request of `POST /v1/responses` as clients send it. Source: OpenAI's API reference, "Create a
model response".

Only what is used is declared; `parse` notes or refuses the rest.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Mode = Literal["none", "auto", "required"]


class AskedPart(msgspec.Struct):
    """One part of a message's content, of a function's output or of a reasoning."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None


class AskedMessage(msgspec.Struct):
    """A message: the assistant's as it was given, or the short form with nothing but role and
    content.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[AskedPart]


class AskedCall(msgspec.Struct):
    """A call that the model made."""

    call_id: str
    name: str
    arguments: str = ""
    input: str = ""


class AskedOutput(msgspec.Struct):
    """The answer to a call."""

    call_id: str
    output: str | list[AskedPart]


class AskedReasoning(msgspec.Struct):
    """Reasoning as it was given."""

    summary: list[AskedPart] | None = None
    content: list[AskedPart] | None = None
    encrypted_content: str | None = None


class AskedTool(msgspec.Struct):
    """A tool. Only functions can be carried."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class AskedChoice(msgspec.Struct):
    """A tool choice that is more than a word."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] = "auto"
    tools: list[AskedTool] | None = None


class AskedReasoningEffort(msgspec.Struct):
    """How much to think, and how to tell of it."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class AskedFormat(msgspec.Struct):
    """The form of the answer. The schema is an object of the client's own."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class AskedText(msgspec.Struct):
    """What is asked of the text."""

    format: AskedFormat | None = None
    verbosity: str | None = None


class Asked(msgspec.Struct):
    """The body."""

    model: str
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_output_tokens: Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[AskedTool] | None = None
    tool_choice: Mode | AskedChoice | None = None
    parallel_tool_calls: bool | None = None
    text: AskedText | None = None
    reasoning: AskedReasoningEffort | None = None
    include: list[str] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    background: bool | None = None
    store: bool | None = None

"""The request of `POST /v1/responses` as clients send it. Source: OpenAI's API reference, "Create a
model response".

Only what is used is declared; `parse` notes or refuses the rest.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Mode = Literal["none", "auto", "required"]


class WirePart(msgspec.Struct):
    """One part of a message's content, of a function's output or of a reasoning."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None


class WireMessage(msgspec.Struct):
    """A message: the assistant's as it was given, or the short form with nothing but role and
    content.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[WirePart]


class WireCall(msgspec.Struct):
    """A call that the model made."""

    call_id: str
    name: str
    arguments: str = ""
    input: str = ""


class WireOutput(msgspec.Struct):
    """The answer to a call."""

    call_id: str
    output: str | list[WirePart]


class WireReasoning(msgspec.Struct):
    """Reasoning as it was given."""

    summary: list[WirePart] | None = None
    content: list[WirePart] | None = None
    encrypted_content: str | None = None


class WireTool(msgspec.Struct):
    """A tool. Only functions can be carried."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class WireChoice(msgspec.Struct):
    """A tool choice that is more than a word."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] = "auto"
    tools: list[WireTool] | None = None


class WireReasoningEffort(msgspec.Struct):
    """How much to think, and how to tell of it."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class WireFormat(msgspec.Struct):
    """The form of the answer. The schema is an object of the client's own."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class WireText(msgspec.Struct):
    """What is asked of the text."""

    format: WireFormat | None = None
    verbosity: str | None = None


class Body(msgspec.Struct):
    """The body."""

    model: str
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_output_tokens: Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[WireTool] | None = None
    tool_choice: Mode | WireChoice | None = None
    parallel_tool_calls: bool | None = None
    text: WireText | None = None
    reasoning: WireReasoningEffort | None = None
    include: list[str] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    background: bool | None = None
    store: bool | None = None

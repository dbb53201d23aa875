"""The request of `POST /v1/responses` as clients send it. Source: OpenAI's API reference, "Create a
model response"; the `openai` SDK's `response_create_params`.

Only what is used is declared; `parse` notes or refuses the rest. What only the vendor itself can
know, such as kinds of tools and of parts, is a plain word here: it goes to an upstream of this
dialect as it is.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]


class WireAudio(msgspec.Struct):
    """Sound: base64, and `wav` or `mp3`."""

    data: str
    format: str


class WirePart(msgspec.Struct):
    """One part of a message's content, of a function's output or of a reasoning."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: WireAudio | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class WireMessage(msgspec.Struct):
    """A message: the assistant's as it was given, or the short form with nothing but role and
    content.
    """

    role: str
    content: str | list[dict[str, Any]]


class WireCall(msgspec.Struct):
    """A call that the model made: of a function, or of a tool that takes free text (`input`)."""

    call_id: str
    name: str
    arguments: str = ""
    input: str = ""
    namespace: str | None = None


class WireOutput(msgspec.Struct):
    """The answer to a call."""

    call_id: str
    output: str | list[dict[str, Any]]


class WireReasoning(msgspec.Struct):
    """Reasoning as it was given."""

    id: str | None = None
    summary: list[WirePart] | None = None
    content: list[WirePart] | None = None
    encrypted_content: str | None = None


class WireTool(msgspec.Struct):
    """A function, or a tool that takes free text in a `format`."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: Any = None
    strict: bool | None = None
    format: dict[str, Any] | None = None


class WireNamespace(msgspec.Struct):
    """Tools under one name."""

    type: str
    name: str
    tools: list[dict[str, Any]]
    description: str | None = None


class WireChoice(msgspec.Struct):
    """A tool choice that is more than a word."""

    type: str
    name: str | None = None
    namespace: str | None = None
    mode: str = "auto"
    tools: list[dict[str, Any]] | None = None


class WireReasoningEffort(msgspec.Struct):
    """How much to think, and how to tell of it. `generate_summary` is the older name."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class WireFormat(msgspec.Struct):
    """The form of the answer. The schema is an object of the client's own."""

    type: str
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
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_output_tokens: Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | WireChoice | None = None
    parallel_tool_calls: bool | None = None
    text: WireText | None = None
    reasoning: WireReasoningEffort | None = None
    include: list[str] | None = None
    top_logprobs: Annotated[int, Meta(ge=0)] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    metadata: dict[str, Any] | None = None
    background: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    prompt: Any = None

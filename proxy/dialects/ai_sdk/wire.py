"""What the SDK's chat transport posts, and the settings that a page may put beside it with the
transport's `body`.

Source: `HttpChatTransport` and `UIMessage` of the `ai` package. The settings have the names that
`streamText` has for them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from proxy.request import Reasoning

NAME = "ai_sdk"


class WireMessage(msgspec.Struct):
    """A turn. `parts` since version 5 of the SDK; before, and from hand-written clients,
    `content`.
    """

    role: Literal["system", "user", "assistant"]
    id: str | None = None
    parts: list[dict[str, Any]] | None = None
    content: str | None = None


class WireTool(msgspec.Struct):
    """A tool that the page runs. `inputSchema` is a JSON Schema."""

    name: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = msgspec.field(name="inputSchema", default=None)
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class WireChoice(msgspec.Struct):
    """A tool that must be called."""

    type: Literal["tool"]
    tool_name: str = msgspec.field(name="toolName")


class WireFormat(msgspec.Struct):
    """The form of the answer."""

    type: Literal["text", "json"]
    schema: dict[str, Any] | None = None
    name: str | None = None


class Body(msgspec.Struct, rename="camel"):
    """The body. `id` is the chat's, by which the page may come back; `trigger` and `message_id` say
    why it asks, which changes nothing here.
    """

    messages: list[WireMessage]
    id: str | None = None
    trigger: str | None = None
    message_id: str | None = None
    model: str | None = None
    system: str | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    tools: dict[str, WireTool] | list[WireTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | WireChoice | None = None
    response_format: WireFormat | None = None
    reasoning: Reasoning | None = None
    user: str | None = None
    stream: bool | None = None


class TextPart(msgspec.Struct):
    """Text, or a model's reasoning. `metadata.py` says what a provider's metadata holds."""

    text: str
    provider_metadata: dict[str, Any] | None = msgspec.field(name="providerMetadata", default=None)


class FilePart(msgspec.Struct):
    """A file, at an address or as data."""

    url: str
    media_type: str = msgspec.field(name="mediaType")
    filename: str | None = None


class ToolPart(msgspec.Struct, rename="camel"):
    """A call, and its result once there is one. The tool's name is in the part's type, or beside it
    in a dynamic one.
    """

    tool_call_id: str
    state: str
    tool_name: str | None = None
    input: Any = None
    raw_input: Any = None
    output: Any = None
    error_text: str | None = None
    call_provider_metadata: dict[str, Any] | None = None

"""What an AG-UI client posts: `RunAgentInput`, version 1.0 and the drafts before it.

Source: https://docs.ag-ui.com/sdk/js/core/types. The protocol has no words for a model and its
settings: they stand in `forwardedProps`, under the names that CopilotKit and the AI SDK have for
them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from proxy.request import Reasoning

NAME = "ag_ui"


class WireFunction(msgspec.Struct):
    """What an earlier call called. `arguments` is JSON text."""

    name: str
    arguments: str = ""


class WireCall(msgspec.Struct, rename="camel"):
    """A call that the assistant made."""

    id: str
    function: WireFunction
    type: str = "function"
    encrypted_value: str | None = None


class WireMessage(msgspec.Struct, rename="camel"):
    """A turn, or what belongs to one: reasoning is a message of its own, before its answer's."""

    role: str
    id: str | None = None
    content: Any = None
    tool_calls: list[WireCall] | None = None
    tool_call_id: str | None = None
    error: str | None = None
    activity_type: str | None = None
    encrypted_value: str | None = None


class Source(msgspec.Struct, rename="camel"):
    """Where a part's bytes are: in `value`, in base64, or at that address."""

    type: str
    value: str
    mime_type: str | None = None


class WirePart(msgspec.Struct, rename="camel"):
    """A part of a message. Those of type `binary` are of the drafts."""

    type: str
    text: str | None = None
    source: Source | None = None
    mime_type: str | None = None
    data: str | None = None
    url: str | None = None
    filename: str | None = None


class WireTool(msgspec.Struct):
    """A tool that the page runs."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Context(msgspec.Struct):
    """What the page shows or knows, in words."""

    description: str
    value: str


class Props(msgspec.Struct, rename="camel"):
    """`forwardedProps`: what the page asks of the model."""

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    stop: list[str] | str | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    tool_choice: Literal["auto", "none", "required", "function"] | None = None
    tool_choice_function_name: str | None = None
    response_format: dict[str, Any] | None = None
    reasoning: Reasoning | None = None
    user: str | None = None
    stream: bool | None = None


class Body(msgspec.Struct, rename="camel"):
    """The body. TanStack AI says `forwardedProps` once more as `data`, for its older servers."""

    messages: list[WireMessage]
    thread_id: str = ""
    run_id: str = ""
    parent_run_id: str | None = None
    protocol_version: str | None = None
    state: Any = None
    tools: list[WireTool] | None = None
    context: list[Context] | None = None
    forwarded_props: dict[str, Any] | None = None
    data: Any = None
    resume: list[Any] | None = None

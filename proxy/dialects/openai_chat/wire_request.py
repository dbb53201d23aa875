"""The request of `POST /v1/chat/completions` as clients send it. Source: OpenAI's API reference,
"Create chat completion".

Only what is used is declared; `parse` notes the rest.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]


class ImageURL(msgspec.Struct):
    """Where an image is. `detail` (how closely to look) has no place in a ChatRequest."""

    url: str
    detail: str | None = None


class WirePart(msgspec.Struct):
    """One part of a message's content. `thinking` (parts of text) and its `signature` are
    Mistral's.
    """

    type: str
    text: str | None = None
    image_url: ImageURL | str | None = None
    refusal: str | None = None
    thinking: list["WirePart"] | None = None
    signature: str | None = None


class WireFunction(msgspec.Struct):
    """The function of an earlier call. Mistral's SDKs may send the arguments themselves, instead of
    their text.
    """

    name: str
    arguments: str | dict[str, Any] = ""

    def text(self) -> str:
        """The arguments as JSON text."""
        return (
            self.arguments
            if isinstance(self.arguments, str)
            else msgspec.json.encode(self.arguments).decode()
        )


class WireCall(msgspec.Struct):
    """A call that the assistant made."""

    id: str
    function: WireFunction | None = None
    type: str | None = None


class WireMessage(msgspec.Struct):
    """One message. `function` is the old name of the role `tool`; `reasoning_content` is
    DeepSeek's, `prefix` Mistral's.
    """

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[WirePart] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[WireCall] | None = None
    function_call: WireFunction | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    audio: dict[str, Any] | None = None
    prefix: bool | None = None


class FunctionSpec(msgspec.Struct):
    """A function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class WireTool(msgspec.Struct):
    """A tool. Only functions can be carried."""

    type: str = "function"
    function: FunctionSpec | None = None


class FunctionName(msgspec.Struct):
    """A function, named."""

    name: str


class AllowedTools(msgspec.Struct):
    """A choice among some of the tools."""

    mode: Literal["auto", "required"]
    tools: list[WireTool]


class WireChoice(msgspec.Struct):
    """A tool choice that is more than a word."""

    type: str
    function: FunctionName | None = None
    allowed_tools: AllowedTools | None = None


class StreamOptions(msgspec.Struct):
    """`include_usage`: the client wants a last chunk with the usage."""

    include_usage: bool | None = None


class Body(msgspec.Struct):
    """The body. `random_seed`, and `any` for a required call, are Mistral's words."""

    model: str
    messages: list[WireMessage]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: Count | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    random_seed: int | None = None
    tools: list[WireTool] | None = None
    functions: list[FunctionSpec] | None = None
    tool_choice: Literal["none", "auto", "required", "any"] | WireChoice | None = None
    function_call: Literal["none", "auto"] | FunctionName | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = (
        None
    )
    user: str | None = None
    metadata: dict[str, Any] | None = None

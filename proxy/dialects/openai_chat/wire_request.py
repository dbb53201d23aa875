"""The request of `POST /v1/chat/completions` as clients send it. Source: OpenAI's API reference,
"Create chat completion"; what compatible vendors add is named where it stands.

Only what is understood is declared; `parse` notes the rest. Types of what OpenAI has are as strict
as OpenAI's; kinds of parts, tools and roles are not told apart here, as vendors add to them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]

# Where servers of open models (vLLM) are told the JSON Schema of the answer, among other things.
GUIDED = ("guided_json", "structured_outputs")
ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class ImageURL(msgspec.Struct):
    """Where an image is, and how closely to look at it."""

    url: str
    detail: str | None = None


class WireAudio(msgspec.Struct):
    """Sound in base64. `format` is `wav` or `mp3`."""

    data: str
    format: str


class WireFile(msgspec.Struct):
    """A file: by its content, a data: URL (OpenRouter also takes an address), or by a vendor's id
    of it.
    """

    file_data: str | None = None
    filename: str | None = None
    file_id: str | None = None


class WirePart(msgspec.Struct):
    """One part of a message's content. `thinking` (parts of text) and its `signature` are
    Mistral's; `cache_control` is OpenRouter's, for Claude, and `prompt_cache_breakpoint` OpenAI's
    mark of the same meaning.
    """

    type: str
    text: str | None = None
    image_url: ImageURL | str | None = None
    input_audio: WireAudio | None = None
    file: WireFile | None = None
    refusal: str | None = None
    thinking: list["WirePart"] | None = None
    signature: str | None = None
    cache_control: Any = None
    prompt_cache_breakpoint: Any = None


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


class WireCustom(msgspec.Struct):
    """An earlier call of a tool that takes free text."""

    name: str
    input: str = ""


class WireCall(msgspec.Struct):
    """A call that the assistant made. `extra_content` is Gemini's."""

    id: str
    function: WireFunction | None = None
    custom: WireCustom | None = None
    type: str | None = None
    extra_content: Any = None
    index: Any = None  # clients send it back as it stood in the stream; it says nothing here


class WireMessage(msgspec.Struct):
    """One message. `function` is the old name of the role `tool`. What vendors want to see again:
    `reasoning_content` (DeepSeek), `reasoning` and `reasoning_details` (OpenRouter),
    `thinking_blocks` (LiteLLM). `images` stood in an answer. `prefix` is Mistral's and DeepSeek's,
    `partial` Moonshot's.
    """

    role: str
    content: str | list[WirePart] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[WireCall] | None = None
    function_call: WireFunction | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking_blocks: Any = None
    images: Any = None
    annotations: Any = None
    audio: dict[str, Any] | None = None
    prefix: Any = None
    partial: Any = None


class FunctionSpec(msgspec.Struct):
    """A function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class CustomSpec(msgspec.Struct):
    """A tool that takes free text."""

    name: str
    description: str | None = None
    format: dict[str, Any] | None = None


class WireTool(msgspec.Struct):
    """A tool. Kinds that only one vendor knows can be carried to that vendor alone."""

    type: str = "function"
    function: FunctionSpec | None = None
    custom: CustomSpec | None = None
    cache_control: Any = None


class Named(msgspec.Struct):
    """A tool, named."""

    name: str


class NamedTool(msgspec.Struct):
    """One of the tools that are allowed."""

    type: str = "function"
    function: Named | None = None
    custom: Named | None = None


class AllowedTools(msgspec.Struct):
    """A choice among some of the tools."""

    mode: Literal["auto", "required"]
    tools: list[NamedTool]


class WireChoice(msgspec.Struct):
    """A tool choice that is more than a word."""

    type: str | None = None
    function: Named | None = None
    custom: Named | None = None
    allowed_tools: AllowedTools | None = None


class StreamOptions(msgspec.Struct):
    """`include_usage`: the client wants a last chunk with the usage."""

    include_usage: bool | None = None


class WireReasoning(msgspec.Struct):
    """OpenRouter's way to ask for reasoning."""

    effort: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None


class WireThinking(msgspec.Struct):
    """`thinking` of DeepSeek, Zhipu, Moonshot, Doubao: `type` is `enabled` or `disabled`; gateways
    before Claude take its budget and its `adaptive` too.
    """

    type: str | None = None
    budget_tokens: int | None = None


class Body(msgspec.Struct):
    """The body. `random_seed`, and `any` for a required call, are Mistral's words; `top_k`, `min_p`
    and `repetition_penalty` are known to most servers of open models, `enable_thinking` and
    `thinking_budget` to Qwen.
    """

    model: str
    messages: list[WireMessage]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    n: Count | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    random_seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | int | None = None
    top_logprobs: int | None = None
    tools: list[WireTool] | None = None
    functions: list[FunctionSpec] | None = None
    tool_choice: str | WireChoice | None = None
    function_call: Literal["none", "auto"] | Named | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    reasoning: WireReasoning | None = None
    thinking: WireThinking | None = None
    enable_thinking: bool | None = None
    thinking_budget: int | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None

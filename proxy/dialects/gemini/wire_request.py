"""The shape of a client's request: what is used of it. Source: GenerateContentRequest of the API's
reference.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Blob(msgspec.Struct, rename="camel"):
    """Data in the request, in base64."""

    data: str
    mime_type: str = ""
    display_name: str | None = None


class FileData(msgspec.Struct, rename="camel"):
    """Data elsewhere."""

    file_uri: str
    mime_type: str = ""
    display_name: str | None = None


class Call(msgspec.Struct, rename="camel"):
    """A call that the model made."""

    name: str
    id: str | None = None
    args: dict[str, Any] | None = None


class ResultMedia(msgspec.Struct, rename="camel"):
    """A picture or a document beside what a function answered."""

    inline_data: Blob | None = None
    file_data: FileData | None = None


class Result(msgspec.Struct, rename="camel"):
    """What a function answered."""

    name: str
    id: str | None = None
    response: dict[str, Any] | None = None
    parts: list[ResultMedia] | None = None


class WirePart(msgspec.Struct, rename="camel"):
    """One of these at most says something; `thought` and the signature go with it."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: Call | None = None
    function_response: Result | None = None


class WireContent(msgspec.Struct, rename="camel"):
    """A turn. Without a role it is the user's. The parts stay dicts: each is read by itself, so
    that a fault has its place.
    """

    parts: list[dict[str, Any]] | None = None
    role: str | None = None


class Declaration(msgspec.Struct, rename="camel"):
    """A function that the model may call; its parameters in one of two forms."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: Any = None


class CallingConfig(msgspec.Struct, rename="camel"):
    """Whether, and which, functions must be called."""

    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(msgspec.Struct, rename="camel"):
    """Of all tools only functions are configured."""

    function_calling_config: CallingConfig | None = None


class ThinkingConfig(msgspec.Struct, rename="camel"):
    """`thinking_budget` -1 leaves it to the model."""

    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, Meta(ge=-1)] | None = None
    thinking_level: str | None = None


class Config(msgspec.Struct, rename="camel"):
    """`generationConfig`."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    top_k: int | float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    candidate_count: Annotated[int, Meta(ge=1)] | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: Any = None
    thinking_config: ThinkingConfig | None = None


class Body(msgspec.Struct, rename="camel"):
    """The body. The SDKs send `systemInstruction` as a turn; the API takes plain parts, too."""

    contents: list[WireContent] | WireContent
    system_instruction: WireContent | str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_config: ToolConfig | None = None
    generation_config: Config | None = None
    cached_content: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    labels: dict[str, str] | None = None


def fields(struct: type[msgspec.Struct]) -> frozenset[str]:
    """Its fields as they stand on the wire."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(struct))

"""The requests of `POST /api/chat` and `/api/generate` as clients send them. Only what is used is
declared; `parse` notes the rest.
"""

from typing import Any

import msgspec


class WireFunction(msgspec.Struct):
    """The function of an earlier call. The vendor's clients send an object; others' habit is
    text.
    """

    name: str
    arguments: dict[str, Any] | str | None = None
    index: int | None = None


class WireCall(msgspec.Struct):
    """A call that the assistant made. Most clients keep no id."""

    function: WireFunction
    id: str | None = None
    type: str | None = None


class WireMessage(msgspec.Struct):
    """One message. A tool's result names its tool (`tool_name`, once `name`), the call, or nothing:
    then it answers the calls in order.
    """

    role: str
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[WireCall] | None = None
    tool_name: str | None = None
    name: str | None = None
    tool_call_id: str | None = None
    reasoning_details: Any = None  # ours (see `encode`)


class FunctionSpec(msgspec.Struct):
    """A function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class WireTool(msgspec.Struct):
    """A tool. There are only functions."""

    function: FunctionSpec
    type: str | None = None


class Runtime(msgspec.Struct):
    """Of the runtime options those that others have. A `num_predict` below 0 means no limit."""

    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: str | list[str] | None = None


class Body(msgspec.Struct, kw_only=True):
    """What both bodies have."""

    model: str
    stream: bool | None = None
    format: str | dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    think: bool | str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class ChatBody(Body, kw_only=True):
    """The body of /api/chat."""

    messages: list[WireMessage] | None = None
    tools: list[WireTool] | None = None


class GenerateBody(Body, kw_only=True):
    """The body of /api/generate."""

    prompt: str | None = None
    system: str | None = None
    images: list[str] | None = None

"""A chat transport's request to a `ChatRequest`."""

from typing import Any, Literal, NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.codec.response_format import NO_NAME
from proxy.codec.text_only import unknown_keys
from proxy.dialects.ai_sdk.parse_turns import Turns
from proxy.dialects.ai_sdk.wire import Body, WireChoice, WireFormat, WireTool
from proxy.errors import bad_request
from proxy.request import ChatRequest, ToolChoice, ToolSpec

# What is asked for when the page names no model: an operator gives it a row in `models`.
DEFAULT_MODEL = "ai_sdk"


class Options(NamedTuple):
    """`message_id` of the assistant's turn that the answer goes on with, after the page ran its
    tools; "" for a new one. `strict` for a page with one of the first releases of version 5 of the
    SDK.
    """

    message_id: str = ""
    strict: bool = False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`. The model is that of the body, or `?model=` of the
    transport's `api`; so is `?strict=true`.
    """
    document = json_object(incoming.body)
    body = fitted(document, Body)
    if not body.messages:
        raise bad_request("messages must hold at least one message.", param="messages")
    notes = list(unknown_keys(document, Body))
    system, messages = Turns(notes).read(body.messages)
    request = ChatRequest(
        model=body.model or incoming.query.get("model") or DEFAULT_MODEL,
        messages=messages,
        system="\n\n".join(filter(None, (body.instructions, body.system, system))) or None,
        max_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        presence_penalty=body.presence_penalty or None,
        frequency_penalty=body.frequency_penalty or None,
        stop=body.stop_sequences or [],
        seed=body.seed,
        tools=_tools(body.tools),
        tool_choice=_choice(body.tool_choice),
        response_format=_format(body.response_format),
        reasoning=body.reasoning,
        user=body.user,
        stream=body.stream is not False,
    )
    last = body.messages[-1]
    options = Options(
        last.id or "" if last.role == "assistant" else "",
        incoming.query.get("strict") in ("1", "true"),
    )
    return Parsed(request, options, tuple(notes), body.id or "")


def _tools(tools: dict[str, WireTool] | list[WireTool] | None) -> list[ToolSpec]:
    """By name, as `streamText` takes them, or in a list."""
    named: list[tuple[str, WireTool]] = list(tools.items()) if isinstance(tools, dict) else []
    for at, tool in enumerate(tools if isinstance(tools, list) else ()):
        if tool.name is None:
            raise bad_request(f"tools[{at}].name is required.", param=f"tools[{at}].name")
        named.append((tool.name, tool))
    return [
        ToolSpec(name, tool.description, tool.input_schema or tool.parameters, tool.strict)
        for name, tool in named
    ]


def _choice(said: Literal["auto", "none", "required"] | WireChoice | None) -> ToolChoice | None:
    if said is None:
        return None
    return ToolChoice("tool", said.tool_name) if isinstance(said, WireChoice) else ToolChoice(said)


def _format(said: WireFormat | None) -> dict[str, Any] | None:
    """In the form that ChatRequest has from the OpenAI API."""
    if said is None or said.type == "text":
        return None
    if said.schema is None:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": said.name or NO_NAME, "schema": said.schema},
    }

"""A client's request to a `ChatRequest`, with the request as the client wrote it for an upstream of
this dialect.

Wrong types are refused as the vendor does. What the API knows and ours cannot carry is a note, and
so is what we do not know: the vendor's SDKs gain fields faster than we do, and compatible vendors
have fields, parts and tools of their own.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.custom_tools import custom_names
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.codec.response_format import NO_NAME
from proxy.codec.shared_notes import ALLOWED_TOOLS
from proxy.codec.unknown_keys import unknown_inner_keys
from proxy.dialects.openai_chat import mistral
from proxy.dialects.openai_chat.foreign import in_own_words
from proxy.dialects.openai_chat.parse_google import for_google
from proxy.dialects.openai_chat.parse_parts import cache_of
from proxy.dialects.openai_chat.parse_reasoning import reasoning
from proxy.dialects.openai_chat.parse_turns import Turns
from proxy.dialects.openai_chat.wire import NAME
from proxy.dialects.openai_chat.wire_request import GUIDED, Body, Named, WireChoice
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Original, ToolChoice, ToolSpec

_KNOWN = frozenset({*Body.__struct_fields__, "chat_template_kwargs"})
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "modalities": (["text"],),
    "audio": (),
    "moderation": (),
    "prediction": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "web_search_options": (),
    # Mistral's
    "guardrails": ([],),
    "min_tokens": (0,),
    "prompt_logprobs": (False,),
    "prompt_mode": (),
    "safe_prompt": (False,),
    "top_prompt_logprobs": (0,),
}
_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}
# Headers that belong to the dialect: what OpenAI's betas are asked for with, and what xAI finds its
# prompt cache by. Those of an account (openai-organization) are the upstream's own.
_HEADERS = ("openai-beta", "x-grok-conv-id")


class Options(NamedTuple):
    """What only the encoder needs to know."""

    include_usage: bool = False
    mistral: bool = False
    custom: frozenset[str] = frozenset()  # the names of its tools that take free text


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = in_own_words(json_object(incoming.body))
    body = fitted(value, Body)
    if not body.messages:
        raise bad_request("messages must hold at least one message.", param="messages")
    guided = _guided(value)
    notes: list[Note] = []
    turns = Turns(notes)
    google = for_google(value, turns.note)
    known = _KNOWN.union(google.keys, GUIDED if guided else ())
    notes += [*key_notes(value, known, _DROPPED), *unknown_inner_keys(value, Body)]
    system, messages = turns.read(body.messages)
    choice = _choice(body, turns)
    request = ChatRequest(
        model=body.model,
        messages=messages,
        original=Original(NAME, value, _own_headers(incoming.headers)),
        only_relayed=turns.only_relayed,
        system=system.text,
        system_parts=system.parts,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        stop=[
            text
            for text in ([body.stop] if isinstance(body.stop, str) else body.stop or [])
            if text
        ],
        tools=_allowed(body, _tools(body, turns), notes),
        tool_choice=choice,
        response_format=body.response_format or guided,
        reasoning=reasoning(body, value.get("chat_template_kwargs"), turns.note)
        or google.reasoning,
        own=google.own,
        user=body.user,
        metadata=body.metadata or {},
        stream=bool(body.stream),
        n=body.n,
        service_tier=None if body.service_tier in ("auto", "default") else body.service_tier,
        store=body.store,
        cache_key=body.prompt_cache_key,
        safety_identifier=body.safety_identifier,
        verbosity=body.verbosity,
        **_sampling(body),
    )
    wants_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    options = Options(wants_usage, mistral.asks(incoming.headers), custom_names(request.tools))
    return Parsed(request, options, tuple(notes))


def _guided(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON Schema of the answer in the words of servers of open models."""
    match value:
        case {"guided_json": dict(schema)} | {"structured_outputs": {"json": dict(schema)}}:
            named = {"name": NO_NAME, "schema": schema}
            return {"type": "json_schema", "json_schema": named}
    return None


def _own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _HEADERS if name in headers}


def _sampling(body: Body) -> dict[str, Any]:
    """How the answer is drawn; null where a value asks for nothing."""
    return {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "min_p": body.min_p,
        "seed": body.random_seed if body.seed is None else body.seed,
        "frequency_penalty": body.frequency_penalty or None,
        "presence_penalty": body.presence_penalty or None,
        "repetition_penalty": None if body.repetition_penalty == 1 else body.repetition_penalty,
        "logit_bias": body.logit_bias or None,
        "logprobs": True if body.logprobs else None,
        "top_logprobs": body.top_logprobs or None,
    }


def _tools(body: Body, turns: Turns) -> list[ToolSpec]:
    """The functions, in their new place (`tools`) or the old one (`functions`), and the tools with
    free text.
    """
    tools: list[ToolSpec] = []
    for at, tool in enumerate(body.tools or ()):
        cache = cache_of(tool.cache_control, turns.note)
        if tool.function is not None:
            spec = tool.function
            tools.append(
                ToolSpec(spec.name, spec.description, spec.parameters, spec.strict, cache=cache)
            )
        elif tool.custom is not None:
            form = tool.custom.format or {}
            tools.append(
                ToolSpec(tool.custom.name, tool.custom.description, custom=form, cache=cache)
            )
        elif tool.type in ("function", "custom"):
            place = f"tools[{at}].{tool.type}"
            raise bad_request(f"{place} is required.", param=place)
        else:
            turns.note("tools", "Tools that a vendor runs itself cannot be asked for of others.")
    tools += [
        ToolSpec(spec.name, spec.description, spec.parameters, spec.strict)
        for spec in body.functions or ()
    ]
    return tools


def _allowed(body: Body, tools: list[ToolSpec], notes: list[Note]) -> list[ToolSpec]:
    if not isinstance(body.tool_choice, WireChoice) or body.tool_choice.allowed_tools is None:
        return tools
    allowed = {
        named.name
        for tool in body.tool_choice.allowed_tools.tools
        if (named := tool.function or tool.custom) is not None
    }
    notes.append(ALLOWED_TOOLS)
    return [tool for tool in tools if tool.name in allowed]


def _choice(body: Body, turns: Turns) -> ToolChoice | None:
    said = body.tool_choice
    parallel = body.parallel_tool_calls
    if said is None and body.function_call is not None:
        called = body.function_call
        return (
            ToolChoice("tool", called.name, parallel)
            if isinstance(called, Named)
            else ToolChoice(_MODES[called], None, parallel)
        )
    if isinstance(said, WireChoice):
        named = said.function or said.custom
        if named is not None:
            return ToolChoice("tool", named.name, parallel)
        if said.allowed_tools is not None:
            return ToolChoice(_MODES[said.allowed_tools.mode], None, parallel)
    elif said in _MODES:
        return ToolChoice(_MODES[said], None, parallel)
    if said is not None:
        turns.note("tool_choice", "A tool choice that only its vendor knows was left out.")
    return None if parallel is None else ToolChoice("auto", None, parallel)

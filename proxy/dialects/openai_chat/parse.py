"""A client's request to a `ChatRequest`.

Wrong types are refused as the vendor does. What the API knows and ours cannot carry is a note, and
so is a key that we do not know: the vendor's SDKs gain fields faster than we do, and compatible
vendors have fields of their own.
"""

from typing import Any, Literal, NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.dialects.openai_chat import mistral
from proxy.dialects.openai_chat.parse_turns import Turns
from proxy.dialects.openai_chat.wire_request import Body, FunctionName, FunctionSpec, WireChoice
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Effort, Reasoning, ToolChoice, ToolSpec

_KNOWN = frozenset(Body.__struct_fields__)
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "modalities": (["text"],),
    "audio": (),
    "moderation": (),
    "prediction": (),
    "prompt_cache_key": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "safety_identifier": (),
    "verbosity": (),
    "web_search_options": (),
    # Mistral's
    "guardrails": ([],),
    "min_tokens": (0,),
    "prompt_logprobs": (False,),
    "prompt_mode": (),
    "repetition_penalty": (1,),
    "safe_prompt": (False,),
    "top_prompt_logprobs": (0,),
}
_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}
_MOST = ("xhigh", "max")


class Options(NamedTuple):
    """What only the encoder needs to know."""

    include_usage: bool = False
    mistral: bool = False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = json_object(incoming.body)
    body = fitted(value, Body)
    if not body.messages:
        raise bad_request("messages must hold at least one message.", param="messages")
    notes = key_notes(value, _KNOWN, _DROPPED)
    system, messages = Turns(notes).read(body.messages)
    tools = _tools(body, notes)
    choice = _choice(body)
    if isinstance(body.tool_choice, WireChoice) and body.tool_choice.allowed_tools is not None:
        allowed = {
            tool.function.name
            for tool in body.tool_choice.allowed_tools.tools
            if tool.function is not None
        }
        tools = [tool for tool in tools if tool.name in allowed]
        notes.append(
            Note("changed", "tool_choice", "Only the allowed tools are named to the upstream.")
        )
    request = ChatRequest(
        model=body.model,
        messages=messages,
        system=system,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=[body.stop] if isinstance(body.stop, str) else body.stop or [],
        seed=body.random_seed if body.seed is None else body.seed,
        tools=tools,
        tool_choice=choice,
        response_format=body.response_format,
        reasoning=_reasoning(body, notes),
        user=body.user,
        metadata=body.metadata or {},
        stream=bool(body.stream),
        n=body.n,
    )
    wants_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    return Parsed(request, Options(wants_usage, mistral.asks(incoming.headers)), tuple(notes))


def _tools(body: Body, notes: list[Note]) -> list[ToolSpec]:
    """The functions, in their new place (`tools`) or the old one (`functions`)."""
    specs: list[FunctionSpec] = []
    for at, tool in enumerate(body.tools or ()):
        if tool.function is not None:
            specs.append(tool.function)
        elif tool.type == "function":
            raise bad_request(f"tools[{at}].function is required.", param=f"tools[{at}].function")
        else:
            notes.append(
                Note("dropped", "tools", "Tools that are no functions cannot be asked for here.")
            )
    specs += body.functions or []
    return [ToolSpec(spec.name, spec.description, spec.parameters, spec.strict) for spec in specs]


def _choice(body: Body) -> ToolChoice | None:
    said = body.tool_choice
    parallel = body.parallel_tool_calls
    if said is None and body.function_call is not None:
        called = body.function_call
        return (
            ToolChoice("tool", called.name, parallel)
            if isinstance(called, FunctionName)
            else ToolChoice(_MODES[called], None, parallel)
        )
    if said is None:
        return None if parallel is None else ToolChoice("auto", None, parallel)
    if isinstance(said, str):
        return ToolChoice(_MODES[said], None, parallel)
    if said.function is not None:
        return ToolChoice("tool", said.function.name, parallel)
    if said.allowed_tools is not None:
        return ToolChoice(_MODES[said.allowed_tools.mode], None, parallel)
    raise bad_request(
        "tool_choice must name a function, or be none, auto or required.", param="tool_choice"
    )


def _reasoning(body: Body, notes: list[Note]) -> Reasoning | None:
    said = body.reasoning_effort
    if said is None:
        return None
    if said in _MOST:
        notes.append(
            Note(
                "changed",
                "reasoning_effort",
                f"Effort {said} is said as high, the most that can be said.",
            )
        )
        return Reasoning("high")
    effort: Effort = said
    return Reasoning(effort)

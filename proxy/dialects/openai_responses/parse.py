"""A client's request to a `ChatRequest`.

Wrong types are refused, as the vendor does. What only an upstream of this dialect can do, which
gets the request as it is (to go on from an answer or a conversation that the vendor keeps, to use
its prompts and files), is refused where the request goes to another one. All else that the API has
and ours cannot carry is a note, and so is a key that we do not know: the vendor's SDKs gain fields
faster than we do.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import msgspec

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.codec.response_format import NO_NAME
from proxy.dialects.openai_responses.foreign import in_own_words
from proxy.dialects.openai_responses.parse_input import Turns
from proxy.dialects.openai_responses.parse_tools import Named, read_choice, read_tools
from proxy.dialects.openai_responses.wire import NAME
from proxy.dialects.openai_responses.wire_request import Body, WireFormat
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    Effort,
    Message,
    OnlyRelayed,
    Original,
    Reasoning,
    TextPart,
)

_KNOWN = frozenset(Body.__struct_fields__)
_KEPT_ELSEWHERE = {
    "previous_response_id": "send the whole input, with the items of the earlier answer",
    "conversation": "send the whole input, with the items of the conversation",
    "prompt": "send the prompt itself as instructions and input",
}
_NO_BACKGROUND = (
    "answers are not kept here to be asked for later: have streams.resume switched on in the "
    "configuration, or leave background out and wait for the answer"
)
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "access_programs": (),
    "background_options": (),
    "context_management": (),
    "image": (),
    "max_tool_calls": (),
    "moderation": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "truncation": ("disabled",),
}
# Headers of a client that belong to the dialect.
_HEADERS = ("openai-beta",)
_LOGPROBS = "message.output_text.logprobs"
_INCLUDED = ("reasoning.encrypted_content", _LOGPROBS)  # the first comes without being asked for
_EFFORTS: tuple[Effort, ...] = get_args(Effort)
# The request's own settings, which the vendor repeats in every response, with the values that they
# have when nothing was said.
_REPEATED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


class Kept(NamedTuple):
    """What is kept of a request for as long as its answer is: the input's items, in their order,
    those of earlier turns among them.
    """

    background: bool
    items: list[msgspec.Raw]


class Options(NamedTuple):
    """What only the encoder needs to know: the settings that go back in every response, and our
    names of tools to their places in the client's request. `kept` None: nobody may ask for the
    answer later.
    """

    repeated: dict[str, Any]
    named: Mapping[str, Named] = {}
    kept: Kept | None = None


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = in_own_words(json_object(incoming.body))
    body = fitted(value, Body)
    kept = _kept(body)
    if not body.input and not kept:
        raise bad_request("input must be a text or a list of at least one item.", param="input")
    notes = _notes(value, body)
    tools = read_tools(body, notes)
    specs, choice = read_choice(body, tools, notes)
    leading: list[TextPart] = []
    if isinstance(body.input, list):
        leading, messages = Turns(tools, notes, kept).read(body.input)
    else:
        messages = [Message("user", body.input)] if body.input else []
    system = [*([TextPart(body.instructions)] if body.instructions else []), *leading]
    effort = body.reasoning.effort if body.reasoning else None
    summary = (
        (body.reasoning.summary or body.reasoning.generate_summary) if body.reasoning else None
    )
    known = next((word for word in _EFFORTS if word == effort), None)
    request = ChatRequest(
        model=body.model,
        messages=messages,
        original=Original(NAME, value, _own_headers(incoming.headers)),
        only_relayed=OnlyRelayed(*kept[0]) if kept else None,
        system="\n\n".join(part.text for part in system if part.text) or None,
        system_parts=system if any(part.cache for part in system) else [],
        max_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        frequency_penalty=body.frequency_penalty or None,
        presence_penalty=body.presence_penalty or None,
        tools=specs,
        tool_choice=choice,
        response_format=_response_format(body.text.format if body.text else None, notes),
        reasoning=Reasoning(known, summary=summary) if known or summary else None,
        user=body.user,
        metadata=body.metadata or {},
        stream=bool(body.stream),
        logprobs=True if _LOGPROBS in (body.include or ()) or body.top_logprobs else None,
        top_logprobs=body.top_logprobs or None,
        verbosity=body.text.verbosity if body.text else None,
        service_tier=None if body.service_tier == "auto" else body.service_tier,
        store=body.store,
        cache_key=body.prompt_cache_key,
        safety_identifier=body.safety_identifier,
    )
    repeated = {
        name: default if value.get(name) is None else value[name]
        for name, default in _REPEATED.items()
    }
    return Parsed(request, Options(repeated, tools.named), tuple(dict.fromkeys(notes)))


def _kept(body: Body) -> list[tuple[str, str]]:
    """The refusals (param, message) of what is kept at the vendor."""
    kept = [
        (name, f"{name} refers to what the vendor keeps, so only the vendor knows it: {instead}")
        for name, instead in _KEPT_ELSEWHERE.items()
        if getattr(body, name) is not None
    ]
    if body.background:
        kept.append(("background", _NO_BACKGROUND))
    return kept


def _own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _HEADERS if name in headers}


def _notes(value: dict[str, Any], body: Body) -> list[Note]:
    """What of the settings does not reach an upstream of another dialect."""
    notes = key_notes(value, _KNOWN, _DROPPED)
    if any(wanted not in _INCLUDED for wanted in body.include or ()):
        said = "Of what may be included in an answer, reasoning and log-probs can be asked for."
        notes.append(Note("dropped", "include", said))
    if body.reasoning is not None and body.reasoning.effort not in (None, *_EFFORTS):
        said = "An effort that only the vendor knows is left out."
        notes.append(Note("dropped", "reasoning.effort", said))
    for param in ("reasoning", "text"):
        inner, known = value.get(param), getattr(body, param)
        if known is not None and any(key not in known.__struct_fields__ for key in inner or ()):
            said = f"Keys of {param} that other vendors have no place for were left out."
            notes.append(Note("dropped", param, said))
    return notes


def _response_format(wanted: WireFormat | None, notes: list[Note]) -> dict[str, Any] | None:
    """In the form that ChatRequest has from chat completions: a schema stands in an object of its
    own.
    """
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "json_object"}
    if wanted.type != "json_schema":
        said = "A form of the answer that only the vendor knows is left out."
        notes.append(Note("dropped", "text.format", said))
        return None
    if wanted.schema is None:
        raise bad_request(
            "text.format.schema is required with type json_schema.", param="text.format.schema"
        )
    schema = {
        "name": wanted.name or NO_NAME,
        "description": wanted.description,
        "schema": wanted.schema,
        "strict": wanted.strict,
    }
    return {
        "type": "json_schema",
        "json_schema": {name: value for name, value in schema.items() if value is not None},
    }

"""A client's request of /api/chat or /api/generate to a `ChatRequest`. Both stream unless told not
to.

Wrong types are refused as the vendor does. What the API knows and ours cannot carry is a note, and
so is a key that we do not know: the vendor's server passes over those too.
"""

from typing import Any, NamedTuple

from msgspec.structs import replace

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.codec.response_format import NO_NAME
from proxy.codec.roles import with_known_roles
from proxy.codec.unknown_keys import unknown_inner_keys
from proxy.dialects.ollama.parse_turns import ROLES, Turns, with_images
from proxy.dialects.ollama.wire import NAME
from proxy.dialects.ollama.wire_request import (
    Body,
    ChatBody,
    GenerateBody,
    Runtime,
    WireTool,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Effort, Message, Original, Reasoning, ToolSpec

_RUNTIME = frozenset(Runtime.__struct_fields__)
_SHOWN_KEYS = 5
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "keep_alive": (),
    "truncate": (True,),
    "shift": (True,),
    "suffix": ("",),
    "template": ("",),
    "context": ([],),
    "raw": (False,),
    "width": (0,),
    "height": (0,),
    "steps": (0,),
}
_LEFT = Note(
    "changed",
    "think",
    "How much to think is left to the model: an upstream may have no word for that.",
)
_EFFORTS: dict[str, Effort] = {
    word: word for word in ("minimal", "low", "medium", "high", "xhigh", "max")
}


class Options(NamedTuple):
    """What only the encoder needs to know: which of the two forms the answer has."""

    generate: bool = False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`. The last word of the path says which form a request has."""
    if incoming.path.get("form") == "generate":
        return _parse_generate(incoming)
    return _parse_chat(incoming)


def _parse_chat(incoming: Incoming) -> Parsed:
    """`POST /api/chat`."""
    value = with_known_roles(json_object(incoming.body), "messages", ROLES)
    body = fitted(value, ChatBody)
    if not body.messages:
        raise bad_request(
            "messages must hold at least one message: there is nothing here to be loaded "
            "beforehand.",
            param="messages",
        )
    notes: list[Note] = []
    turns = Turns(notes)
    system, messages = turns.read(body.messages)
    if not messages and turns.only_relayed is None:
        raise bad_request("messages must hold a turn beside the system's.", param="messages")
    parsed = _parsed(value, body, (system, messages), body.tools or [], notes)
    return parsed._replace(request=replace(parsed.request, only_relayed=turns.only_relayed))


def _parse_generate(incoming: Incoming) -> Parsed:
    """`POST /api/generate`."""
    value = json_object(incoming.body)
    body = fitted(value, GenerateBody)
    if not body.prompt:
        raise bad_request(
            "prompt is required: there is nothing here to be loaded beforehand.", param="prompt"
        )
    return _parsed(
        value,
        body,
        (body.system or None, [Message("user", with_images(body.prompt, body.images, ""))]),
        [],
        [],
    )


def _parsed(
    value: dict[str, Any],
    body: Body,
    talk: tuple[str | None, list[Message]],
    tools: list[WireTool],
    notes: list[Note],
) -> Parsed:
    system, messages = talk
    notes += _key_notes(value, body)
    runtime = fitted(body.options or {}, Runtime, "options")
    request = ChatRequest(
        model=body.model,
        messages=messages,
        original=Original(NAME, value),
        system=system,
        max_tokens=runtime.num_predict
        if runtime.num_predict is not None and runtime.num_predict > 0
        else None,
        temperature=runtime.temperature,
        top_p=runtime.top_p,
        stop=[runtime.stop] if isinstance(runtime.stop, str) else runtime.stop or [],
        seed=runtime.seed,
        top_k=runtime.top_k,
        min_p=runtime.min_p,
        repetition_penalty=None if runtime.repeat_penalty == 1 else runtime.repeat_penalty,
        presence_penalty=runtime.presence_penalty or None,
        frequency_penalty=runtime.frequency_penalty or None,
        logprobs=body.logprobs,
        top_logprobs=body.top_logprobs,
        tools=[
            ToolSpec(tool.function.name, tool.function.description, tool.function.parameters)
            for tool in tools
        ],
        response_format=_response_format(body.format, notes),
        reasoning=_reasoning(body.think, notes),
        stream=body.stream is not False,
    )
    return Parsed(request, Options(isinstance(body, GenerateBody)), tuple(notes))


def _key_notes(value: dict[str, Any], body: Body) -> list[Note]:
    notes = [
        *key_notes(value, body.__struct_fields__, _DROPPED),
        *unknown_inner_keys(value, type(body)),
    ]
    others = [
        name[:40]
        for name, said in (body.options or {}).items()
        if said is not None and name not in _RUNTIME
    ]
    if others:
        said = ", ".join(others[:_SHOWN_KEYS])
        notes.append(
            Note(
                "dropped",
                "options",
                f"Runtime options that other vendors do not have were left out: {said}.",
            )
        )
    return notes


def _response_format(said: str | dict[str, Any] | None, notes: list[Note]) -> dict[str, Any] | None:
    """In the form that ChatRequest has from the OpenAI API."""
    if not said:
        return None
    if isinstance(said, dict):
        return {"type": "json_schema", "json_schema": {"name": NO_NAME, "schema": said}}
    if said != "json":
        notes.append(Note("dropped", "format", "A format that is not known was left out."))
        return None
    return {"type": "json_object"}


def _reasoning(said: bool | str | None, notes: list[Note]) -> Reasoning | None:
    """A plain true leaves it to the model how much."""
    if said is None or said == "":
        return None
    if isinstance(said, bool):
        if said:
            notes.append(_LEFT)
        return Reasoning(adaptive=True) if said else Reasoning("none")
    if said not in _EFFORTS:
        notes.append(Note("dropped", "think", "A level of thinking that is not known here."))
        return None
    return Reasoning(_EFFORTS[said])

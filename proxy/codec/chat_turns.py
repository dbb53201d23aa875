"""A request's turns for vendors whose messages are flat: a role, a text, perhaps images or calls,
and one message for each tool result. Shared by upstream halves, with what else their requests have
in common.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from proxy.codec.base import TargetConfig
from proxy.codec.efforts import note_adaptive
from proxy.codec.media import media_behind, media_notes, said, text_stays
from proxy.codec.note_once import note_once
from proxy.errors import Refused, bad_request, failure
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    ImagePart,
    ReasoningPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)

Options = TypeVar("Options", bound=msgspec.Struct)
_PATH_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")


UNSIGNED = "What a vendor signed of an earlier tool call cannot be sent to this upstream."


class Turn(NamedTuple):
    """One message. A `tool` turn has the result of the call `call_id` as its text, and `name`, the
    function's, where it is known.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    images: tuple[str, ...] = ()
    calls: tuple[ToolCallPart, ...] = ()
    call_id: str = ""
    name: str = ""


def drop(
    notes: list[Note], param: str, message: str, how: Literal["dropped", "changed"] = "dropped"
) -> None:
    """Note a loss, once."""
    note_once(notes, Note(how, param, message))


def chat_turns(request: ChatRequest, notes: list[Note], *, images: bool) -> list[Turn]:
    """The turns, the system text first. Tool results stand before what else their turn says, right
    behind the calls.

    With `images`, those of tool results stand in a user's turn behind them. Documents of plain text
    are text. Dropped, with a note: earlier reasoning, images of others than the user (of anybody,
    without `images`), other documents, sound, and that a tool failed.
    """
    messages = media_behind(request.messages, notes, text_stays) if images else request.messages
    turns = [] if request.system is None else [Turn("system", request.system)]
    names: dict[str, str] = {}
    for message in messages:
        texts = list(said(message.parts))
        taken = images and message.role == "user"
        for note in media_notes(message.parts, images=taken):
            drop(notes, note.param, note.message)
        pictures: list[str] = []
        calls: list[ToolCallPart] = []
        results = len(turns)
        for part in message.parts:
            match part:
                case ImagePart(url) if taken:
                    pictures.append(url)
                case ToolCallPart(call_id, name):
                    if part.signature is not None:
                        drop(notes, "messages.tool_call.signature", UNSIGNED)
                    names[call_id] = name
                    calls.append(part)
                case ToolResultPart(call_id):
                    content = "\n".join(said(part.parts))
                    if part.is_error:
                        drop(
                            notes,
                            "tool_result.is_error",
                            "That a tool failed cannot be said here, only what it answered.",
                        )
                    turns.append(
                        Turn("tool", content, call_id=call_id, name=names.get(call_id, ""))
                    )
                case ReasoningPart():
                    drop(
                        notes,
                        "messages.reasoning",
                        "Reasoning of earlier turns cannot be sent back to this upstream.",
                    )
        if texts or pictures or calls or len(turns) == results:
            turns.append(Turn(message.role, "".join(texts), tuple(pictures), tuple(calls)))
    return turns


def merged(turns: list[Turn], notes: list[Note]) -> list[Turn]:
    """Neighbours of one role as one turn, for vendors that insist on turns that alternate. Tool
    turns, and turns with calls, stay.
    """
    runs: list[list[Turn]] = []
    for turn in turns:
        last = runs[-1][-1] if runs else None
        if (
            last is None
            or last.role != turn.role
            or turn.role == "tool"
            or turn.calls
            or last.calls
        ):
            runs.append([turn])
            continue
        drop(
            notes,
            "messages",
            "Neighbouring turns of one role are joined: the upstream wants turns that alternate.",
            "changed",
        )
        runs[-1].append(turn)
    return [_joined(run) for run in runs]


def _joined(run: list[Turn]) -> Turn:
    if len(run) == 1:
        return run[0]
    return run[0]._replace(
        text="\n\n".join(turn.text for turn in run if turn.text),
        images=tuple(image for turn in run for image in turn.images),
    )


def options_of(target: TargetConfig, wanted: type[Options]) -> Options:
    """The target's options. Raises Refused (`internal`) for options that there are not: the
    operator's fault.
    """
    try:
        return msgspec.convert(target.options, wanted)
    except msgspec.ValidationError as error:
        raise Refused(
            failure("internal", f"The options of upstream {target.upstream} are wrong: {error}.")
        ) from error


def path_part(model: str) -> str:
    """A model's name as a part of the path. Raises Refused for one that could lead elsewhere."""
    if not _PATH_PART.fullmatch(model):
        raise bad_request(
            "model may have only letters, digits, dots, dashes, colons and underscores for "
            "this upstream.",
            param="model",
        )
    return model


def with_vendor(body: dict[str, Any], vendor: Mapping[str, Any], inner: str) -> dict[str, Any]:
    """The body with the client's own keys put over it; those of its section `inner` one by one.
    Raises Refused (bad_request) where that is no section.
    """
    own = vendor.get(inner, {})
    if not isinstance(own, dict):
        raise bad_request(f"vendor.{inner} must be an object.", param=f"vendor.{inner}")
    deep = {inner: body.get(inner, {}) | own} if inner in vendor else {}
    return {**body, **vendor, **deep}


def thinking(request: ChatRequest, notes: list[Note], *, budget: bool) -> bool | None:
    """Whether to think, for vendors that know it only as on or off; None where nothing was said.
    `budget`: they take one in tokens.
    """
    asked = request.reasoning
    if asked is None or (asked.effort is None and asked.max_tokens is None and not asked.adaptive):
        return None
    if asked.effort is not None or asked.max_tokens is not None:
        note_adaptive(asked, notes)
    if asked.effort not in (None, "none"):
        drop(notes, "reasoning.effort", "The upstream knows thinking only as on or off.", "changed")
    if asked.max_tokens is not None and not budget:
        drop(notes, "reasoning.max_tokens", "The upstream takes no budget for thinking.")
    return asked.effort != "none"


def function(spec: ToolSpec) -> dict[str, Any]:
    """A tool in OpenAI's form, which most vendors took over. What it does not say is left out."""
    plain = {name: getattr(spec, name) for name in ("name", "description", "parameters", "strict")}
    return {
        "type": "function",
        "function": {name: value for name, value in plain.items() if value is not None},
    }


def plain_function(spec: ToolSpec) -> dict[str, Any]:
    """The same for vendors that insist on a schema and know no strictness."""
    schema = spec.parameters or {"type": "object", "properties": {}}
    return function(replace(spec, parameters=schema, strict=None))


def tool_calls(turn: Turn) -> list[dict[str, Any]]:
    """A turn's calls in OpenAI's form."""
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments or "{}"},
        }
        for call in turn.calls
    ]


def headers(api_key: str | None, **more: str) -> dict[str, str]:
    """What goes with every streamed call, and `Authorization: Bearer` where there is a key."""
    out = {"content-type": "application/json", "accept": "text/event-stream"} | {
        name.replace("_", "-"): text for name, text in more.items()
    }
    if api_key is not None:
        out["authorization"] = f"Bearer {api_key}"
    return out

"""A `ChatRequest` to a chat with a bot, to the results of its client's tools, or to a workflow.

The target's model is the bot's id, or the workflow's. With a `conversation_id` in the request's
`vendor` Coze knows the earlier turns, and only the newest is sent; with the `chat_id` too, results
of tools go back to the chat that waits for them. The upstream's options:

    user         for requests that name none; `mainstem` by default
    workflow     true for a workflow instead of a bot
    input        the workflow's input that takes the prompt; `input` by default
    parameters   its other inputs
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop
from proxy.codec.media import is_web, media_notes
from proxy.codec.single_prompt import cannot_say, one_prompt, part_notes, turn_text
from proxy.codec.wire_rules import keep_to
from proxy.dialects.coze.wire import CHAT_PATH, TOOLS_PATH, WORKFLOW_PATH
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    ToolCallPart,
    ToolResultPart,
)

_USER = "mainstem"
_IDS = ("conversation_id", "chat_id")
_UPLOAD = Note(
    "dropped",
    "messages.image_url",
    "Coze takes images by address: one that is sent as data would have to be uploaded there first.",
)
_SYSTEM = Note(
    "changed", "system", "A bot has its own system text: this one stands before the first question."
)
_CALLS = Note(
    "dropped", "messages.tool_call", "Earlier tool calls are left out: Coze keeps its own."
)
_REASONING = Note(
    "dropped",
    "messages.reasoning",
    "Reasoning of earlier turns is left out: Coze has no place for it.",
)
_RESULTS = Note(
    "changed",
    "messages.tool_result",
    (
        "Tool results are said as text: to go on with the chat, name its chat_id and "
        "conversation_id in vendor."
    ),
)


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Raises Refused when no user turn has text to send."""
    notes: list[Note] = cannot_say(
        request, ("user",) if target.options.get("workflow") else ("user", "metadata")
    )
    ids = {
        name: quote(str(request.vendor[name]), safe="") for name in _IDS if request.vendor.get(name)
    }
    results = (
        [part for part in request.messages[-1].parts if isinstance(part, ToolResultPart)]
        if request.messages
        else []
    )
    body: dict[str, Any]
    if target.options.get("workflow"):
        path, body = WORKFLOW_PATH, _workflow(request, target, notes)
    elif results and len(ids) == len(_IDS):
        path = TOOLS_PATH
        notes += dict.fromkeys(part_notes(request.messages[-1:], images=False))
        body = {
            "tool_outputs": [{"tool_call_id": part.id, "output": part.text} for part in results],
            "stream": True,
        }
    else:
        path, body = (
            CHAT_PATH,
            _chat(request, target, notes, remembered="conversation_id" in ids),
        )
        ids.pop("chat_id", None)
    query = "&".join(f"{name}={value}" for name, value in ids.items())
    body |= {name: value for name, value in request.vendor.items() if name not in _IDS}
    keep_to(target.rules, body, notes, target.upstream)
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return Outgoing(
        f"{path}?{query}" if query else path, msgspec.json.encode(body), headers, tuple(notes)
    )


def _workflow(request: ChatRequest, target: TargetConfig, notes: list[Note]) -> dict[str, Any]:
    given = target.options.get("parameters")
    parameters = dict(given) if isinstance(given, Mapping) else {}
    parameters[str(target.options.get("input", "input"))] = one_prompt(request, notes)
    return {"workflow_id": target.model or request.model, "parameters": parameters}


def _chat(
    request: ChatRequest, target: TargetConfig, notes: list[Note], *, remembered: bool
) -> dict[str, Any]:
    user = request.user or str(target.options.get("user", _USER))
    if request.user is None:
        notes.append(Note("defaulted", "user", f"Coze insists on a user; {user} was taken."))
    body: dict[str, Any] = {
        "bot_id": target.model or request.model,
        "user_id": user,
        "stream": True,
        "additional_messages": _messages(request, notes, remembered=remembered),
    }
    if request.metadata:
        body["meta_data"] = request.metadata
    return body


def _messages(request: ChatRequest, notes: list[Note], *, remembered: bool) -> list[dict[str, str]]:
    turns = request.messages
    if remembered:
        newest = max((at for at, turn in enumerate(turns) if turn.role != "assistant"), default=0)
        if newest:
            notes.append(
                Note(
                    "changed",
                    "messages",
                    "Only the newest turn is sent: Coze keeps the conversation itself.",
                )
            )
        turns = turns[newest : newest + 1]
    lost: tuple[tuple[type[Part], Note], ...] = (
        (ToolCallPart, _CALLS),
        (ToolResultPart, _RESULTS),
        (ReasoningPart, _REASONING),
    )
    notes += [
        note
        for kind, note in lost
        if any(isinstance(part, kind) for turn in turns for part in turn.parts)
    ]
    said = [message for turn in turns if (message := _message(turn, notes)) is not None]
    if not any(message["role"] == "user" for message in said):
        raise bad_request(
            "messages must hold a user turn with text: this upstream answers a question.",
            param="messages",
        )
    if request.system:
        notes.append(_SYSTEM)
        said.insert(0, _said("user", request.system))
    return said


def _message(turn: Message, notes: list[Note]) -> dict[str, str] | None:
    """A turn, or None when there is nothing in it to say. Pictures are said as a list that is text
    itself.
    """
    role = "assistant" if turn.role == "assistant" else "user"
    for note in media_notes(turn.parts, images=True, documents=True):
        drop(notes, note.param, note.message)
    if any(isinstance(part, ToolResultPart) and part.is_error for part in turn.parts):
        drop(notes, "tool_result.is_error", "That a tool failed cannot be said to Coze.")
    files = [part for part in turn.parts if isinstance(part, ImagePart | DocumentPart)]
    remote = [part for part in files if is_web(part.url)]
    if any(isinstance(part, ImagePart) and not is_web(part.url) for part in files):
        drop(notes, _UPLOAD.param, _UPLOAD.message)
    text = turn_text(turn)
    if not remote:
        return _said(role, text) if text else None
    parts = [{"type": "text", "text": text}] if text else []
    parts += [
        {"type": "image" if isinstance(part, ImagePart) else "file", "file_url": part.url}
        for part in remote
    ]
    return {**_said(role, msgspec.json.encode(parts).decode()), "content_type": "object_string"}


def _said(role: str, text: str) -> dict[str, str]:
    return {
        "role": role,
        "type": "answer" if role == "assistant" else "question",
        "content": text,
        "content_type": "text",
    }

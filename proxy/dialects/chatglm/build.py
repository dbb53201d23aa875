"""A `ChatRequest` to the report server's question with its history in pairs, or to that of
ChatGLM's own `api.py`.

The upstream's options:

    data   the list that the report server wants beside the question; [] by default
    api    true for ChatGLM's own `api.py`, whose answer comes whole
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.relaying import own_body
from proxy.codec.single_prompt import cannot_say, part_notes, turn_text
from proxy.codec.wire_rules import keep_to
from proxy.dialects.chatglm.wire import API_PATH, REPORT_PATH
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Original

# api.py's words for what it can be told; the report server can be told nothing.
_SETTINGS = {"max_tokens": "max_length", "top_p": "top_p", "temperature": "temperature"}


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Raises Refused when there is no user turn with
    text to ask about.
    """
    notes: list[Note] = []
    query, history = _turns(request, notes)
    headers = {"Content-Type": "application/json"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    if target.options.get("api") is True:
        body: dict[str, Any] = {"prompt": query, "history": history}
        body |= {
            theirs: value
            for ours, theirs in _SETTINGS.items()
            if (value := getattr(request, ours)) is not None
        }
        if request.max_tokens is not None:
            notes.append(
                Note("changed", "max_tokens", "max_length counts the prompt's tokens too.")
            )
        notes += cannot_say(request, _SETTINGS)
        path = API_PATH
    else:
        body = {"query": query, "history": history, "data": target.options.get("data", [])}
        notes += cannot_say(request)
        headers["Accept"] = "text/event-stream"
        path = REPORT_PATH
    body |= request.vendor
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(path, msgspec.json.encode(body), headers, tuple(notes))


def relay_request(
    _request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. `model` and `stream` are ours; the operator's data stand in
    for a client that has none. None for `api.py`, which takes another body.
    """
    if target.options.get("api") is True:
        return None
    notes: list[Note] = []
    body = own_body(original, {})
    body.pop("model", None)
    body.pop("stream", None)
    body.setdefault("history", [])
    body.setdefault("data", target.options.get("data", []))
    keep_to(target.rules, body, notes, target.upstream)
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return Outgoing(REPORT_PATH, msgspec.json.encode(body), headers, tuple(notes))


def _turns(request: ChatRequest, notes: list[Note]) -> tuple[str, list[list[str]]]:
    """The question, and the earlier turns as (question, answer) pairs: turns of one side in a row
    become one text.
    """
    talk = [(turn.role == "assistant", turn_text(turn)) for turn in request.messages]
    notes += part_notes(request.messages, images=False)
    while talk and talk[-1][0]:
        talk.pop()
        notes.append(
            Note(
                "dropped",
                "messages",
                "A last turn of the assistant cannot be continued: it is left out.",
            )
        )
    pairs: list[list[str]] = []
    question: list[str] = [request.system] if request.system else []
    if request.system:
        notes.append(
            Note(
                "changed",
                "system",
                "The upstream has no system text: it stands before the first question.",
            )
        )
    answered = True
    for is_answer, text in talk:
        if not is_answer:
            question.append(text)
            answered = False
        elif answered and pairs:
            pairs[-1][1] += f"\n{text}"
        else:
            pairs.append(["\n".join(question), text])
            question, answered = [], True
    if answered:
        raise bad_request(
            "messages must end with a user turn: this upstream answers a question.",
            param="messages",
        )
    return "\n".join(piece for piece in question if piece), pairs

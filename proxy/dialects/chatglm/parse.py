"""`POST /data` with `query`, `history` and `data`, as the founding post's report page calls it, to
a `ChatRequest`.
"""

from typing import NamedTuple

import msgspec

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.dialects.chatglm.wire import NAME, Request
from proxy.errors import Refused
from proxy.events import Note
from proxy.request import ChatRequest, Message, Original

# What is asked for when the client names no model: an operator gives it a row in `models`.
DEFAULT_MODEL = "chatglm"
# The server takes a line of its own for an empty query.
_GREETING = "你好"
_GREETED = Note("defaulted", "query", "The query was empty; a greeting was sent.")


class Options(NamedTuple):
    """What api.py's whole answer repeats."""

    query: str = ""
    history: tuple[tuple[str, str], ...] = ()


def claims(incoming: Incoming) -> bool:
    """See `ClientHalf.claims`."""
    try:
        return "query" in json_object(incoming.body)
    except Refused:
        return False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`. `model` comes from the body or the query; `stream: false`
    asks for `api.py`'s form of answer.
    """
    document = json_object(incoming.body)
    body = fitted(document, Request)
    question, notes = _question(body)
    talk = [
        message
        for q, a in body.history
        for message in (Message("user", q), Message("assistant", a))
    ]
    request = ChatRequest(
        model=body.model or incoming.query.get("model") or DEFAULT_MODEL,
        messages=[*talk, Message("user", question)],
        original=Original(NAME, document),
        max_tokens=body.max_length,
        temperature=body.temperature,
        top_p=body.top_p,
        stream=body.stream is not False,
    )
    return Parsed(
        request,
        Options(body.query, tuple(body.history)),
        (*notes, *unknown_keys(document, Request)),
    )


def _question(body: Request) -> tuple[str, tuple[Note, ...]]:
    """The server writes its prompt around `data`; here the model reads it as JSON after the
    question.
    """
    if not body.data:
        return (body.query, ()) if body.query else (_GREETING, (_GREETED,))
    data = msgspec.json.encode(body.data).decode()
    note = Note("changed", "data", "The data is sent as JSON after the question.")
    return (f"{body.query}\n\n{data}" if body.query else data), (note,)

"""Responses over a WebSocket: each message `response.create` is the body of a request, and the
events of its answer are messages. Source: "WebSocket Mode" of the guides.

`Talk` is one connection's. It keeps the conversation of the newest answer, so that the next message
may give its id and what is new alone; a message that goes on from anything else is a request like
any other. No I/O.
"""

from typing import Any, NamedTuple

import msgspec

from proxy.codec.base import Reply
from proxy.errors import bad_request

CREATE = "response.create"
# What a client may say beside, which asks for nothing.
_HEARD = frozenset({"response.processed"})
# Of the message alone: the rest is the request's.
_OWN = frozenset({"type", "generate", "stream", "background", "previous_response_id"})
_ENDS = frozenset({"response.completed", "response.incomplete"})
_NOT_FOUND = "previous_response_not_found"
_MISSING = msgspec.Raw(b"null")


class Asked(NamedTuple):
    """What a message asks for: a request's `body`, or, where nothing is to be run, the `told`
    events at once.
    """

    body: bytes = b""
    told: tuple[str, ...] = ()


class _Kept(NamedTuple):
    """The conversation up to an answer: the items of a request that would hold all of it."""

    id: str
    items: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return sum(map(len, self.items))


class _Answer(msgspec.Struct):
    id: str
    output: list[msgspec.Raw] = []


class _End(msgspec.Struct):
    response: _Answer


class Talk:
    """`max_kept_bytes` bounds the conversation that is kept; a longer one is not."""

    def __init__(self, max_kept_bytes: int) -> None:
        self._most = max_kept_bytes
        self._kept: _Kept | None = None
        self._asking: tuple[bytes, ...] = ()  # the items of the request that is being answered

    @property
    def kept_bytes(self) -> int:
        return 0 if self._kept is None else self._kept.size

    def forget(self) -> None:
        """The conversation is not kept any more."""
        self._kept = None

    def asked(self, message: str, id: str, now: int) -> Asked | None:  # noqa: A002
        """What a message asks for; None: nothing. `id` and `now`, in unix seconds, are for an
        answer that is told at once. Raises Refused.
        """
        fields = _object(message)
        kind = _text(fields, "type")
        if kind in _HEARD:
            return None
        if kind != CREATE:
            raise bad_request(f"A message must have the type {CREATE!r}.", param="type")
        if "stream_id" in fields:
            said = (
                "One conversation is served on a connection: open another one for this stream_id."
            )
            raise bad_request(said, param="stream_id")
        items = _items(fields)
        before = _text(fields, "previous_response_id")
        given = {name: value for name, value in fields.items() if name not in _OWN}
        if self._kept is not None and before == self._kept.id:
            items = (*self._kept.items, *items)
            given["input"] = msgspec.Raw(b"[%b]" % b",".join(items))
        elif before is not None:
            given["previous_response_id"] = fields["previous_response_id"]
        self._asking = items
        if fields.get("generate") == msgspec.Raw(b"false"):
            self._keep(id, ())
            return Asked(told=_prepared(id, now, _text(fields, "model")))
        return Asked(body=msgspec.json.encode({**given, "stream": True}))

    def told(self, event: str, data: bytes) -> bool:
        """An event goes to the client. Whether the answer is complete with it."""
        if event not in _ENDS:
            return False
        try:
            answer = msgspec.json.decode(data, type=_End).response
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.forget()
            return True
        self._keep(answer.id, tuple(bytes(item) for item in answer.output))
        return True

    def failed(self, reply: Reply) -> str:
        """The event for an answer that is an error."""
        self.forget()
        error: Any = msgspec.json.decode(reply.body).get("error")
        if isinstance(error, dict) and error.get("param") == "previous_response_id":
            error = {**error, "code": _NOT_FOUND}
        event = {"type": "error", "status": reply.status, "error": error}
        return msgspec.json.encode({**event, "headers": dict(reply.headers)}).decode()

    def _keep(self, id: str, output: tuple[bytes, ...]) -> None:  # noqa: A002
        kept = _Kept(id, (*self._asking, *output))
        self._asking = ()
        self._kept = kept if kept.size <= self._most else None


def _object(message: str) -> dict[str, msgspec.Raw]:
    try:
        fields = msgspec.json.decode(message, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        raise bad_request("A message must be a JSON object.") from None
    return fields


def _text(fields: dict[str, msgspec.Raw], name: str) -> str | None:
    try:
        return msgspec.json.decode(fields.get(name, _MISSING), type=str | None)
    except msgspec.DecodeError:
        raise bad_request(f"{name} must be text.", param=name) from None


def _items(fields: dict[str, msgspec.Raw]) -> tuple[bytes, ...]:
    """The input's items, as they were written."""
    said = fields.get("input", _MISSING)
    first = bytes(said).lstrip()[:1]
    try:
        if first == b"[":
            return tuple(map(bytes, msgspec.json.decode(said, type=list[msgspec.Raw])))
    except (msgspec.DecodeError, RecursionError):
        raise bad_request("input must be a list of items.", param="input") from None
    if first == b'"':
        return (b'{"type":"message","role":"user","content":%b}' % bytes(said),)
    return ()  # who reads the request says what is wrong with it


def _prepared(id: str, now: int, model: str | None) -> tuple[str, ...]:  # noqa: A002
    """The events of an answer that was asked not to be one: only its id matters."""
    response = {
        "id": id,
        "object": "response",
        "created_at": now,
        "model": model,
        "output": [],
        "usage": None,
    }
    events = (("response.created", "in_progress"), ("response.completed", "completed"))
    return tuple(
        msgspec.json.encode(
            {
                "type": event,
                "sequence_number": number,
                "response": {**response, "status": status},
            }
        ).decode()
        for number, (event, status) in enumerate(events)
    )

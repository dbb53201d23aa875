"""A request to Yiyan's own path, to a `ChatRequest`. It asks for a prompt and a model only."""

from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.dialects.yiyan.wire import NAME
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message, Original

# What is asked for when the client names no model.
DEFAULT_MODEL = "yiyan"


class _Body(msgspec.Struct):
    """Of what the page says beside these nothing asks for anything."""

    text: str
    model: str | None = None
    session: str | None = msgspec.field(name="sessionId", default=None)
    files: list[Any] | None = msgspec.field(name="file_ids", default=None)
    plugins: list[Any] | None = None
    stream: bool | None = None


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    document = json_object(incoming.body)
    body = fitted(document, _Body)
    if not body.text:
        raise bad_request("text must hold the prompt.", param="text")
    request = ChatRequest(
        model=body.model or DEFAULT_MODEL,
        messages=[Message("user", body.text)],
        original=Original(NAME, document),
        stream=body.stream is not False,
    )
    return Parsed(request, None, tuple(_losses(body)))


def _losses(body: _Body) -> Iterator[Note]:
    if body.session:
        yield Note(
            "dropped",
            "sessionId",
            "The conversation's earlier turns are not known here: only this prompt is answered.",
        )
    if body.files:
        yield Note("dropped", "file_ids", "Files are left out.")
    if body.plugins:
        yield Note("dropped", "plugins", "Yiyan's own plugins are left out.")

"""The client half: Yiyan's own path."""

from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.codec.base import ClientHalf, Encoder, Incoming, Parsed, Reply, Route
from proxy.codec.fold import WholeAnswer
from proxy.codec.json_body import fitted, json_object
from proxy.dialects.yiyan.encode import YiyanEncoder, error_body
from proxy.dialects.yiyan.wire import PATH
from proxy.errors import Failure, bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message

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


class YiyanClient(ClientHalf):
    """The prompt and the model are all that a request asks."""

    name = "yiyan"
    routes = (Route("POST", PATH),)

    def parse_request(self, incoming: Incoming) -> Parsed:
        body = fitted(json_object(incoming.body), _Body)
        if not body.text:
            raise bad_request("text must hold the prompt.", param="text")
        request = ChatRequest(
            model=body.model or DEFAULT_MODEL,
            messages=[Message("user", body.text)],
            stream=body.stream is not False,
        )
        return Parsed(request, None, tuple(_losses(body)))

    def encoder(self, parsed: Parsed) -> Encoder:  # noqa: ARG002  one form for all
        return YiyanEncoder()

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:  # noqa: ARG002  one form for all
        text = answer.text()
        data = {"content": text, "tokens_all": text, "is_end": 1}
        return Reply(200, msgspec.json.encode({"code": 0, "msg": "", "data": data}))

    def render_error(self, failure: Failure) -> Reply:
        return Reply(failure.status, msgspec.json.encode(error_body(failure)))


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

"""The page's request to a `ChatRequest`. Its form, of 2023 or of 2026, decides the answer's.

Of what the page says beside the prompt only the model and its modes ask for anything; its tokens
and ids are not read.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.dialects.baidu_chat.wire import NAME, Generation
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Original,
    Part,
    Reasoning,
    TextPart,
)

# What is asked for when the client names no model, as those of 2023 never do.
DEFAULT_MODEL = "baidu_chat"


class _Text(msgspec.Struct, frozen=True):
    query: str = ""


class _Image(msgspec.Struct, frozen=True):
    url: str = ""


class _QueryData(msgspec.Struct, frozen=True):
    text: _Text | None = None
    image: _Image | None = None


class _Query(msgspec.Struct, frozen=True):
    type: str = "TEXT"
    data: _QueryData = _QueryData()


class _Content(msgspec.Struct, frozen=True):
    query: str = ""


class _Model(msgspec.Struct, frozen=True):
    name: str | None = msgspec.field(name="modelName", default=None)
    functions: dict[str, Any] = msgspec.field(name="modelFunction", default_factory=dict)


class _Search(msgspec.Struct, frozen=True):
    model: _Model = msgspec.field(name="usedModel", default=_Model())
    ori_lid: str = ""


class _Message(msgspec.Struct, frozen=True):
    content: _Content = _Content()
    query: list[_Query] | None = None
    search: _Search = msgspec.field(name="searchInfo", default=_Search())


class _Body(msgspec.Struct, frozen=True):
    message: _Message
    stream: bool | None = None


class Options(NamedTuple):
    """The form of the answer."""

    generation: Generation = "2026"


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    document = json_object(incoming.body)
    body = fitted(document, _Body)
    message = body.message
    generation: Generation = "2023" if message.query is None else "2026"
    content: str | list[Part] = (
        message.content.query if message.query is None else _parts(message.query)
    )
    if not content:
        param = "message.content.query" if message.query is None else "message.query"
        raise bad_request(f"{param} must hold the prompt.", param=param)
    model = message.search.model
    request = ChatRequest(
        model=model.name or incoming.query.get("model") or DEFAULT_MODEL,
        messages=[Message("user", content)],
        reasoning=Reasoning(effort="medium")
        if model.functions.get("thinkMode") in ("1", 1)
        else None,
        original=Original(NAME, document),
        stream=body.stream is not False,
    )
    return Parsed(request, Options(generation), tuple(_losses(message)))


def _parts(query: list[_Query]) -> list[Part]:
    parts: list[Part] = []
    for item in query:
        if item.data.text is not None and item.data.text.query:
            parts.append(TextPart(item.data.text.query))
        if item.data.image is not None and item.data.image.url:
            parts.append(ImagePart(item.data.image.url))
    return parts


def _losses(message: _Message) -> Iterator[Note]:
    if message.search.ori_lid:
        yield Note(
            "dropped",
            "ori_lid",
            "The conversation's earlier turns are not known here: only this prompt is answered.",
        )
    if message.search.model.functions.get("deepSearch") in ("1", 1):
        yield Note("dropped", "deepSearch", "Baidu's own deep search is left out.")

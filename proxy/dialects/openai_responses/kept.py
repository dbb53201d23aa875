"""What is told of an answer that is kept. Sources: OpenAI's API reference, "Get a model response",
"Cancel a response", "Delete a model response", "List input items".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from proxy.codec.base import Encoder
from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_responses import shapes
from proxy.dialects.openai_responses.encode import ResponsesEncoder
from proxy.dialects.openai_responses.parse import Kept, Options
from proxy.errors import Failure, bad_request, failure
from proxy.events import (
    Event,
    ReasoningDelta,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    ToolCallDelta,
)

_DELTAS = (TextDelta, ReasoningDelta, ToolCallDelta)
_MOST_ITEMS = 100
_DIGITS = 12  # no count has more
_ITEMS = 20  # that a page of items has, where the client does not say


class Told(NamedTuple):
    """An answer so far. `theirs` is the id by which the vendor at `upstream` keeps it; None: it
    does not.
    """

    response: dict[str, Any]
    upstream: str = ""
    theirs: str | None = None


def told(options: Options, events: Sequence[Event]) -> Told:
    """From its events, of which there is at least the start."""
    encoder = ResponsesEncoder(options)
    for event in _joined(_settled(events)):
        encoder.encode(event)
    start = events[0]
    assert isinstance(start, StreamStart)
    last = events[-1]
    response = encoder.response(ended=isinstance(last, StreamError))
    if isinstance(last, StreamError) and last.error.kind == "cancelled":
        response |= {"status": "cancelled", "error": None}
    theirs = encoder.theirs if encoder.stored else None
    return Told(response, start.upstream, theirs)


def queued(options: Options, start: StreamStart) -> dict[str, Any]:
    """An answer that no target gives yet."""
    return shapes.response_object(start, options.repeated, "queued")


def not_found(said: str) -> Failure:
    """There is no such answer, or it is not this caller's."""
    return failure("bad_request", f"Response with id {said[:100]!r} not found.", status=404)


def deleted(said: str) -> bytes:
    """The answer is not kept any more."""
    return msgspec.json.encode({"id": said, "object": "response", "deleted": True})


def input_items(kept: Kept, stream: str, query: Mapping[str, str]) -> bytes:
    """A page of the items that were asked with, those of earlier turns among them; the newest come
    first unless `order` is `asc`. Raises Refused (bad_request).
    """
    items = [_listed(item, f"{stream}_in{at}") for at, item in enumerate(kept.items)]
    if _one_of(query, "order", ("desc", "asc")) == "desc":
        items.reverse()
    limit = whole_number(query, "limit", _ITEMS)
    if not 1 <= limit <= _MOST_ITEMS:
        raise bad_request(f"limit must be from 1 to {_MOST_ITEMS}.", param="limit")
    after = query.get("after")
    ids = [item["id"] for item in items]
    first = ids.index(after) + 1 if after in ids else 0
    page = items[first : first + limit]
    return msgspec.json.encode(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": first + limit < len(items),
        }
    )


def whole_number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    """Raises Refused (bad_request) for one that is none."""
    said = query.get(name)
    if said is None:
        return otherwise
    if not (said.isascii() and said.isdigit() and len(said) <= _DIGITS):
        raise bad_request(f"{name} must be a whole number, not {said[:40]!r}.", param=name)
    return int(said)


class ResumedEncoder(ResponsesEncoder):
    """For a client that has the events up to the number `after`: of those it gets none."""

    def __init__(self, options: Options, after: int) -> None:
        super().__init__(options)
        self._after = after

    def encode(self, event: Event) -> bytes:
        """See `Encoder.encode`."""
        out = super().encode(event)
        if self._after < 0:
            return out
        new = self._number - self._after - 1
        if new <= 0:
            return b""
        self._after = -1
        return b"\n\n".join(out.split(b"\n\n")[-new - 1 :])


def resumed(options: Options, after: int) -> Encoder:
    """See `ResumedEncoder`."""
    return ResumedEncoder(options, after)


def _settled(events: Sequence[Event]) -> Iterable[Event]:
    """The same without texts that are taken back: each has at once what it came to be."""
    if not any(isinstance(event, TextRewrite) for event in events):
        return events
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return _as_they_became(events, answer)


def _as_they_became(events: Sequence[Event], answer: WholeAnswer) -> Iterator[Event]:
    told: set[int] = set()
    for event in events:
        if not isinstance(event, TextDelta | TextRewrite):
            yield event
        elif event.block not in told:
            told.add(event.block)
            yield TextDelta(event.block, answer.blocks[event.block].text)


def _joined(events: Iterable[Event]) -> Iterator[Event]:
    """The same with fewer deltas: those of one block in a row are one."""
    pieces: list[str] = []
    last: Any = None
    for event in events:
        if isinstance(event, _DELTAS):
            if type(event) is not type(last) or event.block != last.block:
                yield from _one(last, pieces)
                pieces, last = [], event
            pieces.append(_text(event))
        else:
            yield from _one(last, pieces)
            pieces, last = [], None
            yield event
    yield from _one(last, pieces)


def _one(last: Any, pieces: list[str]) -> Iterator[Event]:
    if last is not None:
        yield type(last)(last.block, "".join(pieces))


def _text(event: Any) -> str:
    text: str = event.arguments if type(event) is ToolCallDelta else event.text
    return text


def _listed(raw: msgspec.Raw, name: str) -> dict[str, Any]:
    """An item as the vendor lists it: with an id, and a message's content in parts."""
    item: dict[str, Any] = msgspec.json.decode(raw)
    item.setdefault("type", "message")
    item = {**item, "id": item.get("id") or name}
    if item["type"] == "message":
        item.setdefault("status", "completed")
        if isinstance(item.get("content"), str):
            kind = "output_text" if item.get("role") == "assistant" else "input_text"
            more: dict[str, Any] = {"annotations": []} if kind == "output_text" else {}
            item["content"] = [{"type": kind, "text": item["content"], **more}]
    return item


def _one_of(query: Mapping[str, str], name: str, words: Sequence[str]) -> str:
    said = query.get(name, words[0])
    if said not in words:
        raise bad_request(f"{name} must be {' or '.join(words)}.", param=name)
    return said

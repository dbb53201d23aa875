"""What a request asks of its own answer where answers are kept: to be made in the background, and
to go on from an earlier one. Sources: OpenAI's guides "Background mode" and "Conversation state".

The background is ours: no upstream is told of it, so that closing its connection ends the answer.
Of a vendor of this dialect that keeps its answers, an earlier one is its own: it gets that one's
id. All others get the whole conversation.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.codec.base import Earlier, Incoming, Keeping, KeptStream, Parsed
from proxy.dialects.openai_responses import kept, parse
from proxy.dialects.openai_responses.parse import Kept, Options
from proxy.dialects.openai_responses.shapes import stream_of, stream_of_item
from proxy.dialects.openai_responses.wire import NAME
from proxy.errors import Failure, Refused, bad_request, failure
from proxy.request import Original

_BACKGROUND = ("background", "background_options")
_PREVIOUS = "previous_response_id"
_REFERENCE = "item_reference"
_MOST_STREAMS = 50  # that one request may name pieces of; the newest are heeded
_NOT_STORED = (
    "background needs store, as the answer of a request with store: false is not kept, and could "
    "not be asked for."
)
# Their ids are the vendor's that keeps them; another one would look for them in vain.
_PLAIN = ("message", "function_call", "custom_tool_call")


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    parsed = parse.parse_request(incoming)
    return parsed._replace(keeping=partial(_keeping, parsed, incoming))


def _keeping(parsed: Parsed, incoming: Incoming) -> Keeping:
    """Raises Refused."""
    said = _body(parsed)
    background = said.get("background") is True
    if background:
        if said.get("store") is False:
            raise bad_request(_NOT_STORED, param="store")
        own = {name: value for name, value in said.items() if name not in _BACKGROUND}
        parsed = parse.parse_request(_with_body(incoming, own))
    streams = dict.fromkeys((stream_of(_name(said)), *map(_stream_named, _given(said))))
    streams.pop("", None)
    keeping = _kept(parsed, _items(said), background=background)
    earlier = Earlier(tuple(streams)[-_MOST_STREAMS:], partial(_behind, keeping, incoming))
    return keeping._replace(earlier=earlier) if streams else keeping


def _kept(parsed: Parsed, items: list[msgspec.Raw], *, background: bool) -> Keeping:
    options: Options = parsed.options
    stored = _body(parsed).get("store") is not False
    options = options._replace(
        repeated={**options.repeated, "background": background, "store": stored},
        kept=Kept(background, items) if stored else None,
    )
    size = sum(len(bytes(item)) for item in items)
    return Keeping(parsed._replace(options=options, keeping=None), size, background)


def _behind(
    keeping: Keeping,
    incoming: Incoming,
    found: Mapping[str, KeptStream],
    anothers: Collection[str],
) -> Keeping:
    """See `Earlier.behind`."""
    parsed = keeping.parsed
    said = _body(parsed)
    told = {
        stream: kept.told(one.options, one.events)
        for stream, one in found.items()
        if one.options.kept is not None and one.events
    }
    said_there = {item.get("id"): item for one in told.values() for item in one.response["output"]}
    given = _given(said)
    own = [said_there.get(item["id"], item) if _stream_named(item) else item for item in given]
    # those that are told of, which no vendor knows as ours
    foreign = [told_of is not item for told_of, item in zip(own, given, strict=True)]
    name = _name(said)
    before: list[msgspec.Raw] | None = None
    at: dict[str, Mapping[str, Any]] = {}
    if stream := stream_of(name):
        before = _conversation(name, found.get(stream), told.get(stream), anothers)
    if before is None and not any(foreign):
        return keeping._replace(earlier=None)
    items = [*(before or ()), *(msgspec.Raw(msgspec.json.encode(item)) for item in own)]
    rest = {key: value for key, value in said.items() if before is None or key != _PREVIOUS}
    whole = parse.parse_request(_with_body(incoming, {**rest, "input": items}))
    sent = _body(whole)["input"]
    plain = list(_portable(sent, [*(True for _ in before or ()), *foreign]))
    if before is not None and (theirs := told[stream].theirs):
        new = list(_portable(own, foreign)) if any(foreign) else said.get("input")
        at = {told[stream].upstream: {**said, "input": new, _PREVIOUS: theirs}}
    original = Original(NAME, {**_body(whole), "input": plain}, _headers(parsed), at)
    mine: Options = parsed.options
    repeated = {**whole.options.repeated, **mine.repeated}
    whole = whole._replace(
        request=replace(whole.request, original=original), options=mine._replace(repeated=repeated)
    )
    return _kept(whole, items, background=keeping.background)


def _conversation(
    name: str, one: KeptStream | None, told: kept.Told | None, anothers: Collection[str]
) -> list[msgspec.Raw] | None:
    """All items up to the answer `name` and its own; None: it is the vendor's that keeps it."""
    if one is None and "~" in name and stream_of(name) not in anothers:
        return None
    if one is None or one.options.kept is None:
        raise Refused(not_found(name))
    status = "queued" if told is None else told.response["status"]
    if told is None or status not in ("completed", "incomplete"):
        raise bad_request(
            f"The answer {name} is no complete one (its status is {status}): go on from the one "
            "before it, or send the whole input.",
            param=_PREVIOUS,
        )
    output = (msgspec.Raw(msgspec.json.encode(item)) for item in told.response["output"])
    return [*one.options.kept.items, *output]


def not_found(name: str) -> Failure:
    """As the vendor says it."""
    said = f"Previous response with id {name[:100]!r} not found."
    return failure("bad_request", said, param=_PREVIOUS, code="previous_response_not_found")


def _body(parsed: Parsed) -> Mapping[str, Any]:
    original = parsed.request.original
    assert original is not None
    return original.body


def _headers(parsed: Parsed) -> Mapping[str, str]:
    original = parsed.request.original
    assert original is not None
    return original.headers


def _with_body(incoming: Incoming, body: Mapping[str, Any]) -> Incoming:
    return incoming._replace(body=msgspec.json.encode(body))


def _name(body: Mapping[str, Any]) -> str:
    """The id of the earlier answer that it goes on from; "" for none."""
    said = body.get(_PREVIOUS)
    return said if isinstance(said, str) else ""


def _given(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The input's items."""
    said = body.get("input")
    if isinstance(said, str):
        return [{"type": "message", "role": "user", "content": said}]
    return said or []


def _items(body: Mapping[str, Any]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(item)) for item in _given(body)]


def _stream_named(item: Mapping[str, Any]) -> str:
    """The stream of an item that is named alone; "" for any other."""
    said = item.get("id")
    named = item.get("type") == _REFERENCE and isinstance(said, str)
    return stream_of_item(str(said)) if named else ""


def _portable(items: Sequence[dict[str, Any]], told: Sequence[bool]) -> Iterator[dict[str, Any]]:
    """The same for a vendor that does not keep those that are told of: without ids that only their
    keeper knows, and without reasoning that only their keeper can read.
    """
    for item, foreign in zip(items, told, strict=True):
        kind = item.get("type", "message")
        if not foreign:
            yield item
        elif kind in _PLAIN:
            yield {key: value for key, value in item.items() if key != "id"}
        elif kind != "reasoning" or item.get("encrypted_content"):
            yield item

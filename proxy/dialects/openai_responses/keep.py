"""What a request asks of its own answer where answers are kept: to be made in the background, and
to go on from an earlier one. Sources: OpenAI's guides "Background mode" and "Conversation state".

The background is ours: no upstream is told of it, so that closing its connection ends the answer.
Of a vendor of this dialect that keeps its answers, an earlier one is its own: it gets that one's
id. All others get the whole conversation.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.codec.base import Earlier, Incoming, Keeping, Parsed
from proxy.dialects.openai_responses import kept, parse
from proxy.dialects.openai_responses.parse import Kept, Options
from proxy.dialects.openai_responses.shapes import stream_of
from proxy.errors import Failure, Refused, bad_request, failure
from proxy.events import Event
from proxy.request import Original

_BACKGROUND = ("background", "background_options")
_PREVIOUS = "previous_response_id"
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
    earlier = said.get(_PREVIOUS)
    return _kept(
        parsed,
        _items(said),
        background=background,
        earlier=earlier if isinstance(earlier, str) else "",
        incoming=incoming,
    )


def _kept(
    parsed: Parsed, items: list[msgspec.Raw], *, background: bool, earlier: str, incoming: Incoming
) -> Keeping:
    options: Options = parsed.options
    stored = _body(parsed).get("store") is not False
    options = options._replace(
        repeated={**options.repeated, "background": background, "store": stored},
        kept=Kept(background, items) if stored else None,
    )
    parsed = parsed._replace(options=options, keeping=None)
    size = sum(len(bytes(item)) for item in items)
    stream = stream_of(earlier)
    behind = partial(_behind, parsed, items, incoming)
    before = Earlier(stream, behind, not_found(earlier), "~" in earlier) if stream else None
    return Keeping(parsed, size, background, before)


def _behind(
    parsed: Parsed,
    items: list[msgspec.Raw],
    incoming: Incoming,
    options: Options,
    events: Sequence[Event],
) -> Keeping:
    """See `Keeping.behind`."""
    said = _body(parsed)
    name = str(said[_PREVIOUS])
    if options.kept is None:
        raise Refused(not_found(name))
    told = kept.told(options, events)
    status = told.response["status"]
    if status not in ("completed", "incomplete"):
        raise bad_request(
            f"The answer {name} is no complete one (its status is {status}): go on from the one "
            "before it, or send the whole input.",
            param=_PREVIOUS,
        )
    output = [msgspec.Raw(msgspec.json.encode(item)) for item in told.response["output"]]
    own = {key: value for key, value in said.items() if key != _PREVIOUS}
    earlier = [*options.kept.items, *output]
    whole = parse.parse_request(_with_body(incoming, {**own, "input": [*earlier, *items]}))
    body = {**_body(whole), "input": list(_portable(_body(whole)["input"], len(earlier)))}
    at = {told.upstream: {**said, _PREVIOUS: told.theirs}} if told.theirs else {}
    original = Original(whole.request.original.dialect, body, _headers(parsed), at)  # type: ignore[union-attr]  # every request of ours has one
    request = replace(whole.request, original=original)
    mine: Options = parsed.options
    repeated = {**whole.options.repeated, **mine.repeated, _PREVIOUS: name}
    whole = whole._replace(request=request, options=mine._replace(repeated=repeated))
    return _kept(
        whole,
        [*earlier, *items],
        background=mine.repeated["background"],
        earlier="",
        incoming=incoming,
    )


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


def _items(body: Mapping[str, Any]) -> list[msgspec.Raw]:
    said = body.get("input")
    if isinstance(said, str):
        said = [{"type": "message", "role": "user", "content": said}]
    return [msgspec.Raw(msgspec.json.encode(item)) for item in said or ()]


def _portable(items: Sequence[dict[str, Any]], earlier: int) -> Iterator[dict[str, Any]]:
    """The same for a vendor that does not keep the first `earlier` of them: without ids that only
    its keeper knows, and without reasoning that only its keeper can read.
    """
    for at, item in enumerate(items):
        kind = item.get("type", "message")
        if at >= earlier:
            yield item
        elif kind in _PLAIN:
            yield {key: value for key, value in item.items() if key != "id"}
        elif kind != "reasoning" or item.get("encrypted_content"):
            yield item

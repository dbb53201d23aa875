"""What is asked of a client half for any request at all, and of every upstream half for what came
of it."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from proxy.codec.base import JSON, Incoming, Outgoing, Parsed, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Failure, Refused
from proxy.events import StreamError
from tests.fuzz.mutate import at, places
from tests.support import check_grammar

# The model is the client's own word where the target names none.
TARGETS = (TargetConfig("far", "theirs", "key"), TargetConfig("far", "", "key"))
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_MOST_TIMES = 40  # what goes up, of what came
_LEAST_BYTES = 4000


def answered(name: str, incoming: Incoming) -> Parsed | Failure:
    """What the dialect makes of a request: nothing but a request or a refusal comes out, and the
    refusal can be told."""
    try:
        return CLIENTS[name].parse_request(incoming)
    except Refused as refused:
        why = refused.failure
    assert 400 <= why.status < 500, why
    assert why.message[:1].strip(), why
    assert why.message.rstrip().endswith((".", "?", ")", "]", '"', "'")), why
    reply = CLIENTS[name].render_error(why)
    assert reply.body.decode().strip()
    if "json" in reply.content_type:
        json.loads(reply.body)
    return why


def sent(parsed: Parsed, size: int, names: Iterable[str] = tuple(UPSTREAMS)) -> None:
    """What the request is to these upstreams: a refusal, or something that can safely be sent.
    `size` is the client's own body's."""
    for name in names:
        for target in TARGETS:
            try:
                call = built(UPSTREAMS[name], parsed.request, target)
            except Refused as refused:
                check_grammar([StreamError(refused.failure)])
            else:
                _check(call, size)


def _check(call: Outgoing, size: int) -> None:
    for field, value in call.headers.items():
        assert field.isascii(), (field, value)
        assert value.isascii(), (field, value)
        assert value.isprintable(), (field, value)
    assert _PATH.fullmatch(call.path), call.path
    assert {".", ".."}.isdisjoint(urlsplit(call.path).path.split("/")), call.path
    assert len(call.body) <= _MOST_TIMES * size + _LEAST_BYTES
    if call.body and call.headers.get("content-type", JSON).startswith(JSON):
        assert isinstance(json.loads(call.body), dict)


def wrong(body: Any, odd: Iterable[Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The body once for every place in it and every odd value, with that value there. And the
    place."""
    kept = json.dumps(body)
    for way in places(body):
        for value in odd:
            changed = json.loads(kept)
            at(changed, way[:-1])[way[-1]] = value
            yield way, changed

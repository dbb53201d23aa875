"""Answers to clients that are one whole document."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from aiohttp import web
from msgspec import UNSET

from proxy.codec.base import Reply
from proxy.errors import Failure
from proxy.events import Note
from proxy.server.unsent import drop

Answering = TypeVar("Answering", bound=web.StreamResponse)
# The names of the upstream's own headers in an answer, for CORS.
RETURNED: web.ResponseKey[Sequence[str]] = web.ResponseKey("returned", Sequence[str])


def whole(reply: Reply) -> web.Response:
    """A whole HTTP answer."""
    headers = dict(reply.headers)
    headers.setdefault("Cache-Control", "no-store")
    return web.Response(
        status=reply.status,
        body=reply.body,
        headers={**headers, "Content-Type": reply.content_type},
    )


def with_retry_after(reply: Reply, failure: Failure) -> Reply:
    """The reply, with the failure's advice on when to come again, in whole seconds (RFC 9110,
    10.2.3).
    """
    if failure.retry_after_s is UNSET:
        return reply
    kept = {name: value for name, value in reply.headers.items() if name.lower() != "retry-after"}
    return reply._replace(
        headers={**kept, "Retry-After": str(max(1, math.ceil(failure.retry_after_s)))}
    )


def note_headers(notes: Iterable[Note]) -> dict[str, str]:
    """What the request lost, for clients whose dialect has no place for it. Names only: they are
    from a fixed set.
    """
    said = ", ".join(dict.fromkeys(f"{note.note}:{note.param}" for note in notes))
    return {"x-mainstem-notes": said} if said else {}


def hand_down(response: Answering, returned: Mapping[str, str]) -> Answering:
    """The answer, not prepared yet, with an upstream's headers beside our own, none of which they
    replace.
    """
    if returned:
        for name, value in returned.items():
            response.headers.setdefault(name, value)
        response[RETURNED] = tuple(returned)
    return response


def cut(request: web.Request) -> None:
    """Drop the connection of a client that is owed nothing more, or takes nothing."""
    if request.transport is not None:
        drop(request.transport)

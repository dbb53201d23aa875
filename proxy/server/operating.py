"""`/admin/streams`: what runs now, in all workers, for the operator, who may end it.

    GET    /admin/streams            {"streams": [...]}: each as `Stay.described` has it, and
                                     `worker`, a process id
    DELETE /admin/streams/{stream}   204, or 404 where nothing that runs has this id

Who may: whoever sends a key with `admin: true`, or the process's own local key, which it keeps in a
private file. Nothing else, not even an address of this machine, tells the operator from a stranger:
what a proxy in front passes on comes from here, too.
"""

import hmac
import os
from collections.abc import Awaitable, Callable
from operator import itemgetter

import msgspec
from aiohttp import web

from proxy.codec.base import Reply
from proxy.dialects.registry import CLIENTS
from proxy.errors import Failure, Refused, failure
from proxy.server.access.keys import credential
from proxy.server.gateway import Gateway
from proxy.server.respond import whole, with_retry_after
from proxy.server.siblings import Siblings
from proxy.server.stays import Described
from proxy.server.stopping import answer_siblings

PATH = "/admin/streams"
ONE = PATH + "/{stream:[^/]+}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_REMEDY = (
    "run `mainstem streams` on its machine, as its user or as root, or send a key that has "
    "admin: true"
)


def add_routes(
    app: web.Application, gateway: Gateway, siblings: Siblings, local_key: str | None
) -> None:
    """`local_key`: that of this process, if it has one."""

    def known(answer: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                await _admit(request, gateway, local_key)
            except Refused as refused:
                return _refused(refused.failure)
            return await answer(request)

        return handle

    async def listed(_: web.Request) -> web.StreamResponse:
        streams = _own(gateway)
        for status, body in await siblings.ask("GET", PATH):
            if status == 200:
                streams += _theirs(body)
        streams.sort(key=itemgetter("age_s"), reverse=True)
        return _json({"streams": streams})

    async def cancel(request: web.Request) -> web.StreamResponse:
        stream = request.match_info["stream"]
        if gateway.cancel(stream):
            return web.Response(status=204)
        told = await siblings.ask("DELETE", request.rel_url.raw_path)
        if any(status == 204 for status, _ in told):
            return web.Response(status=204)
        return _refused(_missing(stream))

    app.router.add_get(PATH, known(listed))
    app.router.add_delete(ONE, known(cancel))


def answering_siblings(gateway: Gateway) -> web.Application:
    """What the other workers are answered: of this one alone."""

    async def listed(_: web.Request) -> web.StreamResponse:
        return _json({"streams": _own(gateway)})

    async def cancel(request: web.Request) -> web.StreamResponse:
        stream = request.match_info["stream"]
        return web.Response(status=204) if gateway.cancel(stream) else _refused(_missing(stream))

    app = web.Application()
    app.router.add_get(PATH, listed)
    app.router.add_delete(ONE, cancel)
    answer_siblings(app, gateway)
    return app


def _theirs(body: bytes) -> list[Described]:
    """What another worker says that it has; nothing where that cannot be read, as of another
    version, which a worker may be while all of them are replaced.
    """
    try:
        listed = msgspec.json.decode(body, type=dict[str, list[Described]])
    except ValueError:  # msgspec's own errors and bad UTF-8
        return []
    return [each for each in listed.get("streams", []) if isinstance(each.get("age_s"), float)]


def _own(gateway: Gateway) -> list[Described]:
    return [{**each, "worker": os.getpid()} for each in gateway.running()]


async def _admit(request: web.Request, gateway: Gateway, local_key: str | None) -> None:
    """Raises Refused."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    keyring, secret = gateway.state.keyring, credential(headers, {})
    if local_key is not None and secret is not None and _same(secret, local_key):
        return
    if keyring is None:
        raise Refused(failure("forbidden", f"This is for the operator: {_REMEDY}."))
    await keyring.admit_admin(secret, _REMEDY)


def _same(one: str, other: str) -> bool:
    """In a time that tells nothing."""
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())


def _missing(stream: str) -> Failure:
    said = f"Nothing that runs has the id {stream[:64]!r}: it has ended, or never was."
    return failure("bad_request", said, status=404)


def _refused(why: Failure) -> web.Response:
    return whole(with_retry_after(CLIENTS["native"].render_error(why), why))


def _json(value: object) -> web.Response:
    return whole(Reply(200, msgspec.json.encode(value)))

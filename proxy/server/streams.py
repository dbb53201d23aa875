"""The paths of kept streams: `POST /v1/streams` starts one, and under `/v1/streams/{stream}` it is
read, cancelled and asked about.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec
from aiohttp import web

from proxy.codec.base import Incoming, Reply, Route
from proxy.codec.halves import ClientHalf
from proxy.codec.resuming import Wanted
from proxy.dialects.registry import CLIENTS
from proxy.errors import Failure, Refused, bad_request, failure
from proxy.observe.record import StreamRecord
from proxy.server.access.keys import credential
from proxy.server.account import Account
from proxy.server.gateway import Gateway
from proxy.server.handlers import starter
from proxy.server.incoming import asked_by, read_head, request_id
from proxy.server.keeping import NOT_KEPT
from proxy.server.lasting import Lasting
from proxy.server.playground import looked_at
from proxy.server.respond import cut, whole, with_retry_after
from proxy.server.returning import Onward, asked_for, rest
from proxy.server.runs import Runs
from proxy.server.stopping import CANCELLED, Stopping
from proxy.server.visit import Visit
from proxy.server.watched import Watched, where

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NATIVE = CLIENTS["native"]
_ONE = "/v1/streams/{stream:[^/]+}"
Find = Callable[[web.Request, Runs, Account], Awaitable[tuple[Lasting | None, Wanted]]]


class Served(NamedTuple):
    """A path, and who answers there."""

    route: Route
    handler: Handler


def served(gateway: Gateway, runs: Runs, stopping: Stopping) -> Iterator[Served]:
    """Every path."""
    yield Served(Route("POST", "/v1/streams"), starter(gateway, runs, _NATIVE, _started))
    yield Served(Route("GET", _ONE), handler(gateway, runs, _follow))
    yield Served(Route("DELETE", _ONE), handler(gateway, runs, _cancel))
    yield Served(Route("GET", _ONE + "/status"), handler(gateway, runs, _status))
    for half in CLIENTS.values():
        if half.resuming is not None:
            follow, stop, *_ = half.resuming
            if follow is not None:
                yield Served(follow, handler(gateway, runs, _follow_own, half))
            if stop is not None:
                yield Served(stop, handler(gateway, runs, _stopper(stopping), half))


class About(NamedTuple):
    """A request about a run. `half`: in whose dialect, `wanted`: what it asks for there, `owner`:
    whose.
    """

    request: web.Request
    half: ClientHalf
    run: Lasting | None
    wanted: Wanted
    runs: Runs
    gateway: Gateway
    record: StreamRecord
    owner: str


Answer = Callable[[About], Awaitable[web.StreamResponse]]


def described(run: Lasting) -> dict[str, object]:
    """What is known of a stream, as JSON has it."""
    last = run.log.last
    return {
        "stream": run.id,
        "status": run.state,
        "url": f"/v1/streams/{run.id}",
        "model": run.origin.model,
        "created": run.origin.created,
        "last_event_id": None if last < 0 else f"{run.id}:{last}",
        "readers": run.log.readers,
    }


def _started(run: Lasting) -> web.Response:
    body = msgspec.json.encode(described(run))
    return whole(Reply(201, body, where(run, _NATIVE)))


def handler(
    gateway: Gateway,
    runs: Runs,
    answer: Answer,
    half: ClientHalf = _NATIVE,
    find: Find | None = None,
) -> Handler:
    """The handler of a path where a stream is asked about, in the form of a dialect. `find` gives
    the stream, and what is wanted of it.
    """
    found = find or partial(_found, half)

    async def handle(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), half.name, time.monotonic())
        account = Account(gateway, Visit(gateway, request, record))
        account.reading = "unasked"
        try:
            run, wanted = await found(request, runs, account)
            if run is not None:
                record.stream, record.model = run.id, run.origin.model
                record.model_label = run.origin.label
            about = About(request, half, run, wanted, runs, gateway, record, account.owner)
            response = await answer(about)
            record.status = response.status
        except Refused as refused:
            return _refused(refused.failure, record, half)
        except ConnectionError:
            cut(request)
            return web.Response(status=499)  # goes nowhere
        except Exception:  # noqa: BLE001  whatever it is, the server goes on
            gateway.report(record)
            cut(request)
            return web.Response(status=500)  # goes nowhere
        else:
            return response
        finally:
            account.close()

    return handle


def _refused(why: Failure, record: StreamRecord, half: ClientHalf) -> web.Response:
    reply = with_retry_after(half.render_error(why), why)
    record.status = reply.status
    return whole(reply)


async def known(request: web.Request, account: Account) -> Incoming:
    """Who asks is known then. Gives the head. Raises Refused."""
    account.visit.check_origin()
    head = read_head(request)
    await account.visit.know(credential(head.headers, head.query))
    return head


async def _found(
    half: ClientHalf, request: web.Request, runs: Runs, account: Account
) -> tuple[Lasting | None, Wanted]:
    """The run, if it is the caller's: whoever may not see it learns nothing. Raises Refused."""
    head = await known(request, account)
    if half.resuming is not None:
        wanted = asked_for(half.resuming, asked_by(head))
        return await runs.named(half, wanted.stream, account.owner), wanted
    stream = request.match_info["stream"]
    run = await runs.find(stream, account.owner)
    if run is None:
        said = (
            "There is no such stream, or it is not kept any more (streams.resume)."
            if runs.rules is not None
            else NOT_KEPT
        )
        raise Refused(failure("bad_request", said, status=404))
    return run, Wanted(stream)


async def _follow(about: About) -> web.StreamResponse:
    """The stream, from its beginning or behind the event that `Last-Event-ID` names."""
    request, run = about.request, about.run
    assert run is not None
    half = _reading_in(request)
    about.record.client_dialect = half.name
    number, looks = 0, _looks(about)
    head = asked_by(read_head(request))
    seen = head.headers.get("last-event-id") or head.query.get("last_event_id")
    if seen and half.resuming is not None and half.resuming.again:  # its ids are of its frames
        named = head._replace(headers={**head.headers, "last-event-id": seen})
        wanted = half.resuming.wanted(named)
        meant = run if wanted.stream == run.id else None
        onward = rest(about.runs, half, meant, wanted, looks=looks)
        return web.Response(status=204) if onward is None else await read(about, onward)
    if seen:
        found = await about.runs.resumed(seen, run.owner)
        if found is None or found[0].id != run.id:
            return web.Response(status=204)
        run, number = found  # one of another process that has ended is read anew each time
    options = run.options if half is run.half else half.watching
    encoder = run.encoder(half, options, looks=looks)
    return await read(about, Onward(run, encoder, where(run, half), number))


async def read(about: About, onward: Onward) -> web.StreamResponse:
    """A client reads it along. Raises ConnectionError when it has left."""
    plan, run = about.gateway.state.plan, onward.run
    run.attend()
    about.runs.metrics.reads(1)
    try:
        return await Watched(
            about.gateway,
            about.request,
            run,
            onward.encoder,
            record=about.record,
            plan=plan,
            headers=onward.headers,
            number=onward.number,
        ).given()
    finally:
        about.runs.metrics.reads(-1)
        run.leave()


def _looks(about: About) -> bool:
    headers = {name.lower(): value for name, value in about.request.headers.items()}
    return looked_at(about.gateway, headers) is not None


async def _follow_own(about: About) -> web.StreamResponse:
    """The stream, as clients of a dialect of its own come back to it."""
    onward = rest(about.runs, about.half, about.run, about.wanted, looks=_looks(about))
    return web.Response(status=204) if onward is None else await read(about, onward)


def _stopper(stopping: Stopping) -> Answer:
    async def stop(about: About) -> web.StreamResponse:
        """What the dialect says of a stop, of what is not there too: that is no hint."""
        half, run = about.half, about.run
        if run is not None and run.log.end is None:
            await run.cancel(failure("cancelled", CANCELLED))
        else:
            await stopping.stop(about.wanted.stream, about.owner, half.name)
        assert half.resuming is not None
        return whole(half.resuming.stopped)

    return stop


def _reading_in(request: web.Request) -> ClientHalf:
    name = request.query.get("dialect", _NATIVE.name)
    half = CLIENTS.get(name)
    if half is None:
        known = ", ".join(CLIENTS)
        raise bad_request(f"dialect must be one of {known}, not {name[:40]!r}.", param="dialect")
    return half


async def _cancel(about: About) -> web.StreamResponse:
    assert about.run is not None
    await about.run.cancel(failure("cancelled", CANCELLED))
    return web.Response(status=204)


async def _status(about: About) -> web.StreamResponse:
    assert about.run is not None
    return whole(Reply(200, msgspec.json.encode(described(about.run))))

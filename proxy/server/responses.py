"""The paths of Responses' kept answers, under `/v1/responses/{id}`: asked for, read as a stream,
cancelled, deleted. See `proxy/dialects/openai_responses/kept.py`.
"""

from collections.abc import Iterator

from aiohttp import web

from proxy.codec.base import Reply, Route
from proxy.codec.resuming import Wanted
from proxy.dialects.openai_responses import kept
from proxy.dialects.openai_responses.shapes import stream_of
from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused, bad_request, failure
from proxy.server.account import Account
from proxy.server.gateway import Gateway
from proxy.server.keeping import NOT_KEPT, told
from proxy.server.lasting import Lasting
from proxy.server.respond import whole
from proxy.server.returning import Onward
from proxy.server.runs import Runs
from proxy.server.stopping import CANCELLED
from proxy.server.streams import About, Served, handler, known, read
from proxy.server.watched import where

_HALF = CLIENTS["openai_responses"]
_ONE = "/v1/responses/{response:[^/]+}"
_FOLDED = (
    "The events of this answer are not kept one by one any more, so that nobody can say which are "
    "new: ask for it without starting_after, as a stream from its beginning or as a document."
)
_NOT_BACKGROUND = (
    "Only an answer that was asked for with background: true can be cancelled; to end another one, "
    "close its connection."
)


def served(gateway: Gateway, runs: Runs) -> Iterator[Served]:
    """Every path."""
    for route, answer in (
        (Route("GET", _ONE), _retrieve),
        (Route("DELETE", _ONE), _delete),
        (Route("POST", _ONE + "/cancel"), _cancel),
        (Route("GET", _ONE + "/input_items"), _input_items),
    ):
        yield Served(route, handler(gateway, runs, answer, _HALF, _found))


async def _found(request: web.Request, runs: Runs, account: Account) -> tuple[Lasting, Wanted]:
    """The run, if it is the caller's, and its client let it be kept. Raises Refused."""
    await known(request, account)
    if runs.rules is None:
        raise Refused(failure("bad_request", NOT_KEPT, status=404))
    said = request.match_info["response"]
    stream = stream_of(said)
    run = await runs.find(stream, account.owner) if stream else None
    if run is None or run.half is not _HALF or run.options.kept is None:
        raise Refused(kept.not_found(said))
    return run, Wanted(stream)


async def _retrieve(about: About) -> web.StreamResponse:
    run, query = about.run, about.request.query
    assert run is not None
    if query.get("stream") != "true":
        return await told(run)
    after = kept.whole_number(query, "starting_after", -1)
    begun = None
    if after >= 0:
        if run.log.first and run.log.order is None:
            raise bad_request(_FOLDED, param="starting_after")
        about.runs.metrics.resumed("attached")
        begun = kept.resumed(run.options, after)
    encoder = run.encoder(_HALF, run.options, begun)
    return await read(about, Onward(run, encoder, where(run, _HALF)))


async def _cancel(about: About) -> web.StreamResponse:
    run = about.run
    assert run is not None
    if not run.options.kept.background:
        raise bad_request(_NOT_BACKGROUND)
    await run.cancel(failure("cancelled", CANCELLED))
    return await told(run)


async def _delete(about: About) -> web.StreamResponse:
    run = about.run
    assert run is not None
    await run.cancel(failure("cancelled", CANCELLED))
    await about.runs.drop(run)
    return whole(Reply(200, kept.deleted(about.request.match_info["response"])))


async def _input_items(about: About) -> web.StreamResponse:
    run = about.run
    assert run is not None
    return whole(Reply(200, kept.input_items(run.options.kept, run.id, about.request.query)))

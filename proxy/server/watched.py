"""A kept stream, to one client that reads it."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from proxy.codec.base import Encoder, Parsed
from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused
from proxy.observe.record import StreamRecord
from proxy.relay.apart import apart
from proxy.relay.folder import Folder
from proxy.relay.plan import Plan
from proxy.relay.watching import Watching
from proxy.server.carried import Particulars
from proxy.server.early import Early
from proxy.server.gateway import Gateway
from proxy.server.lasting import Lasting
from proxy.server.lean import let_go
from proxy.server.pace import PacedSink
from proxy.server.respond import hand_down, note_headers, whole
from proxy.server.streamed import Streamed
from proxy.settings.sections import Limits, Streams

RESUMABLE = "x-resumable-stream-id"
_NATIVE = CLIENTS["native"]


def where(run: Lasting, half: ClientHalf) -> dict[str, str]:
    """The headers that say where a client of this dialect may come back to."""
    path = f"/v1/streams/{run.id}"
    headers = {
        "Location": path if half is _NATIVE else f"{path}?dialect={half.name}",
        RESUMABLE: run.id,
    }
    if half.resuming is not None and half.resuming.named:
        headers[half.resuming.named] = run.id
    return headers


async def watched(
    gateway: Gateway,
    request: web.Request,
    run: Lasting,
    encoder: Encoder,
    *,
    record: StreamRecord,
    streams: Streams,
    limits: Limits,
    headers: Mapping[str, str],
    number: int = 0,
    early: Early | None = None,
) -> web.StreamResponse:
    """The whole answer, from event `number` on. `headers` say where the client may come back to.
    `early` may have sent its head. Raises Refused when
    there is no answer and no head was sent, ConnectionError when the client has left.
    """
    watching = Watching(
        run.log, encoder, record=record, streams=streams, limits=limits, number=number
    )
    response = None if early is None else early.taken()
    opens = response is None
    if response is None:
        said = _said(run, headers)
        response = Streamed(gateway, request, encoder, said, limits.write_buffer_bytes)
        record.status = response.status
    sink, before = response.sink, record.bytes_out
    try:
        first = watching.opening(run.id)
        if opens:
            response.open(first)
        elif first:
            sink.send(sink.framed(first))
        record.bytes_out += len(first)
        if not run.log.over:
            let_go(request, response)
        paced = PacedSink(sink, encoder.joined, encoder.min_gap_s) if encoder.min_gap_s else None
        await watching.relay(paced or sink)
    finally:
        run.read_bytes += record.bytes_out - before
    if paced is not None:
        await paced.flushed()
    sink.end()
    run.told(request.transport)
    return response


async def documented(
    request: web.Request, run: Lasting, parsed: Parsed, record: StreamRecord, plan: Plan
) -> web.Response:
    """The answer as one document, once it is complete. Raises Refused when there is none, or it
    fails, ConnectionError when the client has left.
    """
    folder = Folder()
    watching = Watching(run.log, folder, record=record, streams=plan.streams, limits=plan.limits)
    watching.opening(run.id)
    await watching.relay(_NOWHERE)
    head = await asyncio.shield(run.committed)
    if folder.answer.error is not None:
        raise Refused(folder.answer.error)
    reply = await apart(run.log.bytes, lambda: run.half.whole(parsed, folder.answer))
    record.status = reply.status
    record.bytes_out += len(reply.body)
    headers = {
        **reply.headers,
        **note_headers(head.notes),
        "x-mainstem-upstream": head.upstream,
        **where(run, run.half),
    }
    response = hand_down(whole(reply._replace(headers=headers)), head.returned)
    await response.prepare(request)
    await response.write_eof()
    run.told(request.transport)
    return response


class _Nowhere:
    """The sink of a reader that keeps everything."""

    def write(self, data: bytes) -> None:
        """See `Sink`."""

    def unsent(self) -> int:
        """See `Sink`."""
        return 0

    async def drained(self) -> None:
        """See `Sink`."""


_NOWHERE = _Nowhere()


def _said(run: Lasting, headers: Mapping[str, str]) -> Particulars:
    """What is known of the answer by now."""
    if run.committed.done() and run.committed.exception() is None:
        head = run.committed.result()
        return Particulars(head.notes, head.upstream, head.returned, headers)
    return Particulars(headers=headers)

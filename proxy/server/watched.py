"""A kept stream, to one client that reads it."""

import asyncio

from aiohttp import web

from proxy.codec.base import Encoder
from proxy.observe.record import StreamRecord
from proxy.relay.watching import Watching
from proxy.server.early import Early
from proxy.server.lasting import Lasting
from proxy.server.pace import PacedSink
from proxy.server.respond import ResponseSink, cut, hand_down, stream_response
from proxy.settings.sections import Limits, Streams

RESUMABLE = "x-resumable-stream-id"


def where(run: Lasting) -> dict[str, str]:
    """The headers that say where a client may come back to."""
    return {"Location": f"/v1/streams/{run.id}", RESUMABLE: run.id}


async def watched(
    request: web.Request,
    run: Lasting,
    encoder: Encoder,
    *,
    record: StreamRecord,
    streams: Streams,
    limits: Limits,
    number: int = 0,
    early: Early | None = None,
) -> web.StreamResponse:
    """The whole answer, from event `number` on. `early` may have sent its head. Raises Refused when
    there is no answer and no head was sent, ConnectionError when the client has left.
    """
    watching = Watching(
        run.log, encoder, record=record, streams=streams, limits=limits, number=number
    )
    response = None if early is None else await early.taken()
    if response is None:
        response = _head(run, encoder)
        record.status = response.status
        await response.prepare(request)
    before = record.bytes_out
    try:
        first = watching.opening(run.id)
        if first:
            await response.write(first)
            record.bytes_out += len(first)
        else:
            # aiohttp keeps the head for the first write, which the sink does without it
            request.writer.send_headers()
        sink = ResponseSink(request, limits.write_buffer_bytes)
        paced = PacedSink(sink, encoder.joined, encoder.min_gap_s) if encoder.min_gap_s else None
        await watching.relay(paced or sink)
    finally:
        run.read_bytes += record.bytes_out - before
    try:
        async with asyncio.timeout(streams.write_timeout_s):
            if paced is not None:
                await paced.flushed()
            await response.write_eof()
        run.told = True
    except TimeoutError:  # the client does not take even the end
        cut(request)
    return response


def _head(run: Lasting, encoder: Encoder) -> web.StreamResponse:
    if run.committed.done() and run.committed.exception() is None:
        head = run.committed.result()
        response = hand_down(stream_response(encoder, head.notes, head.upstream), head.returned)
    else:
        response = stream_response(encoder)
    response.headers.update(where(run))
    return response

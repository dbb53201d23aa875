"""A kept stream, to one client that reads it."""

from collections.abc import Callable, Mapping

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
from proxy.server.gateway import Gateway
from proxy.server.lasting import Lasting
from proxy.server.lean import let_go
from proxy.server.pace import PacedSink
from proxy.server.respond import hand_down, note_headers, whole
from proxy.server.streamed import AT_ONCE_BYTES, Streamed

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


class Watched:
    """The whole answer, from event `number` on: `open`, then `given`. It is made while its head may
    not go yet, so that little is left to do then.
    """

    __slots__ = (
        "_early",
        "_encoder",
        "_failed",
        "_gateway",
        "_headers",
        "_plan",
        "_record",
        "_request",
        "_response",
        "_run",
        "_watching",
    )

    def __init__(
        self,
        gateway: Gateway,
        request: web.Request,
        run: Lasting,
        encoder: Encoder,
        *,
        record: StreamRecord,
        plan: Plan,
        headers: Mapping[str, str],
        number: int = 0,
        early: Callable[[], Streamed | None] | None = None,
    ) -> None:
        """`headers` say where the client may come back to. `early` gives the response if its head
        has been sent.
        """
        self._gateway = gateway
        self._request = request
        self._run = run
        self._encoder = encoder
        self._record = record
        self._plan = plan
        self._headers = headers
        self._early = early
        self._watching = Watching(
            run.log,
            encoder,
            record=record,
            streams=plan.streams,
            limits=plan.limits,
            number=number,
        )
        self._response: Streamed | None = None
        self._failed: Exception | None = None

    def open(self) -> None:
        """Send the head and the first frames. If that fails, `given` says so."""
        try:
            self._response = self._opened()
        except Exception as error:  # noqa: BLE001  whoever commits the stream is not at fault
            self._failed = error

    async def given(self) -> web.StreamResponse:
        """The response, when all of it has been sent. Raises ConnectionError when the client has
        left.
        """
        if self._response is None and self._failed is None:
            self.open()
        if self._failed is not None:
            raise self._failed
        response, encoder, run = self._response, self._encoder, self._run
        assert response is not None
        sink = response.sink
        if not sink.ended:
            if not run.log.over:
                let_go(self._request)
            gap_s = encoder.min_gap_s
            paced = PacedSink(sink, encoder.joined, gap_s) if gap_s else None
            before = self._record.bytes_out
            try:
                await self._watching.relay(paced or sink)
            finally:
                run.read_bytes += self._record.bytes_out - before
            if paced is not None:
                await paced.flushed()
            sink.end()
        run.told(self._request.transport)
        return response

    def _opened(self) -> Streamed:
        run, record = self._run, self._record
        response = None if self._early is None else self._early()
        if response is None:
            most = self._plan.limits.write_buffer_bytes
            said = _said(run, self._headers)
            response = Streamed(self._gateway, self._request, self._encoder, said, most)
            record.status = 200
            first = self._watching.opening(run.id)
            whole = run.log.end is not None and self._watching.told
            response.open(first, whole=whole and len(first) <= AT_ONCE_BYTES)
        else:
            first = self._watching.opening(run.id)
            if first:
                response.sink.send(response.sink.framed(first))
        record.bytes_out += len(first)
        run.read_bytes += len(first)
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
    head = await run.answered()
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
    head = run.head
    if head is None:
        return Particulars(headers=headers)
    return Particulars(head.notes, head.upstream, head.returned, headers)

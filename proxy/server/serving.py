"""One request's life: from a request in any dialect to the last byte of its answer, and its record."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from proxy.dialects.base import ClientHalf, Encoder, Incoming, Parsed, Reply
from proxy.dialects.settle import Settler
from proxy.errors import Failure, Refused, failure
from proxy.events import StreamStart
from proxy.observe.record import Outcome, StreamRecord
from proxy.relay.attempts import Won
from proxy.relay.generation import Generation
from proxy.relay.step import Folder
from proxy.server.auth import check_model, credential
from proxy.server.gateway import MOCK_PREFIX, Gateway, State
from proxy.server.incoming import read_incoming, request_id
from proxy.server.pace import PacedSink
from proxy.server.respond import ResponseSink, note_headers, stream_response, whole, with_retry_after
from proxy.settings.model import Key

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_ID = web.RequestKey("request_id", str)
_INTERNAL = "Something went wrong in this proxy; its log has the details."


def handler(gateway: Gateway, halves: Sequence[ClientHalf]) -> Handler:
    """The handler of one path. Where dialects share a path, the one that claims the request gets it, else the first."""

    async def handle(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), halves[0].name, time.monotonic())
        request[REQUEST_ID] = record.request_id
        return await _Serving(gateway, request, record, halves).run()

    return handle


class _Serving:
    """Serves one request. A stream may last, and thousands at once: what is not needed any more is let go before it begins."""

    __slots__ = ("_alone", "_entered", "_gateway", "_half", "_halves", "_key", "_record", "_request", "_state")

    def __init__(self, gateway: Gateway, request: web.Request, record: StreamRecord, halves: Sequence[ClientHalf]) -> None:
        self._gateway = gateway
        self._state: State = gateway.state
        self._request = request
        self._record = record
        self._halves = halves
        self._half = halves[0]
        self._key: Key | None = None
        self._entered = False
        self._alone = False

    async def run(self) -> web.StreamResponse:
        try:
            return await self._answer()
        except Refused as refused:
            return self._refuse(refused.failure)
        except asyncio.CancelledError:
            why = self._gateway.dismissed()
            if why is not None:
                self._record.outcome = None  # whoever cancelled it, the client has not left
                return self._refuse(why)
            self._end("client_gone", self._record.status or 499)
            raise
        except ConnectionError:  # it left in the moment in which it was written to
            self._end("client_gone", self._record.status or 499)
            self._cut()
            return web.Response(status=499)  # goes nowhere
        except Exception:  # noqa: BLE001  whatever it is, the client gets a sentence and the server goes on
            self._gateway.report(self._record)
            return self._refuse(failure("internal", _INTERNAL))
        finally:
            self._leave()

    async def _answer(self) -> web.StreamResponse:
        self._check_origin()
        if self._request.headers.get("Last-Event-ID"):
            # A reconnect must never run a prompt again; 204 is what makes a browser's EventSource stop (HTML 9.2.3).
            self._record.status = 204
            return web.Response(status=204)
        parsed, won = await self._begin()
        self._gateway.began(won)
        try:
            if not parsed.request.stream:
                return await self._document(parsed, won)
            encoder = self._encoder(parsed, won)
            first = won.generation.commit(encoder, self._start(parsed, won))
            response = stream_response(encoder, won.notes, won.place.upstream)
            del parsed
            self._record.status = 200
            try:
                await response.prepare(self._request)
                if first:
                    await response.write(first)
                    self._record.bytes_out += len(first)
                else:
                    self._request.writer.send_headers()  # aiohttp keeps the head for the first write, which the sink does without it
                del first
                return await self._stream(won.generation, encoder, response)
            except (asyncio.CancelledError, ConnectionError):
                self._alone = won.generation.client_left()
                raise
            except Exception:  # noqa: BLE001  a defect, and too late for a status
                self._gateway.report(self._record)
                won.generation.client_left(gave_up=True)
                self._cut()
                return response
        finally:
            self._gateway.ended(won, self._record, alone=self._alone)

    async def _begin(self) -> tuple[Parsed, Won]:
        """Who asks, what is asked, and the target that answers. Raises Refused."""
        state, record = self._state, self._record
        incoming = await read_incoming(self._request, state.plan.limits.max_body_bytes)
        self._half = next((half for half in self._halves if half.claims(incoming)), self._halves[0])
        record.client_dialect = self._half.name
        await self._admit(incoming)
        if incoming.query:  # a credential and a mock's wishes are no part of what is asked
            asked = {name: value for name, value in incoming.query.items() if name != "key" and not name.lower().startswith(MOCK_PREFIX)}
            incoming = incoming._replace(query=asked)
        parsed = self._half.parse_request(incoming)
        record.model = parsed.request.model
        if self._key is not None:
            check_model(self._key, parsed.request.model)
        routed = state.plan.router.route(parsed.request.model)
        record.model_label = routed.label
        self._enter()
        rewrites = self._half.rewrites or not parsed.request.stream
        won = await self._gateway.attempts(state, self._request, record).first(parsed, routed, client_rewrites=rewrites)
        record.notes = won.notes
        record.stream = record.request_id
        return parsed, won

    def _check_origin(self) -> None:
        """A browser only hides an answer from a page of another origin; the prompt would be run all the same."""
        origin = self._request.headers.get("Origin")
        if origin is not None and not self._state.cors.allowed(origin, self._request.host):
            raise Refused(failure("forbidden", f"Pages of {origin[:100]!r} may not call this proxy: add the origin to cors.allow_origins."))

    async def _admit(self, incoming: Incoming) -> None:
        keyring = self._state.keyring
        if keyring is not None:
            self._key = await keyring.admit(credential(incoming.headers, incoming.query))
            self._record.key = self._key.name

    def _enter(self) -> None:
        self._gateway.entered()
        self._entered = True
        if self._key is not None and self._state.keyring is not None:
            key, self._key = self._key, None  # so that a refusal below is not counted as one that entered
            self._state.keyring.enter(key)
            self._key = key

    def _leave(self) -> None:
        if self._entered:
            self._gateway.left()
            if self._key is not None and self._state.keyring is not None:
                self._state.keyring.leave(self._key)
        if not self._alone:
            self._gateway.flush(self._record)

    def _start(self, parsed: Parsed, won: Won) -> StreamStart:
        return StreamStart(
            stream=self._record.stream,
            model=parsed.request.model,
            upstream=won.place.upstream,
            upstream_model=won.place.model,
            created=int(time.time()),
            notes=won.notes,
        )

    def _encoder(self, parsed: Parsed, won: Won) -> Encoder:
        encoder = self._half.encoder(parsed)
        return Settler(encoder) if won.rewrites and not self._half.rewrites else encoder

    async def _stream(self, generation: Generation, encoder: Encoder, response: web.StreamResponse) -> web.StreamResponse:
        """From the first frame to the end of the body."""
        sink = ResponseSink(self._request, self._state.plan.limits.write_buffer_bytes)
        paced = PacedSink(sink, encoder.joined, encoder.min_gap_s) if encoder.min_gap_s else None
        await generation.relay(paced or sink)
        try:
            async with asyncio.timeout(self._state.plan.streams.write_timeout_s):
                if paced is not None:
                    await paced.flushed()
                await response.write_eof()
        except TimeoutError:  # the client does not take even the end
            self._record.outcome = "client_gone"
            self._cut()
        if isinstance(encoder, Settler) and encoder.failed:
            self._record.outcome = "upstream_error"
        return response

    async def _document(self, parsed: Parsed, won: Won) -> web.Response:
        folder, generation = Folder(), won.generation
        generation.commit(folder, self._start(parsed, won), self._state.plan.limits.max_answer_bytes)
        try:
            await generation.fold()
        except asyncio.CancelledError:
            self._alone = generation.client_left()
            raise
        if generation.failed is not None:
            raise Refused(generation.failed)
        reply = self._half.whole(parsed, folder.answer)
        self._record.status = reply.status
        self._record.bytes_out += len(reply.body)
        headers = {**reply.headers, **note_headers(won.notes), "x-mainstem-upstream": won.place.upstream}
        return whole(reply._replace(headers=headers))

    def _refuse(self, why: Failure) -> web.Response:
        reply: Reply = with_retry_after(self._half.render_error(why), why)
        self._end(why.kind, reply.status)
        return whole(reply)

    def _end(self, outcome: Outcome, status: int) -> None:
        self._record.end(outcome, status, time.monotonic())

    def _cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

"""Serves clients: from a request in any dialect to the last byte of its answer."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog
from aiohttp import web

from proxy.dialects.base import ClientHalf, Encoder, Incoming, Parsed, Reply
from proxy.dialects.settle import Settler
from proxy.errors import Failure, Refused, failure
from proxy.events import StreamStart
from proxy.observe.logs import stream_line
from proxy.observe.metrics import Metrics
from proxy.observe.record import Outcome, StreamRecord
from proxy.relay.attempts import Attempts, Won
from proxy.relay.generation import Generation
from proxy.relay.plan import Plan
from proxy.relay.step import Folder
from proxy.server.auth import Keyring, check_model, credential
from proxy.server.cors import CorsPolicy
from proxy.server.incoming import read_incoming, request_id
from proxy.server.respond import ResponseSink, note_headers, stream_response, whole, with_retry_after
from proxy.settings.model import Key
from proxy.upstream import Upstreams

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_ID = web.RequestKey("request_id", str)
_MOCK_PREFIX = "x-mock-"
_LAST_FRAMES_S = 2.0  # after the drain: for the shutdown errors to leave
_SHUTTING_DOWN = "This proxy is shutting down; send the request again."


class State(NamedTuple):
    """What a reload replaces as a whole. `keyring` None: anyone may call."""

    plan: Plan
    cors: CorsPolicy
    keyring: Keyring | None


class Gateway:
    """One process's share of the clients. `state` may be replaced at any time; what runs keeps what it began with."""

    def __init__(self, state: State, upstreams: Upstreams, metrics: Metrics) -> None:
        self.state = state
        self.draining = False
        self._upstreams = upstreams
        self._metrics = metrics
        self._log = structlog.get_logger("mainstem")
        self._generations: set[Generation] = set()
        self._alone: set[asyncio.Task[None]] = set()
        self._requests = 0
        self._open: Counter[str] = Counter()

    def handler(self, halves: Sequence[ClientHalf]) -> Handler:
        """The handler of one path. Where dialects share a path, the one that claims the request gets it, else the first."""

        async def handle(request: web.Request) -> web.StreamResponse:
            record = StreamRecord(request_id(request), halves[0].name, asyncio.get_running_loop().time())
            request[REQUEST_ID] = record.request_id
            serving = _Serving(self, self.state, request, record, halves[0])
            return await serving.run(halves)

        return handle

    @property
    def open_requests(self) -> int:
        return self._requests

    async def drain(self, drain_s: float) -> None:
        """Take nothing new; give what runs `drain_s` to end, then end it with an in-band shutdown error."""
        self.draining = True
        await self._idle(drain_s)
        for generation in list(self._generations):
            generation.abandon(failure("shutdown", _SHUTTING_DOWN))
        await self._idle(_LAST_FRAMES_S)

    async def _idle(self, most_s: float) -> None:
        """Until nothing runs, or `most_s` have passed."""
        deadline = asyncio.get_running_loop().time() + most_s
        while (self._requests or self._alone) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  rare, and simpler than an event
            await asyncio.sleep(0.05)

    # What a request in service tells the gateway.

    def entered(self) -> None:
        """Raises Refused when there is no room for one more."""
        if self.draining:
            raise Refused(failure("shutdown", _SHUTTING_DOWN, retry_after_s=1))
        most = self.state.plan.limits.max_streams
        if self._requests >= most:
            raise Refused(failure("overloaded", f"This proxy has {most} streams open, as many as it may; try again soon.", retry_after_s=1))
        self._requests += 1

    def left(self) -> None:
        self._requests -= 1

    def began(self, won: Won) -> None:
        self._generations.add(won.generation)
        self._metrics.opened(won.place.upstream)

    def ended(self, won: Won, record: StreamRecord, *, alone: bool) -> None:
        """The client's part is over. `alone`: the generation goes on without it, and is recorded when it ends."""
        if alone:
            task = asyncio.create_task(self._see_out(won, record))
            self._alone.add(task)
            task.add_done_callback(self._alone.discard)
        else:
            self._generations.discard(won.generation)
            self._metrics.closed(won.place.upstream)

    def attempts(self, state: State, request: web.Request, record: StreamRecord) -> Attempts:
        """What a mock is to play may be said by a header or, for an EventSource, in the query; no real vendor sees it."""
        wishes = {}
        if state.plan.plays:
            said = (*request.headers.items(), *request.query.items())
            wishes = {name: value for name, value in said if name.lower().startswith(_MOCK_PREFIX)}
        return Attempts(state.plan, self._upstreams, record, wishes)

    def flush(self, record: StreamRecord) -> None:
        """The stream is over, for good."""
        if record.ended_s is None:
            record.ended_s = asyncio.get_running_loop().time() - record.started
        self._metrics.flush(record)
        stream_line(self._log, record)

    def report(self, record: StreamRecord) -> None:
        """A defect of ours: the one place where a traceback is logged."""
        self._log.exception("internal error", request_id=record.request_id)

    async def _see_out(self, won: Won, record: StreamRecord) -> None:
        await won.generation.fold()
        self.ended(won, record, alone=False)
        self.flush(record)


class _Serving:
    """One request's service, from its first byte to its record."""

    def __init__(self, gateway: Gateway, state: State, request: web.Request, record: StreamRecord, half: ClientHalf) -> None:
        self._gateway = gateway
        self._state = state
        self._request = request
        self._record = record
        self._half = half
        self._key: Key | None = None
        self._entered = False
        self._alone = False

    async def run(self, halves: Sequence[ClientHalf]) -> web.StreamResponse:
        record = self._record
        try:
            response = await self._answer(halves)
        except Refused as refused:
            response = self._refuse(refused.failure)
        except asyncio.CancelledError:
            self._end("client_gone", record.status or 499)
            raise
        except Exception:  # noqa: BLE001  whatever it is, the client gets a sentence and the server goes on
            self._gateway.report(record)
            response = self._refuse(failure("internal", "Something went wrong in this proxy; its log has the details.", status=500))
        finally:
            self._leave()
        return response

    async def _answer(self, halves: Sequence[ClientHalf]) -> web.StreamResponse:
        state, record = self._state, self._record
        self._check_origin()
        if self._request.headers.get("Last-Event-ID"):
            # A reconnect must never run a prompt again; 204 is what makes a browser's EventSource stop (HTML 9.2.3).
            record.status = 204
            return web.Response(status=204)
        incoming = await read_incoming(self._request, state.plan.limits.max_body_bytes)
        half = self._half = next((h for h in halves if h.claims(incoming)), halves[0])
        record.client_dialect = half.name
        await self._admit(incoming)
        if incoming.query:  # a credential and a mock's wishes are no part of what is asked
            asked = {name: value for name, value in incoming.query.items() if name != "key" and not name.startswith(_MOCK_PREFIX)}
            incoming = incoming._replace(query=asked)
        parsed = half.parse_request(incoming)
        record.model = parsed.request.model
        if self._key is not None:
            check_model(self._key, parsed.request.model)
        routed = state.plan.router.route(parsed.request.model)
        record.model_label = routed.label
        self._enter()
        attempts = self._gateway.attempts(state, self._request, record)
        rewrites = half.rewrites or not parsed.request.stream
        won = await attempts.first(parsed, routed, client_rewrites=rewrites)
        record.notes = won.notes
        record.stream = record.request_id
        self._gateway.began(won)
        try:
            return await (self._stream(parsed, won) if parsed.request.stream else self._document(parsed, won))
        finally:
            self._gateway.ended(won, record, alone=self._alone)

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

    async def _stream(self, parsed: Parsed, won: Won) -> web.StreamResponse:
        encoder: Encoder = self._half.encoder(parsed)
        settler = Settler(encoder) if won.rewrites and not self._half.rewrites else None
        encoder = settler or encoder
        response = stream_response(encoder, won.notes, won.place.upstream)
        generation, streams = won.generation, self._state.plan.streams
        first = generation.commit(encoder, self._start(parsed, won))
        self._record.status = 200
        try:
            await response.prepare(self._request)
            await response.write(first)
            self._record.bytes_out += len(first)
            await generation.relay(ResponseSink(self._request, self._state.plan.limits.write_buffer_bytes))
            async with asyncio.timeout(streams.write_timeout_s):
                await response.write_eof()
        except (asyncio.CancelledError, ConnectionError, TimeoutError) as left:
            self._alone = generation.client_left()
            if isinstance(left, TimeoutError) and self._request.transport is not None:
                self._request.transport.abort()
            if isinstance(left, asyncio.CancelledError):
                raise
        except BaseException:
            generation.client_left(gave_up=True)
            raise
        if settler is not None and settler.failed:
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
        self._record.end(outcome, status, asyncio.get_running_loop().time())

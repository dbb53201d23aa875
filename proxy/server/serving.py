"""One request's life: from a request in any dialect to the last byte of its answer, and its
record.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from proxy.codec.base import ClientHalf, Encoder, Incoming, Parsed, Reply
from proxy.codec.settle import Settler
from proxy.errors import Failure, Refused, failure
from proxy.events import StreamError, StreamStart
from proxy.observe.record import StreamRecord
from proxy.relay.apart import apart
from proxy.relay.delivery import Delivery
from proxy.relay.ending import Reading, ended
from proxy.relay.folder import Folder
from proxy.relay.log import Log
from proxy.relay.said import Said
from proxy.relay.sink import Sink
from proxy.relay.won import Envelope, Won
from proxy.server.access.keys import Caller, check_model, credential
from proxy.server.body import Hold, check_body, read_body
from proxy.server.connection import Connection
from proxy.server.continuation import Continuation
from proxy.server.gateway import Gateway, State
from proxy.server.incoming import asked_by, mock_wishes, on_disconnect, read_head, request_id
from proxy.server.pace import PacedSink
from proxy.server.respond import (
    ResponseSink,
    hand_down,
    note_headers,
    stream_response,
    whole,
    with_retry_after,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_ID = web.RequestKey("request_id", str)
_INTERNAL = "Something went wrong in this proxy; its log has the details."


def handler(gateway: Gateway, halves: Sequence[ClientHalf]) -> Handler:
    """The handler of one path. Where dialects share a path, the one that claims the request gets
    it, else the first.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), halves[0].name, time.monotonic())
        request[REQUEST_ID] = record.request_id
        return await _Serving(gateway, request, record, halves).run()

    return handle


class _Serving:
    """Serves one request. A stream may last, and thousands at once: what is not needed any more is
    let go before it begins.
    """

    __slots__ = (
        "_alone",
        "_delivery",
        "_entered",
        "_gateway",
        "_half",
        "_halves",
        "_key",
        "_log",
        "_onward",
        "_reading",
        "_record",
        "_refusal",
        "_request",
        "_state",
        "_streams",
        "_won",
    )

    def __init__(
        self,
        gateway: Gateway,
        request: web.Request,
        record: StreamRecord,
        halves: Sequence[ClientHalf],
    ) -> None:
        self._gateway = gateway
        self._state: State = gateway.state
        self._request = request
        self._record = record
        self._halves = halves
        self._half = halves[0]
        self._key: Caller | None = None
        self._onward: Continuation | None = None
        self._entered = False
        self._alone = False
        self._won: Won | None = None
        self._log: Log | None = None
        self._delivery: Delivery | None = None
        self._streams = gateway.state.plan.streams
        self._reading: Reading = "left"
        self._refusal: Failure | None = None

    async def run(self) -> web.StreamResponse:
        try:
            return await self._answer()
        except Refused as refused:
            return hand_down(self._refuse(refused.failure), refused.returned)
        except asyncio.CancelledError:
            why = self._gateway.dismissed()
            if why is not None:
                return self._refuse(why)
            self._client_gone()
            raise
        except (
            ConnectionError
        ):  # it left in the moment in which it was written to, or takes nothing
            self._client_gone()
            self._cut()
            return web.Response(status=499)  # goes nowhere
        except Exception:  # noqa: BLE001  whatever it is, the client gets a sentence and the server goes on
            self._gateway.report(self._record)
            return self._refuse(failure("internal", _INTERNAL))
        finally:
            if not self._alone:
                self._leave()

    async def _answer(self) -> web.StreamResponse:
        self._check_origin()
        if self._request.headers.get("Last-Event-ID"):
            # A reconnect must never run a prompt again; 204 is what makes a browser's EventSource
            # stop (HTML 9.2.3).
            self._record.status, self._reading = 204, "unasked"
            return web.Response(status=204)
        with self._gateway.bodies.hold(self._state.plan.limits.max_inflight_body_bytes) as hold:
            parsed, won = await self._begin(hold)
        self._won = won
        self._gateway.began(won)
        try:
            if not parsed.request.stream:
                return await self._document(parsed, won)
            encoder = self._encoder(parsed, won)
            first = self._commit(encoder, parsed, won).opening()
            response = hand_down(
                stream_response(encoder, won.notes, won.target.upstream), won.returned
            )
            del parsed, won
            self._record.status = 200
            try:
                await response.prepare(self._request)
                if first:
                    await response.write(first)
                    self._record.bytes_out += len(first)
                else:
                    # aiohttp keeps the head for the first write, which the sink does without it
                    self._request.writer.send_headers()
                del first
                return await self._stream(encoder, response)
            except (asyncio.CancelledError, ConnectionError):
                self._alone = self._left()
                raise
            except Exception:  # noqa: BLE001  a defect, and too late for a status
                self._gateway.report(self._record)
                self._left(gave_up=True)
                self._reading = "broken"
                self._cut()
                return response
        finally:
            if self._alone:
                self._gateway.goes_on_alone(self._won, self._leave)
            else:
                self._gateway.ended(self._won)

    async def _begin(self, hold: Hold) -> tuple[Parsed, Won]:
        """Who asks, what is asked, and the target that answers. Raises Refused. Nothing is read of
        the body until the head has passed all that can be told by it.
        """
        state, record = self._state, self._record
        head = read_head(self._request)
        secret = credential(head.headers, head.query)
        await self._admit(secret)
        wish = on_disconnect(head.headers)
        most = state.plan.limits.max_body_bytes
        check_body(self._request, most)
        body = await read_body(self._request, most, hold)
        envelope = Envelope(
            mock_wishes(head) if state.plan.plays else {}, secret, head.headers, len(body)
        )
        incoming = asked_by(head)._replace(body=body)
        parsed = await apart(len(body), lambda: self._parsed(incoming))
        record.model = parsed.request.model
        if self._key is not None:
            check_model(self._key, parsed.request.model)
        routed = state.plan.router.route(parsed.request.model)
        record.model_label = routed.label
        self._enter()
        connection = self._request.protocol
        if isinstance(connection, Connection):
            connection.watch(state.plan.streams.write_timeout_s)
        attempts = self._gateway.attempts(state.plan, record, routed, envelope, wish)
        rewrites = self._half.rewrites or not parsed.request.stream
        self._streams = attempts.streams
        won = await attempts.first(parsed, client_rewrites=rewrites)
        if attempts.policy.continue_after_commit:
            self._onward = Continuation(
                self._gateway, attempts, parsed, record, client_rewrites=rewrites
            )
        record.notes = won.notes
        record.stream = record.request_id
        return parsed, won

    def _check_origin(self) -> None:
        """A browser only hides an answer from a page of another origin; the prompt would be run all
        the same.
        """
        headers = self._request.headers
        said = self._state.cors.refusal(headers.get("Origin"), headers.get("Host", ""))
        if said is not None:
            raise Refused(failure("forbidden", said))

    async def _admit(self, secret: str | None) -> None:
        keyring = self._state.keyring
        if keyring is not None:
            self._key = await keyring.admit(secret)
            self._record.key = self._key.name
            keyring.check_room(self._key)
        self._gateway.check_room()

    def _parsed(self, incoming: Incoming) -> Parsed:
        """What is asked, by the dialect whose request it is. Raises Refused."""
        self._half = next((half for half in self._halves if half.claims(incoming)), self._halves[0])
        self._record.client_dialect = self._half.name
        return self._half.parse_request(incoming)

    def _enter(self) -> None:
        self._gateway.entered()
        self._entered = True
        if self._key is not None and self._state.keyring is not None:
            # so that a refusal below is not counted as one that entered
            key, self._key = self._key, None
            self._state.keyring.enter(key)
            self._key = key

    def _leave(self) -> None:
        """The stream is over, for good: also where it went on without its client."""
        key, keyring = self._key, self._state.keyring
        if self._entered:
            self._gateway.left()
            if key is not None and keyring is not None:
                keyring.leave(key)
                usage = self._record.usage
                tokens = (
                    (usage.input_tokens or 0) + (usage.output_tokens or 0)
                    if usage is not None
                    else 0
                )
                if tokens > 0 and key.tokens_per_minute is not None:
                    self._gateway.see_to(keyring.spend(key, tokens))
        end = None if self._log is None else self._log.end
        outcome, status = ended(
            end,
            self._reading,
            self._streams.on_disconnect,
            status=self._record.status,
            refusal=self._refusal,
        )
        self._record.end(outcome, status, time.monotonic())
        self._gateway.flush(self._record)

    def _start(self, parsed: Parsed, won: Won) -> StreamStart:
        return StreamStart(
            stream=self._record.stream,
            model=parsed.request.model,
            upstream=won.target.upstream,
            upstream_model=won.target.model,
            created=int(time.time()),
            notes=won.notes,
        )

    def _encoder(self, parsed: Parsed, won: Won) -> Encoder:
        encoder = self._half.encoder(parsed)
        rewrites = won.rewrites or (self._onward is not None and self._onward.rewrites)
        return Settler(encoder) if rewrites and not self._half.rewrites else encoder

    def _commit(self, encoder: Encoder, parsed: Parsed, won: Won) -> Delivery:
        limits = self._state.plan.limits
        log = self._log = won.generation.log
        said = None if self._onward is None else Said(limits.max_answer_bytes)
        log.begin(self._start(parsed, won), said)
        self._delivery = Delivery(log, encoder, self._record, self._streams, limits)
        return self._delivery

    async def _stream(self, encoder: Encoder, response: web.StreamResponse) -> web.StreamResponse:
        """From the first frame to the end of the body."""
        sink = ResponseSink(self._request, self._state.plan.limits.write_buffer_bytes)
        paced = PacedSink(sink, encoder.joined, encoder.min_gap_s) if encoder.min_gap_s else None
        await self._to_the_end(paced or sink)
        self._reading = "withheld" if isinstance(encoder, Settler) and encoder.failed else "whole"
        try:
            async with asyncio.timeout(self._state.plan.streams.write_timeout_s):
                if paced is not None:
                    await paced.flushed()
                await response.write_eof()
        except TimeoutError:  # the client does not take even the end
            self._reading = "left"
            self._left()
            self._cut()
        return response

    async def _to_the_end(self, sink: Sink | None) -> None:
        """Pass on the answer, and where it breaks off the one that goes on with it."""
        assert self._won is not None
        assert self._log is not None
        assert self._delivery is not None
        await self._delivery.relay(self._won.generation, sink)
        while self._onward is not None and self._log.interrupted is not None:
            more = await self._onward.after(self._won, self._log, self._delivery)
            if more is not None:
                self._gateway.ended(self._won)
                self._won = more
                self._gateway.began(more)
            await self._delivery.relay(self._won.generation, sink)

    def _left(self, *, gave_up: bool = False) -> bool:
        """The client reads no more. Whether the answer goes on without it."""
        assert self._won is not None
        assert self._delivery is not None
        return self._delivery.left(self._won.generation, gave_up=gave_up)

    async def _document(self, parsed: Parsed, won: Won) -> web.Response:
        folder = Folder()
        self._commit(folder, parsed, won)
        try:
            await self._to_the_end(None)
        except asyncio.CancelledError:
            self._alone = self._left()
            raise
        if self._log is not None and isinstance(self._log.end, StreamError):
            raise Refused(self._log.end.error)
        self._reading = "whole"
        reply = self._half.whole(parsed, folder.answer)
        self._record.status = reply.status
        self._record.bytes_out += len(reply.body)
        headers = {
            **reply.headers,
            **note_headers(won.notes),
            "x-mainstem-upstream": won.target.upstream,
        }
        return hand_down(whole(reply._replace(headers=headers)), won.returned)

    def _refuse(self, why: Failure) -> web.Response:
        reply: Reply = with_retry_after(self._half.render_error(why), why)
        self._reading, self._refusal, self._record.status = "refused", why, reply.status
        return whole(reply)

    def _client_gone(self) -> None:
        self._reading = "left"
        if self._alone:  # how it ends, and when, is yet to come
            self._record.left_s = time.monotonic() - self._record.started

    def _cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

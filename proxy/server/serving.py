"""One request's life: who asks, what, the target that answers or why there is none, and the record
of it all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from aiohttp import web

from proxy.codec.base import ClientHalf, Incoming, Parsed
from proxy.errors import Failure, Refused, failure
from proxy.events import StreamEnd, StreamError, StreamStart
from proxy.observe.record import StreamRecord
from proxy.relay.apart import apart
from proxy.relay.attempts import Attempts
from proxy.relay.ending import Reading, ended
from proxy.relay.won import Envelope
from proxy.server.access.keys import check_model, credential
from proxy.server.answering import Answering
from proxy.server.body import Hold, check_body, read_body
from proxy.server.connection import Connection
from proxy.server.continuation import Continuation
from proxy.server.early import Early
from proxy.server.gateway import Gateway, State
from proxy.server.incoming import asked_by, mock_wishes, on_disconnect, read_head, request_id
from proxy.server.respond import cut, hand_down, whole, with_retry_after
from proxy.server.visit import INTERNAL, Visit

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def handler(gateway: Gateway, halves: Sequence[ClientHalf]) -> Handler:
    """The handler of one path. Where dialects share a path, the one that claims the request gets
    it, else the first.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), halves[0].name, time.monotonic())
        return await _Serving(gateway, request, record, halves).run()

    return handle


class _Serving:
    """Serves one request. A stream may last, and thousands at once: what is not needed any more is
    let go before it begins.
    """

    __slots__ = (
        "_answering",
        "_early",
        "_end",
        "_gateway",
        "_half",
        "_halves",
        "_reading",
        "_record",
        "_refusal",
        "_request",
        "_state",
        "_streams",
        "_visit",
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
        self._visit = Visit(gateway, request, record)
        self._streams = gateway.state.plan.streams
        self._early: Early | None = None
        self._answering: Answering | None = None
        self._end: StreamEnd | StreamError | None = None
        self._reading: Reading = "left"
        self._refusal: Failure | None = None

    async def run(self) -> web.StreamResponse:
        try:
            return await self._answer()
        except Refused as refused:
            return await self._turn_down(refused.failure, refused.returned)
        except asyncio.CancelledError:
            why = self._gateway.dismissed()
            if why is not None:
                return await self._turn_down(why)
            self._client_gone()
            raise
        except (
            ConnectionError
        ):  # it left in the moment in which it was written to, or takes nothing
            self._client_gone()
            cut(self._request)
            return web.Response(status=499)  # goes nowhere
        except Exception:  # noqa: BLE001  whatever it is, the client gets a sentence and the server goes on
            self._gateway.report(self._record)
            return await self._turn_down(failure("internal", INTERNAL))
        finally:
            if self._early is not None:
                self._early.stop()
            if self._answering is None or not self._answering.alone:
                self._leave()

    async def _answer(self) -> web.StreamResponse:
        self._visit.check_origin()
        if self._request.headers.get("Last-Event-ID"):
            # A reconnect must never run a prompt again; 204 is what makes a browser's EventSource
            # stop (HTML 9.2.3).
            self._record.status, self._reading = 204, "unasked"
            return web.Response(status=204)
        with self._gateway.bodies.hold(self._state.plan.limits.max_inflight_body_bytes) as hold:
            answer = await self._committed(hold)
        return await answer

    async def _committed(self, hold: Hold) -> Coroutine[Any, Any, web.StreamResponse]:
        """What gives the answer of the target that has one; it keeps nothing of what was asked that
        it does not need. Raises Refused.
        """
        parsed, attempts = await self._begin(hold)
        streams, limits = attempts.streams, self._state.plan.limits
        if parsed.request.stream and streams.early_s is not None:
            self._early = Early(
                self._request,
                self._half,
                parsed,
                record=self._record,
                streams=streams,
                write_buffer_bytes=limits.write_buffer_bytes,
            )
        rewrites = self._half.rewrites or not parsed.request.stream
        won = await attempts.first(parsed, client_rewrites=rewrites)
        onward = None
        if attempts.policy.continue_after_commit:
            onward = Continuation(
                self._gateway, attempts, parsed, self._record, client_rewrites=rewrites
            )
        self._record.notes = won.notes
        self._record.stream = self._record.request_id
        answering = self._answering = Answering(
            self._gateway,
            self._request,
            self._half,
            won,
            onward=onward,
            record=self._record,
            streams=streams,
            limits=limits,
            over=self._leave,
        )
        if not parsed.request.stream:
            return answering.document(parsed)
        early, self._early = self._early, None
        return answering.stream(parsed, early)

    async def _begin(self, hold: Hold) -> tuple[Parsed, Attempts]:
        """Who asks, what is asked, and the way to an answer. Raises Refused. Nothing is read of the
        body until the head has passed all that can be told by it.
        """
        state, record = self._state, self._record
        head = read_head(self._request)
        secret = credential(head.headers, head.query)
        await self._visit.admit(secret)
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
        if self._visit.caller is not None:
            check_model(self._visit.caller, parsed.request.model)
        routed = state.plan.router.route(parsed.request.model)
        record.model_label = routed.label
        self._visit.enter()
        connection = self._request.protocol
        if isinstance(connection, Connection):
            connection.watch(state.plan.streams.write_timeout_s)
        attempts = self._gateway.attempts(state.plan, record, routed, envelope, wish)
        self._streams = attempts.streams
        return parsed, attempts

    def _parsed(self, incoming: Incoming) -> Parsed:
        """What is asked, by the dialect whose request it is. Raises Refused."""
        self._half = next((half for half in self._halves if half.claims(incoming)), self._halves[0])
        self._record.client_dialect = self._half.name
        return self._half.parse_request(incoming)

    def _leave(self) -> None:
        """The stream is over, for good: also where it went on without its client."""
        self._visit.leave()
        answering = self._answering
        if self._refusal is not None:
            self._reading = "refused"
        elif answering is not None:
            self._reading, self._end = answering.reading, answering.log.end
        self._answering = None  # which knows this one, to call it at its end
        outcome, status = ended(
            self._end,
            self._reading,
            self._streams.on_disconnect,
            status=self._record.status,
            refusal=self._refusal,
        )
        self._record.end(outcome, status, time.monotonic())
        self._gateway.flush(self._record)

    async def _turn_down(
        self, why: Failure, returned: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        """There is no answer: the client is told by a status or, where its head has gone, in
        band.
        """
        try:
            response = None if self._early is None else await self._early.taken()
            if response is not None and self._early is not None:
                await self._early.fail(response, self._start(), why)
                self._reading, self._end = "whole", StreamError(why)
                return response
        except ConnectionError:
            cut(self._request)
            return web.Response(status=499)  # goes nowhere
        reply = with_retry_after(self._half.render_error(why), why)
        self._refusal, self._record.status = why, reply.status
        return hand_down(whole(reply), returned or {})

    def _start(self) -> StreamStart:
        """Of a stream that has no answer. The upstream is the last that was asked."""
        record = self._record
        record.stream = record.request_id
        return StreamStart(
            stream=record.stream,
            model=record.model,
            upstream=record.upstream,
            upstream_model=record.upstream_model,
            created=int(time.time()),
        )

    def _client_gone(self) -> None:
        if self._answering is not None and self._answering.alone:
            # how it ends, and when, is yet to come
            self._record.left_s = time.monotonic() - self._record.started
            self._record.status = self._record.status or 499

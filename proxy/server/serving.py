"""One request's life: who asks, what, the target that answers or why none does, and the record."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiohttp import web

from proxy.codec.base import Encoder, Parsed
from proxy.codec.halves import ClientHalf
from proxy.errors import Failure, Refused, failure
from proxy.events import StreamError
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.server.account import Account
from proxy.server.answering import Answering
from proxy.server.attending import Attending, again
from proxy.server.body import Hold
from proxy.server.carried import Particulars
from proxy.server.connection import Connection
from proxy.server.continuation import Continuation
from proxy.server.early import Early
from proxy.server.gateway import Gateway, State
from proxy.server.incoming import last_event_id
from proxy.server.intake import Asked, Intake
from proxy.server.keeping import NOT_KEPT, announced, to_keep
from proxy.server.lasting import Lasting
from proxy.server.respond import cut, hand_down, whole, with_retry_after
from proxy.server.returning import Onward
from proxy.server.runs import Runs
from proxy.server.streamed import Streamed
from proxy.server.visit import INTERNAL, Visit
from proxy.server.watched import where
from proxy.settings.sections import Streams


class Serving:
    """Serves one request. A stream may last, and thousands at once: what is not needed any more is
    let go before it begins.
    """

    __slots__ = (
        "_account",
        "_answering",
        "_attending",
        "_early",
        "_gateway",
        "_half",
        "_halves",
        "_record",
        "_request",
        "_runs",
        "_soon",
        "_started",
        "_state",
    )

    def __init__(
        self,
        gateway: Gateway,
        runs: Runs,
        request: web.Request,
        record: StreamRecord,
        halves: Sequence[ClientHalf],
        *,
        started: Callable[[Lasting], web.Response] | None = None,
    ) -> None:
        """`started`: what to answer at once, where the client comes for the stream later."""
        self._gateway = gateway
        self._runs = runs
        self._started = started
        self._state: State = gateway.state
        self._request = request
        self._record = record
        self._halves = halves
        self._half = halves[0]
        self._account = Account(gateway, Visit(gateway, request, record))
        self._soon: asyncio.TimerHandle | None = None  # until its head goes before an answer
        self._early: Early | None = None  # it has gone
        self._answering: Answering | None = None
        self._attending: Attending | None = None  # to a kept stream

    async def run(self) -> web.StreamResponse:
        try:
            return await self._answer()
        except Refused as refused:
            return self._turn_down(refused.failure, refused.returned)
        except asyncio.CancelledError:
            why = self._gateway.dismissed(self._record)
            if why is not None:
                return self._turn_down(why)
            self._client_gone()
            raise
        except ConnectionError:  # it left while it was written to, or takes nothing
            self._client_gone()
            cut(self._request)
            return web.Response(status=499)  # goes nowhere
        except Exception:  # noqa: BLE001  whatever it is, the client gets a sentence and the server goes on
            self._gateway.report(self._record)
            return self._turn_down(failure("internal", INTERNAL))
        finally:
            if self._soon is not None or self._early is not None:
                self._taken()
            own = None
            if self._attending is not None:
                self._attending.leave()
                own = self._attending.own
            if own is not None:
                own.when_over(self._close)
            elif self._answering is None or not self._answering.alone:
                self._close()

    async def _answer(self) -> web.StreamResponse:
        self._account.visit.check_origin()
        if last_event_id(self._request):
            return await self._attend().go_on(self._half)
        with self._gateway.bodies.hold(self._state.plan.limits.max_inflight_body_bytes) as hold:
            answer = await self._committed(hold)
        return await answer

    async def _committed(self, hold: Hold) -> Coroutine[Any, Any, web.StreamResponse]:
        """What gives the answer of the target that has one; it keeps nothing of what was asked that
        it does not need. Raises Refused.
        """
        intake = Intake(self._request, self._halves, self._account, self._gateway, self._state)
        try:
            asked = await intake.ask(hold)
        finally:
            self._half = intake.half  # in whose form a refusal is told
        if self._started is not None or self._runs.rules is not None:
            return await self._kept(asked, self._state.plan.limits.max_body_bytes)
        parsed, attempts, pieces = asked.parsed, self._enter(asked), asked.envelope.pieces
        if pieces is None:
            self._begin_early(parsed, attempts.streams)
        rewrites = self._half.rewrites or not parsed.request.stream
        won = await attempts.first(parsed, client_rewrites=rewrites)
        onward = None
        if attempts.policy.continue_after_commit:
            onward = Continuation(
                self._gateway, attempts, parsed, self._record, client_rewrites=rewrites
            )
        self._record.notes = won.notes
        answering = self._answering = Answering(
            self._gateway,
            self._request,
            self._half,
            won,
            onward=onward,
            record=self._record,
            streams=attempts.streams,
            limits=attempts.limits,
            pieces=pieces,
            over=self._close,
        )
        if not parsed.request.stream:
            return answering.document(parsed)
        self._taken()
        early, self._early = self._early, None
        return answering.stream(parsed, early)

    async def _kept(self, asked: Asked, most_bytes: int) -> Coroutine[Any, Any, web.StreamResponse]:
        """The same of a stream that lives by itself."""
        if self._runs.rules is None:
            raise Refused(failure("bad_request", NOT_KEPT, status=404))
        owner, half = self._account.owner, self._half
        asked, kept_bytes, background = await to_keep(asked, self._runs, owner, half, most_bytes)
        parsed = asked.parsed
        if background and not parsed.request.stream:
            self._started = announced
        attending = self._attend()
        run = await self._runs.repeated(asked.digest, asked.key, owner, again(self._request))
        if run is None:
            attempts = self._enter(asked)
            run = attending.own = self._runs.start(
                attempts, asked, half, record=self._record, owner=owner, kept_bytes=kept_bytes
            )
        attending.read(run)
        if self._started is not None:
            await self._runs.store.kept(run)  # who is told of it may ask another process
            return attending.announced(run, self._started)
        if not parsed.request.stream:
            await self._runs.committed(run)
            return attending.documented(run, parsed)
        looks, headers, made = asked.envelope.pieces is not None, where(run, half), None
        if not looks:
            made = half.encoder(parsed)
            self._begin_early(parsed, self._state.plan.streams, headers, made)
        encoder = run.encoder(half, parsed.options, made, looks=looks)
        watched = attending.watching(Onward(run, encoder, headers), self._taken)
        await self._runs.committed(run, watched.open)
        self._early = None
        return attending.given(watched)

    def _attend(self) -> Attending:
        self._attending = Attending(
            self._gateway, self._runs, self._request, self._account, self._state.plan
        )
        return self._attending

    def _begin_early(
        self,
        parsed: Parsed,
        streams: Streams,
        headers: Mapping[str, str] | None = None,
        made: Encoder | None = None,
    ) -> None:
        """Its head goes after a while, if there is no answer by then, with these headers. `made`:
        its encoder, if it has one already.
        """
        if parsed.request.stream and streams.early_s:
            later = asyncio.get_running_loop().call_later
            self._soon = later(streams.early_s, self._go_early, parsed, streams, headers, made)

    def _go_early(
        self,
        parsed: Parsed,
        streams: Streams,
        headers: Mapping[str, str] | None,
        made: Encoder | None,
    ) -> None:
        encoder = made or self._half.encoder(parsed)
        said = Particulars(headers=headers or {})
        most = self._state.plan.limits.write_buffer_bytes
        with suppress(ConnectionError):  # it has left, which ends its request
            response = Streamed(self._gateway, self._request, encoder, said, most)
            self._early = Early(response, encoder, self._record, streams.heartbeat_s)

    def _taken(self) -> Streamed | None:
        """The response, if its head has gone; it does not go any more, and there are no more
        heartbeats.
        """
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        return None if self._early is None else self._early.taken()

    def _enter(self, asked: Asked) -> Attempts:
        """It counts among those that are open from now on. Gives the way to an answer. Raises
        Refused.
        """
        plan, record = self._state.plan, self._record
        routed = plan.router.route(record.model)
        record.model_label = routed.label
        self._account.visit.enter(asked.parsed.chat)
        connection = self._request.protocol
        if isinstance(connection, Connection):
            connection.watch(plan.streams.write_timeout_s)
        attempts = self._gateway.attempts(plan, record, routed, asked.envelope, asked.wish)
        self._account.policy = attempts.streams.on_disconnect
        return attempts

    def _close(self) -> None:
        account, answering, attending = self._account, self._answering, self._attending
        if answering is not None and account.refusal is None:
            account.reading, account.end = answering.reading, answering.log.end
        elif attending is not None:
            attending.settle()
        # which know this one, to call it at their end
        self._answering = self._attending = None
        account.close()

    def _turn_down(
        self, why: Failure, returned: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        """There is no answer: the client is told by a status or, where its head has gone, in
        band.
        """
        if self._early is not None:
            try:
                response = self._early.fail(why)
            except ConnectionError:
                cut(self._request)
                return web.Response(status=499)  # goes nowhere
            self._account.reading, self._account.end = "whole", StreamError(why)
            return response
        reply = with_retry_after(self._half.render_error(why), why)
        self._account.refuse(why, reply.status)
        return hand_down(whole(reply), returned or {})

    def _client_gone(self) -> None:
        alone = self._answering is not None and self._answering.alone
        if alone or (self._attending is not None and self._attending.own is not None):
            # how it ends, and when, is yet to come
            self._record.left_s = time.monotonic() - self._record.started
            self._record.status = self._record.status or 499

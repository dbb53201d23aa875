"""One request's stay here: whether its page and its key are let in, the places that it takes, and
what it leaves behind when it goes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from proxy.codec.base import Reply
from proxy.errors import Failure, Refused, failure
from proxy.events import CONTENT, Usage
from proxy.observe.record import StreamRecord
from proxy.relay.ending import answered
from proxy.relay.passing import note_failure
from proxy.server.access.keys import Caller
from proxy.server.access.origins import unasked
from proxy.server.gateway import Gateway, State
from proxy.server.incoming import new_stream_id
from proxy.server.respond import cut, hand_down, whole, with_retry_after

REQUEST_ID = web.RequestKey("request_id", str)
_CONTENT = frozenset(CONTENT)
# What stands for one token, where nobody has counted: of a request, and of a streamed answer, whose
# frames weigh much more than the word in them.
_ASKED_BYTES = 4
_ANSWERED_BYTES = 200
INTERNAL = "Something went wrong in this proxy; its log has the details."


class Visit:
    """`state` is the configuration that the request came under. `caller` None: anyone may call."""

    __slots__ = (
        "_entered",
        "_gateway",
        "asked_bytes",
        "broke_off",
        "caller",
        "record",
        "request",
        "state",
    )

    def __init__(self, gateway: Gateway, request: web.Request, record: StreamRecord) -> None:
        self._gateway = gateway
        self._entered = False
        self.state: State = gateway.state
        self.request = request
        self.record = record
        self.caller: Caller | None = None
        self.asked_bytes = 0  # of its body
        # why its answer did, where that came too late for a status
        self.broke_off: Failure | None = None
        record.origin = request.headers.get("Origin", "")
        request[REQUEST_ID] = record.request_id

    def check_origin(self) -> None:
        """A browser only hides an answer from a page of another origin; the prompt would be run all
        the same. Raises Refused.
        """
        headers = self.request.headers
        said = self.state.cors.refusal(headers.get("Origin"), headers.get("Host", "")) or unasked(
            headers
        )
        if said is not None:
            raise Refused(failure("forbidden", said))

    async def know(self, secret: str | None) -> None:
        """Find out who asks, by the key that was sent. Raises Refused."""
        keyring = self.state.keyring
        if keyring is not None:
            self.caller = await keyring.admit(secret)
            self.record.key = self.caller.name
            if self.state.plan.by_key:
                self.record.key_label = self.caller.label

    async def admit(self, secret: str | None) -> None:
        """The same for a request that will take a place. Raises Refused where there is none."""
        await self.know(secret)
        if self.caller is not None and self.state.keyring is not None:
            self.state.keyring.check_room(self.caller)
        self._gateway.check_room()

    def traced(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Its span begins, where there are any: the headers that tell an upstream of it."""
        spans = self._gateway.spans
        return {} if spans is None else spans.begin(self.record, headers, time.monotonic())

    @property
    def owner(self) -> str:
        """Whose the request is: nobody's where anyone may ask."""
        return "" if self.caller is None else self.caller.counter_key

    def enter(self, chat: str = "") -> None:
        """Take a place, which `leave` gives back. `chat`: what its client calls the answer. Raises
        Refused.
        """
        self.record.stream = self.record.stream or new_stream_id()
        self._gateway.entered(self.record, self.owner, chat)
        self._entered = True
        if self.caller is not None and self.state.keyring is not None:
            # so that a refusal below is not counted as one that entered
            caller, self.caller = self.caller, None
            self.state.keyring.enter(caller)
            self.caller = caller

    def leave(self) -> None:
        """It is over, for good."""
        if not self._entered:
            return
        self._entered = False
        self._gateway.left(self.record)
        caller, keyring = self.caller, self.state.keyring
        if caller is None or keyring is None:
            return
        keyring.leave(caller)
        if caller.tokens_per_minute is None and caller.cost_per_day is None:
            return
        asked, made = used(self.record, self.asked_bytes)
        money = 0.0 if caller.cost_per_day is None else self._paid(asked, made)
        if asked + made > 0 or money > 0:
            self._gateway.see_to(keyring.spend(caller, asked + made, money))

    def _paid(self, asked: int, made: int) -> float:
        """What it cost, for so many tokens; 0 where nobody knows the price."""
        record = self.record
        cost = None if record.usage is None else record.usage.cost
        known = 0.0 if cost is None else cost.amount
        bound = self.state.plan.upstreams.get(record.upstream)
        if bound is None or (cost is not None and record.finish is not None):
            return known
        likely = bound.prices.of(record.upstream_model)(Usage(asked, made))
        return known if likely is None else max(known, likely.amount)


def used(record: StreamRecord, asked_bytes: int) -> tuple[int, int]:
    """The tokens that a request cost, of what was asked and of what was made: what the vendor has
    counted, and an estimate of what it has not, as where the client left before the counts came.
    Who leaves early, or asks for no counts, pays for what was made.
    """
    usage = record.usage
    asked = None if usage is None else usage.input_tokens
    made = None if usage is None else usage.output_tokens
    if not record.chunks:  # nothing was made
        return asked or 0, made or 0
    if asked is None:
        asked = asked_bytes // _ASKED_BYTES
    if made is None or record.finish is None:
        events = sum(count for kind, count in record.events.items() if kind in _CONTENT)
        made = max(made or 0, events, record.bytes_in // _ANSWERED_BYTES)
    return asked, made


async def attended(
    gateway: Gateway,
    visit: Visit,
    serve: Callable[[], Awaitable[web.StreamResponse]],
    render: Callable[[Failure], Reply],
) -> web.StreamResponse:
    """What `serve` answers, or why there is no answer, by `render`; and its line in the log. For a
    request that is no stream of events. `serve` raises Refused only while its head has not gone.
    """
    record, why = visit.record, None
    try:
        response = await serve()
        record.status = record.status or response.status
    except Refused as refused:
        why = refused.failure
        response = hand_down(whole(with_retry_after(render(why), why)), refused.returned)
    except asyncio.CancelledError:
        why = gateway.dismissed(record)
        if why is None:
            why = failure("client_gone", "The client left.")
            record.status = record.status or why.status
            raise
        response = whole(with_retry_after(render(why), why))
    except ConnectionError:  # it left while it was written to
        why = failure("client_gone", "The client left.")
        cut(visit.request)
        response = web.Response(status=why.status)  # goes nowhere
    except Exception:  # noqa: BLE001  whatever it is, the client gets a sentence and the server goes on
        gateway.report(record)
        why = failure("internal", INTERNAL)
        response = whole(render(why))
    finally:
        visit.leave()
        why = why or visit.broke_off
        if why is not None and not record.error:
            note_failure(record, why)
        record.end(*answered(why, record.status), time.monotonic())
        gateway.flush(record)
    return response

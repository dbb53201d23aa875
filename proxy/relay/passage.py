"""A request for a vendor's own path, passed on as it is: only its key and the headers that name the
connection change. Nothing is parsed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from time import monotonic
from typing import NamedTuple

from proxy.codec.base import Outgoing
from proxy.errors import Failure, Refused, failure
from proxy.observe.record import StreamRecord
from proxy.relay.passing import (
    is_plain,
    place,
    prepared,
    request_id_of,
    returned,
    tell_failure,
    veil_of,
)
from proxy.relay.plan import Bound, Plan
from proxy.relay.states import UpstreamStates
from proxy.relay.turn import Turn
from proxy.relay.won import Envelope
from proxy.request import ChatRequest, Message
from proxy.routing import Target
from proxy.upstream.answer import Answer
from proxy.upstream.client import Upstreams

# Of the client's headers: what describes the body and the answer, and the versions of an API. Who
# asks, for whose account, stays with the upstream's own key.
_UP = (
    "accept",
    "accept-language",
    "anthropic-beta",
    "anthropic-version",
    "content-encoding",
    "content-language",
    "content-type",
    "idempotency-key",
    "openai-beta",
    "range",
)
_DOWN = (
    "accept-ranges",
    "content-disposition",
    "content-language",
    "content-range",
    "content-type",
    "retry-after",
)
# What a dialect says of the answers that it reads itself.
_OF_ANSWERS = frozenset({"accept", "content-type", "x-dashscope-sse"})
_ANY = ChatRequest(model="any", messages=[Message("user", "any")])


class Errand(NamedTuple):
    """What is passed on. `path` begins with a slash and holds the query. `length` None: it is not
    known. `body` None: there is none; what it raises as Refused is the client's fault.
    """

    method: str
    path: str
    body: AsyncIterator[bytes] | None
    length: int | None


class Passed(NamedTuple):
    """An answer whose head has come. `body` is the whole body of an error, else the answer's bytes
    are still to be read.
    """

    answer: Answer
    status: int
    headers: Mapping[str, str]
    body: bytes | None
    leave: Callable[[], None]  # to be called once, at the end


class Passage:
    """Passes requests on for one client."""

    def __init__(
        self, plan: Plan, upstreams: Upstreams, states: UpstreamStates, envelope: Envelope
    ) -> None:
        self._plan = plan
        self._upstreams = upstreams
        self._states = states
        self._envelope = envelope

    async def open(self, bound: Bound, errand: Errand, record: StreamRecord) -> Passed:
        """Raises Refused: what `turn` and `Upstreams.open` raise, and upstream_status for a
        redirect.
        """
        record.upstream, record.upstream_dialect = bound.endpoint.name, bound.half.name
        record.begin_target(monotonic())
        state = self._states.of(bound)
        try:
            call = self._call(bound, errand)
            record.asked = place(bound, call)
            async with Turn(bound, state, last=True):
                answer = await self._sent(bound, call, errand)
                veil = veil_of(bound, self._envelope.credential)
                record.vendor_request_id = request_id_of(answer, veil)
                try:
                    body = await self._error(bound, answer)
                except BaseException:
                    answer.close()
                    raise
        except Refused as refused:
            tell_failure(refused, bound, self._envelope, record)
            raise
        record.attempted(bound.endpoint.name, "ok", monotonic())

        def leave() -> None:
            answer.close()
            state.slots.leave()

        said = answer.headers
        headers = {name: said[name] for name in _DOWN if name in said and is_plain(said[name])}
        headers |= returned(answer, bound.settings)
        if body is None and "content-length" in said and "content-encoding" not in said:
            headers["content-length"] = said["content-length"]
        return Passed(answer, answer.status, headers, body, leave)

    def _call(self, bound: Bound, errand: Errand) -> Outgoing:
        """The key is where the dialect has it in a request of its own. Raises Refused."""
        envelope = self._envelope
        target = Target(bound.endpoint.name, _ANY.model)
        _, own = prepared(bound, target, _ANY, envelope.credential, envelope.headers)
        if own.sign is not None:
            said = (
                f"{bound.endpoint.name} wants each request signed; its paths cannot be passed on."
            )
            raise Refused(failure("internal", said, status=501))
        headers = {
            name: value for name, value in own.headers.items() if name.lower() not in _OF_ANSWERS
        }
        given = {
            name: envelope.headers[name]
            for name in _UP
            if name in envelope.headers and is_plain(envelope.headers[name])
        }
        taken = {name for name in headers if name.lower() in given}
        headers = {name: value for name, value in headers.items() if name not in taken} | given
        if errand.length is not None:
            headers["content-length"] = str(errand.length)
        if bound.played:
            headers |= envelope.mock_headers
        return Outgoing(errand.path, b"", headers, method=errand.method)

    async def _sent(self, bound: Bound, call: Outgoing, errand: Errand) -> Answer:
        """The answer's head: within `total_s`, and within `first_event_s` of the body's end."""
        times, name = bound.timeouts, bound.endpoint.name
        upload = None if errand.body is None else _Upload(errand.body)
        try:
            async with asyncio.timeout(times.total_s if upload else times.first_event_s) as limit:
                if upload is not None:
                    upload.ended = lambda: limit.reschedule(
                        asyncio.get_running_loop().time() + times.first_event_s
                    )
                endpoint = bound.endpoint._replace(path=None)
                return await self._upstreams.open(
                    endpoint, call, body=None if upload is None else upload.pieces()
                )
        except TimeoutError:
            said = f"{name} sent nothing within the time that it has."
            raise Refused(failure("first_event_timeout", said)) from None
        except Refused:
            if upload is not None and upload.failure is not None:
                raise Refused(upload.failure) from None
            raise

    async def _error(self, bound: Bound, answer: Answer) -> bytes | None:
        """The body of an error, without the upstream's secrets. Raises Refused for a redirect, and
        for an error that is too long to be looked through.
        """
        name, status, most = bound.endpoint.name, answer.status, self._plan.limits.max_error_bytes
        if 300 <= status < 400:
            said = f"{name} answered with a redirect ({status}), which is not followed."
            raise Refused(failure("upstream_status", said), answered=status)
        if status < 400:
            return None
        try:
            async with asyncio.timeout(bound.timeouts.idle_s):
                body = await answer.read(most + 1)
        except TimeoutError:
            said = f"{name} answered {status} and did not say why."
            raise Refused(failure("idle_timeout", said)) from None
        if len(body) > most:
            said = f"{name} answered {status}, with more than {most} bytes."
            raise Refused(failure("upstream_status", said, status=status))
        veil = veil_of(bound, self._envelope.credential)
        return veil.text(body.decode("utf-8", "replace")).encode()


class _Upload:
    """A client's body on its way, which tells when it has ended, and why it broke."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self.ended: Callable[[], object] = lambda: None
        self.failure: Failure | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._body:
                yield piece
        except Refused as refused:
            self.failure = refused.failure
            raise
        self.ended()

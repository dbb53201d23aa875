"""One target asked once: from the request in the vendor's form to an answer with content, or to the
failure that says why there is none.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from time import monotonic
from typing import NamedTuple

import msgspec

from proxy.codec.base import Outgoing, Parsed, TargetConfig
from proxy.codec.settle import REWRITE_NOTE
from proxy.errors import Failure, Refused, failure
from proxy.events import Note
from proxy.observe.record import StreamRecord
from proxy.relay.circuit import Circuit, unwell
from proxy.relay.follow import followed
from proxy.relay.generation import Generation
from proxy.relay.passing import prepared, returned, told, veil_of
from proxy.relay.plan import Bound, Plan
from proxy.relay.slots import Full, Slots
from proxy.relay.states import UpstreamStates
from proxy.relay.step import Translation
from proxy.routing import Target
from proxy.settings.model import Streams
from proxy.upstream.answer import Answer
from proxy.upstream.client import Upstreams

_LOSSES = ("dropped", "changed")


class Envelope(NamedTuple):
    """What of the client's own request may matter to an upstream. `mock_headers` go only to
    upstreams that are played here; `credential` is the key that it sent; `headers` are its headers,
    names in lower case.
    """

    mock_headers: Mapping[str, str] = {}
    credential: str | None = None
    headers: Mapping[str, str] = {}


class Won(NamedTuple):
    """The target that answers. `rewrites`: its vendor may take text back. Its place in `slots` must
    be left at the end.
    """

    generation: Generation
    target: Target
    notes: list[Note]
    rewrites: bool
    slots: Slots
    returned: Mapping[str, str]  # headers of its answer that go to the client

    def drop(self) -> None:
        """It is not wanted after all."""
        self.generation.client_left(gave_up=True)
        self.slots.leave()


class NotSentError(Refused):
    """Nothing was sent: the upstream has no free slot, or its circuit is open. `result` is the word
    for it in metrics.
    """

    def __init__(self, why: Failure, result: str) -> None:
        super().__init__(why)
        self.result = result


class Asking:
    """Asks targets for one client."""

    def __init__(
        self,
        plan: Plan,
        upstreams: Upstreams,
        states: UpstreamStates,
        streams: Streams,
        envelope: Envelope,
    ) -> None:
        self._plan = plan
        self._upstreams = upstreams
        self._states = states
        self._streams = streams
        self._envelope = envelope

    async def ask(
        self,
        parsed: Parsed,
        target: Target,
        record: StreamRecord,
        *,
        client_rewrites: bool,
        last: bool,
    ) -> Won:
        """The target's answer, with content or a complete end. `last`: there is no other target, so
        it is worth waiting for a place.

        Raises Refused, and NotSentError when nothing was sent. The attempt is in the record either
        way.
        """
        bound = self._plan.upstreams[target.upstream]
        record.upstream, record.upstream_dialect, record.upstream_model = (
            target.upstream,
            bound.half.name,
            target.model,
        )
        try:
            config, call = prepared(
                bound, target, parsed.request, self._envelope.credential, self._envelope.headers
            )
            notes = _notes(parsed, call, bound, target, client_rewrites=client_rewrites)
            generation = await self._within_bounds(call, config, bound, record, last=last)
        except Refused as refused:
            why = _named(told(refused.failure, bound, self._envelope.credential), target)
            record.attempts.append(
                (target.upstream, refused.result if isinstance(refused, NotSentError) else why.kind)
            )
            refused.failure = why
            raise
        record.attempts.append((target.upstream, "ok"))
        headers = returned(generation.answer, bound.settings)
        return Won(
            generation, target, notes, bound.half.rewrites, self._states.of(bound).slots, headers
        )

    async def _within_bounds(
        self,
        call: Outgoing,
        target: TargetConfig,
        bound: Bound,
        record: StreamRecord,
        *,
        last: bool,
    ) -> Generation:
        """Asks it if its circuit is closed and it has a free slot, and tells the circuit what came
        of it.
        """
        name = bound.endpoint.name
        circuit, slots, budget = self._states.of(bound)
        _refuse_while_open(circuit, bound)
        try:
            await slots.enter(bound.settings.queue_s if last else 0)
        except Full as full:
            said = (
                f"{name} has {slots.most} streams open, as many as it may "
                f"(upstreams.{name}.max_streams); try again soon."
            )
            raise NotSentError(
                failure("overloaded", said, code="no_room", retry_after_s=1), "no_room"
            ) from full
        try:
            _refuse_while_open(circuit, bound)  # it may have opened while this one waited
        except NotSentError:
            slots.leave()
            raise
        circuit.sent()
        budget.asked()
        try:
            generation = await self._answered(call, target, bound, record)
        except Refused as refused:
            slots.leave()
            if unwell(refused.failure):
                circuit.failed(monotonic())
            elif refused.failure.kind == "rate_limited":
                circuit.left()
            else:
                circuit.succeeded()
            raise
        except BaseException:
            slots.leave()
            circuit.left()
            raise
        circuit.succeeded()
        return generation

    async def _answered(
        self, call: Outgoing, target: TargetConfig, bound: Bound, record: StreamRecord
    ) -> Generation:
        started = monotonic()
        answer = await self._call(bound, call, target)
        generation = self._generation(answer, bound, started, record)
        generation.begin()
        try:
            await generation.ready()
        except BaseException:
            generation.client_left()
            raise
        if generation.hopeless is not None:
            raise Refused(generation.hopeless)
        return generation

    async def _call(self, bound: Bound, call: Outgoing, target: TargetConfig) -> Answer:
        """The answer that is to be streamed, once its head has come and is none of an error."""
        if bound.played and self._envelope.mock_headers:
            call = call._replace(headers={**call.headers, **self._envelope.mock_headers})
        try:
            async with asyncio.timeout(bound.timeouts.first_event_s):
                answer = await self._upstreams.open(bound.endpoint, call)
                await self._refuse_errors(answer, bound)
                # A vendor, or a gateway before it, may stream at once: then there is nothing to
                # follow.
                follow = bound.half.follow
                if follow is not None and answer.content_type != "text/event-stream":
                    # vendors repeat the request
                    most = self._plan.limits.max_event_bytes + len(call.body)
                    answer = await followed(
                        answer, partial(follow, target), bound, self._upstreams, most
                    )
                    await self._refuse_errors(answer, bound)
                return answer
        except TimeoutError as error:
            said = f"{bound.endpoint.name} sent nothing within {bound.timeouts.first_event_s:g} s."
            raise Refused(
                failure("first_event_timeout", said, upstream=bound.endpoint.name)
            ) from error

    async def _refuse_errors(self, answer: Answer, bound: Bound) -> None:
        """Raises Refused, the answer closed, for one whose head says already that it is none."""
        try:
            await _refuse_errors(answer, bound, self._plan.limits.max_error_bytes)
        except BaseException:
            answer.close()
            raise

    def _generation(
        self, answer: Answer, bound: Bound, started: float, record: StreamRecord
    ) -> Generation:
        limits, name = self._plan.limits, bound.endpoint.name
        decoder = bound.half.decoder(limits.max_event_bytes, bound.options)
        return Generation(
            answer,
            Translation(
                decoder,
                record,
                name,
                limits.max_event_bytes,
                veil_of(bound, self._envelope.credential),
            ),
            record,
            upstream=name,
            timeouts=bound.timeouts,
            streams=self._streams,
            write_buffer_bytes=limits.write_buffer_bytes,
            started=started,
        )


def _refuse_while_open(circuit: Circuit, bound: Bound) -> None:
    """Raises NotSentError while the upstream's circuit is open, or another request tries whether it
    is well again.
    """
    wait_s = circuit.wait_s(monotonic())
    if wait_s is not None:
        times, name = bound.breaker.failures, bound.endpoint.name
        said = (
            f"{name} failed {times} times in a row, so nothing is sent to it for a while; try "
            "again later."
        )
        raise NotSentError(
            failure("overloaded", said, code="circuit_open", retry_after_s=wait_s), "circuit_open"
        )


def _notes(
    parsed: Parsed, call: Outgoing, bound: Bound, target: Target, *, client_rewrites: bool
) -> list[Note]:
    """What the request loses there. Raises Refused (bad_request) for a client that would rather
    have no answer.
    """
    # what is lost in every message, or tool, is said once
    notes = list(dict.fromkeys([*parsed.notes, *call.notes]))
    if bound.half.rewrites and parsed.request.stream and not client_rewrites:
        notes.append(REWRITE_NOTE)
    lost = [note for note in notes if note.note in _LOSSES]
    if parsed.request.on_loss == "refuse" and lost:
        said = " ".join(note.message for note in lost)
        raise Refused(
            failure(
                "bad_request",
                f"{target.upstream} cannot take this request as it is: {said}",
                param=lost[0].param,
            )
        )
    return notes


def _named(why: Failure, target: Target) -> Failure:
    """An upstream's failure says whose it is; one of the request itself does not blame it."""
    if why.upstream is not None or why.kind == "internal":
        return why
    return msgspec.structs.replace(why, upstream=target.upstream)


async def _refuse_errors(answer: Answer, bound: Bound, most: int) -> None:
    """Raises Refused for an answer whose head says already that it is none."""
    name, status = bound.endpoint.name, answer.status
    if 300 <= status < 400:
        said = (
            f"{name} answered with a redirect ({status}), which is not followed: set its base_url "
            "to the new target."
        )
        raise Refused(failure("upstream_status", said))
    if status >= 400:
        body = await answer.read(most)
        why = bound.half.parse_error(status, answer.headers, body)
        answer.close()
        raise Refused(
            why or failure("upstream_status", f"{name} answered {status}."),
            returned(answer, bound.settings),
        )
    if answer.content_type in ("text/html", "application/xhtml+xml"):
        raise Refused(
            failure(
                "upstream_malformed",
                f"{name} answered with a web page instead of a stream: is its base_url right?",
            )
        )

"""One target asked once: from the request in the vendor's form to an answer with content, or to the
failure that says why there is none.
"""

from time import monotonic

from proxy.codec.base import Decoder, Outgoing, Parsed, TargetConfig
from proxy.codec.reasoning_tags import TaggedReasoning
from proxy.codec.settle import REWRITE_NOTE
from proxy.codec.tool_names import RestoredTools
from proxy.errors import Refused, failure
from proxy.events import Note
from proxy.observe.record import StreamRecord
from proxy.relay.generation import Generation
from proxy.relay.log import Log
from proxy.relay.microscope import NotingDecoder
from proxy.relay.opening import opened
from proxy.relay.passing import (
    place,
    prepared_apart,
    returned,
    tell_failure,
    veil_of,
)
from proxy.relay.plan import Bound, Plan
from proxy.relay.redactor import Redactor
from proxy.relay.source import Source
from proxy.relay.states import UpstreamStates
from proxy.relay.turn import Turn
from proxy.relay.won import Envelope, Won
from proxy.routing import Target
from proxy.upstream.client import Upstreams

_LOSSES = ("dropped", "changed")


class Asking:
    """Asks targets for one client."""

    def __init__(
        self,
        plan: Plan,
        upstreams: Upstreams,
        states: UpstreamStates,
        envelope: Envelope,
    ) -> None:
        self._plan = plan
        self._upstreams = upstreams
        self._states = states
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
        state = self._states.of(bound)
        record.upstream, record.upstream_dialect, record.upstream_model = (
            target.upstream,
            bound.half.name,
            target.model,
        )
        record.begin_target(monotonic())
        sent: bytes | None = None
        try:
            config, call = await prepared_apart(bound, target, parsed.request, self._envelope)
            record.asked, sent = place(bound, call), call.body
            notes = _notes(parsed, call, bound, target, client_rewrites=client_rewrites)
            async with Turn(bound, state, last=last):
                generation = await self._answered(call, config, bound, record)
        except Refused as refused:
            tell_failure(refused, bound, self._envelope, record, sent)
            raise
        record.attempted(target.upstream, "ok", monotonic())
        headers = returned(generation.answer, bound.settings)
        generation.answer.let_go()
        return Won(generation, target, notes, bound.half.rewrites, state.slots, headers)

    async def _answered(
        self, call: Outgoing, target: TargetConfig, bound: Bound, record: StreamRecord
    ) -> Generation:
        started, veil = monotonic(), veil_of(bound, self._envelope.credential)
        if bound.played and self._envelope.mock_headers:
            call = call._replace(headers={**call.headers, **self._envelope.mock_headers})
        if self._envelope.trace:
            call = call._replace(headers={**call.headers, **self._envelope.trace})
        answer = await opened(
            self._upstreams, bound, call, target, self._plan.limits, record=record, veil=veil
        )
        if bound.recorder is not None:
            tape = bound.recorder.begin(
                call=call,
                path=bound.endpoint.path or call.path,
                model=record.upstream_model,
                redactor=veil,
                started=started,
                status=answer.status,
                headers=answer.headers,
            )
            answer.heard_by(tape)
        limits = self._plan.limits
        log = Log(limits.write_buffer_bytes)
        source = Source(
            self._decoder(call, target, bound, veil),
            record,
            log,
            upstream=target.upstream,
            timeouts=bound.timeouts,
            most_silent_bytes=limits.max_event_bytes,
            started=started,
            redactor=veil,
            priced=bound.prices.of(target.model),
        )
        generation = Generation(answer, source, log)
        generation.begin()
        try:
            await generation.ready()
        except BaseException:
            generation.close()
            raise
        if generation.hopeless is not None:
            raise Refused(generation.hopeless)
        return generation

    def _decoder(
        self, call: Outgoing, target: TargetConfig, bound: Bound, veil: Redactor
    ) -> Decoder:
        """What reads the answer to this."""
        decoder = bound.half.decoder(self._plan.limits.max_event_bytes, bound.options)
        rules = target.rules
        if rules.reasoning_tags:
            begun = bool(rules.reasoning_begun)
            decoder = TaggedReasoning(decoder, rules.reasoning_tags, begun=begun)
        if call.tool_names or call.custom_tools:
            decoder = RestoredTools(decoder, call.tool_names, call.custom_tools)
        if self._envelope.pieces is not None:
            decoder = NotingDecoder(decoder, self._envelope.pieces, target.upstream, veil.text)
        return decoder


def _notes(
    parsed: Parsed, call: Outgoing, bound: Bound, target: Target, *, client_rewrites: bool
) -> list[Note]:
    """What the request loses there. Raises Refused (bad_request) for a client that would rather
    have no answer.
    """
    # what is lost in every message, or tool, is said once
    # and what reading the client's own request lost is not lost where that goes up itself
    read = () if call.relayed else parsed.notes
    notes = list(dict.fromkeys([*read, *call.notes]))
    if bound.half.rewrites and parsed.request.stream and not client_rewrites:
        notes.append(REWRITE_NOTE)
    if parsed.request.on_loss != "refuse":
        return notes
    lost = [note for note in notes if note.note in _LOSSES]
    if lost:
        said = " ".join(note.message for note in lost)
        raise Refused(
            failure(
                "bad_request",
                f"{target.upstream} cannot take this request as it is: {said}",
                param=lost[0].param,
            )
        )
    return notes

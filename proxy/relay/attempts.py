"""Tries a request's targets in order until one has something to say. Before commit a failure costs the client nothing but time."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import NamedTuple

import msgspec

from proxy.dialects.base import Outgoing, Parsed, Target
from proxy.dialects.settle import REWRITE_NOTE
from proxy.errors import KINDS, Failure, Refused, failure
from proxy.events import Note
from proxy.observe.record import StreamRecord
from proxy.relay.follow import followed
from proxy.relay.generation import Generation
from proxy.relay.plan import Bound, Plan
from proxy.relay.step import Translation
from proxy.routing import Place, Routed
from proxy.upstream import Answer, Upstreams

_LOSSES = ("dropped", "changed")


class Won(NamedTuple):
    """The target that answers. `rewrites`: its vendor may take text back."""

    generation: Generation
    place: Place
    notes: list[Note]
    rewrites: bool


class Attempts:
    """One request's way to an answer. `mock_headers` go only to upstreams that are played here."""

    def __init__(self, plan: Plan, upstreams: Upstreams, record: StreamRecord, mock_headers: Mapping[str, str]) -> None:
        self._plan = plan
        self._upstreams = upstreams
        self._record = record
        self._mock_headers = mock_headers

    async def first(self, parsed: Parsed, routed: Routed, *, client_rewrites: bool) -> Won:
        """The first target whose answer has content, or a complete end. Raises Refused with the last failure when none has."""
        for number, place in enumerate(routed.places, 1):
            try:
                won = await self._try(parsed, place, client_rewrites=client_rewrites)
            except Refused as refused:
                why = self._named(refused.failure, place)
                self._record.attempts.append((place.upstream, why.kind))
                if number == len(routed.places) or not KINDS[why.kind].next_target:
                    raise Refused(why) from refused
                self._record.fallbacks.append((place.upstream, routed.places[number].upstream, why.kind))
                self._record.usage = self._record.outcome = self._record.first_content_s = None
            else:
                self._record.attempts.append((place.upstream, "ok"))
                return won
        raise Refused(failure("model_not_found", "This model has no target."))

    async def _try(self, parsed: Parsed, place: Place, *, client_rewrites: bool) -> Won:
        bound = self._plan.upstreams[place.upstream]
        record = self._record
        record.upstream, record.upstream_dialect, record.upstream_model = place.upstream, bound.half.name, place.model
        target = bound.target(place)
        call = bound.half.build_request(parsed.request, target)
        notes = list(dict.fromkeys([*parsed.notes, *call.notes]))  # what is lost in every message, or tool, is said once
        if bound.half.rewrites and parsed.request.stream and not client_rewrites:
            notes.append(REWRITE_NOTE)
        _heed_on_loss(parsed, notes, place)
        started = monotonic()
        answer = await self._call(bound, call, target)
        generation = self._generation(answer, bound, started)
        generation.begin()
        try:
            await generation.ready()
        except BaseException:
            generation.client_left()
            raise
        if generation.hopeless is not None:
            raise Refused(generation.hopeless)
        return Won(generation, place, notes, bound.half.rewrites)

    async def _call(self, bound: Bound, call: Outgoing, target: Target) -> Answer:
        """The answer that is to be streamed, once its head has come and is none of an error."""
        if bound.played and self._mock_headers:
            call = call._replace(headers={**call.headers, **self._mock_headers})
        try:
            async with asyncio.timeout(bound.timeouts.first_event_s):
                answer = await self._upstreams.open(bound.endpoint, call)
                await self._refuse_errors(answer, bound)
                # A vendor, or a gateway before it, may stream at once: then there is nothing to follow.
                if bound.half.follows and answer.content_type != "text/event-stream":
                    most = self._plan.limits.max_event_bytes + len(call.body)  # vendors repeat the request
                    answer = await followed(answer, bound, target, self._upstreams, most)
                    await self._refuse_errors(answer, bound)
                return answer
        except TimeoutError as error:
            said = f"{bound.endpoint.name} sent nothing within {bound.timeouts.first_event_s:g} s."
            raise Refused(failure("first_event_timeout", said, upstream=bound.endpoint.name)) from error

    async def _refuse_errors(self, answer: Answer, bound: Bound) -> None:
        """Raises Refused, the answer closed, for one whose head says already that it is none."""
        try:
            await _refuse_errors(answer, bound, self._plan.limits.max_error_bytes)
        except BaseException:
            answer.close()
            raise

    def _generation(self, answer: Answer, bound: Bound, started: float) -> Generation:
        limits, name = self._plan.limits, bound.endpoint.name
        decoder = bound.half.decoder(limits.max_event_bytes, bound.settings.options)
        return Generation(
            answer,
            Translation(decoder, self._record, name, limits.max_event_bytes),
            self._record,
            upstream=name,
            timeouts=bound.timeouts,
            streams=self._plan.streams,
            write_buffer_bytes=limits.write_buffer_bytes,
            started=started,
        )

    @staticmethod
    def _named(why: Failure, place: Place) -> Failure:
        """An upstream's failure says whose it is; one of the request itself does not blame it."""
        if why.upstream is not None or why.kind == "internal":
            return why
        return msgspec.structs.replace(why, upstream=place.upstream)


async def _refuse_errors(answer: Answer, bound: Bound, most: int) -> None:
    """Raises Refused for an answer whose head says already that it is none."""
    name, status = bound.endpoint.name, answer.status
    if 300 <= status < 400:
        said = f"{name} answered with a redirect ({status}), which is not followed: set its base_url to the new place."
        raise Refused(failure("upstream_status", said))
    if status >= 400:
        body = await answer.read(most)
        why = bound.half.parse_error(status, answer.headers, body)
        answer.close()
        raise Refused(why or failure("upstream_status", f"{name} answered {status}."))
    if answer.content_type in ("text/html", "application/xhtml+xml"):
        raise Refused(failure("upstream_malformed", f"{name} answered with a web page instead of a stream: is its base_url right?"))


def _heed_on_loss(parsed: Parsed, notes: list[Note], place: Place) -> None:
    lost = [note for note in notes if note.note in _LOSSES]
    if parsed.request.on_loss == "refuse" and lost:
        said = " ".join(note.message for note in lost)
        raise Refused(failure("bad_request", f"{place.upstream} cannot take this request as it is: {said}", param=lost[0].param))

"""Writes the script for one request: what was wished for, in the dialect's own words, with its
faults. It knows no HTTP.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from proxy.codec.base import Encoder, Parsed
from proxy.codec.fold import WholeAnswer
from proxy.codec.halves import ClientHalf
from proxy.errors import Failure
from proxy.events import CONTENT, Event, StreamError, StreamStart
from proxy.mock.damage import Fault, Stage
from proxy.mock.faults import parse_faults, spoil
from proxy.mock.fixtures import SUFFIXES, Fixture, chosen, fixtures_in
from proxy.mock.load import is_path, load, read
from proxy.mock.parts import Ask
from proxy.mock.scenarios import ERRORS, IN_BAND, SCENARIOS, refused
from proxy.mock.script import (
    Manner,
    MockError,
    Pace,
    Pause,
    Step,
    Steps,
    at_pace,
    from_events,
    from_reply,
    nearest,
    rate,
)
from proxy.recording.shelf import Titled

SCENARIO, FAULT, TOKENS, CHARS, SPEED, MATCH = (
    "x-mock-scenario",
    "x-mock-fault",
    "x-mock-tokens-per-s",
    "x-mock-chars-per-s",
    "x-mock-speed",
    "x-mock-match",
)
# A request may override its mock's settings by these headers, or by query parameters of the same
# names (an EventSource has no headers).
OVERRIDES = (SCENARIO, FAULT, TOKENS, CHARS, SPEED, MATCH)


DEFAULT_SCENARIO = "hello"


class MockSpec(NamedTuple):
    """One mock as configured. `tokens_per_s` 0 is as fast as can be. `script` is what a scenario's
    file held when the configuration was read; without it the file is read for each request.

    `shelf` are recordings: then each request gets the one that fits by `match`, so many times
    faster than it came (`speed`; 0 is as fast as can be), whatever the scenario is.
    """

    dialect: str
    scenario: str = DEFAULT_SCENARIO
    tokens_per_s: float = 40
    fault: str | None = None
    script: bytes | None = None
    shelf: tuple[Titled, ...] = ()
    speed: float = 1
    match: str = "nearest"


class Wish(NamedTuple):
    """What is to be played for one request. `path` is set when the scenario is a file, `script`
    when its bytes are known.
    """

    scenario: str
    pace: Pace
    faults: tuple[Fault, ...]
    path: Path | None = None
    script: bytes | None = None


def wish_for(spec: MockSpec, overrides: Mapping[str, str], scripts: Path | None = None) -> Wish:
    """What the mock is set to, with what this request overrides. Raises MockError.

    A request may name files below the folder `scripts` only: whoever can call the mock must not
    read the machine's files with it.
    """
    tokens_per_s = rate(overrides[TOKENS], TOKENS) if TOKENS in overrides else spec.tokens_per_s
    chars_per_s = rate(overrides[CHARS], CHARS) if CHARS in overrides else 0
    speed = rate(overrides[SPEED], SPEED) if SPEED in overrides else spec.speed
    faults = parse_faults(overrides.get(FAULT, spec.fault or ""))
    scenario = overrides.get(SCENARIO, spec.scenario)
    path = None
    if is_path(scenario):
        path = _below(scripts, scenario) if SCENARIO in overrides else Path(scenario)
    elif scenario not in SCENARIOS and scenario not in ERRORS:
        known = [*SCENARIOS, *ERRORS]
        raise MockError(
            f"there is no scenario {scenario!r}{nearest(scenario, known)}; the scenarios are "
            f"{', '.join(known)}, or the path of a file"
        )
    return Wish(
        scenario,
        Pace(tokens_per_s, chars_per_s, speed),
        faults,
        path,
        None if SCENARIO in overrides else spec.script,
    )


def compose(client: ClientHalf, parsed: Parsed, wish: Wish, start: StreamStart) -> Iterator[Step]:
    """The script. Raises MockError when a file cannot be played; the steps themselves are written
    as they are taken.
    """
    encoder = client.encoder(parsed)

    def refuse(status: int) -> Steps:
        return refusal(client, refused(status), status)

    def fail() -> bytes:
        return encoder.encode(StreamError(IN_BAND))

    steps: Steps
    faults = wish.faults
    fixture = _fixture(wish, ask := Ask(parsed.request, client.rewrites))
    if fixture is not None:
        faults = faults or parse_faults(fixture.fault)
        status = fixture.error_status
        steps = (
            _played(client, parsed, encoder, wish.pace, _begun(start, fixture.events(ask)))
            if status is None
            else refuse(status)
        )
    elif wish.path is not None:
        steps = load(wish.path, Manner(client.name, encoder.content_type, wish.pace), wish.script)
        # its bytes are the file's affair, but an in-band error may need what it says
        encoder.encode(start)
    elif wish.scenario in ERRORS:
        steps = refuse(ERRORS[wish.scenario])
    else:
        events = _begun(start, SCENARIOS[wish.scenario](ask))
        steps = _played(client, parsed, encoder, wish.pace, events)
    return spoil(steps, faults, Stage(refuse, fail))


def _fixture(wish: Wish, ask: Ask) -> Fixture | None:
    """The one that fits, where the file has fixtures."""
    if wish.path is None or not wish.path.name.endswith(SUFFIXES):
        return None
    found = fixtures_in(wish.path, read(wish.path) if wish.script is None else wish.script)
    return None if found is None else chosen(wish.path, found, ask)


def _played(
    client: ClientHalf, parsed: Parsed, encoder: Encoder, pace: Pace, events: Iterator[Event]
) -> Iterator[Step]:
    if parsed.request.stream:
        return from_events(events, encoder, pace)
    return _whole(client, parsed, events, pace)


def refusal(client: ClientHalf, failure: Failure, status: int | None = None) -> list[Step]:
    """An error before the first byte, in the vendor's shape; with this very status, though the
    vendor might choose another.
    """
    reply = client.render_error(failure)
    if status is not None:
        reply = reply._replace(status=status)
    if isinstance(failure.retry_after_s, float):
        reply = reply._replace(
            headers={
                "retry-after": f"{failure.retry_after_s:.0f}",
                **{k.lower(): v for k, v in reply.headers.items()},
            }
        )
    return from_reply(reply)


def _below(folder: Path | None, scenario: str) -> Path:
    if folder is None:
        raise MockError(
            f"{SCENARIO}: {scenario!r} is a file, and no folder was given from which requests "
            "may choose one; use a built-in scenario"
        )
    path = (folder / scenario).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise MockError(
            f"{SCENARIO}: {scenario!r} lies outside the folder of scripts; name a file below it"
        )
    return path


def _begun(start: StreamStart, events: Iterator[Event]) -> Iterator[Event]:
    yield start
    yield from events


def _whole(
    client: ClientHalf, parsed: Parsed, events: Iterable[Event], pace: Pace
) -> Iterator[Step]:
    """One document, after as long as its stream would have taken."""
    answer, contents = WholeAnswer(), 0
    for event in at_pace(events, pace):
        answer.add(event)
        contents += isinstance(event, CONTENT)
    if pace.gap_s:
        yield Pause(contents * pace.gap_s)
    yield from (
        refusal(client, answer.error) if answer.error else from_reply(client.whole(parsed, answer))
    )

"""Replays recordings: writes the script for a request that one of them answers. It knows no
HTTP.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS
from proxy.events import StreamError, StreamStart
from proxy.mock.compose import FAULT, MATCH, SPEED, MockSpec, refusal
from proxy.mock.damage import Fault, Stage
from proxy.mock.faults import parse_faults, spoil
from proxy.mock.files import SUFFIXES
from proxy.mock.recordings import steps_of
from proxy.mock.scenarios import IN_BAND, refused
from proxy.mock.script import MockError, Status, Step, Steps, from_reply, nearest, rate
from proxy.recording.shelf import MATCHES, Found, Match, Shelf
from proxy.recording.tape import Recording
from proxy.request import ChatRequest

_RECORDING, _RULE = "x-mock-recording", "x-mock-match"


def is_shelf(path: Path) -> bool:
    """Whether a scenario's path is that of recordings, which requests are matched to."""
    return path.name.endswith(SUFFIXES) or path.is_dir()


def check_spec(spec: MockSpec) -> None:
    """Raises MockError for a fault, speed or rule that there is not."""
    _wish(spec, {})


def steps_for(
    shelf: Shelf,
    spec: MockSpec,
    overrides: Mapping[str, str],
    *,
    method: str,
    path: str,
    body: bytes,
) -> Steps:
    """The script for one request, which may override the mock's settings. Raises MockError."""
    speed, match, faults = _wish(spec, overrides)
    found = shelf.find(method, path, body, match)
    if found is None:
        return _no_recording(shelf, method, path, match)
    recording = found.titled.recording
    steps = _titled_head(steps_of(recording, speed), found)
    if any(fault.name == "error" for fault in faults) and recording.dialect not in CLIENTS:
        raise MockError(
            f"fault error: dialect {recording.dialect} has no half here that could say an error; "
            "use another fault"
        )
    return spoil(steps, faults, _stage(recording))


def _wish(spec: MockSpec, overrides: Mapping[str, str]) -> tuple[float, Match, tuple[Fault, ...]]:
    speed = rate(overrides[SPEED], SPEED) if SPEED in overrides else spec.speed
    match = overrides.get(MATCH, spec.match)
    known = next((each for each in MATCHES if each == match), None)
    if known is None:
        raise MockError(
            f"{match!r} is no way to match a recording{nearest(match, MATCHES)}; there are "
            f"{', '.join(MATCHES)}"
        )
    return speed, known, parse_faults(overrides.get(FAULT, spec.fault or ""))


def _titled_head(steps: list[Step], found: Found) -> list[Step]:
    """The head says what is played, and why."""
    said = {_RECORDING: _plain(found.titled.title), _RULE: found.rule}
    return [
        msgspec.structs.replace(step, headers={**step.headers, **said})
        if isinstance(step, Status)
        else step
        for step in steps
    ]


def _plain(title: str) -> str:
    """A file's name may hold anything, a header may not."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in title)


def _stage(recording: Recording) -> Stage:
    client = CLIENTS.get(recording.dialect)
    if client is None:
        return Stage(_refuse_plainly, lambda: b"")
    return _vendors_stage(client, recording)


def _vendors_stage(client: ClientHalf, recording: Recording) -> Stage:
    def fail() -> bytes:
        asked = ChatRequest(model=recording.model, messages=[])
        encoder = client.encoder(Parsed(asked, client.watching))
        encoder.encode(StreamStart("mock", recording.model, "mock", recording.model, 0))
        return encoder.encode(StreamError(IN_BAND))

    return Stage(lambda status: refusal(client, refused(status), status), fail)


def _refuse_plainly(status: int) -> Steps:
    return from_reply(_error(status, f"The mock was told to answer with status {status}."))


def _no_recording(shelf: Shelf, method: str, path: str, match: Match) -> Steps:
    models = sorted({titled.recording.model for titled in shelf.recordings})
    said = (
        f"No recording fits {method} {path} ({match}). Recorded are {', '.join(shelf.paths)}, with "
        f"the models {', '.join(models)}; a request for a stream and one for a document differ."
    )
    return from_reply(_error(404, said))


def _error(status: int, message: str) -> Reply:
    """In a form that most vendors' SDKs show."""
    error = {"type": "not_found_error" if status == 404 else "api_error", "message": message}
    return Reply(status, msgspec.json.encode({"type": "error", "error": error}))

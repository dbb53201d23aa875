"""Scripts from recordings: a real vendor's bytes, sent as they are, frame by frame at the pace that
is asked for.

    *.sse  *.ndjson  *.bin            the body of an answer
    *.chunks.jsonl                    one JSON event a line: framed as SSE, named by its `type`
                                      where the dialect does so
    *.reads.jsonl                     {"t_ms", "bytes", "text"} a line: what one read gave, at its
                                      own time (pace 0: at once)
    *.recording.jsonl                 Mainstem's own (docs/RECORDINGS.md): its status, and each read
                                      at its own time, or faster (pace 0: at once)
    *.json, error-<status>-*.json     a whole document, with that status

The kind is told by the name of the file.
"""

import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from proxy.codec.base import JSON, NDJSON, SSE
from proxy.framing.sse_frame import frame
from proxy.mock.script import CLOSE, CUT, END, Manner, MockError, Pause, Send, Status, Step
from proxy.recording.tape import Recording, RecordingError, parsed

_PIECE_BYTES = 256  # of a binary recording, which shows no frames
# A blank line ends an SSE frame, whatever the line ends are; JSON values back to back have nothing
# between them.
_BLANK_LINES = re.compile(rb"(?:\r\n|\n|\r){2,}")
_VALUE_END = re.compile(rb"\}(?=\{|data:)")
# Between two writes of a recording, so that they arrive in two reads, as they did then.
_APART_S = 0.002
_ENDS: dict[str, Step] = {"broken": CUT, "full": CLOSE}
# Dialects whose frames are named by the `type` of their JSON.
_NAMED = ("anthropic", "openai_responses", "cohere")
_ERROR_NAME = re.compile(r"error-(\d{3})-")


class _Typed(msgspec.Struct):
    type: str = "message"


class _Read(msgspec.Struct):
    t_ms: float
    text: str


_typed = msgspec.json.Decoder(_Typed)
_read = msgspec.json.Decoder(_Read)


def read_stream(_path: Path, data: bytes, manner: Manner) -> list[Step]:
    """The body of a streamed answer, cut into its frames."""
    return [Status(200, {"content-type": manner.content_type}), *_paced(frames(data), manner)]


def read_lines(_path: Path, data: bytes, manner: Manner) -> list[Step]:
    """NDJSON, a line a frame."""
    return [Status(200, {"content-type": NDJSON}), *_paced(data.splitlines(keepends=True), manner)]


def read_chunks(path: Path, data: bytes, manner: Manner) -> list[Step]:
    """JSON events, one a line, framed as SSE."""
    named = manner.dialect in _NAMED
    framed = []
    for number, line in _numbered(data):
        try:
            framed.append(frame(line, event=_typed.decode(line).type if named else None))
        except (ValueError, RecursionError) as error:
            raise MockError(f"{path}: line {number} is not a JSON event: {error}") from error
    return [Status(200, {"content-type": SSE}), *_paced(framed, manner)]


def read_reads(path: Path, data: bytes, manner: Manner) -> list[Step]:
    """What each network read gave, at the moment when it gave it."""
    steps: list[Step] = [Status(200, {"content-type": manner.content_type})]
    at_ms = 0.0
    for number, line in _numbered(data):
        try:
            read = _read.decode(line)
        except (ValueError, RecursionError) as error:
            raise MockError(
                f"{path}: line {number} is not {{t_ms, bytes, text}}: {error}"
            ) from error
        if manner.pace.gap_s and read.t_ms > at_ms:
            steps.append(Pause((read.t_ms - at_ms) / 1000))
            at_ms = read.t_ms
        steps.append(Send(read.text.encode()))
    return steps


def read_recording(path: Path, data: bytes, manner: Manner) -> list[Step]:
    """Mainstem's own."""
    try:
        recording = parsed(data)
    except RecordingError as error:
        raise MockError(f"{path}: {error}") from error
    return steps_of(recording, manner.pace.speed if manner.pace.gap_s else 0)


def steps_of(recording: Recording, speed: float = 1) -> list[Step]:
    """The answer as it came: its reads, at their times, so many times faster; 0 is as fast as can
    be. Reads that came at once stay apart.
    """
    pace = 0.001 / speed if speed else 0  # seconds of now, for a millisecond of then
    steps: list[Step] = [
        Pause(recording.head_ms * pace),
        Status(recording.status, recording.headers),
    ]
    clock = recording.head_ms * pace
    for number, read in enumerate(recording.reads):
        least = _APART_S if number else 0
        due = max(read.ms * pace, clock + least)
        steps += [Pause(due - clock, least), Send(read.data)]
        clock = due
    steps.append(Pause(max(0, recording.end_ms * pace - clock)))
    return [*steps, _ENDS.get(recording.end, END)]


def read_document(path: Path, data: bytes, _manner: Manner) -> list[Step]:
    """A whole JSON document; its name may say its status."""
    match = _ERROR_NAME.match(path.name)
    status = int(match[1]) if match else 200
    if not 200 <= status <= 599:
        raise MockError(f"{path}: its name says status {status}; a status is from 200 to 599")
    return [Status(status, {"content-type": JSON}), Send(data)]


def frames(data: bytes) -> list[bytes]:
    """The frames of a body: joined, they are the body."""
    ends = [match.end() for match in _BLANK_LINES.finditer(data)]
    if not ends and data[:1] in (b"{", b"d"):
        ends = [match.end() for match in _VALUE_END.finditer(data)]
    elif not ends:
        ends = list(range(_PIECE_BYTES, len(data), _PIECE_BYTES))
    edges = [0, *ends, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges) if end > start]


def _paced(sends: Iterable[bytes], manner: Manner) -> list[Step]:
    """One gap between two frames, none before the first."""
    steps: list[Step] = []
    gap = manner.pace.gap_s
    for data in sends:
        if gap and steps:
            steps.append(Pause(gap))
        steps.append(Send(data))
    return steps


def _numbered(data: bytes) -> list[tuple[int, bytes]]:
    return [
        (number, line) for number, line in enumerate(data.splitlines(), start=1) if line.strip()
    ]

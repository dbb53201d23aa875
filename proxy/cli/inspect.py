"""`mainstem inspect`: what a recording holds."""

import argparse
import math
import shutil
import sys
from statistics import median

import msgspec

from proxy.cli import common, recorded
from proxy.cli.picture import gaps_of, histogram, timeline
from proxy.cli.plain import escaped
from proxy.events import CONTENT, StreamEnd, StreamError, Usage
from proxy.recording.reading import Timed, events_of
from proxy.recording.shelf import Titled
from proxy.recording.tape import Recording, RecordingError

_SHOWN_CHARS = 120
_LEAST_WIDTH, _MOST_WIDTH = 24, 120


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "inspect",
        help=does,
        description=(
            "Show a recording: what was asked, how the answer ended, when its bytes came and how "
            "long the gaps between the reads were. Beyond that the bytes, the events or the reads."
        ),
    )
    recorded.add_source(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="print the bytes of the answer")
    form.add_argument(
        "--events", action="store_true", help="print one event a line, as JSON, behind its time"
    )
    form.add_argument(
        "--timing", action="store_true", help="print one read a line: its time, its gap, its size"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    titled = recorded.one_of(options)
    try:
        if options.raw:
            _raw(titled.recording)
        elif options.events:
            for ms, event in events_of(titled.recording):
                print(f"{ms:10.1f}  {escaped(msgspec.json.encode(event).decode())}")
        elif options.timing:
            _timing(titled.recording)
        else:
            _overview(titled)
    except RecordingError as error:
        raise common.WrongInputError(f"{options.file}: {error}.") from error
    return 0


def _raw(recording: Recording) -> None:
    """As they are, but on a terminal, which control characters would steer."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(recording.body)
        return
    for line in recording.body.decode(errors="backslashreplace").splitlines():
        print(escaped(line))


def _timing(recording: Recording) -> None:
    last = recording.head_ms
    print(f"{'ms':>10} {'gap':>9} {'bytes':>7}  what")
    print(f"{recording.head_ms:10.1f} {'':>9} {'':>7}  [{recording.status}]")
    for read in recording.reads:
        text = escaped(read.data.decode(errors="backslashreplace"))
        shown = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
        print(f"{read.ms:10.1f} {read.ms - last:+9.1f} {len(read.data):7}  {shown}")
        last = read.ms
    print(f"{recording.end_ms:10.1f} {recording.end_ms - last:+9.1f} {'':>7}  [{recording.end}]")


def _overview(titled: Titled) -> None:
    title, one = titled
    events = list(events_of(one))
    gaps = gaps_of(one.reads)
    known = one.end_ms > 0  # of bare bytes no time is known
    unfit = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    width = max(_LEAST_WIDTH, min(_MOST_WIDTH, shutil.get_terminal_size().columns - 2))
    rows = [
        ("file", title),
        ("asked", _asked(one)),
        ("of", f"{one.upstream} ({one.dialect})" + (f", {one.recorded}" if known else "")),
        ("answer", f"{one.status}, {len(one.body)} bytes in {_reads(one)}, {one.end}"),
        ("ended", _ended(events)),
        ("times", _times(one, events) if known else "unknown"),
        ("gaps", _gaps(one, gaps)),
    ]
    if one.masked:
        rows.append(("hidden", ", ".join(one.masked)))
    for name, said in rows:
        print(f"{name:<7} {escaped(said)}")
    if known:
        print()
        for line in timeline(one, width, ascii_only=unfit):
            print(f" {line}")
    if one.gaps == "network" and gaps:
        print()
        for line in histogram(gaps, width, ascii_only=unfit):
            print(line)


def _asked(one: Recording) -> str:
    if not one.request.path:  # of bare bytes
        return "unknown"
    return f"{one.request.method} {one.request.path}, model {one.model or 'unknown'}"


def _reads(one: Recording) -> str:
    return "1 read" if len(one.reads) == 1 else f"{len(one.reads)} reads"


def _ended(events: list[Timed]) -> str:
    match events[-1].event:
        case StreamError(error):
            return f"{error.kind}: {error.message}"
        case StreamEnd(finish, usage):
            return f"{finish.reason}, {_tokens(usage)}"
    return "without an end"


def _tokens(usage: Usage) -> str:
    known = [
        f"{count} tokens {name}"
        for name, count in (("in", usage.input_tokens), ("out", usage.output_tokens))
        if count is not None
    ]
    return ", ".join(known) or "tokens unknown"


def _times(one: Recording, events: list[Timed]) -> str:
    contents = [ms for ms, event in events if isinstance(event, CONTENT)]
    said = [f"head {_s(one.head_ms)}"]
    if contents:
        said.append(f"first content {_s(contents[0])}, last {_s(contents[-1])}")
    said.append(f"end {_s(one.end_ms)}")
    usage = next(
        (event.usage for _, event in reversed(events) if isinstance(event, StreamEnd)), None
    )
    if usage is not None and usage.output_tokens and len(contents) > 1:
        seconds = (contents[-1] - contents[0]) / 1000
        if seconds > 0:
            said.append(f"{usage.output_tokens / seconds:.1f} tokens a second")
    return ", ".join(said)


def _gaps(one: Recording, gaps: list[float]) -> str:
    if one.gaps == "spread":
        return "unknown: the file has no times of reads"
    if not gaps:
        return "none"
    ordered = sorted(gaps)
    most = math.ceil(0.95 * len(ordered)) - 1
    longest = max(range(len(gaps)), key=gaps.__getitem__)
    return (
        f"median {median(gaps):.1f} ms, 95 % within {ordered[most]:.1f} "
        f"ms, longest {gaps[longest]:.1f} ms, before read {longest + 2} at "
        f"{_s(one.reads[longest + 1].ms)}"
    )


def _s(ms: float) -> str:
    return f"{ms / 1000:.2f} s"

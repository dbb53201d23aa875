"""What one recording and its replay have in common."""

import statistics
from itertools import pairwise
from time import monotonic
from typing import NamedTuple

import aiohttp

from proxy.recording.tape import Recording
from tests.model.asks import Ask
from tests.model.tee import ends

MOST_GAP_ERROR_MS = 10.0  # of the median


class Compared(NamedTuple):
    """Errors are of gaps between two reads: how far replay and recording are apart, in
    milliseconds."""

    ask: Ask
    reads: int
    size: int
    gap_ms: float
    error_ms: float
    most_error_ms: float
    faults: list[str]

    def row(self) -> str:
        """A line of the table."""
        return (
            f"| {self.ask.title} | `{self.ask.dialect}` | {self.size:,} | {self.reads} "
            f"| {self.gap_ms:.1f} | {self.error_ms:.2f} | {self.most_error_ms:.2f} |"
        )


class Came(NamedTuple):
    """An HTTP chunk of the replay, and when it was whole."""

    ms: float
    data: bytes


async def replay(url: str, recording: Recording) -> tuple[str, list[Came]]:
    """Asks the mock as the proxy asked the model: the file it plays, and what came."""
    begun = monotonic()
    came: list[Came] = []
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}{recording.request.path}", json=recording.request.body) as response,
    ):
        part = b""
        async for data, whole in response.content.iter_chunks():
            part += data
            if whole and part:
                came.append(Came((monotonic() - begun) * 1000, part))
                part = b""
        return response.headers.get("x-mock-recording", ""), came


def compare(
    ask: Ask, wire: list[bytes], recording: Recording, came: list[Came], *, found: bool
) -> Compared:
    """`wire` are the chunks as the model wrote them, `found` whether the mock played this file."""
    reads = [read.data for read in recording.reads]
    gaps = [after.ms - before.ms for before, after in pairwise(recording.reads)]
    played = [after.ms - before.ms for before, after in pairwise(came)]
    errors = [abs(a - b) for a, b in zip(gaps, played, strict=False)]
    checks = {
        "the mock played another file": found,
        "the answer did not end": recording.end == "complete",
        "the recording has other bytes than the model wrote": b"".join(wire) == recording.body,
        "a read ends where the model ended no chunk": ends(reads) <= ends(wire),
        "the replay has other bytes": b"".join(data for _, data in came) == recording.body,
        "the replay has other boundaries": reads == [data for _, data in came],
        "half of the gaps are further off": statistics.median(errors) <= MOST_GAP_ERROR_MS,
    }
    return Compared(
        ask,
        len(reads),
        len(recording.body),
        statistics.median(gaps),
        statistics.median(errors),
        max(errors),
        [fault for fault, right in checks.items() if not right],
    )

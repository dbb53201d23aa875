"""Streams of every upstream dialect to mutate: recordings where they are, else what the project
writes itself, and small ones of our own."""

import itertools
from functools import cache

from proxy.dialects.registry import CLIENTS
from proxy.mock.parts import Ask
from proxy.mock.scenarios import SCENARIOS
from proxy.request import ChatRequest, Message
from tests.fuzz.bodies import parsed_by
from tests.fuzz.readers import START
from tests.samples import ENDLESS, MORE, SEEDS
from tests.support import body_of, facts, recordings_dir, seed_bytes

_MOST_BYTES = 40_000  # of one recording: an edit of a long one is lost in it
_MOST_FILES = 30


@cache
def bodies(name: str) -> tuple[bytes, ...]:
    """Streams of a dialect; none is empty."""
    found = [*_own(name), *MORE[name]]
    found += [b"".join(map(endless, range(12))) for endless in ENDLESS[name].values()]
    if recordings_dir() is not None:
        rows = sorted(
            (row for row in facts(name) if row["bytes"] < _MOST_BYTES), key=lambda row: row["bytes"]
        )
        found += [body_of(row) for row in rows[:: len(rows) // _MOST_FILES + 1]]
        found += [seed_bytes(file) for file in SEEDS[name]]
    return tuple(body for body in found if body)


def _own(name: str) -> list[bytes]:
    """What the dialect's own client half writes of every scenario of the mock."""
    if name not in CLIENTS:
        return []
    request = ChatRequest(model="m", messages=[Message("user", "你好")])
    written = []
    for scenario in SCENARIOS.values():
        encoder = CLIENTS[name].encoder(parsed_by(name))
        events = [START, *itertools.islice(scenario(Ask(request, CLIENTS[name].rewrites)), 60)]
        written.append(b"".join(encoder.encode(event) for event in events))
    return written

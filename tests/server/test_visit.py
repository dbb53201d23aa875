"""What a request is counted to have cost."""

import pytest

from proxy.events import Finish, TextDelta, Usage
from proxy.observe.record import StreamRecord
from proxy.server.visit import used


def record(usage: Usage | None, *, whole: bool, events: int = 10, size: int = 1000) -> StreamRecord:
    found = StreamRecord("r", "native", 0)
    found.usage = usage
    found.finish = Finish("stop") if whole else None
    if events:
        found.events[TextDelta] = events
        found.chunk(size, 1.0)
    return found


@pytest.mark.parametrize(
    ("found", "tokens"),
    [
        (record(Usage(7, 5), whole=True), 12),
        (record(None, whole=True), 110),  # nobody counted
        (record(None, whole=False), 110),  # its client left before the counts came
        (record(Usage(7, 1), whole=False), 17),  # counted so far, and then it left
        (record(Usage(7, 50), whole=False), 57),
        (record(None, whole=False, events=1, size=200_000), 1100),  # much in one event
        (record(None, whole=False, events=0), 0),  # there was no answer
    ],
)
def test_what_nobody_has_counted_is_estimated(found: StreamRecord, tokens: int) -> None:
    assert tokens == sum(used(found, 400))

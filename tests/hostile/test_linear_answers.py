"""An answer costs a client's encoder what its events cost, whatever the upstream makes of it:
counted (see `growth.py` and `work.py` in `tests/fuzz`), never timed.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import pytest

from proxy.codec.base import Encoder
from proxy.codec.settle import settling
from proxy.dialects.registry import CLIENTS
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    ReasoningDelta,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Vendor,
)
from proxy.relay.folder import Folder
from proxy.relay.snapshot import Snapshot
from tests.dialects.answers import START, ending
from tests.fuzz.bodies import parsed_by
from tests.fuzz.growth import Task, dear

_EVENT_BYTES = 60  # of the shortest event, as an upstream writes it


def long_text(count: int) -> Iterator[Event]:
    yield BlockStart(0, "text")
    for _ in range(count // 10):
        yield TextDelta(0, "b" * 400)


def newest_rewritten(count: int) -> Iterator[Event]:
    """As soon as it was said."""
    yield from long_text(count)
    for number in range(count):
        yield TextDelta(0, "xy")
        yield TextRewrite(0, 400 * (count // 10) + 1 + number, "z")


def end_rewritten(count: int) -> Iterator[Event]:
    """Behind what went out, again and again."""
    yield from long_text(count)
    for number in range(count):
        yield TextRewrite(0, 400 * (count // 10) - 1, "xb"[number % 2])


def more_and_more_rewritten(count: int) -> Iterator[Event]:
    yield from long_text(count)
    for number in range(count):
        yield TextRewrite(0, 400 * (count // 10) - number - 1, "x")


def sources_rewritten(count: int) -> Iterator[Event]:
    yield from long_text(count)
    for number in range(count):
        yield Citation(0, start=number, end=number + 1, url="https://example.org/")
    for number in range(count):
        yield TextRewrite(0, 400 * (count // 10) - 1, "xb"[number % 2])


def an_earlier_block(count: int) -> Iterator[Event]:
    """It goes on, and takes back, while another one is the newest."""
    yield from long_text(count)
    yield BlockStart(1, "text")
    for _ in range(count):
        yield TextDelta(0, "c")
        yield TextDelta(1, "d")


def arguments(count: int) -> Iterator[Event]:
    yield BlockStart(0, "tool_call", Tool("c", "f"))
    yield ToolCallDelta(0, '{"a":"')
    for _ in range(count):
        yield ToolCallDelta(0, "x")
    yield ToolCallDelta(0, '"}')
    yield BlockEnd(0)


def many_calls(count: int) -> Iterator[Event]:
    for number in range(count):
        yield BlockStart(number, "tool_call", Tool(f"c{number}", "f"))
        yield ToolCallDelta(number, "{}")
    for number in range(count):
        yield BlockEnd(number)


def thoughts(count: int) -> Iterator[Event]:
    yield BlockStart(0, "reasoning")
    for _ in range(count):
        yield ReasoningDelta(0, "x")
    yield BlockEnd(0)


def short_blocks(count: int) -> Iterator[Event]:
    for number in range(count):
        yield BlockStart(number, "text" if number % 2 else "reasoning")
        yield TextDelta(number, "x") if number % 2 else ReasoningDelta(number, "x")
        yield BlockEnd(number)


def other_answers(count: int) -> Iterator[Event]:
    for number in range(count):
        yield BlockStart(number, "text", choice=number)
        yield TextDelta(number, "x")


def sources(count: int) -> Iterator[Event]:
    yield from long_text(count)
    for number in range(count):
        yield Citation(0, start=number, end=number + 1, url=f"https://example.org/{number}")


def vendors_words(count: int) -> Iterator[Event]:
    for number in range(count):
        yield Vendor("openai_chat", {"new": number})


Flood = Callable[[int], Iterable[Event]]
FLOODS: tuple[Flood, ...] = (
    newest_rewritten,
    end_rewritten,
    more_and_more_rewritten,
    sources_rewritten,
    an_earlier_block,
    arguments,
    many_calls,
    thoughts,
    short_blocks,
    other_answers,
    sources,
    vendors_words,
)
# What each write of a dialect says again: its bytes, and nothing else, go with the square.
_SAY_ALL = {"chatglm", "dify"}


def encoder(name: str) -> Encoder:
    half = CLIENTS[name]
    return settling(half.encoder(parsed_by(name)), half, rewrites=True)


def dear_floods(read: Callable[[list[Event]], object]) -> list[str]:
    """The floods that cost more than their length. `read` takes one whole answer."""

    def task(flood: Flood, count: int) -> Task:
        answer = [START, *flood(count), ending()]
        return Task(lambda: read(answer), _EVENT_BYTES * len(answer))

    return [flood.__name__ for flood in FLOODS if dear(partial(task, flood))]


@pytest.mark.parametrize("name", CLIENTS)
def test_an_answer_in_one_read_costs_what_its_events_cost(name: str) -> None:
    assert [] == dear_floods(lambda answer: encoder(name).encode_all(answer))


@pytest.mark.parametrize("name", sorted(CLIENTS.keys() - _SAY_ALL))
def test_an_answer_in_many_reads_costs_what_its_events_cost(name: str) -> None:
    def read(answer: list[Event]) -> None:
        made = encoder(name)
        for event in answer:
            made.encode(event)

    assert [] == dear_floods(read)


def test_a_document_costs_what_its_events_cost() -> None:
    def read(answer: list[Event]) -> None:
        folder = Folder()
        for event in answer:
            folder.encode(event)
        for block in folder.answer.blocks.values():
            assert block.citations is not None
        assert folder.answer.text() is not None

    assert [] == dear_floods(read)


def test_what_a_late_reader_gets_costs_what_its_events_cost() -> None:
    def read(answer: list[Event]) -> None:
        snapshot = Snapshot()
        for at in range(0, len(answer) - 1, 20):
            snapshot.add(answer[at : min(at + 20, len(answer) - 1)])
        snapshot.said()

    assert [] == dear_floods(read)

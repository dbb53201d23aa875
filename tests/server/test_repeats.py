"""Which run a request that is sent again is about, and what it costs to find out."""

from types import SimpleNamespace
from typing import Any

from proxy.server.repeats import Repeats
from tests.bench.opcodes import Opcodes


def run(name: str, *, told: bool = False) -> Any:
    log = SimpleNamespace(end=None)
    known = {"told_at": 0.0 if told else None, "read_bytes": 0, "attended": 0, "key": b""}
    return SimpleNamespace(id=name, request=b"asked", log=log, lost=lambda: True, **known)


def test_of_several_that_nobody_has_had_the_oldest_is_meant() -> None:
    repeats, first, second = Repeats(), run("1"), run("2")
    repeats.add(first)
    repeats.add(second)
    assert first is repeats.same(b"asked", b"", "no")
    repeats.forget(first)
    assert second is repeats.same(b"asked", b"", "no")
    repeats.forget(second)
    assert repeats.same(b"asked", b"", "no") is None


def test_however_often_the_same_was_asked_and_answered_a_request_costs_the_same() -> None:
    costs = []
    for answers in (1, 1000):
        repeats = Repeats()
        for number in range(answers):
            told = run(str(number), told=True)
            repeats.add(told)
            repeats.told(told)
            repeats.told(told)  # by a second reader
        counter = Opcodes()
        for _ in range(2):  # the first for nothing
            counter = Opcodes()
            with counter.counting():
                found = repeats.same(b"asked", b"", "no")
        assert found is None
        costs.append(counter.total)
    assert costs[0] == costs[1]

"""One dialect's decoder under mutated recordings, until enough bytes went in. Input number n of a
seed is always the same."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Raw

from proxy.dialects.registry import CLIENTS
from tests.fuzz.judge import Trial, judge, judge_client, judge_cuts, trial
from tests.fuzz.mutate import ODD, mutated, wrong_values
from tests.fuzz.shrink import smallest


class Total(NamedTuple):
    """What went in: inputs, and the bytes of them that the decoder took before its terminal
    event."""

    inputs: int
    taken: int


class Found(NamedTuple):
    """An input that failed, made small. `number` is its in its seed, None of one that has no chance
    in it."""

    number: int | None
    given: Trial
    why: str


def made(name: str, seed: int, number: int) -> Trial:
    chance = random.Random(f"{seed}:{name}:{number}")
    return trial(chance, name, mutated(chance, name))


def judged(given: Trial, number: int) -> int:
    """Every third input is also compared whole and cut, and every third given to a client. Bytes
    taken."""
    taken = judge(given)
    if number % 3 == 0:
        judge_cuts(given)
    elif number % 3 == 1:
        judge_client(given)
    return taken


def everywhere(name: str, odd: Sequence[Raw] = ODD, deepest: int = 99) -> Total | Found:
    """Odd values at every place of a dialect's frames: no chance in it. See `wrong_values`."""
    inputs = taken = 0
    for body in wrong_values(name, odd, deepest):
        given = Trial(
            name, body, (len(body) // 2,), 1 << 20, {}, list(CLIENTS)[inputs % len(CLIENTS)]
        )
        if why_not(given, inputs) is not None:
            return _small(given, inputs)._replace(number=None)
        taken += len(body)
        inputs += 1
    return Total(inputs, taken)


def why_not(given: Trial, number: int) -> str | None:
    """What is wrong with the answer to this input, in a line; None if nothing is."""
    try:
        judged(given, number)
    except Exception as error:  # noqa: BLE001  whatever comes out is what is looked for
        return f"{type(error).__name__}: {error}"
    return None


def fuzz(
    name: str, seed: int, enough: int, progress: Callable[[Total], None] = lambda total: None
) -> Total | Found:
    """Inputs until the decoder has taken `enough` bytes, or one fails."""
    inputs = taken = 0
    for number in _numbers():
        given = made(name, seed, number)
        try:
            taken += judged(given, number)
        except Exception:  # noqa: BLE001  as in why_not
            return found(name, seed, number)
        inputs += 1
        if taken >= enough:
            break
        progress(Total(inputs, taken))
    return Total(inputs, taken)


def found(name: str, seed: int, number: int) -> Found:
    """Input `number`, which fails, made small."""
    return _small(made(name, seed, number), number)


def _small(given: Trial, number: int) -> Found:
    kind = (why_not(given, number) or "").partition(":")[0]
    small = smallest(given, lambda tried: (why_not(tried, number) or "").partition(":")[0] == kind)
    return Found(number, small, why_not(small, number) or "it does not fail again")


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1

"""The smallest input that still fails, as far as halving finds it."""

from collections.abc import Callable

from tests.fuzz.judge import Trial
from tests.fuzz.pieces import frames_of

_MOST_TRIES = 400


def smallest(given: Trial, fails: Callable[[Trial], bool]) -> Trial:
    """First without cuts if it can be, then with fewer frames, then with fewer bytes. `fails` is
    asked a few hundred times at most."""
    tries = [_MOST_TRIES]

    def still(body: bytes) -> bool:
        tries[0] -= 1
        return tries[0] > 0 and fails(_with(best, body))

    best = given
    for uncut in (given._replace(cuts=()), given._replace(cuts=tuple(range(1, len(given.body))))):
        if fails(uncut):
            best = uncut
            break
    body = _less(frames_of(given.name, best.body), still)
    body = _less([bytes([byte]) for byte in body], still) if len(body) < 4000 else body
    return _with(best, body)


def _with(given: Trial, body: bytes) -> Trial:
    every_byte = given.cuts and len(given.cuts) == len(given.body) - 1
    cuts = (
        tuple(range(1, len(body)))
        if every_byte
        else tuple(cut for cut in given.cuts if cut < len(body))
    )
    return given._replace(body=body, cuts=cuts)


def _less(parts: list[bytes], still: Callable[[bytes], bool]) -> bytes:
    """Leave out halves, quarters and so on, as long as what is left fails."""
    size = len(parts) // 2
    while size:
        place = 0
        while place < len(parts):
            rest = parts[:place] + parts[place + size :]
            if rest and still(b"".join(rest)):
                parts = rest
            else:
                place += size
        size //= 2
    return b"".join(parts)

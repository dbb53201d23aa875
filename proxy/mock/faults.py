"""Faults by name: how to ask for them, and the order in which they do their work.

    cut@3               after 3 frames             slow:100        with a value
    cut@3,bytewise      both; the order in which they are written does not matter

A frame here is a piece of the answer (a delta): what a dialect sends before the first one, or after
the last, does not count.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from proxy.mock import damage, writes
from proxy.mock.damage import Damage, Fault, Stage
from proxy.mock.script import MockError, Step, Steps, nearest

Takes = Literal["n", "value", "both", "nothing"]
_FORM = re.compile(r"([a-z_0-9]+)(?:@(\d{1,9}))?(?::(\d{1,9}(?:\.\d{1,9})?))?")


class Row(NamedTuple):
    """A known fault, with what it takes. `value` is taken when none is given; it must lie in
    `span`.
    """

    damage: Damage
    takes: Takes = "nothing"
    value: float = 0
    span: tuple[float, float] = (0, 0)

    @property
    def form(self) -> str:
        """What may follow the name."""
        return {"n": "@n", "value": ":value", "both": "@n:value", "nothing": ""}[self.takes]

    def asked(self, name: str) -> str:
        """It, as a request may ask for it: where its dialect's answers are in full swing."""
        value = f":{self.value:.0f}" if self.takes in ("value", "both") else ""
        return f"{name}@5{value}" if self.takes in ("n", "both") else f"{name}{value}"

    @property
    def does(self) -> str:
        """In one sentence, for people."""
        return " ".join((self.damage.__doc__ or "").partition("\n\n")[0].split())


# In the order in which they work: what is said, then its bytes, then how they are cut into writes,
# then the head and when it comes.
FAULTS: dict[str, Row] = {
    "status": Row(damage.status, "value", 500, (400, 599)),
    "html": Row(damage.html),
    "redirect": Row(damage.redirect),
    "empty": Row(damage.empty),
    "error": Row(damage.error, "n"),
    "garbage": Row(damage.garbage, "n"),
    "huge_event": Row(damage.huge_event, "both", 2 << 20, (1, 64 << 20)),
    "cut": Row(damage.cut, "n"),
    "half": Row(damage.half, "n"),
    "close": Row(damage.close, "n"),
    "stall": Row(damage.stall, "n"),
    "comment_flood": Row(damage.comment_flood),
    "trailing": Row(damage.trailing),
    "crlf": Row(damage.crlf),
    "bom": Row(damage.bom),
    "gzip": Row(damage.compressed),
    "burst": Row(writes.burst),
    "split_utf8": Row(writes.split_utf8),
    "bytewise": Row(writes.bytewise),
    "slow": Row(writes.slow, "value", 500, (1, 1_000_000)),
    "wrong_type": Row(damage.wrong_type),
    "first_event_delay": Row(damage.first_event_delay, "value", 1, (0, 3600)),
    "delay": Row(damage.delay, "value", 1, (0, 3600)),
}
_ORDER = {name: place for place, name in enumerate(FAULTS)}


def parse_faults(text: str) -> tuple[Fault, ...]:
    """`cut@3,bytewise`, in the order in which they work. Raises MockError.

    Each may stand once: one over itself, such as an event that grows again and again, would let a
    request take any time and memory.
    """
    faults: dict[str, Fault] = {}
    for part in text.split(","):
        if part.strip():
            fault = parse_fault(part.strip())
            if fault.name in faults:
                raise MockError(f"the fault {fault.name} stands twice; write it once")
            faults[fault.name] = fault
    return tuple(sorted(faults.values(), key=lambda fault: _ORDER[fault.name]))


def parse_fault(text: str) -> Fault:
    """One fault. Raises MockError with the fix, or with the faults there are."""
    match = _FORM.fullmatch(text)
    name = match[1] if match else re.split("[@:]", text)[0]
    row = FAULTS.get(name)
    if row is None:
        known = ", ".join(name + row.form for name, row in FAULTS.items())
        raise MockError(
            f"there is no fault {name!r}{nearest(name, FAULTS)}; the faults are {known}"
        )
    if match is None:
        raise MockError(
            f"fault {text!r} cannot be read; write {name}{row.form}, where n and value are numbers"
        )
    if (match[2] and row.takes not in ("n", "both")) or (
        match[3] and row.takes not in ("value", "both")
    ):
        raise MockError(f"fault {text!r} takes no such argument; write {name}{row.form}")
    value = float(match[3]) if match[3] else row.value
    low, high = row.span
    if not low <= value <= high:
        raise MockError(f"fault {text!r}: the value must be from {low:g} to {high:.0f}")
    return Fault(name, int(match[2]) if match[2] else 1, value)


def spoil(steps: Steps, faults: Sequence[Fault], stage: Stage) -> Iterator[Step]:
    """The script with these faults in it."""
    spoilt = iter(steps)
    for fault in faults:
        spoilt = FAULTS[fault.name].damage(spoilt, fault, stage)
    return spoilt

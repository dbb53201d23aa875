"""A target's rules on the body that goes up, in the vendor's own form. For upstream halves, whether
they built the body or got it from a client of their own dialect.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any

from proxy.codec.rules import Rules
from proxy.events import Note


def keep_to(rules: Rules, body: MutableMapping[str, Any], notes: list[Note], upstream: str) -> None:
    """Leave out of the body, or of one object in it, what the target refuses and what the operator
    does not let through to this upstream.
    """
    for name in rules.refuse:
        if body.pop(name, None) is not None:
            said = f"{name} is left out: the configuration does not let it through to {upstream}."
            notes.append(Note("dropped", "refuse", said))
    for name in rules.refused:
        if body.pop(name, None) is not None:
            said = f"{name} is left out: this model refuses it."
            notes.append(Note("dropped", "refused", said))
    if rules.only:
        for name in [name for name in body if name not in rules.only]:
            if body.pop(name) is not None:
                said = f"{name[:40]} is left out: {upstream} refuses what it does not know."
                notes.append(Note("dropped", "refused", said))
    for group in rules.at_most_one:
        _one_of(group, body, notes)


def _one_of(group: Iterable[str], body: MutableMapping[str, Any], notes: list[Note]) -> None:
    said = [name for name in group if body.get(name) is not None]
    for name in said[1:]:
        del body[name]
        why = f"{name} is left out: this model takes {said[0]} or {name}, not both."
        notes.append(Note("dropped", "at_most_one", why))

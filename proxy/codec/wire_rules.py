"""A target's rules on the body that goes up, in the vendor's own form. For upstream halves, whether
they built the body or got it from a client of their own dialect.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any

from proxy.codec.note_once import note_once
from proxy.codec.rules import Names, Rules
from proxy.events import Note

_NAMES_OF_USERS = ("user", "safety_identifier", "prompt_cache_key")


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
    for name in rules.refused_beyond:
        if name in body and rules.is_beyond(name) and body.pop(name) is not None:
            said = f"{name} is left out: {upstream} refuses what only other servers know."
            notes.append(Note("dropped", "refused", said))
    if rules.only:
        for name in [name for name in body if name not in rules.only]:
            if body.pop(name) is not None:
                said = f"{name[:40]} is left out: {upstream} refuses what it does not know."
                notes.append(Note("dropped", "refused", said))
    for group in rules.at_most_one:
        _one_of(group, body, notes)


def keep_to_thinking(
    rules: Rules, effort: Any, body: MutableMapping[str, Any], notes: list[Note]
) -> None:
    """Leave out of the body what the target refuses while it thinks. `effort` is the vendor's word
    in the body for how much it is to; None: nothing was said, so it does what it does by default.
    """
    thinks = rules.thinks_by_default is True if effort is None else effort != "none"
    for name in rules.refused_thinking if thinks else ():
        if body.pop(name, None) is not None:
            said = f"{name} is left out: this model refuses it while it thinks."
            notes.append(Note("dropped", "refused", said))


def at_most(
    body: MutableMapping[str, Any], name: str, most: float | None, notes: list[Note]
) -> None:
    """A number of the body within what the target takes. None: that is not known."""
    value = body.get(name)
    if most is not None and isinstance(value, int | float) and value > most:
        said = f"The upstream takes {name} up to {most}; that was sent."
        note_once(notes, Note("changed", name, said))
        body[name] = most


def few_stops(body: MutableMapping[str, Any], name: str, rules: Rules, notes: list[Note]) -> None:
    """No more stop sequences than the target takes; they stand under `name`."""
    stop, most = body.get(name), rules.stop_most
    if most is not None and isinstance(stop, list) and len(stop) > most:
        note_once(notes, Note("dropped", name, f"The upstream takes {most} stop sequences."))
        body[name] = stop[:most]


def short_names(body: MutableMapping[str, Any], rules: Rules, notes: list[Note]) -> None:
    """What OpenAI bounds in length: names of a user, and of what shares a cache."""
    if rules.user_chars is None:
        return
    for name in _NAMES_OF_USERS:
        said = body.get(name)
        if isinstance(said, str) and len(said) > rules.user_chars:
            body[name] = Names(chars="a-zA-Z0-9_-", most=rules.user_chars).fitted(said)
            why = f"The upstream takes {name} of {rules.user_chars} characters; a digest was sent."
            note_once(notes, Note("changed", name, why))


def _one_of(group: Iterable[str], body: MutableMapping[str, Any], notes: list[Note]) -> None:
    said = [name for name in group if body.get(name) is not None]
    for name in said[1:]:
        del body[name]
        why = f"{name} is left out: this model takes {said[0]} or {name}, not both."
        notes.append(Note("dropped", "at_most_one", why))

"""The events that tell no more than an id. They are no sign that an answer comes."""

from proxy.events import Event, Vendor

_MOST_WAITING = 4  # each is at most an event long


def without_ids(events: list[Event]) -> tuple[list[Event], list[Event]]:
    """The events without the ids at their end, and those ids, the last four at most: they wait for
    the event that they belong to.
    """
    at = len(events)
    while len(events) - at < _MOST_WAITING and at > 0 and _is_id(events[at - 1]):
        at -= 1
    return events[:at], events[at:]


def _is_id(event: Event) -> bool:
    """Whether an event tells an id, and no more."""
    if not isinstance(event, Vendor):
        return False
    inner = event.data.get("item") or event.data.get("response")
    return isinstance(inner, dict) and not inner.keys() - {"id", "type"}

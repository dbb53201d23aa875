"""What a message says of itself beside its content: why it stopped, what it counted, and what only
this vendor says.
"""

from typing import Any

import msgspec

from proxy.codec.json_depth import shallow
from proxy.dialects.anthropic import usage as counts
from proxy.dialects.anthropic import wire
from proxy.events import NO_USAGE, Event, UsageEvent, Vendor

# What a message_delta says beside the stop reason goes to the client as the vendor's own, when it
# says anything.
_STOP_EXTRAS = ("stop_sequence", "stop_details", "container", "diagnostics")


class Summary:
    """`stop` is the vendor's stop reason, once it was said; `usage` is what was counted so far."""

    stop: str | None = None
    usage = NO_USAGE

    def __init__(self) -> None:
        self._counts: dict[str, Any] = {}
        self._extras: dict[str, Any] = {}

    @property
    def counted_beside(self) -> dict[str, Any]:
        """What was counted that `usage` has no place for."""
        return counts.extras(self._counts)

    def delta(self, message: wire.MessageDelta, out: list[Event]) -> None:
        """The message changed. A usage that differs becomes an event."""
        self.stopped(message.delta or {})
        if message.context_management and any(message.context_management.values()):
            self._extras["context_management"] = message.context_management
        self.count(message.usage, out)

    def stopped(self, delta: dict[str, Any]) -> None:
        """The part of a message, or of its delta, that says why it stopped."""
        reason = delta.get("stop_reason")
        if reason and isinstance(reason, str):
            self.stop = reason
        for key in filter(delta.get, _STOP_EXTRAS):
            self._extras[key] = delta[key]

    def count(self, said: Any, out: list[Event]) -> None:
        """A usage as the vendor says it. If it differs from the last, it becomes an event."""
        if not isinstance(said, dict):
            return
        counts.merge(self._counts, said)
        usage = counts.normalised(self._counts)
        if usage != self.usage:
            self.usage = usage
            out.append(UsageEvent(*msgspec.structs.astuple(usage)))

    def tell(self, out: list[Event]) -> None:
        """At the end: what only this vendor says, if it said anything."""
        more = self.counted_beside
        if more or self._extras:
            said = {"type": wire.MESSAGE_DELTA, "delta": self._extras, "usage": more}
            out.append(Vendor(wire.NAME, shallow(said)))

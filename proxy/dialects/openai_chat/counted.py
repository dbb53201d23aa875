"""What an upstream counted of one answer."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from proxy.codec.counts import takes_back
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import loads
from proxy.codec.openai.usage import read_usage, usage_extras
from proxy.dialects.openai_chat.wire import QUIET
from proxy.events import NO_USAGE, Event, UsageEvent


class Counted:
    """The usage so far. `times`: how often it changed; `extras`: what only this vendor counts."""

    usage = NO_USAGE
    times = 0
    extras: Mapping[str, Any] | None = None
    _raw: Raw | None = None  # the last that was read

    def read(self, out: list[Event], raw: Raw) -> None:
        """A usage as it came, which many repeat in each chunk."""
        if raw in QUIET or raw == self._raw:
            return
        self._raw = raw
        said = loads(raw)
        if isinstance(said, dict):
            self.take(out, said)

    def take(self, out: list[Event], said: dict[str, Any]) -> None:
        """A usage as an object."""
        usage = read_usage(said)
        self.extras = shallow(usage_extras(said))
        if usage not in (self.usage, NO_USAGE) and not takes_back(usage, self.usage):
            self.usage = usage
            self.times += 1
            out.append(UsageEvent(*msgspec.structs.astuple(usage)))

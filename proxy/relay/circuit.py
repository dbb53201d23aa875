"""When to stop asking an upstream that fails, and how many retries it may be sent. Plain state;
`now` is the caller's monotonic clock.

A circuit breaker after Nygard's "Release It!": closed, requests go through; after `failures` in a
row it is open for `open_s`, and nothing is sent; then half open, and one request is let through to
try. Its success closes the circuit, its failure opens it again.
"""

from collections.abc import Callable

from proxy.errors import Failure, Kind
from proxy.settings.sections import Breaker

# What says that the upstream is unwell. A 400 says that it is well; a 429 that it is, and that we
# are too many.
UNWELL: frozenset[Kind] = frozenset(
    {
        "connect_failed",
        "connect_timeout",
        "first_event_timeout",
        "idle_timeout",
        "overloaded",
        "upstream_status",
        "upstream_error",
        "upstream_malformed",
        "upstream_truncated",
    }
)


def unwell(why: Failure) -> bool:
    """Whether a failure before commit speaks against the upstream. A 401 or 403 does not: it speaks
    of our key.
    """
    return why.kind in UNWELL and not 400 <= why.status < 500


class Circuit:
    """The breaker of one upstream. `changed` is told whenever it opens (True) or closes (False)."""

    __slots__ = ("_changed", "_failed", "_open_until", "_trying", "rules")

    def __init__(self, rules: Breaker, changed: Callable[[bool], None]) -> None:
        self.rules = rules
        self._changed = changed
        self._failed = 0  # in a row
        self._open_until: float | None = None
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Open or half open."""
        return self._open_until is not None

    def wait_s(self, now: float) -> float | None:
        """How long until a request may be sent; None: at once. While one tries, the others wait for
        what becomes of it.
        """
        if self._open_until is None:
            return None
        if now >= self._open_until and not self._trying:
            return None
        return max(self._open_until - now, 1.0)

    def sent(self) -> None:
        """A request goes up. One of `succeeded`, `failed` and `left` must follow."""
        if self._open_until is not None:
            self._trying = True

    def succeeded(self) -> None:
        """It was answered, or refused for a reason of its own."""
        self._failed, self._trying = 0, False
        if self._open_until is not None:
            self._open_until = None
            self._changed(False)

    def failed(self, now: float) -> None:
        self._failed += 1
        self._trying = False
        if self.rules.failures and self._failed >= self.rules.failures:
            if self._open_until is None:
                self._changed(True)
            self._open_until = now + self.rules.open_s

    def left(self) -> None:
        """Nobody waited for what would become of it."""
        self._trying = False


class Budget:
    """How many retries and hedges may be sent: a share of the requests, so that a failing upstream
    is not asked twice as often by all.

    Each request adds `share` of a token, up to `_MOST`, and each retry takes a whole one. It begins
    with `_FIRST`, so that a quiet proxy may retry too.
    """

    _MOST = 10.0
    _FIRST = 3.0

    __slots__ = ("_tokens", "share")

    def __init__(self, share: float) -> None:
        self.share = share
        self._tokens = self._FIRST if share else 0.0

    def asked(self) -> None:
        self._tokens = min(self._tokens + self.share, self._MOST)

    def take(self) -> bool:
        """Whether one more may be sent."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

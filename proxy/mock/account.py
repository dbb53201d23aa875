"""What the mock was asked and what became of it: the last requests, newest first, for people and
for tests.

Kept in memory and bounded, as everything that a client sends is: 2,000 requests, of at most 64 KiB
of body each and 12.5 MiB together, heads included.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

MAX_ENTRIES = 2_000
MAX_BODY_BYTES = 65_536
MAX_KEPT_BYTES = 200 * MAX_BODY_BYTES
_SECRETS = ("auth", "key", "cookie", "token", "secret", "password", "credential")
_PLAIN = ("x-mock-",)  # our own headers, whose names may hold such a word

# complete: played to its end · closed, cut: as the script or the fault says · client_gone: it hung
# up · stopped: the mock was stopped failed: a defect of ours
Ended = Literal["complete", "closed", "cut", "client_gone", "stopped", "failed"]


class Entry(msgspec.Struct, kw_only=True):
    """One request. `time` is in unix seconds, `gone_after_ms` is counted from when the request was
    read.

    `frames_sent` counts pieces of the answer, as in cut@n. `open`: it is still being answered.
    """

    id: str
    time: float
    dialect: str
    upstream: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_body: bytes
    scenario: str = ""
    fault: str | None = None
    status: int | None = None
    bytes_sent: int = 0
    frames_sent: int = 0
    ended: Ended | None = None
    gone_after_ms: float | None = None

    @property
    def size(self) -> int:
        """Bytes that it keeps of what was sent, or about."""
        pairs = (*self.headers.items(), *self.query.items())
        return (
            len(self.raw_body) + len(self.path) + sum(len(name) + len(text) for name, text in pairs)
        )

    def view(self) -> dict[str, Any]:
        """As JSON shows it: the body read, secrets left out."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__ if name != "raw_body"}
        shown |= {
            "query": redacted(self.query),
            "headers": redacted(self.headers),
            "body": _body(self.raw_body),
            "open": self.ended is None,
        }
        return shown


class Account:
    """The last requests. `kept_bytes` of what was sent are kept."""

    def __init__(self) -> None:
        self._entries: deque[tuple[Entry, int]] = deque()  # with what each keeps
        self.kept_bytes = 0
        self._count = 0

    def next_id(self) -> str:
        self._count += 1
        return f"mock-{self._count}"

    def add(self, entry: Entry) -> None:
        self._entries.append((entry, entry.size))
        self.kept_bytes += entry.size
        while self.kept_bytes > MAX_KEPT_BYTES or len(self._entries) > MAX_ENTRIES:
            _, size = self._entries.popleft()
            self.kept_bytes -= size

    def clear(self) -> None:
        self._entries.clear()
        self.kept_bytes = 0

    def newest(self, limit: int = MAX_ENTRIES) -> list[dict[str, Any]]:
        """The newest `limit` requests, newest first."""
        newest = list(self._entries)[::-1]
        return [entry.view() for entry, _ in newest[:limit]]


def bounded(body: bytes) -> bytes:
    """As much of a body as is kept."""
    return body if len(body) <= MAX_BODY_BYTES else body[:MAX_BODY_BYTES]


def redacted(pairs: Mapping[str, str]) -> dict[str, str]:
    """Headers or query parameters, where those that carry a secret show only that they do."""
    return {
        name: f"redacted ({len(value)} characters)" if _secret(name.lower()) else value
        for name, value in pairs.items()
    }


def _secret(name: str) -> bool:
    return not name.startswith(_PLAIN) and any(word in name for word in _SECRETS)


def _body(raw: bytes) -> Any:
    """The JSON value, or the text where it is none (or was cut)."""
    if not raw:
        return None
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):  # msgspec's own errors and bad UTF-8
        return raw.decode(errors="replace")

"""Which recording answers a request: the first rule that finds one decides.

exact  the body is the recorded one, but for masked fields and the order of keys
model  the model is the recorded one
order  whichever comes next

In each case method and path are the recorded ones (the path may begin with more), and a request for
a stream gets none that was recorded for a document. What fits equally well is played in turn, in
the order of the files, and then again from the first.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from proxy.recording.tape import Recording
from proxy.recording.veil import is_mask

Match = Literal["nearest", "exact", "model", "order"]
MATCHES: tuple[Match, ...] = ("nearest", "exact", "model", "order")
Rule = Literal["exact", "model", "order"]
_RULES: tuple[Rule, ...] = ("exact", "model", "order")
# dialects whose vendor streams where the request does not say
_STREAMS_UNASKED = ("ollama",)


class Titled(NamedTuple):
    """A recording and the name of its file."""

    title: str
    recording: Recording


class Found(NamedTuple):
    """The recording to play, and the rule by which it was found."""

    titled: Titled
    rule: Rule


class Shelf:
    """Recordings, and whose turn it is. `recordings` are in the order in which they are played."""

    def __init__(self, recordings: Sequence[Titled]) -> None:
        self.recordings = tuple(recordings)
        self._turns: dict[tuple[int, ...], int] = {}

    def find(self, method: str, path: str, body: bytes, match: Match = "nearest") -> Found | None:
        """The recording for this request. `path` has no query."""
        asked = _json(body)
        fits = [
            number
            for number, (_, recording) in enumerate(self.recordings)
            if _fits(recording, method, path, asked)
        ]
        for rule in _RULES if match == "nearest" else (match,):
            among = tuple(
                number for number in fits if _obeys(rule, self.recordings[number].recording, asked)
            )
            if among:
                turn = self._turns.get(among, 0)
                self._turns[among] = turn + 1
                return Found(self.recordings[among[turn % len(among)]], rule)
        return None

    @property
    def paths(self) -> list[str]:
        """What was asked: each method and path once."""
        asked = (titled.recording.request for titled in self.recordings)
        return list(dict.fromkeys(f"{each.method} {each.path}" for each in asked))


def _fits(recording: Recording, method: str, path: str, asked: Any) -> bool:
    recorded = recording.request
    return (
        recorded.method == method
        and path.rstrip("/").endswith(recorded.path.rstrip("/"))
        # what is not kept may have been either
        and (
            recorded.body is None
            or _streams(recorded.body, recording.dialect) is _streams(asked, recording.dialect)
        )
    )


def _streams(body: Any, dialect: str) -> bool:
    unsaid = dialect in _STREAMS_UNASKED
    return isinstance(body, dict) and body.get("stream", unsaid) is True


def _obeys(rule: Rule, recording: Recording, asked: Any) -> bool:
    if rule == "exact":
        return asked is not None and _same(recording.request.body, asked, recording.masked)
    if rule == "model":
        model = asked.get("model") if isinstance(asked, dict) else None
        # elsewhere the path names it
        return model is None or model == recording.model
    return True


def _same(recorded: Any, asked: Any, masked: tuple[str, ...]) -> bool:
    """Whether two JSON values are the same where nothing is hidden."""
    if is_mask(recorded):
        return True
    if isinstance(recorded, dict) and isinstance(asked, dict):
        names = {*recorded, *asked} - {*masked}
        return all(
            name in recorded and name in asked and _same(recorded[name], asked[name], masked)
            for name in names
        )
    if isinstance(recorded, list) and isinstance(asked, list):
        return len(recorded) == len(asked) and all(
            _same(one, other, masked) for one, other in zip(recorded, asked, strict=True)
        )
    return isinstance(recorded, bool) is isinstance(asked, bool) and bool(recorded == asked)


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):  # msgspec's own errors and bad UTF-8
        return None

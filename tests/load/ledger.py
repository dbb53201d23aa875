"""The three accounts of a soak, the clients', the proxy's and the upstream's, and whether they
agree."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tests.load.errands import (
    CLIENTS,
    CONTINUED,
    DEAD,
    FRAGILE,
    HEDGED,
    NARROW,
    STUCK,
    Errand,
    targets_of,
)
from tests.load.manners import Row
from tests.load.plays import PLAYS
from tests.load.scripts import Asked

_SHOWN = 3  # offenders in a verdict
_LEAVERS = frozenset({"leave_midway", "leave_early", "stop_reading", "resume"})
_BY_PLACE: Mapping[str, frozenset[str]] = {
    DEAD: frozenset({"connect_failed"}),
    # both deadlines pass where the machine stands still for as long as lies between them
    STUCK: frozenset({"connect_timeout", "first_event_timeout"}),
}
_BY_MANNER: Mapping[str, frozenset[str]] = {
    "bad_body": frozenset({"bad_request"}),
    "large_body": frozenset({"too_large"}),
    "wrong_key": frozenset({"unauthorized"}),
    "unknown_model": frozenset({"model_not_found"}),
    "come_back": frozenset({""}),  # a 204, and no stream
    "along": frozenset({""}),  # the stream is another request's
    "cut_body": frozenset({"client_gone"}),
}


class Verdict(NamedTuple):
    """One thing that must hold. `said` has the numbers, `wrong` each request that it does not hold
    for."""

    name: str
    holds: bool
    said: str
    wrong: tuple[str, ...] = ()


class Line(NamedTuple):
    """What the proxy's log says of one request. `outcome` "" where there was no stream."""

    dialect: str
    upstream: str
    model: str
    status: int
    outcome: str


def deciding(errand: Errand) -> list[tuple[str, str]]:
    """The targets that may decide how the answer ends: the dialect and the play of each, or DEAD,
    or STUCK, twice."""
    special, dialects = targets_of(errand.model)
    targets = [
        (name, name if name in (DEAD, STUCK) else play)
        for name, play in zip(dialects, errand.asked.plays, strict=False)
    ]
    if len(targets) == 1 or special in (HEDGED, CONTINUED):
        return targets
    name, play = targets[0]
    return [targets[1]] if name in (DEAD, STUCK) or PLAYS[play].moves else [targets[0]]


def _ends(dialect: str, play: str) -> frozenset[str]:
    if play in _BY_PLACE:
        return _BY_PLACE[play]
    # whose answer ends with its body, and no sooner
    if play == "no_end_of_body" and dialect == "gemini":
        return frozenset({"idle_timeout"})
    return PLAYS[play].outcomes


def allowed(errand: Errand) -> frozenset[str]:
    """How this request may end."""
    fixed = _BY_MANNER.get(errand.manner)
    if fixed is not None:
        return fixed
    ends = frozenset[str]().union(*(_ends(*target) for target in deciding(errand)))
    if errand.manner in _LEAVERS:
        ends |= {"client_gone"}
    if errand.manner == "stop_reading" and errand.policy == "finish":
        # a stream that is kept goes on at its own pace, which has no end here
        ends |= {"total_timeout"}
    if errand.manner == "crowd_in":
        ends |= {"rate_limited"}
    if targets_of(errand.model)[0] in (FRAGILE, NARROW):
        ends |= {"overloaded"}
    return ends


def whole_text(errand: Errand, row: Row) -> bool:
    """Whether the pieces are those that the upstream sent: all, once, in order. Some dialects say
    the whole text again at the end, and some documents say it twice.
    """
    # the second upstream begins anew, whatever it was told
    if targets_of(errand.model)[0] == CONTINUED:
        return True
    sizes = [PLAYS[play].whole for _, play in deciding(errand) if play in PLAYS]
    return any(
        _is_whole(
            row.pieces,
            size or errand.asked.pieces,
            CLIENTS[errand.dialect].repeats or errand.document,
        )
        for size in sizes
    )


def _is_whole(pieces: list[int], size: int, repeats: bool) -> bool:
    want = list(range(size))
    return pieces == want or (repeats and pieces[:size] == want and len(pieces) % size == 0)


def ended_alike(errand: Errand, row: Row, line: Line) -> bool:
    """Whether the client saw what the proxy wrote down: no failure looks like a success, nor the
    other way round."""
    if row.ended == "left":
        return row.status in (0, line.status)
    if row.ended == "cut":
        return errand.manner == "stop_reading"  # it is cut, and the answer may go on without it
    if row.status != line.status:
        return False
    if errand.manner == "along":
        return row.ended in ("complete", "failed", "refused")
    if line.outcome == "completed":
        return row.ended in ("complete", "document")
    return row.ended == ("failed" if line.status == 200 else "refused")


class Ledger:
    """Everything is added as it comes; `verdicts` is for the end."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.outcomes: Counter[str] = Counter()
        self.requests = 0  # of the clients
        self.unseen = 0  # left before the proxy had read the request
        self.logged = 0
        self.twice = 0  # streams of which a second reader, or a client that came back, had the end
        self._labels: Counter[tuple[str, str, str, str]] = Counter()
        self._wrong: dict[str, list[str]] = {}
        self._pending: list[tuple[Errand, Row]] = []

    def log(self, text: str) -> None:
        """One line of the proxy's log."""
        try:
            said = json.loads(text)
        except ValueError:
            self._offend("log", text)
            return
        if said["level"] in ("error", "critical") or "exception" in said:
            self._offend("log", text)
        if said["event"] == "stream":
            self._log_stream(said)

    def _log_stream(self, said: Mapping[str, Any]) -> None:
        name = said["request_id"]
        self.logged += 1
        if name in self.lines:
            self._offend("accounted", f"{name} was logged twice")
        line = Line(
            said["client_dialect"],
            said.get("upstream", "none"),
            said.get("model", ""),
            said["status"],
            said.get("outcome", ""),
        )
        self.lines[name] = line
        if line.outcome:
            self.outcomes[line.outcome] += 1
            self._labels[line.dialect, line.upstream, line.outcome, str(line.status)] += 1
        if line.outcome == "internal":
            self._offend("internal", name)

    def row(self, errand: Errand, row: Row) -> None:
        """One request, as its client saw it. The proxy's line may come later."""
        if errand.manner == "not_http":
            return
        if row.along is not None:
            self.row(errand.along(), row.along)
        self.requests += 1
        if row.ended == "hung":
            self._offend("hung", _described(errand, row))
        self._pending.append((errand, row))

    def settle(self) -> None:
        """Compare what both sides have by now; what is compared is forgotten."""
        waiting = []
        for errand, row in self._pending:
            line = self.lines.get(errand.asked.id)
            if line is None:
                waiting.append((errand, row))
            else:
                self._compare(errand, row, line)
        self._pending = waiting

    def _compare(self, errand: Errand, row: Row, line: Line) -> None:
        if line.outcome not in allowed(errand):
            self._offend(
                "outcomes", f"{_described(errand, row)} ended as {line.outcome or 'nothing'}"
            )
        if not ended_alike(errand, row, line):
            self._offend(
                "seen alike", f"{_described(errand, row)}, in the log {line.status} {line.outcome}"
            )
        self.twice += errand.manner == "along" and row.ended == "complete"
        if row.ended in ("complete", "document") and not whole_text(errand, row):
            self._offend("text", f"{_described(errand, row)}: {row.pieces[:50]}")

    def _offend(self, verdict: str, said: str) -> None:
        self._wrong.setdefault(verdict, []).append(said[:600])

    def verdicts(self, upstream_saw: Iterable[str], metrics: Mapping[str, Any]) -> list[Verdict]:
        """At the end, when everything has come. `metrics`: see `tests.load.watch.samples`."""
        self.settle()
        seen = set(upstream_saw)
        for errand, row in self._pending:
            self.unseen += 1
            if row.status or row.ended != "left" or errand.asked.id in seen:
                self._offend("accounted", f"{_described(errand, row)} has no line in the log")
        for name in seen - set(self.lines):
            self._offend("accounted", f"{name} reached the upstream and has no line in the log")
        self._check_metrics(metrics)
        streams = sum(self.outcomes.values())
        return [
            self._verdict(
                "accounted",
                f"{self.requests} requests, {self.logged} lines, {self.unseen} left before they were read",
            ),
            self._verdict("metrics", f"{streams} streams by label, {self.logged} requests"),
            self._verdict("outcomes", f"{streams} streams ended as their play allows"),
            self._verdict("seen alike", "clients saw the status and the ending that the log has"),
            self._verdict(
                "text",
                f"{self.outcomes['completed']} completed streams, {self.twice} of them read twice or gone on with: every piece once and in order, where it was read",
            ),
            self._verdict("hung", "no request outlived all timeouts"),
            self._verdict("internal", "no stream ended by a defect of the proxy's"),
            self._verdict("log", "no error, no traceback, nothing but JSON"),
        ]

    def _check_metrics(self, metrics: Mapping[str, Any]) -> None:
        counted: Counter[tuple[str, ...]] = Counter()
        for labels, value in metrics["mainstem_streams_total"]:
            counted[labels["client_dialect"], labels["upstream"], labels["outcome"]] += int(value)
        logged: Counter[tuple[str, ...]] = Counter()
        for (dialect, upstream, outcome, _), count in self._labels.items():
            logged[dialect, upstream, outcome] += count
        for labels in counted.keys() | logged.keys():
            if counted[labels] != logged[labels]:
                self._offend(
                    "metrics", f"{labels}: {counted[labels]} counted, {logged[labels]} logged"
                )
        requests = sum(int(value) for _, value in metrics["mainstem_requests_total"])
        if requests != self.logged:
            self._offend("metrics", f"{requests} requests counted, {self.logged} logged")

    def _verdict(self, name: str, said: str) -> Verdict:
        wrong = self._wrong.get(name, [])
        more = f"; {len(wrong)} not so: {' | '.join(wrong[:_SHOWN])}" if wrong else ""
        return Verdict(name, not wrong, said + more, tuple(wrong))


def _described(errand: Errand, row: Row) -> str:
    asked = errand.asked
    how = f"{errand.manner} {errand.dialect} > {errand.model} ({asked.plays[0]}, {asked.plays[1]}, {asked.pieces} pieces, {errand.policy})"
    return f"{asked.id}: {how} saw {row.status} {row.ended}"


def read_row(text: str) -> tuple[Errand, Row] | None:
    """A line that the clients' process printed; None: it is the last one."""
    said = json.loads(text)
    if said == "done":
        return None
    (name, pieces, gap, plays), *rest = said[0]
    row = Row(**said[1])
    if row.along is not None:
        row.along = Row(**said[1]["along"])
    return Errand(Asked(name, pieces, gap, tuple(plays)), *rest), row

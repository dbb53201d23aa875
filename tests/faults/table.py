"""The table as a page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from proxy.errors import KINDS, Kind
from proxy.relay.ending import ENDINGS, End, Told
from proxy.settings.sections import OnDisconnect
from tests.faults.clients import PATHS
from tests.faults.faults import FAULTS, MOMENTS, SECTIONS, Fault, Moment, Outcome, Unlike, outcome
from tests.faults.kinds import CLIENTS_OWN, MEANINGS
from tests.pages import wrapped
from tests.samples import SAMPLES

PAGE = Path(__file__).parents[2] / "docs" / "FAULTS.md"
HEAD = """# What happens when

What a client gets, what the metrics and the log say and where the request goes next, for everything that an upstream can do wrong. Made by `python -m tests.faults --write` from the table in `tests/faults/faults.py`. `tests/faults/test_matrix.py` plays every row of it on a real socket: {dialects} upstream dialects, before and after commit, seen by clients of {clients}, with another target and without: {cells} cells. It fails if one ends in another way than it stands here.

**Commit** is the moment when the first byte of the answer goes to the client: with the first content, or a complete end.

- *Before commit* a failure is an HTTP status, with an error in the client's own dialect. If the kind says so, and the model has another target, that is asked instead, and the client learns of nothing. Where a client that streams has waited for `streams.early_s` (10 s), it has its 200 and heartbeats: other targets are asked all the same, and what fails in the end is told in the stream.
- *After commit* it is exactly one error within the stream, in the client's dialect, as its last frame; then the body ends as HTTP has it. There is no `[DONE]`, no finish reason and no count that the vendor did not give. No other target is asked, unless the model has `continue_after_commit`.
  - `native`: `stream.error`, whose `error` has the `kind`, and `retryable`.
  - `openai_chat`: `data: {{"error": {{...}}}}`, whose `code` is the kind, or the vendor's own word for the error.
  - `anthropic`: `event: error`, whose `type` is `timeout_error` for the four timeouts, else `api_error`, or the vendor's own.
- Either way the *outcome* is the kind: the label of `mainstem_streams_total` and the field of the stream's one log line. A move to another target stands in `mainstem_fallbacks_total` and in that line. The upstream's connection is closed, or given back if its answer was complete.

This is without `retry`, `hedge_after_s` and an open circuit (`breaker`), which only ever act before commit.
"""
BY_OUTCOME = """## From the outcome to the cause

Begin here with what the metric, the log or the client says. *Next*: whether the next target of the model is asked before commit. *Again*: whether the client is told that the same request may succeed later (`retryable`).
"""


ENDINGS_HEAD = """## How the outcome is decided

From what stands in the stream's log at its end, what became of its reader and `on_disconnect`; the first row that fits counts. The table is `proxy/relay/ending.py`: nothing else decides it. The status is that of the answer's head, or 499 where the client left before it.
"""
READINGS = {
    "refused": "the request was refused with an error",
    "unasked": "it asked for no stream (204)",
    "whole": "it has everything, or was told why not",
    "withheld": "its dialect could not take back what the upstream took back",
    "left": "it left, or was cut because it took nothing",
    "broken": "serving it failed by a defect of this proxy",
}
ENDS = {"none": "no end", "complete": "complete", "failed": "an error"}


def page() -> str:
    """The whole file."""
    cells = sum(
        outcome(fault, dialect, moment) is not None
        for fault in FAULTS.values()
        for dialect in SAMPLES
        for moment in MOMENTS
    )
    many = cells * len(PATHS) * 2
    parts = [
        HEAD.format(dialects=len(SAMPLES), clients=_listed(PATHS), cells=f"{many:,}"),
        BY_OUTCOME,
        _kinds(),
        ENDINGS_HEAD,
        _endings(),
    ]
    parts += [
        "## From the fault to what comes of it\n",
        "*Before*, *After*: what the client gets, by the moment of the fault; – where it cannot be. *Again*: before commit, then after it, if they differ.\n",
    ]
    parts += [_section(title, faults) for title, faults in SECTIONS.items()]
    return wrapped("\n".join(parts))


def _table(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _listed(names: Iterator[str] | Mapping[str, object] | tuple[str, ...]) -> str:
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def _kinds() -> str:
    rows = []
    for kind in get_args(Kind):
        if kind not in CLIENTS_OWN:
            row = KINDS[kind]
            causes = ", ".join(
                name for name, fault in FAULTS.items() if kind in (fault.before, fault.after)
            )
            rows.append(
                [
                    f"`{kind}`",
                    _status(kind, row.status),
                    _yes(row.next_target),
                    _yes(row.retryable),
                    *MEANINGS[kind],
                    causes,
                ]
            )
    said = _table(
        ["Outcome", "Status", "Next", "Again", "What it means", "Look first", "Faults below"], rows
    )
    own = "\n".join(
        f"- `{kind}` ({KINDS[kind].status}): {said}" for kind, said in CLIENTS_OWN.items()
    )
    return f"{said}\nThese are no upstream's fault:\n\n{own}\n"


def _endings() -> str:
    def any_or(said: tuple[str, ...], every: tuple[str, ...], words: Mapping[str, str]) -> str:
        return "any" if said == every else ", ".join(words.get(word, f"`{word}`") for word in said)

    rows = [
        [
            any_or(row.ends, get_args(End), ENDS),
            READINGS[row.reading],
            any_or(row.policies, get_args(OnDisconnect), {}),
            row.outcome if row.outcome in get_args(Told) else f"`{row.outcome}`",
        ]
        for row in ENDINGS
    ]
    return _table(["The log's end", "The reader", "`on_disconnect`", "Outcome"], rows)


def _section(title: str, faults: Mapping[str, Fault]) -> str:
    body = [
        [f"**{name}**", fault.says, _early(fault), _next(fault), _late(fault.after), _again(fault)]
        for name, fault in faults.items()
    ]
    said = _table(["Fault", "What happens", "Before", "Next", "After", "Again"], body)
    notes = [
        f"- **{name}**, {_exception(unlike, fault)}"
        for name, fault in faults.items()
        for unlike in fault.unlike
    ]
    return f"### {title}\n\n{said}" + (f"\nExceptions:\n\n{chr(10).join(notes)}\n" if notes else "")


def _failed(kind: Outcome | None) -> Kind | None:
    return None if kind == "completed" else kind


def _early(fault: Fault) -> str:
    kind = _failed(fault.before)
    if kind is None:
        return _late(fault.before)
    advice = (
        " with `Retry-After`"
        if fault.retry_after_s is not None
        else " or the vendor's own 4xx"
        if fault.vendors_word
        else ""
    )
    return f"{_status(kind, fault.status or KINDS[kind].status)}{advice}, `{kind}`"


def _late(kind: Outcome | None) -> str:
    return (
        "–" if kind is None else "the whole answer" if kind == "completed" else f"in band, `{kind}`"
    )


def _next(fault: Fault) -> str:
    kind = _failed(fault.before)
    return "–" if kind is None else _yes(KINDS[kind].next_target)


def _again(fault: Fault) -> str:
    """By moment, where they differ."""
    kinds = [kind for kind in map(_failed, (fault.before, fault.after)) if kind is not None]
    if fault.vendors_word:
        return "as the vendor says"
    said = [
        _yes(KINDS[kind].retryable if fault.retryable is None else fault.retryable)
        for kind in kinds
    ]
    return "–" if not said else ", then ".join(dict.fromkeys(said))


def _status(kind: Outcome, status: int) -> str:
    return f"{status} (529 to `anthropic`)" if kind == "overloaded" else str(status)


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def _exception(unlike: Unlike, fault: Fault) -> str:
    changed: dict[Moment, tuple[Outcome | None, Outcome | None]] = {
        "before": (fault.before, unlike.before),
        "after": (fault.after, unlike.after),
    }
    said = [f"{moment}: {_end(now)}" for moment, (usual, now) in changed.items() if usual != now]
    return f"{_listed(unlike.dialects)}: {'; '.join(said)}, as {unlike.why}."


def _end(kind: Outcome | None) -> str:
    return "it cannot be" if kind is None else f"`{kind}`"

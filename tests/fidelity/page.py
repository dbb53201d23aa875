"""The tables as a page."""

from pathlib import Path

from proxy.dialects.registry import CLIENTS
from tests.fidelity.answers import PARTS, streamed, whole
from tests.fidelity.table import CARRIED, CHANGED, DROPPED, PROBES, REFUSED, Fate, rows
from tests.fidelity.within import DOCUMENTED, fields, parameters
from tests.pages import wrapped

PAGE = Path(__file__).parents[2] / "docs" / "FIDELITY.md"
SIGNS = {CARRIED: "●", CHANGED: "◐", DROPPED: "○", REFUSED: "✕"}
PART_NAMES = {
    "reasoning": "reasoning",
    "tool_call": "calls of tools",
    "citation": "sources",
    "image": "pictures",
}
HEAD = """# Fidelity

What a request keeps on its way from each client dialect to each upstream dialect. Made by `python -m tests.fidelity --write` from what the code does with a probe for each feature; a test holds it current, and fails if a feature ever vanished without a note.

● carried · ◐ said differently, with a note · ○ dropped, with a note · ✕ refused with a 400. A note stands in `stream.start`, in the header `x-mainstem-notes` and in the metric `mainstem_notes_total`; with `on_loss: refuse` it is a 400 that names the parameter.
"""

WITHIN = """Where a client speaks its upstream's own dialect, its request goes up as it wrote it, unknown keys among the rest, and what the vendor says beyond our events comes back in its place. Each parameter and each field that the vendor's SDK for Python documents was tried: a parameter is kept if it arrives with the value that it had, a field if a client that asked for one document finds it. `model`, `stream` and `stream_options` are ours to set; the parts within a field are judged by the tests in `tests/oracle`. Cohere's stream has none of its document's fields but those that are events.
"""


ANSWERS = """Text, errors and the end are told by all. ● in a stream and in one document, ◐ in a stream only; the rest is left out, as the dialect has no place for it, and the page at `/` says so beside the answer. Looked for in the bytes that a client gets.
"""


def page() -> str:
    """The whole file."""
    clients, upstreams = rows()
    parts = [
        HEAD,
        "## What each upstream dialect takes\n",
        _upstreams(upstreams),
        "## What each client dialect can ask for\n",
        _clients(clients),
        "## What each client dialect is told of an answer\n",
        ANSWERS,
        _answers(),
    ]
    parts += [
        "## Each client over each upstream\n",
        "Named is what is not carried of what that client can ask for.\n",
    ]
    parts += [_pairs(client, says, upstreams) for client, says in clients.items()]
    parts += ["## Within one dialect\n", WITHIN]
    parts += [_within(dialect) for dialect in DOCUMENTED]
    return wrapped("\n".join(parts))


def _within(dialect: str) -> str:
    said = [
        _kept("Parameters", list(parameters(dialect))),
        _kept("Fields of an answer", list(fields(dialect))),
    ]
    return f"### `{dialect}` over itself\n\n" + "\n".join(said)


def _kept(what: str, found: list[tuple[str, bool]]) -> str:
    if not found:
        return ""
    kept = [f"`{name}`" for name, is_kept in found if is_kept]
    lost = ", ".join(f"`{name}`" for name, is_kept in found if not is_kept) or "none"
    return f"- {what}: {len(kept)} of {len(found)} are kept: {', '.join(kept)}. Not kept: {lost}.\n"


def _table(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---", *[":-:"] * (len(head) - 1)], *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _upstreams(upstreams: dict[str, dict[str, Fate]]) -> str:
    body = [
        [feature, *(SIGNS[fates[feature].word] for fates in upstreams.values())]
        for feature in PROBES
    ]
    return _table(["", *(f"`{name}`" for name in upstreams)], body)


def _clients(clients: dict[str, dict[str, bool]]) -> str:
    body = [
        [feature, *("●" if says[feature] else "" for says in clients.values())]
        for feature in PROBES
    ]
    return _table(["", *(f"`{name}`" for name in clients)], body)


def _answers() -> str:
    told = {name: (streamed(name), whole(name)) for name in CLIENTS}
    body = []
    for part in PARTS:
        marks = [
            SIGNS[CARRIED] if part in document else SIGNS[CHANGED] if part in stream else ""
            for stream, document in told.values()
        ]
        body.append([PART_NAMES[part], *marks])
    return _table(["", *(f"`{name}`" for name in told)], body)


def _pairs(client: str, says: dict[str, bool], upstreams: dict[str, dict[str, Fate]]) -> str:
    asked = [feature for feature in PROBES if says[feature]]
    lines = [
        f"### `{client}`\n",
        "| over | carried | said differently | dropped | refused |",
        "|---|:-:|---|---|---|",
    ]
    for upstream, fates in upstreams.items():
        by_word = {
            word: ", ".join(feature for feature in asked if fates[feature].word == word)
            for word in (CHANGED, DROPPED, REFUSED)
        }
        carried = sum(fates[feature].word == CARRIED for feature in asked)
        lines.append(
            f"| `{upstream}` | {carried} of {len(asked)} | {by_word[CHANGED]} | {by_word[DROPPED]} | {by_word[REFUSED]} |"
        )
    return "\n".join(lines) + "\n"

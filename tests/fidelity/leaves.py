"""What becomes of each value that a client writes: judged from outside, by leaving it out.

A value that makes no difference to what goes up (body, path, headers) nor to the notes has vanished
in silence. It need not be found in the body, so no knowledge of the upstream's form is needed.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Refused
from proxy.events import Note
from proxy.settings.rules import RuleBook

Trail = tuple[str | int, ...]
# What some upstreams cannot be called without.
OPTIONS: dict[str, dict[str, Any]] = {"bedrock_invoke": {"inner": "anthropic"}}
# Words that choose, or name, what stands beside them, or say how the answer shall come or why it is
# asked for: they are no loss by themselves.
_WORDS = frozenset(
    {
        *("type", "role", "model", "id", "call_id", "tool_call_id", "tool_name"),
        *("format", "custom", "stream", "response_mode", "trigger", "protocolVersion"),
    }
)
# What is noted with that in which it stands: the input of a call that is noted as a whole.
_WITH_ITS_HOLDER: dict[Any, str] = {"input": "messages.tool_call"}


def incoming(client: str, body: dict[str, Any]) -> Incoming:
    path = {"model": "m", "method": "streamGenerateContent"} if client == "gemini" else {}
    headers = {"content-type": "application/json"}
    return Incoming("POST", path, {"alt": "sse"}, headers, json.dumps(body).encode())


class Sent(NamedTuple):
    """What becomes of a request: what goes up, what is noted, and what the client's own half heeds
    (how the answer shall look).
    """

    asked: tuple[Any, ...]
    notes: set[Note]
    heeded: Any


def sent(client: str, upstream: str, body: dict[str, Any]) -> Sent | None:
    """None: refused."""
    try:
        parsed = CLIENTS[client].parse_request(incoming(client, body))
        options = OPTIONS.get(upstream, {})
        rules = RuleBook(upstream, None, {}).of("m")
        config = TargetConfig("up", "m", "key", options, rules)
        call: Outgoing = built(UPSTREAMS[upstream], parsed.request, config)
    except Refused:
        return None
    read = () if call.relayed else parsed.notes
    headers = tuple(sorted(call.headers.items()))
    return Sent((call.path, call.body, headers), {*read, *call.notes}, parsed.options)


def places(value: Any, trail: Trail = ()) -> Iterator[Trail]:
    """Every key and item below a value, the inner ones after the outer ones."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield (*trail, key)
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*trail, key))


def _is_word(body: dict[str, Any], trail: Trail) -> bool:
    value: Any = body
    for step in trail:
        value = value[step]
    return trail[-1] in _WORDS and not isinstance(value, dict | list)


def without(body: dict[str, Any], trail: Trail) -> dict[str, Any]:
    copy = deepcopy(body)
    at: Any = copy
    for step in trail[:-1]:
        at = at[step]
    del at[trail[-1]]
    return copy


def silent(client: str, upstream: str, body: dict[str, Any]) -> list[str]:
    """The places whose value vanished in silence, as paths; the outermost of each. Below a place
    that is noted as a whole nothing more is owed.
    """
    whole = sent(client, upstream, body)
    if whole is None:
        return []
    found: list[Trail] = []
    settled: list[Trail] = []
    for trail in places(body):
        if _is_word(body, trail) or any(trail[: len(outer)] == outer for outer in settled):
            continue
        left = sent(client, upstream, without(body, trail))
        if left is not None and left.asked == whole.asked:
            settled.append(trail)
            if whole.notes <= left.notes and whole.heeded == left.heeded:
                found.append(trail)
    params = {note.param for note in whole.notes}
    lost = [
        trail
        for trail in found
        if _WITH_ITS_HOLDER.get(trail[-1]) not in params
        and not any(
            _is_noted_without(alike, client, upstream, body, trail)
            for alike in ([*found], [o for o in places(body) if o in found or _is_alike(o, trail)])
        )
    ]
    return [".".join(map(str, trail)) for trail in lost]


def _is_noted_without(
    alike: list[Trail], client: str, upstream: str, body: dict[str, Any], trail: Trail
) -> bool:
    """Whether a value is noted once others like it are gone: several losses of one kind are one
    note.
    """
    others = [
        other for other in alike if other[: len(trail)] != trail and trail[: len(other)] != other
    ]
    gone = [other for other in others if not any(other[:at] in others for at in range(len(other)))]
    alone = body
    for other in reversed(gone):  # from the back, as an index below shifts
        alone = without(alone, other)
    here = _moved(trail, gone)
    return sent(client, upstream, alone) != sent(client, upstream, without(alone, here))


def _is_alike(other: Trail, trail: Trail) -> bool:
    """Of the same name, or in the same list."""
    if isinstance(trail[-1], str):
        return other[-1] == trail[-1]
    return other[:-1] == trail[:-1]


def _moved(trail: Trail, removed: list[Trail]) -> Trail:
    """Where a place is once these are gone."""
    steps = list(trail)
    for at, step in enumerate(trail):
        if isinstance(step, int):
            gone = [
                other[at]
                for other in removed
                if other != trail and len(other) == at + 1 and other[:at] == trail[:at]
            ]
            steps[at] = step - sum(1 for index in gone if isinstance(index, int) and index < step)
    return tuple(steps)


def main() -> None:
    """Prints all that vanishes: python -m tests.fidelity.leaves [client [upstream]]."""
    import sys

    from tests.fidelity.full_requests import FULL

    for client, bodies in FULL.items():
        for upstream in UPSTREAMS:
            if sys.argv[1:2] not in ([], [client]) or sys.argv[2:3] not in ([], [upstream]):
                continue
            lost = [place for body in bodies for place in silent(client, upstream, body)]
            refused = [sent(client, upstream, body) is None for body in bodies]
            print(
                f"{client:18} {upstream:18} {' '.join(lost) or '-'} {'REFUSED' if any(refused) else ''}"
            )


if __name__ == "__main__":
    main()

"""What becomes of each value that a client writes: judged from outside, by leaving it out.

A value that makes no difference to what goes up (body, path, headers) nor to the notes has vanished
in silence. It need not be found in the body, so no knowledge of the upstream's form is needed.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Refused
from proxy.settings.rules import RuleBook

Trail = tuple[str | int, ...]
# What some upstreams cannot be called without.
OPTIONS: dict[str, dict[str, Any]] = {"bedrock_invoke": {"inner": "anthropic"}}
# Values that choose, or name, what stands beside them: they are no loss by themselves.
_WORDS = frozenset(
    {"type", "role", "model", "stream", "id", "call_id", "tool_call_id", "tool_name"}
)


def incoming(client: str, body: dict[str, Any]) -> Incoming:
    path = {"model": "m", "method": "streamGenerateContent"} if client == "gemini" else {}
    headers = {"content-type": "application/json"}
    return Incoming("POST", path, {"alt": "sse"}, headers, json.dumps(body).encode())


def sent(client: str, upstream: str, body: dict[str, Any]) -> tuple[Any, ...] | None:
    """All that can tell two requests apart; None: refused."""
    try:
        parsed = CLIENTS[client].parse_request(incoming(client, body))
        options = OPTIONS.get(upstream, {})
        rules = RuleBook(upstream, None, {}).of("m")
        config = TargetConfig("up", "m", "key", options, rules)
        call: Outgoing = built(UPSTREAMS[upstream], parsed.request, config)
    except Refused:
        return None
    read = () if call.relayed else parsed.notes
    return (call.path, call.body, tuple(sorted(call.headers.items())), {*read, *call.notes})


def places(value: Any, trail: Trail = ()) -> Iterator[Trail]:
    """Every key and item below a value, the inner ones after the outer ones."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield (*trail, key)
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*trail, key))


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
        if trail[-1] in _WORDS or any(trail[: len(outer)] == outer for outer in settled):
            continue
        left = sent(client, upstream, without(body, trail))
        if left == whole:
            found.append(trail)
            settled.append(trail)
        elif left is not None and left[:3] == whole[:3]:
            settled.append(trail)
    lost = [trail for trail in found if not _shares_a_note(client, upstream, body, trail, found)]
    return [".".join(map(str, trail)) for trail in lost]


def _shares_a_note(
    client: str, upstream: str, body: dict[str, Any], trail: Trail, found: list[Trail]
) -> bool:
    """Whether a value is noted once the others that seemed to vanish are gone: several losses of
    one kind are one note.
    """
    alone = body
    for other in reversed(found):  # from the back, as an index below shifts
        if other != trail and other[: len(trail)] != trail:
            alone = without(alone, other)
    here = _moved(trail, found)
    return sent(client, upstream, alone) != sent(client, upstream, without(alone, here))


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

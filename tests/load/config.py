"""The proxy's configuration for the soak: short timeouts, small bounds, every policy, and upstreams
of which two never answer."""

import contextlib
import hashlib
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.bench.wire import KEY as BESIDE_KEY
from tests.bench.wire import VENDORS
from tests.load.errands import (
    CONTINUED,
    DEAD,
    FRAGILE,
    HEDGED,
    KEY,
    NARROW,
    NARROW_KEY,
    OPERATOR_KEY,
    POLICIES,
    STUCK,
    model_names,
    targets_of,
)
from tests.load.manners import MAX_BODY_BYTES, WRITE_TIMEOUT_S
from tests.load.scripts import CONNECT_S, FIRST_EVENT_S, IDLE_S, MAX_EVENT_BYTES, TOTAL_S

NARROW_STREAMS = 5
# Streams by which it is seen what is felt of clients that mean harm; each ends before total_s.
WITNESS, WITNESS_MS, WITNESS_PIECES = "witness", 50, 240
_OF_MODELS: Mapping[str, Mapping[str, Any]] = {
    HEDGED: {"hedge_after_s": 0.5},
    CONTINUED: {"continue_after_commit": True},
}
_OF_UPSTREAMS: Mapping[str, Mapping[str, Any]] = {
    FRAGILE: {"breaker": {"failures": 2, "open_s": 1}},
    NARROW: {"max_streams": NARROW_STREAMS, "queue_s": 1, "max_queue": NARROW_STREAMS},
}


class Ports(NamedTuple):
    """Of the upstream that plays, of the one where nobody listens, of the one that accepts nobody,
    and of that of the witnesses, 0 for none."""

    upstream: int
    dead: int
    stuck: int
    witness: int = 0


@contextlib.contextmanager
def dead_and_stuck() -> Iterator[tuple[int, int]]:
    """A port that refuses connections, and one whose queue is full, so that connections to it
    hang."""
    with contextlib.ExitStack() as held:
        dead, stuck = (held.enter_context(socket.socket()) for _ in range(2))
        for place in (dead, stuck):
            place.bind(("127.0.0.1", 0))
        stuck.listen(0)
        full = False
        while not full:
            filler = held.enter_context(socket.socket())
            filler.settimeout(0.2)
            try:
                filler.connect(stuck.getsockname())
            except TimeoutError:
                full = True
        yield dead.getsockname()[1], stuck.getsockname()[1]


def written(ports: Ports, streams: int, reloads: int = 0) -> str:
    """The configuration after so many reloads: each changes how models are served that say nothing
    of it. JSON is YAML."""
    return json.dumps(
        {
            # by SIGHUP only, so that each counts
            "server": {"host": "127.0.0.1", "port": 0, "drain_s": 1, "reload_check_s": 0},
            "auth": {
                "keys": [
                    _key("soak", KEY),
                    _key("narrow", NARROW_KEY, max_streams=NARROW_STREAMS),
                    _key("operator", OPERATOR_KEY, admin=True),
                    _key("beside", BESIDE_KEY),
                ]
            },
            "limits": {
                "max_body_bytes": MAX_BODY_BYTES,
                "max_event_bytes": MAX_EVENT_BYTES,
                "max_streams": 2 * streams + 100,
            },
            "timeouts": {
                "connect_s": CONNECT_S,
                "first_event_s": FIRST_EVENT_S,
                "idle_s": IDLE_S,
                "total_s": TOTAL_S,
            },
            "streams": {
                "heartbeat_s": 1,
                "on_disconnect": POLICIES[reloads % len(POLICIES)],
                "grace_s": 2,
                "write_timeout_s": WRITE_TIMEOUT_S,
                # between two times with it one without
                **({} if reloads % 2 else {"resume": {"keep_s": 5, "max_bytes": 67_108_864}}),
            },
            "retry": {"retries": 1, "backoff_s": 0.2},
            # the plays are drawn at random: nearly every circuit would be open
            "breaker": {"failures": 0},
            "logs": {"format": "json", "level": "info"},
            "upstreams": _upstreams(ports),
            "models": {
                **{name: _model(name) for name in model_names()},
                **({WITNESS: [{"upstream": WITNESS, "model": "bench"}]} if ports.witness else {}),
            },
        }
    )


def _key(name: str, secret: str, **more: object) -> dict[str, Any]:
    return {"name": name, "sha256": hashlib.sha256(secret.encode()).hexdigest(), **more}


def _upstreams(ports: Ports) -> dict[str, Any]:
    first = next(iter(VENDORS))
    upstreams: dict[str, Any] = {}
    for number in (1, 2):
        for dialect, vendor in VENDORS.items():
            base = f"http://127.0.0.1:{ports.upstream}/{number}{vendor.base}"
            upstreams[f"{dialect}-{number}"] = {
                "dialect": dialect,
                "base_url": base,
                "api_key": "none",
            }
    for name, port in ((DEAD, ports.dead), (STUCK, ports.stuck)):
        upstreams[name] = {
            "dialect": first,
            "base_url": f"http://127.0.0.1:{port}/v1",
            "api_key": "none",
        }
    for name, more in _OF_UPSTREAMS.items():
        upstreams[f"{name}-{first}-1"] = {**upstreams[f"{first}-1"], **more}
    if ports.witness:
        base = f"http://127.0.0.1:{ports.witness}/{WITNESS_MS}/{WITNESS_PIECES}/500"
        upstreams[WITNESS] = {
            "dialect": first,
            "base_url": base + VENDORS[first].base,
            "api_key": "none",
        }
    return upstreams


def _model(name: str) -> dict[str, Any]:
    special, dialects = targets_of(name)
    prefix = f"{special}-" if special in _OF_UPSTREAMS else ""
    names = [
        one if one in (DEAD, STUCK) else f"{prefix}{one}-{number}"
        for number, one in enumerate(dialects, 1)
    ]
    return {
        "targets": [{"upstream": upstream, "model": "bench"} for upstream in names],
        **_OF_MODELS.get(special, {}),
    }

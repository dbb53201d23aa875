"""What reaches a vendor of the catalogue of a client's request: for tests that hold for many pairs
of dialects.
"""

import json
from typing import Any, NamedTuple

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.settings.rules import NAMES, RuleBook
from proxy.settings.vendors import catalogue

HI = {"role": "user", "content": "hi"}


class Asked(NamedTuple):
    """The body that goes up, its headers, and what was noted: (how, parameter)."""

    body: dict[str, Any]
    headers: dict[str, str]
    notes: set[tuple[str, str]]


def ask(
    client: str,
    body: dict[str, Any],
    vendor: str,
    model: str,
    headers: dict[str, str] | None = None,
) -> Asked:
    """Raises Refused. A model of the client's stands in `body` or, for Gemini, is this one."""
    row = catalogue().vendors[vendor]
    rules = RuleBook(row.dialect, vendor, row.options).of(model)
    options = {name: value for name, value in row.options.items() if name not in NAMES}
    path = {"model": model, "method": "streamGenerateContent"} if client == "gemini" else {}
    data = json.dumps(body).encode()
    parsed = CLIENTS[client].parse_request(Incoming("POST", path, {}, headers or {}, data))
    target = TargetConfig("up", model, "key", options, rules)
    call = built(UPSTREAMS[row.dialect], parsed.request, target)
    notes = (*(() if call.relayed else parsed.notes), *call.notes)
    told = {(note.note, note.param) for note in notes}
    return Asked(json.loads(call.body), dict(call.headers), told)

"""What survives between every client dialect and every upstream dialect: found by asking the code,
written to docs/FIDELITY.md.

For each feature of a request there is a probe, a request that differs from a plain one in that
feature alone. An upstream half carries a feature if the probe's body differs from the plain one's
and no note says otherwise; a probe that changes nothing and gives no note would be a silent loss,
and a test fails on it. A client half can say a feature if what its own vendor's API is sent for the
probe (by the upstream half of the same name) comes back from parse_request with the feature in it.
`python -m tests.fidelity --write` writes the file; a test keeps it current.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Refused
from proxy.mock.routes import variables
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Reasoning,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)

PIXEL = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = ToolSpec("weather", "Weather of a city", SCHEMA)
ASK = Message("user", "Hello?")
PLAIN = ChatRequest(model="m", messages=[ASK])
ROOM = msgspec.structs.replace(PLAIN, max_tokens=9000)  # so that a budget for reasoning fits
WITH_TOOLS = msgspec.structs.replace(PLAIN, tools=[TOOL])


def probe(base: ChatRequest = PLAIN, **changes: Any) -> tuple[ChatRequest, ChatRequest]:
    """A request with the feature, and the one without."""
    return msgspec.structs.replace(base, **changes), base


def turns(*messages: Message, base: ChatRequest = PLAIN) -> tuple[ChatRequest, ChatRequest]:
    return msgspec.structs.replace(base, messages=list(messages)), base


CALLED = Message("assistant", [ToolCallPart("call_1", "weather", '{"city":"Rome"}')])
RESULT = Message("tool", [ToolResultPart("call_1", "21 degrees")])
SAID = Message("assistant", [TextPart("Yes.")])
THOUGHT = Message("assistant", [ReasoningPart("Hm.", "c2lnbmF0dXJl"), TextPart("Yes.")])
PROBES: dict[str, tuple[ChatRequest, ChatRequest]] = {
    "system": probe(system="Be brief."),
    "turns": turns(Message("user", "One."), Message("assistant", "Two."), ASK),
    "image url": turns(
        Message("user", [TextPart("Hello?"), ImagePart("https://example.test/a.png")])
    ),
    "image base64": turns(Message("user", [TextPart("Hello?"), ImagePart(PIXEL)])),
    "max_tokens": probe(max_tokens=64),
    "temperature": probe(temperature=0.5),
    "top_p": probe(top_p=0.5),
    "stop": probe(stop=["END"]),
    "seed": probe(seed=7),
    "tools": (WITH_TOOLS, PLAIN),
    "tool choice": probe(WITH_TOOLS, tool_choice=ToolChoice("required")),
    "one tool": probe(WITH_TOOLS, tool_choice=ToolChoice("tool", name="weather")),
    "no parallel calls": probe(WITH_TOOLS, tool_choice=ToolChoice("auto", parallel=False)),
    "tool results": turns(ASK, CALLED, RESULT, base=WITH_TOOLS),
    "JSON mode": probe(response_format={"type": "json_object"}),
    "JSON schema": probe(
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    ),
    "reasoning effort": probe(ROOM, reasoning=Reasoning(effort="low")),
    "reasoning budget": probe(ROOM, reasoning=Reasoning(max_tokens=2048)),
    "reasoning replayed": turns(
        ASK, THOUGHT, ASK, base=msgspec.structs.replace(ROOM, messages=[ASK, SAID, ASK])
    ),
    "user": probe(user="u-1"),
    "metadata": probe(metadata={"a": "b"}),
    "several answers": probe(n=2),
}
CARRIED, CHANGED, DROPPED, REFUSED, LOST = "yes", "changed", "noted", "refused", "LOST"


class Fate(NamedTuple):
    """What becomes of a feature."""

    word: str
    why: str = ""


def built(dialect: str, request: ChatRequest) -> Outgoing | Refused:
    try:
        return UPSTREAMS[dialect].build_request(
            request, TargetConfig("far", "m", "key", OPTIONS.get(dialect, {}))
        )
    except Refused as refused:
        return refused


# What some upstreams cannot be called without.
OPTIONS: dict[str, Mapping[str, Any]] = {
    "bedrock_invoke": {"inner": "anthropic"},
}


def upstream_fate(dialect: str, feature: str) -> Fate:
    """What an upstream half makes of a feature."""
    with_it, without = (built(dialect, request) for request in PROBES[feature])
    assert not isinstance(without, Refused), f"{dialect} refuses a plain request: {without}"
    if isinstance(with_it, Refused):
        return Fate(REFUSED, str(with_it))
    new = [note for note in with_it.notes if note not in without.notes and note.note != "defaulted"]
    if new:
        said = " ".join(note.message for note in new)
        return Fate(CHANGED if all(note.note == "changed" for note in new) else DROPPED, said)
    same = (with_it.path, with_it.body) == (without.path, without.body)
    return Fate(LOST) if same else Fate(CARRIED)


def incoming(client: ClientHalf, call: Outgoing) -> Incoming | None:
    """A vendor's request as it would reach the client half; None where no route of its fits the
    path."""
    parts = urlsplit(call.path)
    for route in client.routes:
        tail = re.sub(r"^/v\d+\w*", "", route.path)
        for path in (parts.path, f"/v1{parts.path}", f"/v1beta{parts.path}"):
            if re.fullmatch(
                re.sub(
                    r"\\?\{[^}]+\\?\}",
                    "[^/]+",
                    re.escape(route.path).replace(r"\{", "{").replace(r"\}", "}"),
                ),
                path,
            ) or path.endswith(tail):
                return Incoming(
                    "POST",
                    variables(client, path.lstrip("/")),
                    dict(parse_qsl(parts.query)),
                    {},
                    call.body,
                )
    return None


def client_says(dialect: str, feature: str) -> bool:
    """Whether a client of this dialect can ask for the feature at all."""
    client = CLIENTS[dialect]
    if dialect not in UPSTREAMS:
        return feature in ALONE.get(dialect, frozenset())
    if upstream_fate(dialect, feature).word not in (CARRIED, CHANGED):
        return False
    parsed = []
    for request in PROBES[feature]:
        call = built(dialect, request)
        assert not isinstance(call, Refused)
        asked = incoming(client, call)
        assert asked is not None, f"{dialect}: no route for {call.path}"
        try:
            parsed.append(client.parse_request(asked))
        except Refused:
            return False
    return parsed[0].request != parsed[1].request


# Client halves without an upstream half cannot be asked that way: what they say is written down
# here, and their own tests prove it.
ALONE: dict[str, frozenset[str]] = {
    "ai_sdk": frozenset(PROBES) - {"no parallel calls", "metadata", "several answers"},
    "ag_ui": frozenset(PROBES) - {"no parallel calls", "metadata", "several answers"},
}


def rows() -> tuple[dict[str, dict[str, bool]], dict[str, dict[str, Fate]]]:
    """(client -> feature -> can it say it, upstream -> feature -> its fate)."""
    clients = {
        client: {feature: client_says(client, feature) for feature in PROBES} for client in CLIENTS
    }
    upstreams = {
        upstream: {feature: upstream_fate(upstream, feature) for feature in PROBES}
        for upstream in UPSTREAMS
    }
    return clients, upstreams

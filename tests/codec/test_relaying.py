"""Which of two ways a request takes to its target: the client's own body, or one that is built."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.halves import UpstreamHalf
from proxy.codec.relaying import built, own_body, without_original
from proxy.codec.rules import Names, Rules
from proxy.errors import Refused
from proxy.events import Note
from proxy.request import ChatRequest, Message, OnlyRelayed, Original, ToolSpec

LONG = "x" * 70
ORIGINAL = Original("mine", {"model": "asked", "odd": [1], "stream": False, "messages": []})
REQUEST = ChatRequest(
    model="asked", messages=[Message("user", "hi")], original=ORIGINAL, tools=[ToolSpec(LONG)]
)
CONFIG = TargetConfig("up", "m", rules=Rules(tool_name=Names(chars="a-z", most=64)))


def relay(request: ChatRequest, original: Original, config: TargetConfig) -> Outgoing:
    body = own_body(original, {"model": config.model, "stream": True, "more": 1})
    return Outgoing("/", msgspec.json.encode(body), {})


def build(request: ChatRequest, config: TargetConfig) -> Outgoing:
    note = Note("dropped", "odd", "Odd.")
    return Outgoing("/", request.tools[0].name.encode(), {}, (note,), tool_names={"b": "B"})


def half(*relays: str) -> UpstreamHalf:
    def nothing(*_: Any) -> Any:
        raise AssertionError

    return UpstreamHalf(
        name="far",
        build_request=build,
        decoder=nothing,
        parse_error=nothing,
        relays=frozenset(relays),
        relay_request=relay if relays else None,
    )


def test_a_client_of_the_same_dialect_is_relayed_with_its_keys_in_their_order() -> None:
    call = built(half("mine"), REQUEST, CONFIG)
    assert call.relayed
    assert b'{"model":"m","odd":[1],"stream":true,"messages":[],"more":1}' == call.body


def test_a_client_of_another_dialect_is_built_for_under_the_targets_rules() -> None:
    """What the rules changed and what the dialect noted are both told."""
    for to in (half(), half("other")):
        call = built(to, REQUEST, CONFIG)
        assert not call.relayed
        assert len(call.body) <= 64
        assert {call.body.decode(): LONG, "b": "B"} == call.tool_names
        assert ["tools.name", "odd"] == [note.param for note in call.notes]


def test_a_request_that_was_changed_here_is_not_relayed() -> None:
    """The client's own body would not have the change."""
    changed = without_original(REQUEST, messages=[])
    assert not built(half("mine"), changed, CONFIG).relayed


def test_what_only_the_clients_own_dialect_can_do_is_asked_of_no_other() -> None:
    """With a sentence that says what to do instead; an upstream of its dialect is asked."""
    why = OnlyRelayed("previous_response_id", "it is kept elsewhere: send the whole input")
    request = replace(REQUEST, only_relayed=why)
    assert built(half("mine"), request, CONFIG).relayed
    with pytest.raises(Refused, match=r"up cannot take previous_response_id: .* whole input"):
        built(half(), request, CONFIG)
    with pytest.raises(Refused):
        built(half("mine"), without_original(request), CONFIG)

"""What the vendor documents, as its SDK's types list it: each parameter of a request arrives at an
upstream of the same dialect, and each field of an answer at a client of it.
"""

import inspect
import json
import typing
from typing import Any

import cohere
import pytest
from cohere.v2.client import V2Client

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.cohere import DIALECT
from proxy.dialects.cohere.decode import CohereDecoder
from tests.dialects.cohere import emit
from tests.fidelity.typed_models import alternatives, sample
from tests.support import decode

assert DIALECT.client is not None
assert DIALECT.upstream is not None
_CLIENT, _UPSTREAM = DIALECT.client, DIALECT.upstream
HI: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
_HINTS = typing.get_type_hints(V2Client.chat_stream, include_extras=True)
_PARAMETERS = [
    name
    for name in inspect.signature(V2Client.chat_stream).parameters
    if name not in ("self", "model", "messages", "request_options")
]


def sent(body: dict[str, Any]) -> dict[str, Any]:
    incoming = Incoming("POST", {}, {}, {}, json.dumps({"model": "m", **body}).encode())
    call = built(_UPSTREAM, _CLIENT.parse_request(incoming).request, TargetConfig("up", "m"))
    assert (True, ()) == (call.relayed, call.notes)
    said: dict[str, Any] = json.loads(call.body)
    return said


@pytest.mark.parametrize("name", _PARAMETERS)
def test_each_parameter_arrives(name: str) -> None:
    """In each of its forms."""
    for kind in alternatives(_HINTS[name]):
        if kind is type(None):
            continue
        body = {**HI, name: sample(kind)}
        assert {"model": "m", "stream": True, **body} == sent(body)


def test_each_kind_of_message_arrives() -> None:
    """With each form of its content."""
    for kind in alternatives(cohere.ChatMessageV2):
        said = sample(kind)
        contents: list[Any] = [said.get("content")]
        for form in alternatives(kind.model_fields["content"].annotation):
            inner = typing.get_args(form)
            contents += [[sample(each)] for each in (alternatives(inner[0]) if inner else ())]
        for content in contents:
            body = {"messages": [*HI["messages"], {**said, "content": content}]}
            assert body["messages"] == sent(body)["messages"]


def test_each_field_of_the_end_comes_back() -> None:
    """The finish and the counts, those of what is charged too."""
    usage = json.loads(json.dumps(sample(cohere.Usage)).replace("0.5", "3.0"))
    end = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}}
    said = b"data: " + json.dumps(end).encode() + b"\n\n"
    got = emit.encoded(decode(CohereDecoder(1 << 16), [said]))
    (line,) = (line for line in got.split(b"\n") if line.startswith(b'data: {"type":"message-end"'))
    assert end == json.loads(line[6:])

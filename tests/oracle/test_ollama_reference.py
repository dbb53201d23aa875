"""What the vendor documents, as its SDK's types list it: each parameter of a request arrives at an
upstream of the same dialect.
"""

import json
from typing import Any

import pytest
from ollama import _types as types

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.ollama import DIALECT
from tests.fidelity.typed_models import alternatives, sample

assert DIALECT.client is not None
assert DIALECT.upstream is not None
_CLIENT, _UPSTREAM = DIALECT.client, DIALECT.upstream
PNG = "iVBORw0KGgo="
TALK: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
_NEEDED = {"chat": TALK, "generate": {"prompt": "hi"}}
_BODIES = {"chat": types.ChatRequest, "generate": types.GenerateRequest}
# Pictures are base64; the rest is set by the test.
_VALUES: dict[str, Any] = {"images": [PNG]}


def sent(form: str, body: dict[str, Any]) -> dict[str, Any]:
    incoming = Incoming("POST", {"form": form}, {}, {}, json.dumps(body).encode())
    call = built(_UPSTREAM, _CLIENT.parse_request(incoming).request, TargetConfig("up", "m"))
    assert (True, ()) == (call.relayed, call.notes)
    said: dict[str, Any] = json.loads(call.body)
    return said


@pytest.mark.parametrize("form", ["chat", "generate"])
def test_each_parameter_arrives(form: str) -> None:
    """In each of its forms."""
    for name, field in _BODIES[form].model_fields.items():
        if name in ("model", "stream", "messages", "prompt"):
            continue
        for kind in alternatives(field.annotation):
            if kind is type(None):
                continue
            body = {"model": "m", **_NEEDED[form], name: _VALUES.get(name) or sample(kind)}
            assert {"stream": True, **body} == sent(form, body)


def test_each_key_of_a_message_arrives() -> None:
    """Of whatever role."""
    for name, field in types.Message.model_fields.items():
        value = _VALUES.get(name) or sample(field.annotation)
        for role in ("user", "assistant", "control"):
            message = {"role": role, "content": "a", name: role if name == "role" else value}
            body = {"model": "m", "messages": [*TALK["messages"], message]}
            assert body["messages"] == sent("chat", body)["messages"]

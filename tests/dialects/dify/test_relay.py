"""A client of this dialect over an upstream of it: nothing of its request is lost."""

import json
import random
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import NO_RULES, Rules
from proxy.dialects.dify import DIALECT
from proxy.request import ChatRequest, DocumentPart, ImagePart, Message, TextPart
from tests.dialects.answers import params, target
from tests.dialects.requests import mixed

assert DIALECT.client is not None
assert DIALECT.upstream is not None
_CLIENT, _UPSTREAM = DIALECT.client, DIALECT.upstream


def call(body: dict[str, Any], rules: Rules = NO_RULES, **options: Any) -> Outgoing:
    incoming = Incoming("POST", {}, {}, {}, json.dumps(body).encode())
    config = TargetConfig("up", "app", "key", options, rules)
    return built(_UPSTREAM, _CLIENT.parse_request(incoming).request, config)


@pytest.mark.parametrize("seed", range(20))
def test_a_request_arrives_as_it_was_written(seed: int) -> None:
    """Every key, known or not, in its order; but that the answer streams."""
    dice = random.Random(seed)
    upload = {"type": "audio", "transfer_method": "local_file", "upload_file_id": "f"}
    more = {
        "conversation_id": "v",
        "files": [upload, {"type": "custom", "transfer_method": "remote_url", "url": "https://a"}],
        "auto_generate_name": False,
        "workflow_id": "w",
        "trace_id": "t",
        "parent_message_id": "p",
    }
    body = {
        **mixed(dice, more),
        "query": "hi",
        "inputs": mixed(dice, {"city": "Rome"}),
        "response_mode": "streaming",
        "user": "me",
        **mixed(dice, {}),
    }
    sent = call(body)
    assert (True, "/chat-messages", ()) == (sent.relayed, sent.path, sent.notes)
    assert json.dumps(body) == json.dumps(json.loads(sent.body))
    assert sent.body == call(body).body


def test_what_the_operator_decides() -> None:
    """The app's variables, who asks where the client does not say; the model is ours."""
    body = {"query": "hi", "inputs": {"a": 1, "b": 2}, "model": "m", "response_mode": "blocking"}
    sent = call(body, Rules(refuse=("files",)), inputs={"b": 3}, user="us")
    assert {
        "query": "hi",
        "inputs": {"a": 1, "b": 3},
        "response_mode": "streaming",
        "user": "us",
    } == json.loads(sent.body)
    assert {"user"} == params(sent.notes)


def test_an_app_of_another_kind_gets_a_prompt() -> None:
    """It takes another body, so the request is built."""
    sent = call({"query": "hi", "user": "me"}, app="completion")
    assert (False, "/completion-messages") == (sent.relayed, sent.path)


def test_documents_at_an_address() -> None:
    """Files beside the question, as pictures are; those that are data are a note."""
    parts = [
        TextPart("so?"),
        ImagePart("https://a/b.png"),
        DocumentPart("https://a/b.pdf"),
        DocumentPart("data:application/pdf;base64,JVBE"),
    ]
    request = ChatRequest(model="m", messages=[Message("user", parts)], user="me")
    sent = built(_UPSTREAM, request, target())
    remote = {"transfer_method": "remote_url"}
    assert [
        {"type": "image", **remote, "url": "https://a/b.png"},
        {"type": "document", **remote, "url": "https://a/b.pdf"},
    ] == json.loads(sent.body)["files"]
    assert {"messages.document"} == params(sent.notes)

"""Requests to ConverseStream, judged by botocore: its model of the service checks every body that
the core's tests have built, and its serializer makes the path."""

import json
from functools import cache
from typing import Any

import pytest
from botocore.serialize import create_serializer
from botocore.session import get_session
from botocore.validate import ParamValidator

from proxy.codec.base import Outgoing
from proxy.request import ChatRequest
from tests.dialects.bedrock_converse import test_build as core

# The core's own tests, which run here once more, each request judged.
globals().update({name: test for name, test in vars(core).items() if name.startswith("test_")})
plain = core.built


@cache
def operation() -> Any:
    return get_session().get_service_model("bedrock-runtime").operation_model("ConverseStream")


def judged(request: ChatRequest, model: str = "amazon.nova-lite-v1:0", **target: Any) -> Outgoing:
    """The request, after botocore has found nothing wrong with it."""
    call = plain(request, model, **target)
    params = {"modelId": model, **json.loads(call.body)}
    found = ParamValidator().validate(params, operation().input_shape)
    assert not found.has_errors(), found.generate_report()
    serializer = create_serializer("rest-json")
    expected = serializer.serialize_to_request({"modelId": model, "messages": []}, operation())
    assert expected["url_path"] == call.path
    return call


@pytest.fixture(autouse=True)
def _botocore_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "built", judged)

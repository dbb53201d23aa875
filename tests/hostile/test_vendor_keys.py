"""A client's own keys for a vendor (`vendor` of the native dialect) do not replace what routing and
the operator decide: the model, whether it streams, whose account it is.
"""

import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.dialects.registry import UPSTREAMS
from proxy.errors import Refused
from proxy.request import ChatRequest, Message
from tests.running import running

OTHER = "another"
# Whatever a vendor calls it; what a dialect does not know of these is passed on, to do as it does.
WORDS = (
    "model", "Model", "modelId", "model_id", "version", "bot_id", "user_id", "stream", "Stream",
    "stream_options", "response_mode", "incremental", "anthropic_version", "webhook", "store",
)  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {"coze": {"bot_id": "77"}}
MODELS = {
    "replicate": "owner/m",
    "bedrock_converse": "anthropic.m",
    "bedrock_invoke": "anthropic.m",
}


# Sections that some dialect has, and what may stand in the place of one.
SECTIONS = (
    *("generationConfig", "options", "parameters", "input", "additionalModelRequestFields"),
    *("inferenceConfig", "toolConfig", "thinking", "stream_options", "reasoning", "messages"),
)
ODD: tuple[Any, ...] = ({}, {"a": 1}, [], [1], "x", 1, None)


def built(name: str, vendor: dict[str, Any]) -> tuple[dict[str, Any], str, set[str]]:
    """The body, the path and the notes' places."""
    request = ChatRequest(model="asked", messages=[Message("user", "x")], vendor=vendor)
    target = TargetConfig("up", MODELS.get(name, "theirs"), "k", OPTIONS.get(name, {}))
    out = UPSTREAMS[name].build_request(request, target)
    return json.loads(out.body or b"{}"), out.path, {note.param for note in out.notes}


@pytest.mark.parametrize("name", UPSTREAMS)
def test_what_is_decided_here_stays_whatever_the_request_says(name: str) -> None:
    plain, path, _ = built(name, {})
    try:
        body, other_path, notes = built(name, dict.fromkeys(WORDS, OTHER))
    except Refused:  # it takes no such keys at all
        return
    decided = {word: plain[word] for word in WORDS if word in plain}
    assert decided == {word: body[word] for word in decided}
    assert path == other_path
    if body.get("vendor") is None:  # the native dialect has a place for them of its own
        assert {f"vendor.{word}" for word in decided} <= notes


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_section_of_any_kind_is_sent_or_refused(name: str) -> None:
    """Nothing else comes of it: a client makes no defect show."""
    for section in SECTIONS:
        for odd in ODD:
            with suppress(Refused):
                built(name, {section: odd})


async def test_a_key_gets_no_other_model_by_another_name_for_it() -> None:
    key = {"name": "k", "sha256": hashlib.sha256(b"secret").hexdigest(), "models": ["cheap"]}
    config = {
        "upstreams": {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
        "models": {"cheap": [{"upstream": "up"}], "dear": [{"upstream": "up"}]},
        "auth": {"keys": [key]},
    }
    said = {"model": "cheap", "prompt": "x", "vendor": {"model": "dear"}}
    async with running(config) as run:
        async with run.session.post(
            f"{run.url}/v1/stream", json=said, headers={"Authorization": "Bearer secret"}
        ) as response:
            assert response.status == 200
        assert ["cheap"] == [entry["body"]["model"] for entry in run.mock.account.newest()]

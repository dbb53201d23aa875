"""The openai SDK for JavaScript, unmodified, on answers that are kept."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.mock_account import asked_with
from tests.e2e.proxy_process import running_proxy
from tests.needs import requires
from tests.oracle.node import answered

pytestmark = requires("node", "js_sdks")

CONFIG = {
    "upstreams": {
        "echo": {"dialect": "anthropic", "mock": {"scenario": "echo", "tokens_per_s": 25}}
    },
    "models": {"echo": [{"upstream": "echo"}]},
    "streams": {"resume": {}},
}
MADE, NEXT = "made while nobody waits", "and the next turn"
STOPPED, RETRIED = "a text that is not said to its end, as it is stopped", "asked again by the SDK"


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    with running_proxy(CONFIG) as url:
        yield url


@pytest.fixture(scope="module")
def told(proxy: str) -> Any:
    return answered("responses_kept", proxy, "echo")


def test_an_answer_is_made_in_the_background_gone_on_from_and_deleted(told: Any) -> None:
    case = told["polled"]
    assert ("queued", "completed", MADE, NEXT) == (
        *(case["begun"], case["status"], case["text"]),
        case["next"],
    )
    assert [MADE, MADE, NEXT] == case["items"]
    assert {"threw": "NotFoundError", "status": 404, "code": None} == case["deleted"]
    assert {
        "threw": "BadRequestError",
        "status": 400,
        "code": "previous_response_not_found",
    } == case["unknown"]


def test_a_stream_is_gone_on_with_behind_the_last_event(told: Any) -> None:
    words = "a text of some words"
    assert {
        "numbers": True,
        "text": words,
        "whole": words,
        "type": "response.completed",
    } == told["goneOn"]


def test_an_answer_is_cancelled(proxy: str, told: Any) -> None:
    assert {"status": "cancelled", "again": "cancelled"} == told["cancelled"]
    assert ["client_gone"] == [row["ended"] for row in asked_with(proxy, STOPPED)]


def test_a_retry_goes_on_with_the_generation_that_runs(proxy: str, told: Any) -> None:
    assert {"text": RETRIED, "connections": 2} == told["retried"]
    assert 1 == len(asked_with(proxy, RETRIED))

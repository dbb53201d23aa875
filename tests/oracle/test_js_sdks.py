"""The vendors' own JavaScript SDKs, and others that build on them, as clients of the real command:
whatever speaks upstream, they see their vendor.

Each judge in js/ runs all its cases against all upstreams in one process; its answers are looked at
here, case by case.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from proxy.mock import texts
from tests.e2e.proxy_process import running_proxy
from tests.needs import requires
from tests.oracle.node import answered

pytestmark = requires("node", "js_sdks")

UPSTREAMS = ("openai_chat", "anthropic", "native")
SDKS = ("openai", "anthropic", "ai", "usechat", "langchain", "agui")
WITH_REASONING = ("openai", "anthropic", "ai", "usechat", "agui")
ONLY_STREAMS = ("usechat", "agui")
MODEL_LISTS = ("openai", "anthropic")
# How each says that a tool is to be called, and that the answer is complete.
FINISHES = {
    "openai": ("tool_calls", "stop"),
    "langchain": ("tool_calls", "stop"),
    "anthropic": ("tool_use", "end_turn"),
    "ai": ("tool-calls", "stop"),
    "usechat": ("tool-calls", "stop"),
    "agui": ("tool_calls", "stop"),
}
# Where each keeps the counts: of the prompt, of the answer.
COUNTS = {
    "openai": ("prompt_tokens", "completion_tokens"),
    "langchain": ("input_tokens", "output_tokens"),
    "anthropic": ("input_tokens", "output_tokens"),
    "ai": ("inputTokens", "outputTokens"),
    "usechat": ("inputTokens", "outputTokens"),
    "agui": ("inputTokens", "outputTokens"),
}
# The exceptions of OpenAI's SDK and of Anthropic's have the same names. A vendor's 500 is a 502 of
# ours.
STATUSES = {
    401: ("AuthenticationError", 401),
    404: ("NotFoundError", 404),
    429: ("RateLimitError", 429),
    500: ("InternalServerError", 502),
}
BROKEN = ("close@4", "cut@4", "error@4")
# of the mock's reasoning; the dialect openai_chat has no place for one
SIGNATURE = "bW9jay1zaWduYXR1cmU="

Judged = Callable[[str, str, str], Any]


def config() -> dict[str, Any]:
    mocks = {
        name: {"dialect": name, "mock": {"scenario": "hello", "tokens_per_s": 0}}
        for name in UPSTREAMS
    }
    return {"upstreams": mocks, "models": {name: [{"upstream": name}] for name in UPSTREAMS}}


@pytest.fixture(scope="module")
def judged() -> Iterator[Judged]:
    """What an SDK gave, by its name, the upstream and the case."""
    with running_proxy(config()) as url:
        answers = cache(lambda sdk: answered(sdk, url, *UPSTREAMS))
        yield lambda sdk, upstream, case: answers(sdk)[upstream][case]


def told(sdk: str, case: dict[str, Any]) -> tuple[str, str, int]:
    counts = COUNTS[sdk]
    assert case["usage"][counts[0]] > 0
    return case["text"], case["finish"], case["usage"][counts[1]]


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("sdk", SDKS)
def test_text_finish_and_usage(judged: Judged, sdk: str, upstream: str) -> None:
    case = judged(sdk, upstream, "text")
    text, finish, tokens = told(sdk, case)
    assert (texts.CHINESE, FINISHES[sdk][1], None) == (text, finish, case["threw"])
    assert tokens > 50


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("sdk", [name for name in SDKS if name not in ONLY_STREAMS])
def test_one_document_says_what_the_stream_says(judged: Judged, sdk: str, upstream: str) -> None:
    assert told(sdk, judged(sdk, upstream, "text")) == told(sdk, judged(sdk, upstream, "whole"))


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("sdk", SDKS)
def test_a_tool_call_and_a_second_turn_with_its_result(
    judged: Judged, sdk: str, upstream: str
) -> None:
    case = judged(sdk, upstream, "tools")
    assert [{"name": "get_weather", "arguments": {"city": "Paris"}}] == case["calls"]
    assert ("The tool says: 21 degrees", *FINISHES[sdk]) == (
        case["second"],
        case["finish"],
        case["secondFinish"],
    )
    if sdk == "usechat":  # the answer goes on in the message that held the call
        assert (2, 2) == (case["messages"], case["steps"])


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("sdk", SDKS)
def test_parallel_calls_beside_text(judged: Judged, sdk: str, upstream: str) -> None:
    case = judged(sdk, upstream, "parallel")
    assert ("Let me look that up in two places.", [{"city": "Paris"}, {"city": "北京"}]) == (
        case["text"],
        case["calls"],
    )


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("sdk", WITH_REASONING)
def test_reasoning(judged: Judged, sdk: str, upstream: str) -> None:
    """And its signature, which goes back upstream with the second question; where completions of
    chats take reasoning back, the upstream's options say."""
    case = judged(sdk, upstream, "reasoning")
    assert ("The answer is 42.", texts.REASONING) == (case["text"], case["reasoning"])
    if sdk in ("anthropic", "usechat", "agui"):
        assert ("The answer is 42.", SIGNATURE, upstream != "openai_chat") == (
            case["second"],
            case["signature"],
            case["returned"],
        )


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("sdk", SDKS)
def test_its_own_exceptions(judged: Judged, sdk: str, status: int, upstream: str) -> None:
    """useChat knows one: an Error whose message is the body, which is therefore a sentence. AG-UI's
    client has the status in another that holds the body."""
    case = judged(sdk, upstream, f"status {status}")
    name, seen = STATUSES[status]
    expected = {
        "ai": ("APICallError", seen),
        "usechat": ("Error", None),
        "agui": ("Error", seen),
    }.get(sdk, (name, seen))
    assert ("", *expected) == (case["text"], case["threw"], case["status"])
    assert f"The mock vendor was told to answer with status {status}." in case["message"]
    assert sdk != "usechat" or "{" not in case["message"]


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("sdk", SDKS)
def test_a_broken_stream_is_an_error(judged: Judged, sdk: str, fault: str, upstream: str) -> None:
    """What came before it was delivered, and nothing says that it was complete."""
    case = judged(sdk, upstream, f"broken {fault}")
    # The AI SDK hands on what stood in the stream, and that is an object.
    thrown = {"ai": "Object", "usechat": "Error", "agui": "Error"}.get(sdk, "APIError")
    assert thrown == case["threw"]
    assert ("Hello! I am", None) == (case["text"], case.get("finish"))
    assert case["message"]


@pytest.mark.parametrize("sdk", MODEL_LISTS)
def test_models_are_listed(judged: Judged, sdk: str) -> None:
    assert set(UPSTREAMS) == set(judged(sdk, "native", "models"))


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_the_message_of_usechats_transport(judged: Judged, upstream: str) -> None:
    """One step, one text that is done, and metadata with the counts."""
    case = judged("usechat", upstream, "transport")
    assert [
        {"type": "step-start"},
        {"type": "text", "text": texts.CHINESE, "state": "done"},
    ] == case["parts"]
    assert (upstream, "stop") == (case["metadata"]["model"], case["metadata"]["finishReason"])
    assert case["id"]


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_the_strict_first_release_of_version_5(judged: Judged, upstream: str) -> None:
    """It fails on any key that it does not know, of which `?strict=true` sends none."""
    said = {
        case: judged("usechat", upstream, f"first release, {case}")
        for case in ("text", "reasoning", "tools", "not strict")
    }
    assert texts.CHINESE == said["text"]["text"]
    assert (texts.REASONING, "The answer is 42.") == (
        said["reasoning"]["reasoning"],
        said["reasoning"]["text"],
    )
    calls = [part for part in said["tools"]["parts"] if part["type"] == "tool-get_weather"]
    assert [({"city": "Paris"}, "input-available"), ({"city": "北京"}, "input-available")] == [
        (part["input"], part["state"]) for part in calls
    ]
    assert "_TypeValidationError" == said["not strict"]["threw"], (
        "a judge that fails on nothing judges nothing"
    )


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_ag_uis_client_has_nothing_to_warn_of(judged: Judged, upstream: str) -> None:
    """And the run has its own names, and a message of the page's."""
    text, tools = (judged("agui", upstream, case) for case in ("text", "tools"))
    assert ([], []) == (text["warnings"], tools["warnings"])
    assert ["thread 1", "run 1"] == text["run"]
    assert 2 == judged("agui", upstream, "parallel")["messages"]

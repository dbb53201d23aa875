"""The AI SDK's own chat, unmodified, in a page that is loaded again in the middle of an answer."""

from typing import Any

import pytest

from tests.e2e.mock_account import asked_with
from tests.needs import requires
from tests.oracle.node import answered

pytestmark = requires("node", "js_sdks")

PROMPT = "a prompt of many words that is said again word by word by the echo"
STOPPED = "another prompt of many words that is stopped by its page in the midst of it"


@pytest.fixture(scope="module")
def told(echo: str) -> Any:
    return answered("usechat_resume", echo, "echo")


def test_a_page_that_is_loaded_again_gets_the_same_message_whole(echo: str, told: Any) -> None:
    page = told["reloaded"]
    assert PROMPT.startswith(page["seen"].strip())
    assert (PROMPT, True, "ready") == (page["whole"], page["same"], page["status"])
    assert 1 == len(asked_with(echo, PROMPT))


@pytest.mark.parametrize("case", ["over", "unknown"])
def test_where_there_is_nothing_to_resume_nothing_happens(told: Any, case: str) -> None:
    assert {"messages": 1, "status": "ready", "error": None} == told[case]


def test_stopping_ends_the_generation_and_tells_the_page(echo: str, told: Any) -> None:
    page = told["stopped"]
    assert (204, True) == (page["status"], "cancelled" in page["error"])
    assert 1 == page["after"]["messages"]
    assert ["client_gone"] == [row["ended"] for row in asked_with(echo, STOPPED)]

"""The AI SDK's WorkflowChatTransport, unmodified: its connection is cut again and again, and a page
is loaded again in the middle of an answer."""

from typing import Any

import pytest

from tests.e2e.mock_account import asked_with
from tests.needs import requires
from tests.oracle.node import answered
from tests.oracle.test_tanstack_resume import PROMPT

pytestmark = requires("node", "js_sdks")

TAKEN_OVER = "another prompt of many words that a second page reads from its start"


@pytest.fixture(scope="module")
def told(echo: str) -> Any:
    return answered("workflow_resume", echo, "echo")


def test_a_line_that_breaks_again_and_again_gives_each_part_once(echo: str, told: Any) -> None:
    page = told["broken"]
    assert (PROMPT, "start", "finish") == (page["text"], page["types"][0], page["types"][-1])
    first, *later = page["calls"]
    assert ["POST", 200, None] == first
    assert len(later) > 1
    assert all(call[:2] == ["GET", 200] for call in later)
    assert 1 == len(asked_with(echo, PROMPT))


def test_a_page_that_is_loaded_again_asks_by_the_run_for_the_newest(echo: str, told: Any) -> None:
    page = told["newest"]
    assert TAKEN_OVER.startswith(page["seen"])
    assert (TAKEN_OVER, "finish") == (page["rest"], page["last"])
    assert 1 == len(asked_with(echo, TAKEN_OVER))

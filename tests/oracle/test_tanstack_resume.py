"""TanStack AI's chat client, unmodified: its connection is cut again and again, and a page is loaded
again in the middle of a run."""

from typing import Any

import pytest

from tests.e2e.mock_account import asked_with
from tests.needs import requires
from tests.oracle.node import answered

pytestmark = requires("node", "js_sdks")

PROMPT = "a prompt of many words that comes back piece by piece"
TAKEN_OVER = "another prompt that a second page takes over from here"


@pytest.fixture(scope="module")
def told(echo: str) -> Any:
    return answered("tanstack_resume", echo, "echo")


def test_a_line_that_breaks_again_and_again_gives_the_text_once(echo: str, told: Any) -> None:
    page = told["cut"]
    assert ([PROMPT], None, ["POST", 200, False]) == (page["texts"], page["error"], page["first"])
    assert len(page["later"]) > 1
    assert all(call == ["POST", 200, True] for call in page["later"])
    assert 1 == len(asked_with(echo, PROMPT))


def test_a_page_that_is_loaded_again_joins_the_run(echo: str, told: Any) -> None:
    page = told["joined"]
    assert ("run 2", TAKEN_OVER, ["thread 2", "run 2"]) == (page["run"], page["text"], page["ids"])
    assert page["seen"] != TAKEN_OVER
    assert {"RUN_STARTED", "RUN_FINISHED"} < set(page["types"])
    assert "an error" == page["unknown"]
    assert 1 == len(asked_with(echo, TAKEN_OVER))

"""The founding post's three clients in a real browser, from another origin: alone and behind nginx
with its defaults."""

import itertools
import re
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.e2e.browser import Browser, Visit
from tests.e2e.mock_account import asked_with
from tests.needs import requires

pytestmark = requires("chromium", "node", "npm_packages")

RESULT = {"evaluate": "result"}
# Longer than fetch-event-source waits before it posts again.
AFTER_A_RETRY = {"evaluate": "new Promise((resolve) => setTimeout(resolve, 1300))"}
OPENED = 10  # at most
_numbers = itertools.count(1)


def new_prompt(words: str = "one two three four five") -> str:
    """Text that no other test asks with, so that the mock can be asked how often it was."""
    return f"{words} n{next(_numbers)}"


def page(site: str, name: str, api: str, model: str, prompt: str) -> str:
    return f"{site}/{name}?{urlencode({'api': api, 'model': model, 'prompt': prompt})}"


def heartbeats(proxy: str) -> float:
    with urlopen(f"{proxy}/metrics") as answer:
        rows = re.findall(
            r"^mainstem_heartbeats_total(?:\{.*\})? (\S+)$", answer.read().decode(), re.MULTILINE
        )
    return sum(map(float, rows))


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in events if event["type"] == "text.delta")


def check_whole_stream(events: list[dict[str, Any]], text: str) -> None:
    """From `stream.start` to exactly one terminal event, with the whole text between."""
    types = [event["type"] for event in events]
    assert types[0] == "stream.start"
    assert types[-1] == "stream.end"
    assert ["stream.end"] == [name for name in types if name in {"stream.end", "stream.error"}]
    assert text == text_of(events)


def check_preflight(visit: Visit, path: str) -> None:
    """The browser did ask whether it may: else the page was not of another origin."""
    asked = visit.preflights(path)
    assert asked
    assert all(200 <= row["status"] < 300 for row in asked)


def test_a_native_eventsource_gets_the_stream_once_and_is_told_to_stop(
    browser: Browser, site, proxy, api
):
    """It comes back by itself after the end of the body; the answer to that is 204, and the prompt
    is not run again."""
    prompt = new_prompt()
    visit = browser.visit(
        page(site, "eventsource.html", api, "echo", prompt),
        {"wait": "result.errors.includes(2)"},
        RESULT,
    )
    result = visit.values[0]
    check_whole_stream(result["messages"], prompt)
    assert [0, 2] == result["errors"]
    assert len(result["messages"]) == len(set(result["ids"]))
    assert [200, 204] == [row["status"] for row in visit.sent if "/v1/stream" in row["url"]]
    assert len(asked_with(proxy, prompt)) == 1


def test_the_posts_eventsource_page_works_unchanged_on_data(browser: Browser, site, proxy, api):
    prompt = new_prompt("每个 字符 都 到 了")
    result = browser.visit(
        page(site, "post-eventsource.html", api, "echo", prompt), {"wait": "result.done"}, RESULT
    ).values[0]
    assert prompt == result["text"]
    assert result["errors"] == 0
    assert len(asked_with(proxy, prompt)) == 1


def test_the_posts_eventsource_page_ends_after_a_failure_too(browser: Browser, site, proxy, api):
    prompt = new_prompt()
    result = browser.visit(
        page(site, "post-eventsource.html", api, "breaks", prompt), {"wait": "result.done"}, RESULT
    ).values[0]
    assert "[error]" in result["text"]
    assert result["errors"] == 0
    assert len(asked_with(proxy, prompt)) == 1


def test_the_posts_hand_written_reader_works_unchanged_on_data(browser: Browser, site, proxy, api):
    """Each of its reads must be one JSON text; its preflight asks for a header that only answers
    should have. A busy browser takes two texts in one read, however far apart they were sent: then
    the page is opened again. It would break each time, were they sent together."""
    for _ in range(OPENED):
        prompt = new_prompt("根据 您 提供 的 数据 报告 如下")
        visit = browser.visit(
            page(site, "hand-written.html", api, "", prompt), {"wait": "result.over"}, RESULT
        )
        result = visit.values[0]
        if not str(result["error"]).startswith("SyntaxError"):
            break
    assert result["error"] is None
    assert prompt == result["shown"]
    assert all(
        after.startswith(before) for before, after in itertools.pairwise(result["snapshots"])
    )
    assert len(result["snapshots"]) > 5
    check_preflight(visit, "/data")
    assert len(asked_with(proxy, prompt)) == 1


def test_fetch_event_source_gets_every_event_and_no_empty_message(
    browser: Browser, site, proxy, api
):
    prompt = new_prompt()
    visit = browser.visit(
        page(site, "fetch-event-source.html", api, "echo", prompt), {"wait": "result.over"}, RESULT
    )
    result = visit.values[-1]
    check_whole_stream(result["messages"], prompt)
    assert (0, [], [200], True) == (
        result["empty"],
        result["errors"],
        result["opened"],
        result["closed"],
    )
    check_preflight(visit, "/v1/stream")
    assert len(asked_with(proxy, prompt)) == 1


def test_fetch_event_source_is_not_disturbed_by_heartbeats(browser: Browser, site, proxy, api):
    """A comment with a blank line after it would come out as an empty message."""
    before = heartbeats(proxy)
    # long enough for a machine that stands still for a second
    prompt = new_prompt("one two three four five six seven eight nine ten")
    result = browser.visit(
        page(site, "fetch-event-source.html", api, "slow", prompt), {"wait": "result.over"}, RESULT
    ).values[0]
    check_whole_stream(result["messages"], prompt)
    assert (0, [], [200]) == (result["empty"], result["errors"], result["opened"])
    assert heartbeats(proxy) >= before + 2


def test_fetch_event_source_stops_when_its_request_is_refused(browser: Browser, site, proxy, api):
    prompt = new_prompt()
    visit = browser.visit(
        page(site, "fetch-event-source.html", api, "busy", prompt),
        {"wait": "result.over"},
        AFTER_A_RETRY,
        RESULT,
    )
    result = visit.values[-1]
    assert ([429], [], False) == (result["opened"], result["messages"], result["closed"])
    assert len(result["errors"]) == 1
    assert "429" in result["errors"][0]
    assert len(asked_with(proxy, prompt)) == 1


def test_fetch_event_source_stops_when_the_stream_fails(browser: Browser, site, proxy, api):
    """The error is an event like others, and the end of the body after it is a clean one: nothing
    to post again for."""
    prompt = new_prompt()
    visit = browser.visit(
        page(site, "fetch-event-source.html", api, "breaks", prompt),
        {"wait": "result.over"},
        AFTER_A_RETRY,
        RESULT,
    )
    result = visit.values[-1]
    types = [event["type"] for event in result["messages"]]
    assert types[-1] == "stream.error"
    assert "stream.end" not in types
    assert (0, [], [200], True) == (
        result["empty"],
        result["errors"],
        result["opened"],
        result["closed"],
    )
    assert len(asked_with(proxy, prompt)) == 1


def test_a_tab_that_is_left_and_come_back_to_does_not_run_its_prompt_again(
    browser: Browser, site, proxy, api
):
    """fetch-event-source hangs up when its tab is hidden, and posts again, with the last id, when
    it is shown."""
    prompt = new_prompt()
    visit = browser.visit(
        page(site, "fetch-event-source.html", api, "slow", prompt),
        {"wait": "result.messages.some((event) => event.type === 'text.delta')"},
        {"evaluate": "tab(true)"},
        {"evaluate": "tab(false)"},
        {"wait": "result.over"},
        RESULT,
    )
    result = visit.values[-1]
    assert ([200, 204], ["status 204"]) == (result["opened"], result["errors"])
    assert len(asked_with(proxy, prompt)) == 1


@pytest.mark.parametrize(
    "front",
    [
        "proxy",
        pytest.param("nginx", marks=requires("nginx")),
        pytest.param("nginx_gzip", marks=requires("nginx")),
    ],
)
@pytest.mark.parametrize("name", ["eventsource.html", "fetch-event-source.html"])
def test_what_has_come_is_shown_while_the_rest_is_still_awaited(
    browser: Browser, site, request, front, name
):
    """The vendor falls silent after five tokens: with anything held back on the way they would
    never be seen."""
    api = request.getfixturevalue(front)
    seen = {"wait": "result.messages.filter((event) => event.type === 'text.delta').length === 5"}
    result = browser.visit(page(site, name, api, "stalls", new_prompt()), seen, RESULT).values[0]
    assert result["messages"][-1]["type"] == "text.delta"
    assert result["errors"] == []

"""The playground in front of a vendor that means harm: nothing of its text runs, turns text around,
holds the page up or fills its memory."""

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest

from tests.e2e.browser import Browser
from tests.e2e.proxy_process import running_proxy
from tests.e2e.vendor import ANSWERS, EVENTS, hostile_vendor
from tests.needs import requires

pytestmark = requires("chromium", "node", "npm_packages")

READY = {"wait": "document.querySelector('#model').options.length > 1"}
OVER = {
    "wait": """document.querySelector('.status')?.className === 'status good'
        && document.querySelector('.answer').ariaBusy === 'false'"""
}
MOST_HELD_MS = 100  # of processor time: a clock would count other programs too
MOST_HEAP_BYTES = 48 << 20
MOST_NODES = 40_000


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with hostile_vendor() as vendor:
        config = {
            "upstreams": {"far": {"dialect": "openai_chat", "base_url": vendor}},
            "models": {name: [{"upstream": "far", "model": name}] for name in ANSWERS},
            "limits": {"max_event_bytes": 2 << 20},
        }
        with running_proxy(config) as url:
            yield url


def model(name: str) -> dict[str, str]:
    return {"select": "#model", "text": name}


def test_markup_in_an_answer_is_text_like_any_other(browser: Browser, page: str) -> None:
    visit = browser.visit(
        page,
        READY,
        model("scripts"),
        {"click": "#go"},
        OVER,
        {"evaluate": "document.querySelectorAll('details').forEach((one) => one.open = true)"},
        {"evaluate": "window.ran ?? null"},
        {"evaluate": "document.querySelector('.answer').innerText"},
        {
            "evaluate": """document.querySelectorAll(`.lane :is(script, iframe, style, [onerror],
                a[href^="javascript" i], a[href^="data" i], img)`).length"""
        },
    )
    _, ran, answer, harmful = visit.values
    assert (None, 0) == (ran, harmful)
    assert "<script>window.ran = 1</script>" in answer
    assert all(row["url"].startswith((page, "data:")) for row in visit.sent)
    assert [] == visit.console


def test_what_cannot_be_seen_is_made_visible(browser: Browser, page: str) -> None:
    visit = browser.visit(
        page,
        READY,
        model("controls"),
        {"click": "#go"},
        OVER,
        {"evaluate": "document.querySelector('main').textContent"},
    )
    shown = visit.values[0]
    hidden = {"\x00", "\x07", "\x1b", "\u202e", "\u202c", "\u2066", "\u2069", "\x85"}
    assert not hidden & set(shown)
    assert {"⟨U+202E⟩", "⟨U+2066⟩"} <= set(re.findall("⟨.+?⟩", shown))


def test_an_address_that_somebody_else_made_asks_for_nothing_but_a_stream(
    browser: Browser, page: str
) -> None:
    """The page heeds `#watch=` by itself, so whoever leads its user there chooses what is asked."""
    asked = []
    for stream in ("../stream?model=words&prompt=hi&x=", "..", "abcdef"):
        url = f"{page}/?{quote(stream)}#{urlencode({'watch': stream})}"
        visit = browser.visit(url, READY, {"evaluate": "document.querySelectorAll('.lane').length"})
        asked += [row["url"] for row in visit.sent if "/v1/" in row["url"]]
    assert [f"{page}/v1/streams/abcdef?dialect=native"] == asked


@pytest.mark.parametrize("name", ["large", "words", "slow", "many"])
def test_the_page_is_held_up_by_nothing_and_grows_within_a_bound(
    browser: Browser, page: str, name: str
) -> None:
    watch, longest = {"tasks": "watch"}, {"tasks": "longest"}
    visit = browser.visit(
        page, READY, watch, model(name), {"click": "#go"}, OVER, longest, {"memory": True}
    )
    held_ms, used = visit.values
    assert MOST_HELD_MS >= held_ms
    assert MOST_HEAP_BYTES > used["heap"]
    assert MOST_NODES > used["nodes"]


def test_all_of_many_events_are_counted(browser: Browser, page: str) -> None:
    count = {"evaluate": "document.querySelector('.gaps-text').textContent"}
    visit = browser.visit(page, READY, model("many"), {"click": "#go"}, OVER, count)
    assert visit.values[0].startswith(f"{EVENTS} pieces")

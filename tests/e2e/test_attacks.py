"""A page that wants a prompt run without leave, in a real browser: every way that a page has to make
a request, from an origin that `cors` does not name, and from one that it names.
"""

import json
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.e2e.browser import Browser
from tests.e2e.conftest import CONFIG
from tests.e2e.proxy_process import running_proxy
from tests.needs import requires

pytestmark = requires("chromium", "node", "npm_packages")

# What a page may do where `cors` says so: each carries its Origin.
BY_CORS = {"fetch with CORS", "EventSource", "worker", "service worker"}


@pytest.fixture
def api(site: str) -> Iterator[str]:
    """One that takes calls from one origin's pages."""
    with running_proxy({**CONFIG, "cors": {"allow_origins": [site]}}) as url:
        yield url


def attacked(browser: Browser, page: str, api: str) -> tuple[set[str], set[str]]:
    """What the page tried, and which of it ran."""
    visit = browser.visit(
        f"{page}/attack.html?{urlencode({'api': api})}",
        {"wait": "over.length === Object.keys(ways).length"},
        # in which the others would have run, of whose answers a page learns nothing
        {"evaluate": "new Promise((done) => setTimeout(() => done(tried), 1000))"},
    )
    with urllib.request.urlopen(f"{api}/mock/requests") as response:
        asked = json.load(response)
    ran = {entry["body"]["messages"][-1]["content"] for entry in asked}
    return set(visit.values[0]), ran


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_that_cors_does_not_name_runs_nothing(
    browser: Browser, site: str, api: str, name: str
) -> None:
    """Neither one of the same site (another port) nor one of another."""
    page = site.replace("127.0.0.1", "localhost")
    api = api.replace("127.0.0.1", name)
    tried, ran = attacked(browser, page, api)
    assert ran == set()
    assert len(tried) >= 30
    assert tried >= BY_CORS


def test_a_page_that_cors_names_runs_what_carries_its_origin_and_nothing_else(
    browser: Browser, site: str, api: str
) -> None:
    _, ran = attacked(browser, site, api)
    assert ran == BY_CORS

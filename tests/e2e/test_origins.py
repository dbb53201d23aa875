"""Pages of other origins: what a real browser lets them send, and what of the answers it lets them
see."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.browser import Browser
from tests.e2e.conftest import KEY
from tests.needs import requires

pytestmark = requires("chromium", "node", "npm_packages")

PREFLIGHTS = json.loads(Path(__file__).with_name("preflights.json").read_text())
JSON_BODY = {"content-type": "application/json"}


def ask(path: str, **init: Any) -> dict[str, str]:
    return {"evaluate": f"ask({json.dumps(path)}, {json.dumps(init)})"}


def post(
    body: Any, headers: dict[str, str] | None = None, path: str = "/v1/stream", **init: Any
) -> dict[str, str]:
    text = body if isinstance(body, str) else json.dumps(body)
    return ask(path, method="POST", headers={**JSON_BODY, **(headers or {})}, body=text, **init)


def page(site: str, api: str) -> str:
    return f"{site}/ask.html?{urlencode({'api': api})}"


def test_a_page_can_read_every_refusal_and_the_name_of_its_request(browser: Browser, site, api):
    """An answer without the headers of CORS would be a network error without a reason."""
    visit = browser.visit(
        page(site, api),
        post('{"model": '),
        post({"model": "nobody's", "prompt": "hi"}),
        post({"model": "busy", "prompt": "hi"}),
        ask("/v1/stream", method="PUT", body="x"),
        ask("/nothing/here"),
        post({"model": "echo", "prompt": "hi"}, {"content-type": "text/plain"}),
        post({"model": "echo"}, path="/v1/chat/completions"),
        post({"model": "echo"}, path="/v1/messages"),
        post({"query": 5, "history": []}, path="/data"),
    )
    statuses = [400, 404, 429, 405, 404, 415, 400, 400, 422]
    assert statuses == [answer.get("status") for answer in visit.values]
    assert all(answer["exposed"]["x-request-id"] for answer in visit.values)
    assert visit.values[2]["exposed"]["retry-after"] == "7"
    assert all(json.loads(answer["body"]) for answer in visit.values)


def test_a_page_may_send_what_real_clients_send(browser: Browser, site, proxy):
    """The header names of each preflight that was recorded, sent again by a real page."""
    steps = []
    for row in PREFLIGHTS:
        names = row["headers"].get("access-control-request-headers", "").split(",")
        headers = {
            name: "application/json" if name == "content-type" else "1"
            for name in names
            if name and name != "last-event-id"
        }
        method = row["headers"]["access-control-request-method"]
        steps.append(
            ask(
                "/v1/models",
                method=method,
                headers=headers,
                **({} if method == "GET" else {"body": "{}"}),
            )
        )
    answers = browser.visit(page(site, proxy), *steps).values
    assert not [answer for answer in answers if "blocked" in answer]


def test_metrics_are_not_for_pages(browser: Browser, site, proxy):
    assert "blocked" in browser.visit(page(site, proxy), ask("/metrics")).values[0]


@pytest.mark.parametrize("credentials", ["omit", "include"])
def test_with_a_list_only_the_pages_on_it_may_call(browser: Browser, site, guarded, credentials):
    """The same server by another name is another origin. A page on the list may send cookies where
    the operator says so."""
    asked = post(
        {"model": "echo", "prompt": "hi", "stream": False},
        {"authorization": f"Bearer {KEY}"},
        credentials=credentials,
    )
    stranger = site.replace("127.0.0.1", "localhost")
    assert browser.visit(page(site, guarded), asked).values[0]["status"] == 200
    assert "blocked" in browser.visit(page(stranger, guarded), asked).values[0]


def test_with_a_list_a_refused_key_is_a_sentence_to_the_page(browser: Browser, site, guarded):
    answer = browser.visit(page(site, guarded), post({"model": "echo", "prompt": "hi"})).values[0]
    assert answer["status"] == 401
    assert "needs a key" in json.loads(answer["body"])["error"]["message"]


def test_any_origin_never_goes_with_credentials(browser: Browser, site, proxy):
    """The browser keeps the answer from a page that sends cookies where any page may call."""
    answer = browser.visit(page(site, proxy), ask("/v1/models", credentials="include")).values[0]
    assert "blocked" in answer

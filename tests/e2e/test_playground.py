"""The page at `/`: three buttons, one for each client, and what arrives beside them."""

import itertools
import json
import shlex
from pathlib import Path

import pytest

from tests.e2e.browser import Browser
from tests.e2e.conftest import KEY
from tests.e2e.mock_account import asked_with, wait_until_ended
from tests.needs import requires

pytestmark = requires("chromium", "node", "npm_packages")

LISTED = {"wait": "document.querySelector('#model').options.length > 1"}
STATUS = {"evaluate": "document.querySelector('#status').textContent"}
ANSWER = {"evaluate": "document.querySelector('#answer').innerText"}
COMMAND = {"evaluate": "document.querySelector('#curl').textContent"}
CLIENTS = ["eventsource", "fetch", "handwritten"]
_numbers = itertools.count(1)


def ended(state: str) -> dict[str, str]:
    return {"wait": f"document.querySelector('#status').className === '{state}'"}


def model(name: str) -> dict[str, str]:
    return {"select": "#model", "text": name}


def press(client: str) -> dict[str, str]:
    return {"click": f"[data-client={client}]"}


def prompt(text: str) -> dict[str, str]:
    return {"fill": "#prompt", "text": text}


def test_each_button_shows_the_text_and_how_it_ended(browser: Browser, api):
    # The reader by hand needs a vendor that is slow enough for each write to be a read of its own.
    asked = [
        (client, "report" if client == "handwritten" else "echo", f"What does {client} show?")
        for client in CLIENTS
    ]
    steps = [
        step
        for client, name, words in asked
        for step in (model(name), prompt(words), press(client), ended("good"), ANSWER, STATUS)
    ]
    visit = browser.visit(api, LISTED, *steps)
    assert [words for _, _, words in asked] == visit.values[::2]
    assert all("Ended" in status for status in visit.values[1::2])
    assert [] == visit.console


def test_reasoning_tool_calls_and_corrections_are_shown_as_what_they_are(browser: Browser, proxy):
    steps = [
        step
        for name in ("thinks", "calls", "rewrites")
        for step in (model(name), press("fetch"), ended("good"), ANSWER)
    ]
    visit = browser.visit(proxy, LISTED, *steps)
    thinks, calls, rewrites = visit.values
    assert "Reasoning" in thinks
    assert "The answer is 42." in thinks
    assert calls.count("Tool call: get_weather") == 2
    assert "北京" in calls
    assert rewrites == "截至2023年，样本为1024条。"
    assert [] == visit.console


def test_what_goes_wrong_is_a_sentence(browser: Browser, proxy):
    """Before the stream and within it, for each client; EventSource is told nothing of a refusal
    and says so."""
    cases = [(client, name) for name in ("busy", "breaks") for client in CLIENTS]
    steps = [
        step
        for client, name in cases
        for step in (model(name), press(client), ended("bad"), STATUS)
    ]
    visit = browser.visit(proxy, LISTED, *steps)
    said = dict(zip(cases, visit.values, strict=True))
    assert "does not tell a page why" in said["eventsource", "busy"]
    assert "429" in said["fetch", "busy"]
    assert "Try again in 7 s" in said["fetch", "busy"]
    assert "429" in said["handwritten", "busy"]
    assert all("gave up in the middle" in said[client, "breaks"] for client in CLIENTS)
    assert not [line for line in visit.console if line.startswith("uncaught")]


@pytest.mark.parametrize("client", ["eventsource", "fetch"])
def test_stop_closes_the_connection_and_the_vendors_work_with_it(browser: Browser, proxy, client):
    words = f"stop {client} n{next(_numbers)}"
    visit = browser.visit(
        proxy,
        LISTED,
        model("stalls"),
        prompt(words),
        press(client),
        {"wait": "document.querySelectorAll('#frames .text').length === 5"},
        {"click": "#stop"},
        ended(""),
        STATUS,
    )
    assert visit.values[0].startswith("Stopped")
    assert wait_until_ended(proxy, words) == "client_gone"


def test_where_a_key_is_wanted_the_page_says_so_and_sends_it_with_every_client(
    browser: Browser, guarded
):
    words = f"open n{next(_numbers)}"
    steps = [step for client in CLIENTS for step in (press(client), ended("good"), ANSWER)]
    visit = browser.visit(
        guarded,
        ended("bad"),
        STATUS,
        {"fill": "#key", "text": KEY},
        {"evaluate": "document.querySelector('#key').blur()"},
        LISTED,
        model("report"),
        prompt(words),
        *steps,
        COMMAND,
    )
    refused, _, *answers, command = visit.values
    assert "needs a key" in refused
    assert [words] * 3 == answers
    assert len(asked_with(guarded, words, KEY)) == 3
    assert KEY not in command


def test_the_command_to_copy_asks_the_same(browser: Browser, proxy):
    words = 'It\'s "quoted" & $HOME\n`two` lines'
    visit = browser.visit(proxy, LISTED, model("echo"), prompt(words), COMMAND)
    command = shlex.split(visit.values[0])
    assert ["curl", "-N", f"{proxy}/v1/stream"] == command[:3]
    assert {"model": "echo", "prompt": words} == json.loads(command[command.index("-d") + 1])


def test_the_page_fits_and_loads_nothing_from_elsewhere(browser: Browser, proxy, tmp_path: Path):
    """On a wide and a narrow screen, in light and dark; the picture is there to be looked at."""
    overflow = {
        "evaluate": "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    }
    for width, dark in ((1280, False), (390, True)):
        shot = tmp_path / f"{width}.png"
        visit = browser.visit(
            proxy,
            LISTED,
            model("calls"),
            press("fetch"),
            ended("good"),
            overflow,
            {"screenshot": str(shot)},
            width=width,
            dark=dark,
        )
        assert visit.values[0] == 0
        assert shot.stat().st_size > 10_000
        assert all(row["url"].startswith(proxy) for row in visit.sent)
        assert [] == visit.console

"""The page at `/`: what is asked with every client dialect, how the answer is shown, and its buttons."""

import hashlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.registry import CLIENTS
from proxy.settings.defaults import embedded
from tests.e2e.browser import Browser, Visit
from tests.e2e.conftest import KEY
from tests.e2e.mock_account import asked_with, wait_until_ended
from tests.e2e.proxy_process import running_proxy
from tests.needs import program, requires

pytestmark = requires("chromium", "node", "npm_packages")

READY = {"wait": "document.querySelector('#model').options.length > 1"}
GOOD = {
    "wait": """document.querySelector('.status')?.className === 'status good'
        && document.querySelector('.answer').ariaBusy === 'false'
        && document.querySelector('.rows').textContent.includes('stream.end')"""
}
BAD = {"wait": "document.querySelector('.status')?.className === 'status bad'"}
ASK = {"click": "#go"}
STATUS = {"evaluate": "document.querySelector('.status').textContent"}
ANSWER = {"evaluate": "document.querySelector('.answer').innerText"}
SNIPPET = {"evaluate": "document.querySelector('#snippet').textContent"}
# What a first visit plays by itself is one test's, and in the way of all others.
VISITED = {"mainstem.visited": "1"}
# Of the READMEs, by file: the language and the prompt.
PICTURES = {
    "playground": ("en", "How is a stream read?"),
    "playground.zh-CN": ("zh", "怎样读取一个流？"),
}
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def play() -> Iterator[str]:
    with running_proxy({**embedded(), "streams": {"resume": {}}}) as url:
        yield url


def select(name: str, value: str) -> dict[str, str]:
    return {"select": f"#{name}", "text": value}


def fill(name: str, text: str) -> dict[str, str]:
    return {"fill": f"#{name}", "text": text}


def text_of(selector: str) -> dict[str, str]:
    return {
        "evaluate": f"[...document.querySelectorAll({selector!r})].map((node) => node.innerText)"
    }


def visited(
    browser: Browser,
    url: str,
    *steps: dict[str, Any],
    ready: dict[str, str] = READY,
    **more: Any,
) -> Visit:
    """A visit that is not the first one."""
    return browser.visit(url, ready, *steps, storage=VISITED, **more)


def test_the_first_visit_plays_something_and_every_piece_has_its_siblings(browser: Browser, play):
    links = """[...document.querySelectorAll('.rows .row')].map((row) => [
        row.className, row.dataset.source, ...[...row.children].map((cell) => cell.innerText)])"""
    visit = browser.visit(play, GOOD, ANSWER, {"evaluate": links}, text_of("dd"))
    answer, rows, numbers = visit.values
    assert "Reading a stream" in answer
    assert "#" not in answer.splitlines()[0]
    chunks = {source: raw for _, source, raw, *_ in rows if raw}
    said = [(source, event, out) for kind, source, _, event, out in rows if kind == "row text"]
    assert len(said) > 100
    for source, event, out in said:
        text = json.dumps(json.loads(event[event.index("{") :])["text"], ensure_ascii=False)
        assert text in out
        assert text in chunks[source]
    assert 6 == len(numbers)
    assert "unknown" == numbers[-1]
    assert [] == visit.console
    assert all(row["url"].startswith(play) for row in visit.sent)


def test_every_client_dialect_is_asked_in_its_own_form(browser: Browser, play):
    words = [f"What does {name} show?" for name in CLIENTS]
    options = {"evaluate": "[...document.querySelector('#dialect').options].map((o) => o.value)"}
    sent = {
        "evaluate": "[...document.querySelectorAll('.cell.out code')].map((c) => c.innerText).join('')"
    }
    steps = [
        step
        for name, prompt in zip(CLIENTS, words, strict=True)
        for step in (select("dialect", name), fill("prompt", prompt), ASK, GOOD, ANSWER, sent)
    ]
    visit = visited(browser, play, options, select("scenario", "echo"), fill("speed", "0"), *steps)
    assert set(CLIENTS) == set(visit.values[0])
    assert words == visit.values[1::2]
    shown = dict(zip(CLIENTS, visit.values[2::2], strict=True))
    assert "chat.completion.chunk" in shown["openai_chat"]
    assert "event: content_block_delta" in shown["anthropic"]
    assert '"candidates"' in shown["gemini"]
    assert "response.output_text.delta" in shown["openai_responses"]
    assert '"done":true' in shown["ollama"]
    assert '"text-delta"' in shown["ai_sdk"]
    assert [] == visit.console


def test_reasoning_is_folded_and_tool_calls_and_corrections_are_what_they_are(
    browser: Browser, play
):
    steps = [
        step
        for model, scenario in (
            ("anthropic", "reasoning"),
            ("openai_chat", "tools"),
            ("chatglm", "rewrite"),
        )
        for step in (select("model", model), select("scenario", scenario), ASK, GOOD, ANSWER)
    ]
    folded = {"evaluate": "document.querySelector('details.reasoning').open"}
    visit = visited(browser, play, *steps[:5], folded, *steps[5:])
    thinks, opened, calls, rewrites = visit.values
    assert "Reasoning" in thinks
    assert "The answer is 42." in thinks
    assert not opened
    assert calls.count("Tool call: get_weather") == 2
    assert "北京" in calls
    assert rewrites == "截至2023年，样本为1024条。"


def test_the_address_gives_the_form_to_others_and_asks_nothing_by_itself(browser: Browser, play):
    words = f"given on & on # p{next(_numbers)}"
    chosen = {
        "model": "gemini",
        "dialect": "cohere",
        "beside": "ollama",
        "scenario": "reasoning",
        "fault": "crlf",
    }
    written = {"prompt": words, "speed": "90", "extra": '{"seed": 7}'}
    visit = visited(
        browser,
        play,
        *(select(name, value) for name, value in chosen.items()),
        *(fill(name, text) for name, text in written.items()),
        ASK,
        {"evaluate": "location.href"},
    )
    form = {
        "evaluate": f"Object.fromEntries({[*chosen, *written]}.map((name) => [name, document.querySelector('#' + name).value]))"
    }
    given = browser.visit(visit.values[0], READY, form, text_of(".lane"))
    assert [{**chosen, **written}, []] == given.values
    assert not [row for row in given.sent if words in row["url"] or row["method"] == "POST"]


def test_a_refusal_is_shown_in_the_form_of_the_clients_dialect(browser: Browser, play):
    visit = visited(
        browser,
        play,
        select("dialect", "anthropic"),
        select("scenario", "error_429"),
        ASK,
        BAD,
        ANSWER,
    )
    said = json.loads(visit.values[0])
    assert ("error", "rate_limit_error") == (said["type"], said["error"]["type"])


# The smallest PNG, of one pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5C"
    "YII="
)
CITED: list[dict[str, Any]] = [
    {
        "type": "stream.start",
        "stream": "s",
        "model": "m",
        "upstream": "u",
        "upstream_model": "m",
        "created": 0,
        "notes": [],
    },
    {"type": "block.start", "block": 0, "kind": "text"},
    {"type": "text.delta", "block": 0, "text": "It rises in the Alps."},
    {"type": "citation", "block": 0, "url": "https://a.example/rhine", "title": "The Rhine"},
    {"type": "citation", "block": 0, "url": "javascript:window.ran=1", "title": "Not a link"},
    {"type": "block.end", "block": 0},
    {"type": "image", "url": PIXEL},
    {"type": "image", "url": "https://a.example/seen.png"},
    {"type": "stream.end", "finish": {"reason": "stop", "raw": None}, "usage": {}},
]


def test_sources_are_links_and_only_pictures_that_came_along_are_shown(
    browser: Browser, tmp_path: Path
):
    """One that lies elsewhere is a link: its server does not learn who looks at it."""
    script = tmp_path / "cited.yaml"
    script.write_text(json.dumps([{"send": {"sse": event}} for event in CITED]))
    upstream = {"dialect": "native", "mock": {"scenario": str(script)}}
    config = {"upstreams": {"far": upstream}, "models": {"m": [{"upstream": "far"}]}}
    links = "[...document.querySelectorAll('.answer a')].map((a) => [a.innerText, a.href, a.rel])"
    pictures = "[...document.querySelectorAll('.answer img')].map((i) => [i.src, i.naturalWidth])"
    with running_proxy(config) as url:
        visit = visited(
            browser,
            url,
            ASK,
            GOOD,
            {"evaluate": links},
            {"evaluate": pictures},
            text_of(".citation"),
            ready={"wait": "document.querySelector('#model').value === 'm'"},
        )
    rel = "noopener noreferrer nofollow"
    assert [
        ["The Rhine", "https://a.example/rhine", rel],
        ["a picture", "https://a.example/seen.png", rel],
    ] == visit.values[0]
    assert [[PIXEL, 1]] == visit.values[1]
    assert ["source: The Rhine", "source: Not a link"] == visit.values[2]
    assert not [row for row in visit.sent if "a.example" in row["url"]]
    assert [] == visit.console


def test_every_part_of_an_answer_is_shown_or_its_dialect_is_said_to_have_no_place(
    browser: Browser, play
):
    """Reasoning, calls, sources and a picture; beside a client that cannot have one of them a note
    says so, once."""
    seen = {
        "evaluate": """['.reasoning', '.tool_call', '.citation', 'img'].map(
            (part) => document.querySelectorAll('.answer ' + part).length)"""
    }
    scenarios = ("reasoning_tools", "sources", "picture")
    steps = [
        step
        for dialect in ("anthropic", "ollama", "plain")
        for scenario in scenarios
        for step in (
            select("dialect", dialect),
            select("scenario", scenario),
            ASK,
            GOOD,
            seen,
            text_of(".notes b"),
        )
    ]
    visit = visited(browser, play, select("model", "openai_chat"), fill("speed", "0"), *steps)
    assert [[1, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]] * 3 == visit.values[::2]
    assert [[], [], []] == visit.values[1:6:2]
    assert [[], ["dropped citation"], []] == visit.values[7:12:2]
    assert [
        ["dropped reasoning", "dropped tool_call"],
        ["dropped citation"],
        ["dropped image"],
    ] == visit.values[13:18:2]
    assert [] == visit.console


def test_what_goes_wrong_is_a_sentence_and_faults_can_be_switched_on(browser: Browser, play):
    faults = ["cut@5", "half@5", "garbage@5", "error@5", "status:500", "html", "empty"]
    steps = [step for fault in faults for step in (select("fault", fault), ASK, BAD, STATUS)]
    # rows are drawn a little after the status is said
    drawn = {"wait": "document.querySelectorAll('.row.error').length === 1"}
    cut = (select("fault", "cut@5"), ASK, BAD, drawn)
    visit = visited(browser, play, select("model", "anthropic"), *steps, *cut)
    said = dict(zip(faults, visit.values, strict=True))
    assert "upstream_truncated" in said["cut@5"]
    assert "Failed" in said["half@5"]
    assert "upstream_error" in said["error@5"] or "overloaded" in said["error@5"]
    assert "Refused with 500" in said["status:500"] or "Refused with 502" in said["status:500"]
    assert "web page" in said["html"]
    assert not [line for line in visit.console if line.startswith("uncaught")]


def test_stop_ends_the_vendors_work(browser: Browser, play):
    words = f"stop p{next(_numbers)}"
    begun = {"wait": "document.querySelectorAll('.row.text').length > 3"}
    visit = visited(
        browser,
        play,
        select("scenario", "long"),
        fill("prompt", words),
        ASK,
        begun,
        {"click": "#stop"},
        {"wait": "document.querySelector('#stop').disabled"},
        STATUS,
    )
    assert visit.values[0].startswith("Stopped")
    assert wait_until_ended(play, words) == "client_gone"


def test_a_dropped_stream_is_resumed_whole_and_can_be_watched_elsewhere(browser: Browser, play):
    words = " ".join(f"w{number}" for number in range(60)) + f" p{next(_numbers)}"
    visit = visited(
        browser,
        play,
        select("scenario", "echo"),
        fill("speed", "40"),
        fill("prompt", words),
        ASK,
        {"wait": "document.querySelectorAll('.row.text').length > 5"},
        {"click": "#leave"},
        {"wait": "!document.querySelector('#resume').disabled"},
        STATUS,
        {"evaluate": "document.querySelector('#watch').href"},
        {"click": "#resume"},
        GOOD,
        ANSWER,
        text_of(".row.text"),
    )
    dropped, watch, answer, rows = visit.values
    assert "dropped" in dropped
    assert words == answer
    assert 61 == len(rows)
    assert 1 == len(asked_with(play, words))
    elsewhere = browser.visit(watch, GOOD, ANSWER, text_of(".row.text .cell.raw"))
    assert words == elsewhere.values[0]
    assert "delta" in elsewhere.values[1][-1]
    assert 1 == len(asked_with(play, words))


def test_a_page_that_is_loaded_again_in_mid_answer_goes_on_with_both_lanes(browser: Browser, play):
    words = " ".join(f"w{number}" for number in range(40)) + f" p{next(_numbers)}"
    both = "document.querySelectorAll('.status.good').length === 2"
    shown = "document.querySelectorAll('.answer[aria-busy=false]').length === 2"
    visit = visited(
        browser,
        play,
        select("model", "anthropic"),
        select("beside", "gemini"),
        select("scenario", "echo"),
        fill("speed", "15"),
        fill("prompt", words),
        ASK,
        {"wait": "document.querySelectorAll('.row.text').length > 5"},
        {"reload": True},
        {"wait": f"{both} && {shown}"},
        text_of(".answer"),
        {"reload": True},
        READY,
        text_of(".answer"),
    )
    assert [[words, words], []] == visit.values
    assert 2 == len(asked_with(play, words))


def test_two_upstreams_answer_one_prompt_side_by_side(browser: Browser, play):
    words = f"both p{next(_numbers)}"
    visit = visited(
        browser,
        play,
        select("model", "anthropic"),
        select("beside", "gemini"),
        fill("prompt", words),
        ASK,
        {
            "wait": """document.querySelectorAll('.status.good').length === 2
                && document.querySelectorAll('.answer[aria-busy=false]').length === 2"""
        },
        text_of(".lane h2"),
        text_of(".answer"),
    )
    names, answers = visit.values
    assert ["anthropic mock-anthropic", "gemini mock-gemini"] == [
        name.partition(" ·")[0] for name in names
    ]
    assert all(words in answer for answer in answers)


def test_what_was_lost_is_said_beside_the_answer(browser: Browser, play):
    visit = visited(
        browser,
        play,
        select("model", "anthropic"),
        fill("extra", '{"seed": 7}'),
        ASK,
        GOOD,
        text_of(".notes li"),
    )
    assert any(note.startswith("dropped seed") for note in visit.values[0])


def test_a_body_that_is_no_json_is_said_at_once_and_nothing_is_sent(browser: Browser, play):
    visit = visited(browser, play, fill("extra", "{"), ASK, text_of("#problem"))
    assert "JSON" in visit.values[0][0]
    assert not [row for row in visit.sent if row["method"] == "POST"]


def test_both_languages_say_everything(browser: Browser, play):
    names = {"evaluate": f"import('{play}/web/playground/words.js').then((words) => words.names())"}
    words = {
        "evaluate": "[document.documentElement.lang, ...[...document.querySelectorAll('[data-word]')].map((n) => n.textContent)]"
    }
    offered = {
        "evaluate": "[...document.querySelectorAll('#scenario option, #fault option')].map((o) => o.text)"
    }
    here = [words, offered]
    visit = visited(
        browser, f"{play}/?lang=zh", names, *here, ASK, GOOD, STATUS, {"click": "#language"}, *here
    )
    (english, chinese), zh, plays_zh, status, en, plays_en = visit.values
    assert len(plays_zh) == len(plays_en) > 40
    assert all(re.search("[\u4e00-\u9fff]", said) for said in plays_zh)
    assert all(said.isascii() for said in plays_en)
    assert sorted(english) == sorted(chinese)
    assert ("zh-CN", "en") == (zh[0], en[0])
    assert all(re.search("[\u4e00-\u9fff]", said) for said in zh[1:])
    assert all(said.isascii() or "’" in said for said in en[1:])
    assert "结束" in status


def test_where_a_key_is_wanted_the_page_asks_for_it_and_sends_it(browser: Browser, guarded):
    words = f"open p{next(_numbers)}"
    visit = browser.visit(
        guarded,
        {"wait": "document.querySelector('#key-why').textContent !== ''"},
        text_of("#key-why, #problem"),
        fill("key", "wrong"),
        {"evaluate": "document.querySelector('#key').blur()"},
        {"wait": "document.querySelector('#key-why').textContent.includes('not taken')"},
        fill("key", KEY),
        {"evaluate": "document.querySelector('#key').blur()"},
        READY,
        select("model", "echo"),
        fill("prompt", words),
        ASK,
        GOOD,
        ANSWER,
        SNIPPET,
        {"click": "[data-language=javascript]"},
        SNIPPET,
        storage=VISITED,
    )
    wanted, _, _, answer, snippet, module = visit.values
    assert ["This proxy wants a key. It stays in this page.", ""] == wanted
    assert words == answer
    assert len(asked_with(guarded, words, KEY)) == 1
    assert "$MAINSTEM_KEY" in snippet
    assert 'const MAINSTEM_KEY = "...";' in module
    assert KEY not in snippet + module
    assert [] == visit.console


def test_a_window_that_watches_does_so_once_it_has_its_key(browser: Browser):
    key = {"name": "page", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}
    config = {**embedded(), "auth": {"keys": [key]}, "streams": {"resume": {}}}
    give = [fill("key", KEY), {"evaluate": "document.querySelector('#key').blur()"}]
    with running_proxy(config) as url:
        asked = visited(
            browser,
            url,
            *give,
            READY,
            select("scenario", "echo"),
            fill("prompt", "to be watched"),
            ASK,
            GOOD,
            {"evaluate": "document.querySelector('#watch').href"},
            ready={"wait": "document.querySelector('#key-why').textContent !== ''"},
        )
        assert KEY not in asked.values[-1]
        wanted = {"wait": "document.querySelector('#key-why').textContent !== ''"}
        watched = browser.visit(asked.values[-1], wanted, *give, GOOD, ANSWER)
    assert watched.values[-1] == "to be watched"


def test_what_there_is_to_copy_asks_the_same_in_every_dialect(browser: Browser, play, tmp_path):
    """Run as it stands, in a shell, in Python, in Node. The first dialect is our own."""
    marks = [f"p{next(_numbers)}" for _ in CLIENTS]
    steps = [
        step
        for dialect, mark in zip(CLIENTS, marks, strict=True)
        for step in (
            select("dialect", dialect),
            fill("prompt", f'It\'s "quoted" & $HOME {{model}}\n`two` 行 {mark}'),
            *({"click": "[data-language=curl]"}, SNIPPET),
            *({"click": "[data-language=python]"}, SNIPPET),
            *({"click": "[data-language=javascript]"}, SNIPPET),
        )
    ]
    visit = visited(browser, play, select("scenario", "echo"), fill("speed", "0"), *steps)
    curls, pythons, modules = visit.values[::3], visit.values[1::3], visit.values[2::3]
    # Node takes no module from an address
    module = Path(__file__).parents[2] / "proxy" / "web" / "client.js"
    modules[0] = modules[0].replace(f"{play}/web/client.js", module.as_uri())
    for number, (python, javascript) in enumerate(zip(pythons, modules, strict=True)):
        (tmp_path / f"{number}.py").write_text(python)
        (tmp_path / f"{number}.mjs").write_text(javascript)
    numbers = range(len(marks))
    in_turn = [f"import runpy; [runpy.run_path(f'{{n}}.py') for n in {[*numbers]}]"]
    imports = [f"await import('{tmp_path}/{number}.mjs');" for number in numbers]
    for command in (
        *map(shlex.split, curls),
        [sys.executable, "-c", *in_turn],
        [program("node"), "--input-type=module", "-e", "\n".join(imports)],
    ):
        said = subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=150
        )
        assert "quoted" in said.stdout
    assert [3] * len(marks) == [len(asked_with(play, f'行 {mark}"')) for mark in marks]


def test_the_page_fits_and_axe_finds_no_fault(browser: Browser, play, tmp_path: Path):
    """On a wide and a narrow screen, light and dark, in both languages."""
    overflow = {
        "evaluate": "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    }
    for width, dark, lang in ((1280, False, "en"), (360, True, "zh")):
        visit = visited(
            browser,
            f"{play}/?lang={lang}",
            select("model", "openai_chat"),
            select("scenario", "tools"),
            fill("extra", '{"seed": 7, "top_k": 3}'),
            ASK,
            GOOD,
            overflow,
            {"axe": True},
            picture(f"{width}-{lang}", tmp_path),
            width=width,
            dark=dark,
        )
        assert [0, []] == visit.values
        assert [] == visit.console


@pytest.mark.parametrize("name", PICTURES)
def test_each_readme_has_a_picture_of_the_page(browser: Browser, play, tmp_path: Path, name: str):
    """`make picture` takes it anew."""
    lang, prompt = PICTURES[name]
    row = "document.querySelectorAll('.row.text')[30]"
    visited(
        browser,
        f"{play}/?lang={lang}",
        select("model", "openai_chat"),
        select("dialect", "anthropic"),
        select("scenario", "markdown"),
        fill("prompt", prompt),
        fill("extra", '{"top_k": 3}'),
        fill("speed", "80"),
        ASK,
        GOOD,
        {"wait": "document.querySelector('.rows').innerText.includes('message_stop')"},
        {"evaluate": f"{row}.scrollIntoView({{block: 'center'}}), scrollTo(0, 0)"},
        {"evaluate": f"{row}.focus({{preventScroll: true}})"},
        {"evaluate": "document.querySelector('.answer').scrollTop = 0"},
        {**picture(name, tmp_path), "whole": False},
        width=1180,
        height=1540,
    )
    shown = (Path(__file__).parents[2] / "docs" / f"{name}.png").read_bytes()
    assert shown.startswith(b"\x89PNG")
    assert 250_000 > len(shown)


def picture(name: str, elsewhere: Path) -> dict[str, Any]:
    """A step that takes one. MAINSTEM_PICTURES names a folder to keep them in."""
    return {"screenshot": str(Path(os.environ.get("MAINSTEM_PICTURES", elsewhere)) / f"{name}.png")}


def test_everything_can_be_done_by_keyboard(browser: Browser, play):
    """The answer is asked for in the prompt, and the arrows go from piece to piece."""
    row = {
        "evaluate": "document.activeElement.className + ' ' + document.activeElement.dataset.source"
    }
    visit = visited(
        browser,
        play,
        select("model", "anthropic"),
        fill("speed", "0"),
        {"evaluate": "document.querySelector('#prompt').focus()"},
        {"press": "Control+Enter"},
        GOOD,
        {"evaluate": "document.querySelector('.pieces').focus()"},
        *[{"press": "ArrowDown"}] * 4,
        row,
        {"evaluate": "document.querySelectorAll('.row.kin').length"},
    )
    assert re.fullmatch(r"row \w+ kin \d+", visit.values[2])
    assert visit.values[3] >= 1

"""docs/BROWSER.md as it stands: each recipe in a fresh Vite project that has the packed client, opened
in Chromium from another origin; and the old pages' versions with the module."""

import gzip
import itertools
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from proxy import __version__
from tests.e2e.browser import Browser
from tests.e2e.mock_account import asked_with
from tests.e2e.proxy_process import running_proxy
from tests.needs import NPM_PACKAGES, program, requires
from tests.support import recordings_dir

pytestmark = requires("chromium", "node", "npm_packages")

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "proxy" / "web"
RECIPES = dict(
    re.findall(
        r"^```jsx?\n// (\S+)\n(.*?)^```$",
        (ROOT / "docs" / "BROWSER.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
)
NAMES = [
    "plain.js",
    "react.jsx",
    "vue.js",
    "fetch-event-source.js",
    "eventsource.js",
    "usechat.jsx",
    "usechat-resume.jsx",
    "openai.js",
]
MOST_BYTES = 4096
CONFIG = {
    "upstreams": {
        "mock": {"dialect": "openai_chat", "mock": {"scenario": "hello", "tokens_per_s": 200}}
    },
    "models": {"fast": [{"upstream": "mock"}]},
}
FRAMEWORKS = ("react", "vue", "usechat")
_numbers = itertools.count(1)


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with running_proxy(CONFIG) as url:
        yield url


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project with the packed client installed by npm; what else it needs is linked."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"name": "page", "private": true, "type": "module"}')
    told = json.loads(run("npm", "pack", "--json", str(PACKAGE), cwd=folder))
    assert {"client.js", "client.d.ts", "mainstem.d.ts", "package.json"} == {
        row["path"] for row in told[0]["files"]
    }
    install = ("npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund")
    run(*install, f"./{told[0]['filename']}", cwd=folder)
    for entry in NPM_PACKAGES.iterdir():
        if not (folder / "node_modules" / entry.name).exists() and not entry.name.startswith("."):
            (folder / "node_modules" / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(scope="module")
def built(project: Path, api: str) -> Iterator[str]:
    """The origin where the recipes' pages are, each built by Vite."""
    for name, code in RECIPES.items():
        (project / name).write_text(code.replace("https://proxy.example.com", api))
        page = (
            '<div id="app"></div>'
            if name.startswith(FRAMEWORKS)
            else '<p id="answer"></p><p id="status"></p>'
        )
        stem = name.partition(".")[0]
        (project / f"{stem}.html").write_text(
            f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">{page}<script type="module" src="./{name}"></script>'
        )
    pages = {name.partition(".")[0]: f"{name.partition('.')[0]}.html" for name in RECIPES}
    settings = {
        "build": {"rollupOptions": {"input": pages}, "target": "esnext"},
        "logLevel": "warn",
    }
    (project / "vite.config.js").write_text(f"export default {json.dumps(settings)};\n")
    vite = NPM_PACKAGES / "vite" / "bin" / "vite.js"
    run(program("node"), str(vite), "build", cwd=project)
    handler = partial(_Quiet, directory=str(project / "dist"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_the_page_has_a_recipe_for_each() -> None:
    assert NAMES == list(RECIPES)


@pytest.mark.parametrize("name", NAMES)
def test_each_recipe_runs_as_it_stands(browser: Browser, built: str, name: str) -> None:
    visit = browser.visit(
        f"{built}/{name.partition('.')[0]}.html",
        {"wait": "(document.querySelector('#status')?.textContent ?? '') !== ''"},
        {"evaluate": "['#status', '#answer'].map((id) => document.querySelector(id).textContent)"},
    )
    status, answer = visit.values[0]
    assert status == "done"
    assert answer.startswith("Hello! I am ")
    assert answer.endswith("You said: Say hello")
    assert [] == visit.console


@pytest.mark.parametrize("name", ["eventsource", "fetch-event-source", "hand-written"])
def test_the_old_pages_versions_with_the_module_show_the_text_and_know_the_end(
    browser: Browser, site: str, proxy: str, name: str
) -> None:
    prompt = f"每个 字符 都 到 了 r{next(_numbers)}"  # other files have their own

    def page(model: str) -> str:
        asked = {"api": proxy, "model": model, "prompt": prompt}
        return f"{site}/module-{name}.html?{urlencode(asked)}"

    over = {"wait": "window.result !== undefined"}
    whole = browser.visit(page("echo"), over, {"evaluate": "result"}).values[0]
    assert (True, prompt) == (whole["ok"], whole["shown"])
    assert len(asked_with(proxy, prompt)) == 1
    broken = browser.visit(page("breaks"), over, {"evaluate": "result"}).values[0]
    assert (False, "upstream_error") == (broken["ok"], broken["kind"])
    assert "[error]" not in broken["shown"]


def test_the_client_is_small_when_minified_and_gzipped(project: Path) -> None:
    esbuild = NPM_PACKAGES / "esbuild" / "bin" / "esbuild"
    made = run(
        str(esbuild),
        "--minify",
        "--format=esm",
        "node_modules/mainstem-client/client.js",
        cwd=project,
    )
    assert MOST_BYTES > len(gzip.compress(made.encode(), 9))


STRICT = """\
import { ask, events, type Answer, MainstemError, type StreamEvent } from "mainstem-client";

const url = new URL("https://proxy.example.com/v1/stream");
const answer: Answer = ask({ url, body: { model: "m", prompt: "p", vendor: { a: 1 } }, retries: 2 });
for await (const event of answer) {
  if (event.type === "text.delta") console.log(event.text.length, event.block + 1);
  if (event.type === "stream.end") console.log(event.finish.reason.length, event.usage.output_tokens);
}
const { text, toolCalls, error } = await answer.whole;
const all: StreamEvent[] = [];
for await (const event of events({ url })) all.push(event);
console.log(text.length, toolCalls[0]?.arguments, error instanceof MainstemError && error.requestId);
// @ts-expect-error a prompt is a text
ask({ url, body: { model: "m", prompt: 1 } });
// @ts-expect-error there is no such event
if (all[0]?.type === "text.deltas") console.log("never");
"""


def test_types_hold_under_strict_for_who_uses_the_client_in_itself_and_in_the_page(
    project: Path,
) -> None:
    (project / "strict.ts").write_text(STRICT)
    tsc = NPM_PACKAGES / "typescript" / "bin" / "tsc"
    common = ("--noEmit", "--strict", "--target", "es2023", "--lib", "es2023,dom,dom.iterable")
    for how in (("bundler", "esnext"), ("nodenext", "nodenext")):
        run(
            program("node"), str(tsc), *common, "--moduleResolution", how[0], "--module", how[1],
            "--types", "", "strict.ts", cwd=project,
        )  # fmt: skip
    shutil.copytree(PACKAGE, project / "itself", ignore=lambda *_: ["vendor"])
    run(
        program("node"), str(tsc), *common, "--allowJs", "--checkJs", "--module", "nodenext",
        "--types", "", "itself/client.js", "itself/playground/app.js", cwd=project,
    )  # fmt: skip


def test_the_types_name_what_the_module_gives_and_the_version_is_mainstems(project: Path) -> None:
    given = run(
        program("node"),
        "--input-type=module",
        "-e",
        "console.log(Object.keys(await import('mainstem-client')).join())",
        cwd=project,
    )
    typed = re.findall(
        r"^export declare (?:async )?(?:function|class) (\w+)",
        (PACKAGE / "client.d.ts").read_text(),
        re.MULTILINE,
    )
    assert sorted(typed) == sorted(given.strip().split(","))
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    assert __version__.replace(".dev", "-dev.") == version


CUTS = """(async () => {
    const { FrameParser } = await import("API/web/client.js");
    let state = 1;
    const below = (most) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % most;
    const wrong = [];
    for (const { name, input_base64, strict_events } of VECTORS) {
        const bytes = Uint8Array.from(atob(input_base64), (mark) => mark.charCodeAt(0));
        const expected = JSON.stringify(strict_events.map(({ event, data, id }) => ({ event, data, id })));
        for (let n = 0; n < 200; n++) {
            const parser = new FrameParser();
            const frames = [];
            for (let at = 0; at < bytes.length; ) {
                const size = n === 0 ? bytes.length : below(16);
                frames.push(...parser.feed(bytes.subarray(at, at + size)));
                at += size;
            }
            if (JSON.stringify(frames) !== expected) wrong.push([name, n]);
        }
    }
    return wrong;
})()"""


def test_the_standards_cases_hold_in_chromium_for_two_hundred_splits(
    browser: Browser, site: str, api: str
) -> None:
    recordings = recordings_dir()
    vectors: list[dict[str, Any]] = [
        {
            "name": "own",
            "input_base64": "77u/aWQ6IDEKZGF0YTog5ryi8J+YgA0KZGF0YTphDQoNCjogcGluZwpkYXRhOiBiCgo=",
            "strict_events": [
                {"event": "message", "data": "漢😀\na", "id": "1"},
                {"event": "message", "data": "b", "id": "1"},
            ],
        }
    ]
    if recordings is not None and (found := recordings.parent / "sse_vectors.json").exists():
        vectors += json.loads(found.read_text())
    cuts = CUTS.replace("API", api).replace("VECTORS", json.dumps(vectors))
    assert [[]] == browser.visit(f"{site}/ask.html", {"evaluate": cuts}).values

"""The browser: a Node process that drives headless Chromium, told in JSON lines what to do (see
browser.mjs)."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.needs import program

STEP_S = 15
STOP_S = 10


class Visit(NamedTuple):
    """What came of a visit. `values`: what each step that asks for something gave, in order. `sent`: every
    request of the page, preflights included."""

    values: list[Any]
    console: list[str]
    sent: list[dict[str, Any]]

    def preflights(self, path: str) -> list[dict[str, Any]]:
        return [row for row in self.sent if row["method"] == "OPTIONS" and path in row["url"]]


class Browser:
    """One Chromium for many visits; each has a page and storage of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def visit(
        self,
        url: str,
        *steps: dict[str, Any],
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        storage: Mapping[str, str] = {},
    ) -> Visit:
        """Open a page, whose storage has these rows, and do the steps: {"wait": js}, {"evaluate": js}, {"click": css}, {"fill":
        css, "text": ...}, {"select": css, "text": ...}, {"press": key}, {"screenshot": path}
        ("whole": False leaves out what is below the window), {"axe": True} for the faults that
        axe-core finds, {"memory": True}, {"tasks": "watch"} and {"tasks": "longest"} for the longest
        task's processor time in ms, {"reload": True}, {"tab": 1, "url": ...} for the steps
        that follow in another tab; the first is 0. Raises AssertionError with the page's console
        when a step fails."""
        job = {
            "url": url,
            "steps": steps,
            "width": width,
            "height": height,
            "dark": dark,
            "storage": dict(storage),
            "timeout_ms": STEP_S * 1000,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the browser has ended"
        done = json.loads(line)
        assert "error" not in done, (
            f"{done['error']}\nconsole: {done['console']}\nlast value: {done['state']}\nsent: {done['sent']}"
        )
        return Visit(done["values"], done["console"], done["sent"])


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium, started once."""
    with subprocess.Popen(
        [program("node"), str(Path(__file__).with_name("browser.mjs")), program("chromium")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        try:
            yield Browser(process)
        finally:
            process.stdin.close()  # its sign to close the browser
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()

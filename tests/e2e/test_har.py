"""HAR: Playwright's own recording is read, and Playwright answers from ours."""

import asyncio
import json
import subprocess
from pathlib import Path

from proxy.events import TextDelta
from proxy.mock.files import recordings_in
from proxy.mock.server import MockServer
from proxy.recording.har import to_har
from proxy.recording.reading import events_of
from tests.needs import program, requires
from tests.recording.samples import REQUEST, recording

HERE = Path(__file__).parent
RUN_S = 40


def playwright(what: str, har: Path, url: str, body: str) -> str:
    command = ["node", "har.mjs", program("chromium"), what, str(har), url, body]
    done = subprocess.run(command, cwd=HERE, capture_output=True, timeout=RUN_S, check=False)
    assert 0 == done.returncode, done.stderr.decode()
    return done.stdout.decode()


@requires("chromium", "node", "npm_packages")
async def test_what_playwright_recorded_is_read(tmp_path: Path) -> None:
    """Without the page's key."""
    har = tmp_path / "page.har"
    server = MockServer({}, every_dialect=True)
    address = await server.start()
    try:
        url = f"{address}/v1/chat/completions?x-mock-scenario=chinese&x-mock-tokens-per-s=0"
        got = await asyncio.to_thread(playwright, "record", har, url, json.dumps(REQUEST))
    finally:
        await server.stop()
    ((_, one),) = recordings_in(har)
    assert got.encode() == one.body
    assert ("openai_chat", "m-1", REQUEST, 200, "spread") == (
        one.dialect,
        one.model,
        one.request.body,
        one.status,
        one.gaps,
    )
    said = [event.text for _, event in events_of(one) if isinstance(event, TextDelta)]
    assert "".join(said).startswith("春分那天")
    assert b"a-secret-key" in har.read_bytes()
    assert b"a-secret-key" not in to_har([one], "0")


@requires("chromium", "node", "npm_packages")
def test_playwright_answers_from_ours(tmp_path: Path) -> None:
    har = tmp_path / "ours.har"
    har.write_bytes(to_har([recording()], "0"))
    body = json.loads(har.read_bytes())["log"]["entries"][0]["request"]["postData"]["text"]
    got = playwright("replay", har, "https://up.invalid/chat/completions", body)
    assert recording().body.decode() == got

"""HAR: Playwright's own recording is read, Playwright answers from ours, and ours keeps the format's
JSON Schema."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft6Validator
from referencing import Registry, Resource

from proxy.events import TextDelta
from proxy.mock.files import recordings_in
from proxy.mock.server import MockServer
from proxy.recording.har import to_har
from proxy.recording.reading import events_of
from proxy.recording.tape import Asked, Read, Recording
from tests.needs import NPM_PACKAGES, program, requires
from tests.recording.samples import REQUEST, recording

HERE = Path(__file__).parent
SCHEMA = NPM_PACKAGES / "har-schema" / "lib"
RUN_S = 150


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


def schema_of_har() -> Draft6Validator:
    """The schema of HAR 1.2, with the files that it names."""
    parts = [json.loads(path.read_bytes()) for path in SCHEMA.glob("*.json")]
    named = [(part["$id"], Resource.from_contents(part)) for part in parts]
    (whole,) = [part for part in parts if part["$id"] == "har.json#"]
    return Draft6Validator(
        whole,
        registry=Registry().with_resources(named),
        format_checker=Draft6Validator.FORMAT_CHECKER,
    )


@requires("har_schema")
@pytest.mark.parametrize(
    "recorded",
    [
        recording(),
        recording(gaps="spread"),
        recording(reads=(Read(30, bytes(range(256))),), headers={}),
        recording(reads=(), end="broken", status=529),
        recording(request=Asked("GET", "/v1/stream"), recorded="yesterday"),
    ],
    ids=["text", "spread", "binary", "broken", "GET"],
)
def test_ours_keeps_the_schema(recorded: Recording) -> None:
    har = json.loads(to_har([recorded], "1.0"))
    assert [] == [
        f"{error.json_path}: {error.message}" for error in schema_of_har().iter_errors(har)
    ]


@requires("har_schema")
def test_the_schema_finds_faults() -> None:
    """A time without a zone, a status that is a text, no timings."""
    har = json.loads(to_har([recording()], "1.0"))
    (entry,) = har["log"]["entries"]
    entry["startedDateTime"] = "2026-11-30"
    entry["response"]["status"] = "200"
    del entry["timings"]
    assert 3 == len(list(schema_of_har().iter_errors(har)))

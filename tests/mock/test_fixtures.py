"""Fixtures: the first that fits is played, in every dialect."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import yaml

from proxy.dialects.registry import UPSTREAMS
from proxy.mock.compose import MockSpec
from proxy.mock.fixtures import fixtures_in
from proxy.mock.script import MockError
from proxy.mock.server import MockServer
from tests.cli.tools import mainstem
from tests.mock.test_dialects import DIALECTS, answered, folded
from tests.mock.wire import Seen, ask
from tests.support import decode

FILE = Path(__file__).parents[2] / "docs" / "MOCK.md"
WEATHER = {"role": "user", "content": "The WEATHER in Paris?"}
CALL = {
    "role": "assistant",
    "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "sunny"}


def documented() -> bytes:
    """The first file of the page."""
    return FILE.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0].encode()


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[MockServer]:
    path = tmp_path / "answers.yaml"
    path.write_bytes(documented())
    mock = MockServer({}, every_dialect=True, scenario=str(path))
    await mock.start()
    yield mock
    await mock.stop()


async def chat(
    server: MockServer, *messages: Any, headers: dict[str, str] | None = None, **more: Any
) -> Seen:
    body = {"model": "m", "messages": messages, **more}
    fast = {"x-mock-tokens-per-s": "0", **(headers or {})}
    return await ask(server.address, "/v1/chat/completions", body, fast)


async def test_the_documented_file_answers_by_what_was_asked(server: MockServer) -> None:
    message = msgspec.json.decode((await chat(server, WEATHER)).body)["choices"][0]["message"]
    assert ["get_weather", '{"city":"Paris"}'] == [
        message["tool_calls"][0]["function"][key] for key in ("name", "arguments")
    ]
    told = (await chat(server, WEATHER, CALL, RESULT)).body
    assert b'"content":"It is sunny in Paris."' in told
    other = (await chat(server, {"role": "user", "content": "hi"})).body
    assert b"I do not know." in other


async def test_a_fixture_may_misbehave_and_a_request_may_differ(server: MockServer) -> None:
    hi = {"role": "user", "content": "hi"}
    cut = await chat(server, hi, model="slow-1", stream=True, headers={"x-mock-fault": "cut@1"})
    assert not cut.whole
    assert b"The" in cut.body


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_dialect_has_them(tmp_path: Path, dialect: str) -> None:
    """Read back by the dialect's own upstream half."""
    path = tmp_path / "a.yml"
    path.write_text("fixtures: [{prompt: a stream, say: quite unusual}]")
    mock = MockServer({dialect: MockSpec(dialect, str(path), 0)})
    await mock.start()
    try:
        status, _, body = await answered(mock, dialect, {})
    finally:
        await mock.stop()
    assert 200 == status, body
    events = decode(UPSTREAMS[dialect].decoder(1 << 20, {}), [body])
    assert "quite unusual" == folded(events).text()


async def test_nothing_that_fits_is_said_in_the_vendors_form(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("fixtures: [{prompt: weather, say: x}]")
    mock = MockServer({"one": MockSpec("anthropic", str(path))})
    await mock.start()
    try:
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        seen = await ask(mock.address, "/one/v1/messages", body)
    finally:
        await mock.stop()
    assert b" 400 " in seen.head
    assert b"none of the 1 fixtures of a.yaml fits" in seen.raw


@pytest.mark.parametrize(
    ("fixture", "said"),
    [
        ({}, "fixture 1: answers nothing"),
        ({"say": "x", "scenario": "hello"}, "fixture 1: has a scenario beside say"),
        ({"scenario": "hallo"}, 'did you mean "hello"'),
        ({"fault": "cutt@1"}, "there is no fault 'cutt'"),
        ({"says": "x"}, "unknown field `says`"),
        ({"say": 1}, r"`str`, got `int` - at `\$.fixtures\[0\].say`"),
    ],
)
def test_a_mistake_is_named_with_its_place(fixture: dict[str, Any], said: str) -> None:
    data = yaml.safe_dump({"fixtures": [fixture]}).encode()
    with pytest.raises(MockError, match=said):
        fixtures_in(Path("a.yaml"), data)


def test_a_script_is_no_fixtures() -> None:
    assert None is fixtures_in(Path("a.yaml"), b"- send: fixtures")
    assert None is fixtures_in(Path("a.sse"), b"fixtures: []")


async def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("- send: x")
    ended = await mainstem("mock", "--fixtures", str(path))
    assert 1 == ended.status
    assert "holds no fixtures" in ended.err

"""Every scenario in every dialect, over HTTP, read back by that dialect's own upstream half."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.fold import WholeAnswer
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import Event, StreamError, StreamStart
from proxy.mock.compose import MockSpec
from proxy.mock.parts import Ask
from proxy.mock.routes import variables
from proxy.mock.scenarios import ERRORS, SCENARIOS
from proxy.mock.server import MockServer
from proxy.request import ChatRequest, Message, ToolCallPart, ToolResultPart, ToolSpec
from tests.support import check_grammar, decode

DIALECTS = sorted(set(CLIENTS) & set(UPSTREAMS))
# What only these can say; the others leave it out.
WITH_TOOLS = {"native", "openai_chat", "anthropic", "gemini"}
WITH_REASONING = {"native", "openai_chat", "anthropic", "baidu_chat", "yiyan", "gemini", "dify"}
WITH_CITATIONS = {name for name in DIALECTS if "citation" not in CLIENTS[name].omits}
WITH_IMAGES = {name for name in DIALECTS if "image" not in CLIENTS[name].omits}
WITH_FINISH = {"native", "openai_chat", "anthropic", "gemini"}
WITH_USAGE = {"native", "openai_chat", "anthropic", "gemini", "dify"}
# How a dialect says a finish for which it has no word of its own.
OTHERWISE = {("openai_chat", "refusal"): "content_filter", ("gemini", "refusal"): "content_filter"}
REQUEST = ChatRequest(model="some-model", messages=[Message("user", "What is a stream?")])


@pytest.fixture
async def mock() -> AsyncIterator[MockServer]:
    server = MockServer({dialect: MockSpec(dialect, "hello", 0) for dialect in DIALECTS})
    await server.start()
    yield server
    await server.stop()


async def answered(
    mock: MockServer, dialect: str, headers: dict[str, str], request: ChatRequest = REQUEST
) -> tuple[int, dict[str, str], bytes]:
    """The vendor's answer to that dialect's own request."""
    outgoing = UPSTREAMS[dialect].build_request(
        request, TargetConfig(dialect, "some-model", "secret")
    )
    async with aiohttp.ClientSession() as session:
        url = mock.base_url(dialect) + outgoing.path
        async with session.request(
            outgoing.method, url, data=outgoing.body, headers={**outgoing.headers, **headers}
        ) as response:
            return (
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                await response.read(),
            )


def folded(events: list[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return answer


async def read(
    mock: MockServer, dialect: str, scenario: str, request: ChatRequest = REQUEST, fault: str = ""
) -> list[Event]:
    status, _, body = await answered(
        mock, dialect, {"x-mock-scenario": scenario, "x-mock-fault": fault}, request
    )
    assert 200 == status, body
    decoder = UPSTREAMS[dialect].decoder(1 << 20, {})
    return [event for event in decode(decoder, [body]) if not isinstance(event, StreamStart)]


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "error_in_stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_scenarios(mock: MockServer, dialect: str, scenario: str):
    """The text is the scenario's; so is all else that the dialect can say."""
    rewrites = CLIENTS[dialect].rewrites
    expected = folded(list(SCENARIOS[scenario](Ask(asked(dialect), rewrites))))
    actual = folded(await read(mock, dialect, scenario))
    if scenario == "empty" and actual.error is not None:
        assert dialect not in WITH_FINISH, "this dialect knows an empty answer from a broken one"
        return
    assert actual.error is None, actual.error
    assert expected.text() == actual.text()
    if dialect in WITH_REASONING:
        assert expected.reasoning() == actual.reasoning()
    if dialect in WITH_TOOLS:
        assert [(b.tool, b.text) for b in expected.tool_calls()] == [
            (b.tool, b.text) for b in actual.tool_calls()
        ]
    if dialect in WITH_CITATIONS:
        assert cited(expected) == cited(actual)
    if dialect in WITH_IMAGES:
        assert [each.url for each in expected.images] == [each.url for each in actual.images]
    if dialect in WITH_FINISH:
        reason = expected.finish.reason
        assert OTHERWISE.get((dialect, reason), reason) == actual.finish.reason
    if dialect in WITH_USAGE:
        assert expected.usage.output_tokens == actual.usage.output_tokens


def cited(answer: WholeAnswer) -> list[str | None]:
    """By their titles: Dify's sources are documents without an address."""
    return [each.title for block in answer.blocks.values() for each in block.citations]


def asked(dialect: str) -> ChatRequest:
    """The request as the vendor reads it: some dialects have no place for the name of the model."""
    outgoing = UPSTREAMS[dialect].build_request(
        REQUEST, TargetConfig(dialect, "some-model", "secret")
    )
    headers = {name.lower(): value for name, value in outgoing.headers.items()}
    path = variables(CLIENTS[dialect], outgoing.path.partition("?")[0])
    return (
        CLIENTS[dialect]
        .parse_request(Incoming(outgoing.method, path, {}, headers, outgoing.body))
        .request
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("scenario", sorted(ERRORS))
async def test_errors_are_in_the_vendors_shape(mock: MockServer, dialect: str, scenario: str):
    """With that status, and so that the dialect's own upstream half finds the failure."""
    status, headers, body = await answered(mock, dialect, {"x-mock-scenario": scenario})
    assert ERRORS[scenario] == status
    failure = UPSTREAMS[dialect].parse_error(status, headers, body)
    assert failure is not None
    assert str(status) in failure.message
    assert (scenario in ("error_429", "error_503")) == ("retry-after" in headers)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("how", ["scenario", "fault"])
async def test_in_band_errors_are_errors(mock: MockServer, dialect: str, how: str):
    """After some text, by scenario or by fault: a failed stream never looks like a success."""
    events = await (
        read(mock, dialect, "error_in_stream")
        if how == "scenario"
        else read(mock, dialect, "hello", fault="error@3")
    )
    assert isinstance(events[-1], StreamError)
    assert folded(events).text()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_split_utf8_is_the_same_answer(mock: MockServer, dialect: str):
    """The bytes are cut elsewhere, and that is all."""
    events = await read(mock, dialect, "chinese", fault="split_utf8,close@9")
    check_grammar(events)
    whole = folded(await read(mock, dialect, "chinese"))
    assert whole.text().startswith(folded(events).text())


@pytest.mark.parametrize("dialect", sorted(WITH_TOOLS & set(DIALECTS)))
async def test_a_tool_loop(mock: MockServer, dialect: str):
    """A call of the offered tool; its result in the next request; then the answer."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    first = ChatRequest(
        model="some-model",
        messages=REQUEST.messages,
        tools=[ToolSpec("weather", parameters=schema)],
        max_tokens=100,
    )
    (call,) = folded(await read(mock, dialect, "tool_then_answer", first)).tool_calls()
    assert call.tool is not None
    assert ("weather", '{"city":"Paris"}') == (call.tool.name, call.text)
    turns = [
        *REQUEST.messages,
        Message("assistant", [ToolCallPart(call.tool.id, call.tool.name, call.text)]),
        Message("tool", [ToolResultPart(call.tool.id, "21 degrees")]),
    ]
    second = ChatRequest(model="some-model", messages=turns, tools=first.tools, max_tokens=100)
    assert (
        "The tool says: 21 degrees"
        == folded(await read(mock, dialect, "tool_then_answer", second)).text()
    )


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_vendor_is_asked_what_its_client_sent(mock: MockServer, dialect: str):
    """The account holds the request, the key redacted."""
    await answered(mock, dialect, {})
    (row,) = mock.account.newest(1)
    assert (dialect, dialect, "complete") == (row["dialect"], row["upstream"], row["ended"])
    assert "secret" not in str(row)

"""The library: every scenario is a whole stream of the grammar."""

import base64
import json
import zlib

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.events import StreamError, StreamStart
from proxy.mock import texts
from proxy.mock.parts import Ask, tokens
from proxy.mock.sample import arguments
from proxy.mock.scenarios import ERRORS, SCENARIOS, refused
from proxy.request import ChatRequest, Message, ToolResultPart, ToolSpec
from tests.support import check_grammar

START = StreamStart("mock-1", "m", "demo", "m", 0)
REQUEST = ChatRequest(model="some-model", messages=[Message("user", "  What is\n a stream? 𠮷 ")])


def answer(scenario: str, request: ChatRequest = REQUEST, *, rewrites: bool = False) -> WholeAnswer:
    events = [START, *SCENARIOS[scenario](Ask(request, rewrites))]
    check_grammar(events)
    folded = WholeAnswer()
    for event in events:
        folded.add(event)
    return folded


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("rewrites", [True, False])
def test_every_scenario_keeps_the_grammar(scenario: str, rewrites: bool):
    """Whether or not the dialect takes text back, and also where the prompt is empty."""
    answer(scenario, rewrites=rewrites)
    answer(scenario, ChatRequest(model="", messages=[]), rewrites=rewrites)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_says_what_it_is(scenario: str):
    """The list that people see has a sentence for each."""
    assert (SCENARIOS[scenario].__doc__ or "").rstrip().endswith(".")


def test_hello_names_the_model_and_the_prompt():
    """In about twenty tokens, with usage."""
    folded = answer("hello")
    assert (
        "Hello! I am some-model, played by a mock, one token at a time. You said: What is a stream? 𠮷"
        == folded.text()
    )
    assert 15 < (folded.usage.output_tokens or 0) < 35
    assert folded.usage.input_tokens


def test_echo_gives_the_prompt_back():
    """To the character, white space too."""
    assert REQUEST.last_user_text == answer("echo").text()


def test_chinese_has_what_is_hard():
    """Characters of two, three and four bytes, outside the BMP and joined emoji, in pieces of one
    or two."""
    text = answer("chinese").text()
    assert texts.CHINESE == text
    assert {3, 4} <= {len(character.encode()) for character in text}
    assert "𠮷" in text
    assert "👨\u200d👩\u200d👧" in text


def test_long_is_long():
    """Four thousand tokens."""
    assert 4000 == answer("long").usage.output_tokens


def test_finish_reasons():
    """Each scenario ends as its name says."""
    expected = {
        "hello": "stop",
        "empty": "stop",
        "tools": "tool_calls",
        "refusal": "refusal",
        "length": "length",
        "reasoning": "stop",
    }
    assert expected == {name: answer(name).finish.reason for name in expected}


def test_reasoning_comes_first_and_is_counted():
    """The reasoning's tokens are among the output's."""
    folded = answer("reasoning")
    assert texts.REASONING == folded.reasoning()
    assert "The answer is 42." == folded.text()
    assert 0 < (folded.usage.reasoning_tokens or 0) < (folded.usage.output_tokens or 0)


def test_tools_calls_what_is_offered():
    """Two parallel calls, with arguments that the offered tools' schemas take."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["C", "F"]},
        },
    }
    request = ChatRequest(
        model="m", messages=[], tools=[ToolSpec("forecast", parameters=schema), ToolSpec("map")]
    )
    calls = answer("tools", request).tool_calls()
    assert [("call_mock_1", "forecast"), ("call_mock_2", "map")] == [
        (call.tool.id, call.tool.name) for call in calls if call.tool
    ]
    assert [{"city": "Paris", "days": 1, "unit": "C"}, {}] == [
        json.loads(call.text) for call in calls
    ]
    assert [{"city": "Paris"}, {"city": "北京"}] == [
        json.loads(call.text) for call in answer("tools").tool_calls()
    ]


def test_reasoning_tools_thinks_and_calls():
    """Reasoning, text and two calls in one answer, which ends for the calls."""
    folded = answer("reasoning_tools")
    assert texts.PLAN == folded.reasoning()
    assert folded.text()
    assert ["get_weather"] * 2 == [call.tool.name for call in folded.tool_calls() if call.tool]
    assert "tool_calls" == folded.finish.reason
    assert folded.usage.reasoning_tokens


def test_sources_stand_where_they_belong():
    """Each source has the very characters that it was taken for."""
    folded = answer("sources")
    (block,) = folded.blocks.values()
    assert 3 == len(block.citations)
    for cited in block.citations:
        assert cited.text == block.text[cited.start : cited.end]
        assert (cited.url or "").startswith("https://")
        assert cited.title


def test_the_picture_is_a_png():
    """Whole: its header, and its last chunk (the PNG specification, 5.6)."""
    (image,) = answer("picture").images
    kind, _, data = image.url.partition(",")
    assert "data:image/png;base64" == kind
    png = base64.b64decode(data, validate=True)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.endswith(b"IEND" + zlib.crc32(b"IEND").to_bytes(4))


def test_tool_then_answer_uses_the_result():
    """A call first; with a tool's result in the request, the answer says it."""
    assert ["get_weather"] == [
        call.tool.name for call in answer("tool_then_answer").tool_calls() if call.tool
    ]
    request = ChatRequest(
        model="m",
        messages=[
            Message("user", "?"),
            Message("tool", [ToolResultPart("call_mock_1", "21 degrees")]),
        ],
    )
    assert "The tool says: 21 degrees" == answer("tool_then_answer", request).text()


def test_rewrite_takes_text_back_where_it_can():
    """The final text is the same; only a dialect that can take text back sees the placeholder."""
    final = "截至2023年，样本为1024条。"
    assert final == answer("rewrite", rewrites=True).text()
    assert final == answer("rewrite", rewrites=False).text()
    shown = "".join(
        getattr(event, "text", "") for event in SCENARIOS["rewrite"](Ask(REQUEST, rewrites=False))
    )
    assert final == shown


def test_error_in_stream_ends_in_an_error():
    """After some text."""
    events = list(SCENARIOS["error_in_stream"](Ask(REQUEST)))
    assert isinstance(events[-1], StreamError)
    assert "overloaded" == events[-1].error.kind


def test_refusals():
    """Each status keeps its number; those that one may retry say when."""
    assert {401, 404, 429, 500, 503} == set(ERRORS.values())
    assert {status: status for status in (400, 401, 418, 429, 500, 502, 529)} == {
        status: refused(status).status for status in (400, 401, 418, 429, 500, 502, 529)
    }
    assert 7.0 == refused(429).retry_after_s


@pytest.mark.parametrize(
    "text", ["", " ", "a  b\n", texts.CHINESE, texts.MARKDOWN, "don't, 𠮷𠮷𠮷!"]
)
def test_tokens_are_the_text(text: str):
    """Joined, they lose nothing; none is empty."""
    assert text == "".join(tokens(text))
    assert all(tokens(text))


def test_sample_arguments():
    """The simple cases of JSON Schema; what is stranger is text."""
    schema = {
        "properties": {
            "list": {"type": "array", "items": {"type": "number"}},
            "flag": {"type": "boolean"},
            "nothing": {"type": "null"},
            "inner": {"type": "object", "properties": {"a": {"type": "string"}}},
            "strange": {"type": ["string", "null"]},
            "any": True,
        }
    }
    expected = {
        "list": [1.5],
        "flag": True,
        "nothing": None,
        "inner": {"a": "x"},
        "strange": "x",
        "any": "x",
    }
    assert expected == json.loads(arguments(ToolSpec("t", parameters=schema), "x"))
    assert "{}" == arguments(ToolSpec("t", parameters={"type": "string"}), "x")

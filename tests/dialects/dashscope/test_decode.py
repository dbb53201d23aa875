"""DashScope's answers. The cases are of the documented shape; the recordings are read in
tests/dialects/test_upstream_only.py."""

import json
from typing import Any

import pytest

from proxy.dialects.dashscope import DIALECT
from proxy.events import Citation, Usage, Vendor
from tests.dialects.answers import every_cut_is_an_error, folded
from tests.dialects.upstream_only import LIMIT, events_of, failed, summed

HALF = DIALECT.upstream
assert HALF is not None


def event(output: dict[str, Any], name: str = "result", **more: Any) -> bytes:
    body = {
        "output": output,
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        "request_id": "r1",
        **more,
    }
    return f"id:1\nevent:{name}\n:HTTP_STATUS/200\ndata:{json.dumps(body)}\n\n".encode()


def choice(finish: str = "null", index: int = 0, **message: Any) -> dict[str, Any]:
    return {
        "message": {"role": "assistant", "content": "", **message},
        "index": index,
        "finish_reason": finish,
    }


def message(finish: str = "null", **said: Any) -> bytes:
    return event({"choices": [choice(finish, **said)]})


def call(arguments: str, call_id: str = "", index: int = 0, **name: str) -> dict[str, Any]:
    return {
        "index": index,
        "id": call_id,
        "type": "function",
        "function": {**name, "arguments": arguments},
    }


def test_reasoning_then_text_in_pieces():
    """As thinking models send it."""
    body = (
        message(reasoning_content="h")
        + message(reasoning_content="m")
        + message(content="Hi")
        + message("stop")
    )
    assert ("Hi", "hm", [], "stop", "stop") == summed(events_of(HALF, body))


def test_what_an_application_counts():
    """By model: the sum is what the answer took."""
    models = [{"input_tokens": 3, "output_tokens": 2}, {"model_id": "m", "input_tokens": 4}]
    body = event({"text": "Hi", "finish_reason": "stop"}, usage={"models": models})
    assert Usage(7, 2) == folded(events_of(HALF, body)).usage


def test_pieces_that_begin_like_the_text_so_far_are_pieces():
    """The request asked for pieces, so what may be one is none."""
    body = message(content="ha") + message(content="ha") + message("stop", content="ha!")
    assert "hahaha!" == summed(events_of(HALF, body))[0]


def test_whole_texts_that_were_not_asked_for_become_pieces():
    """Text and arguments, in answers of two events too."""
    body = (
        message(content="O")
        + message(content="OK", tool_calls=[call('{"a"', "c1", name="f")])
        + message("tool_calls", content="OK.", tool_calls=[call('{"a":1}', "c1", name="f")])
    )
    assert ("OK.", "", [("c1", "f", '{"a":1}')], "tool_calls", "tool_calls") == summed(
        events_of(HALF, body)
    )


def test_whole_texts_become_pieces():
    """Text, reasoning and arguments alike."""
    body = (
        message(reasoning_content="h")
        + message(reasoning_content="hm")
        + message(reasoning_content="hm", content="O")
        + message(reasoning_content="hm", content="OK")
        + message(content="OK", tool_calls=[call('{"a"', "c1", name="f")])
        + message("tool_calls", content="OK", tool_calls=[call('{"a":1}', "c1", name="f")])
    )
    assert ("OK", "hm", [("c1", "f", '{"a":1}')], "tool_calls", "tool_calls") == summed(
        events_of(HALF, body, incremental_output=False)
    )


def test_models_that_think_send_pieces_whatever_was_asked():
    """The second piece shows it."""
    body = message(content="One") + message(content=" two") + message("stop", content=" three")
    assert "One two three" == summed(events_of(HALF, body, incremental_output=False))[0]


def test_a_whole_text_that_takes_back_what_was_said_is_an_error():
    """Nothing garbled goes on."""
    body = message(content="One") + message(content="One two") + message("stop", content="Three")
    assert "upstream_malformed" == failed(events_of(HALF, body, incremental_output=False))[0]


def test_two_calls_at_once():
    """Told apart by index; later pieces have an empty id, or no function at all."""
    body = (
        message(tool_calls=[call("{", "c1", name="f"), call("[", "c2", 1, name="g")])
        + message(tool_calls=[call("}"), call("]", index=1)])
        + message("stop", tool_calls=[{"index": 0, "id": "", "type": "function", "function": {}}])
    )
    assert ("", "", [("c1", "f", "{}"), ("c2", "g", "[]")], "tool_calls", "stop") == summed(
        events_of(HALF, body)
    )


def test_parts_of_the_multimodal_endpoint():
    """The text among them."""
    body = message(content=[{"text": "a "}, {"image": "x"}, "?"]) + message(
        "length", content=[{"text": "cat"}]
    )
    assert ("a cat", "", [], "length", "length") == summed(events_of(HALF, body))


def test_two_answers():
    """The end is where both have ended."""
    body = event({"choices": [choice(content="A"), choice(index=1, content="B")]})
    one = event({"choices": [choice("stop")]})
    two = event({"choices": [choice("length", 1)]})
    assert "upstream_truncated" == failed(events_of(HALF, body + one))[0]
    answer = folded(events_of(HALF, body + one + two))
    assert ("A", "B", "stop") == (answer.text(0), answer.text(1), answer.finish.raw)


def test_pages_found_are_cited_by_the_text():
    """They come before it, and again."""
    found = {"search_results": [{"url": "https://a", "title": "A", "index": 1}]}
    body = event({"choices": [choice()], "search_info": found}) + event(
        {"choices": [choice("stop", content="x")], "search_info": found}
    )
    events = events_of(HALF, body)
    assert [Citation(0, "https://a", "A")] == [e for e in events if isinstance(e, Citation)]


def test_pages_found_without_a_text_are_cited_all_the_same():
    """By a text block with nothing in it."""
    body = event(
        {"choices": [choice("stop")], "search_info": {"search_results": [{"url": "https://a"}]}}
    )
    assert 1 == len([e for e in events_of(HALF, body) if isinstance(e, Citation)])


def test_counts_with_details_and_log_probabilities():
    """Cached and reasoning tokens; logprobs are the vendor's own."""
    usage = {
        "input_tokens": 9,
        "output_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 2},
    }
    entry = {**choice("stop", content="x"), "logprobs": {"content": [{"token": "x"}]}}
    events = events_of(HALF, event({"choices": [entry]}, usage=usage))
    assert Usage(9, 5, 4, 2) == folded(events).usage
    assert [Vendor("dashscope", {"logprobs": {"content": [{"token": "x"}]}})] == [
        e for e in events if isinstance(e, Vendor)
    ]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("DataInspectionFailed", 400),
        ("Throttling.RateQuota", 429),
        ("InvalidApiKey", 401),
        ("InternalError.Algo", 502),
        ("Odd", 502),
    ],
)
def test_an_error_in_the_stream(code: str, status: int):
    """After some text, by its own event; the code says which status it would have had."""
    wrong = f'id:2\nevent:error\n:HTTP_STATUS/400\ndata:{{"code":"{code}","message":"No.","request_id":"r"}}\n\n'.encode()
    events = events_of(HALF, message(content="Hi") + wrong)
    assert ("upstream_error", status, code, "No.") == failed(events)
    assert "Hi" == folded(events).text()


def test_an_error_in_a_plain_event_or_in_place_of_the_stream():
    """Without `event: error`, and as a JSON body under 200."""
    body = b'{"code":"InvalidParameter","message":"Bad.","request_id":"r"}'
    expected = ("upstream_error", 400, "InvalidParameter", "Bad.")
    assert expected == failed(events_of(HALF, b"data:" + body + b"\n\n"))
    assert expected == failed(events_of(HALF, body))


def test_every_cut_is_an_error():
    """Up to the brace that closes the last event."""
    body = message(content="Hé") + message("stop")
    every_cut_is_an_error(lambda: HALF.decoder(LIMIT, {}), body.rstrip())

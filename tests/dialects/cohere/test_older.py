"""The stream of API v1, which is read where v2's was asked for."""

import json
from typing import Any

import pytest

from proxy.dialects.cohere.decode import CohereDecoder
from proxy.events import Citation, Event, StreamEnd, StreamError, Usage
from tests.dialects.answers import LIMIT, every_cut_is_an_error, folded, same_however_cut, told

BEGIN = {"event_type": "stream-start", "generation_id": "g1"}
COUNTS = {"billed_units": {"input_tokens": 3}, "tokens": {"input_tokens": 8, "output_tokens": 2}}
WEATHER = {"name": "weather", "parameters": {"city": "Ulm"}}


def new() -> CohereDecoder:
    return CohereDecoder(LIMIT)


def body(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


def text(piece: str) -> dict[str, Any]:
    return {"is_finished": False, "event_type": "text-generation", "text": piece}


def end(reason: str = "COMPLETE", **response: Any) -> dict[str, Any]:
    response = {"generation_id": "g1", "meta": COUNTS, **response}
    return {"event_type": "stream-end", "finish_reason": reason, "response": response}


def calls(*said: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"event_type": "tool-calls-generation", "tool_calls": list(said), **more}


def chunk(**delta: Any) -> dict[str, Any]:
    return {"event_type": "tool-calls-chunk", "tool_call_delta": delta}


def arguments(events: list[Event]) -> list[tuple[str, Any]]:
    found = folded(events).tool_calls()
    return [(call.tool.name, json.loads(call.text)) for call in found if call.tool]


def finish(events: list[Event]) -> str:
    last = events[-1]
    assert isinstance(last, StreamEnd)
    return last.finish.reason


def test_a_text_in_pieces() -> None:
    """It has its counts and its end, which repeats the text; a cut is none."""
    data = body(BEGIN, text("Hi"), text(" you"), end(text="Hi you"))
    events = same_however_cut(new, data)
    assert "Hi you" == folded(events).text()
    assert "stop" == finish(events)
    assert isinstance(events[-1], StreamEnd)
    assert Usage(8, 2, None) == events[-1].usage
    every_cut_is_an_error(new, data.rstrip())


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "ERROR_TOXIC"])
def test_why_it_ends(reason: str) -> None:
    """In the words that v2 has too."""
    expected = {"MAX_TOKENS": "length", "ERROR_TOXIC": "content_filter"}[reason]
    assert expected == finish(same_however_cut(new, body(BEGIN, text("Hi"), end(reason))))


def test_an_answer_that_broke() -> None:
    """It is an error, in the vendor's own words."""
    broke = {**end("ERROR"), "error": "out of memory"}
    last = same_however_cut(new, body(BEGIN, text("Hi"), broke))[-1]
    assert isinstance(last, StreamError)
    assert "out of memory" in last.error.message


def test_calls_that_come_whole() -> None:
    """Each is a call with an id of its own; what they are for is a plan. The end repeats them."""
    both = [WEATHER, {"name": "time", "parameters": {}}]
    data = body(BEGIN, calls(*both, text="I look"), end(text="I look", tool_calls=both))
    events = same_however_cut(new, data)
    assert [("weather", {"city": "Ulm"}), ("time", {})] == arguments(events)
    assert ("I look", "") == (folded(events).reasoning(), folded(events).text())
    assert "tool_calls" == finish(events)
    assert 2 == len({call.tool and call.tool.id for call in folded(events).tool_calls()})


def test_a_call_in_pieces() -> None:
    """The whole one that comes behind them repeats it."""
    pieces = (chunk(index=0, name="weather"), chunk(index=0, parameters='{"city":'))
    plan = {"event_type": "tool-calls-chunk", "text": "I look"}
    data = body(
        BEGIN,
        plan,
        *pieces,
        chunk(index=0, parameters='"Ulm"}'),
        calls(WEATHER, text="I look"),
        end(),
    )
    events = same_however_cut(new, data)
    assert [("weather", {"city": "Ulm"})] == arguments(events)
    assert "I look" == folded(events).reasoning()


@pytest.mark.parametrize("said", [{"text": "Hi"}, {"tool_calls": [WEATHER]}])
def test_an_end_that_says_what_did_not_come_before(said: dict[str, Any]) -> None:
    """It is the answer."""
    events = same_however_cut(new, body(BEGIN, end(**said)))
    assert said.get("text", "") == folded(events).text()
    assert len(said.get("tool_calls", ())) == len(arguments(events))


def test_a_whole_answer() -> None:
    """A server that does not stream gives it as one document."""
    document = {"generation_id": "g", "text": "Hi", "finish_reason": "MAX_TOKENS", "meta": COUNTS}
    events = same_however_cut(new, json.dumps(document).encode())
    assert "Hi" == folded(events).text()
    assert "length" == finish(events)


def test_citations_and_what_has_no_place() -> None:
    """A citation is one; searches are kept as they are, what is nested too deep is left out."""
    cited = {"start": 0, "end": 2, "text": "Hi", "document_ids": ["d"]}
    citation = {"event_type": "citation-generation", "citations": [cited]}
    search = {"event_type": "search-queries-generation", "search_queries": [{"text": "hi"}]}
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    data = body(BEGIN, search, {**search, "search_queries": deep}, text("Hi"), citation, end())
    events = same_however_cut(new, data)
    assert search in told(events)
    assert [(0, 2)] == [(e.start, e.end) for e in events if isinstance(e, Citation)]


def test_events_in_bare_lines() -> None:
    """They are read when the body has ended; where the end is missing the answer is cut."""
    events = (BEGIN, text("Hi"), text(" you"), end(text="Hi you"))
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    whole = same_however_cut(new, lines)
    assert "Hi you" == folded(whole).text()
    assert "stop" == finish(whole)
    cut = same_however_cut(new, b"".join(lines.splitlines(keepends=True)[:3]))
    assert "Hi you" == folded(cut).text()
    assert isinstance(cut[-1], StreamError)

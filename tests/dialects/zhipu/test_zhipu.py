"""Zhipu's third API. There are no recordings: the cases are of the documented shape."""

import json
from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.dialects.zhipu import DIALECT
from proxy.errors import Refused
from proxy.events import TextDelta, Usage
from tests.dialects.answers import asked, every_cut_is_an_error, folded, params
from tests.dialects.upstream_only import (
    EVERYTHING,
    LIMIT,
    PICTURE,
    built,
    events_of,
    failed,
    summed,
    talk,
)

HALF = DIALECT.upstream
assert HALF is not None
META = {
    "task_status": "SUCCESS",
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    "task_id": "1",
}


def event(name: str, text: str = "", meta: Any = None) -> bytes:
    lines = "".join(f"data:{line}\n" for line in text.split("\n"))
    after = "" if meta is None else f"meta:{meta if isinstance(meta, str) else json.dumps(meta)}\n"
    return f"event:{name}\nid:79\n{lines}{after}\n".encode()


def test_raw_text_and_counts():
    """Data is text as it stands: a number, braces, line feeds, a blank; the counts stand in a line
    that is no field."""
    body = (
        event("add", "1")
        + event("add", '{"a":')
        + event("add", "\n\n")
        + event("add", "  ")
        + event("add", "好")
        + event("finish", "", META)
    )
    events = events_of(HALF, body)
    # One blank after the colon is the standard's own.
    assert ('1{"a":\n\n 好', "", [], "stop", "finish") == summed(events)
    assert Usage(3, 2) == folded(events).usage


def test_the_last_event_may_have_text():
    """And no counts, or counts that cannot be read."""
    for meta in (None, "{", "[]", {"usage": None}):
        events = events_of(HALF, event("add", "a") + event("finish", "b", meta))
        assert ("ab", Usage()) == (summed(events)[0], folded(events).usage)


def test_counts_of_what_comes_behind_the_end_are_not_taken():
    """Not even if it comes in the same read."""
    events = events_of(HALF, event("add", "a") + event("finish") + event("add", "b", META))
    assert ("a", Usage()) == (summed(events)[0], folded(events).usage)


def test_whole_texts_become_pieces():
    """Where the request asked for them."""
    body = event("add", "O") + event("add", "OK") + event("finish", "OK", META)
    events = events_of(HALF, body, incremental=False)
    assert [TextDelta(0, "O"), TextDelta(0, "K")] == [e for e in events if isinstance(e, TextDelta)]


def test_the_filter_interrupts():
    """What was said stays."""
    assert ("a", "", [], "content_filter", "interrupted") == summed(
        events_of(HALF, event("add", "a") + event("interrupted", "", META))
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (event("add", "a") + event("error", "Busy."), ("upstream_error", 502, "Busy.")),
        (event("error", '{"code":1302,"msg":"Too many."}'), ("upstream_error", 429, "Too many.")),
        (b'{"code":1261,"msg":"Too long.","success":false}', ("upstream_error", 400, "Too long.")),
        (b'{"error":{"code":"1113","message":"Empty."}}', ("upstream_error", 402, "Empty.")),
    ],
)
def test_errors(body: bytes, expected: tuple[str, int, str]):
    """In the stream as text or JSON, and as JSON in place of it under 200."""
    kind, status, _, message = failed(events_of(HALF, body))
    assert expected == (kind, status, message)


def test_every_cut_is_an_error():
    """The end is the event `finish`; half of one is none."""
    body = event("add", "Hé") + event("finish", "", META)
    every_cut_is_an_error(
        lambda: HALF.decoder(LIMIT, {}),
        body[: body.index(b"event:finish") + len(b"event:finish\nid:79\n")],
    )


def test_a_first_turn():
    """The model is in the path; the token goes up as it is."""
    out, body = built(HALF, asked("hi", temperature=0.5, top_p=0.7), api_key="jwt")
    assert ("/model-api/theirs/sse-invoke", "jwt") == (out.path, out.headers["authorization"])
    assert {
        "prompt": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "top_p": 0.7,
        "incremental": True,
    } == body
    assert "authorization" not in built(HALF, asked("hi"))[0].headers
    with pytest.raises(Refused, match="model may have only"):
        HALF.build_request(asked("hi"), TargetConfig("up", "a/b"))


def test_a_talk():
    """There are two roles: what others say is the user's, and the turns alternate."""
    out, body = built(HALF, talk(system="Be brief."), incremental=False)
    assert [
        {"role": "user", "content": "Be brief.\n\nRome?"},
        {"role": "assistant", "content": "Let me see."},
        {"role": "user", "content": "sunny\n\nnoon\n\nAnd?"},
    ] == body["prompt"]
    assert body["incremental"] is False
    lost = {
        "system",
        "messages",
        "messages.reasoning",
        "messages.tool_call",
        "messages.tool_result",
        "tool_result.is_error",
    }
    assert lost == params(out.notes)


def test_what_has_no_word_is_noted():
    """Nearly everything; the client's own keys go over ours."""
    out, body = built(
        HALF, asked("hi", vendor={"request_id": "r", "incremental": False}, **EVERYTHING)
    )
    assert ("r", True) == (body["request_id"], body["incremental"])
    lost = set(EVERYTHING) - {"temperature", "top_p"}
    assert lost | {"messages", "vendor.incremental"} == params(out.notes)
    assert {"messages.image_url"} == params(built(HALF, talk(PICTURE))[0].notes)
    with pytest.raises(Refused, match="messages must end with a user's turn"):
        built(HALF, asked("a", "b"))

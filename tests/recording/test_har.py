"""HAR in and out. Playwright judges it in tests/e2e."""

import base64
import json
from typing import Any

import msgspec
import pytest

from proxy.mock.recordings import frames
from proxy.recording.har import Place, Source, from_har, to_har
from proxy.recording.tape import Read, Recording, RecordingError
from proxy.recording.veil import MASK
from tests.recording.samples import READS, REQUEST, recording

# What HAR 1.2 wants of an entry, section by section.
REQUIRED = {
    "request": "method url httpVersion cookies headers queryString headersSize bodySize",
    "response": "status statusText httpVersion cookies headers content redirectURL headersSize bodySize",
    "timings": "send wait receive",
    "cache": "",
}


DEEP = b"[" * 100_000 + b"]" * 100_000


def read(data: bytes) -> list[Recording]:
    def place_of(path: str) -> Place | None:
        return Place("openai_chat") if path.endswith("/chat/completions") else None

    return from_har(data, Source(place_of, frames, "token".__eq__))


def entry(**content: Any) -> dict[str, Any]:
    """As a browser writes it: with more than is read, and with what must not be kept."""
    post = {"mimeType": "application/json", "text": json.dumps({**REQUEST, "token": "x"})}
    return {
        "pageref": "page_1",
        "startedDateTime": "2026-11-30T12:00:00.000Z",
        "time": 100,
        "request": {
            "method": "POST",
            "url": "https://api.example.com/v1/chat/completions?key=secret",
            "httpVersion": "h2",
            "cookies": [{"name": "c", "value": "secret"}],
            "headers": [
                {"name": "Authorization", "value": "Bearer secret"},
                {"name": "Content-Type", "value": "application/json"},
            ],
            "queryString": [{"name": "key", "value": "secret"}],
            "postData": post,
        },
        "response": {
            "status": 200,
            "headers": [
                {"name": "Set-Cookie", "value": "secret"},
                {"name": "Content-Type", "value": "text/event-stream"},
                {"name": "Content-Encoding", "value": "br"},
            ],
            "content": content,
        },
        "timings": {"blocked": -1, "dns": None, "send": 5, "wait": 15, "receive": 90},
    }


def har(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


BODY = recording().body


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_ours_comes_back_as_it_was(bom: bytes):
    """Read boundaries and gaps too."""
    assert [recording()] == read(bom + to_har([recording()], "1.0"))


def test_bytes_that_are_no_text_come_back():
    one = recording(reads=(Read(30, bytes(range(256))),))
    assert [one] == read(to_har([one], "1.0"))


def test_ours_has_what_the_format_wants():
    log = json.loads(to_har([recording()], "1.0"))["log"]
    assert ("1.2", {"name": "mainstem", "version": "1.0"}) == (log["version"], log["creator"])
    (one,) = log["entries"]
    assert {"startedDateTime", "time", *REQUIRED} <= {*one}
    for name, wanted in REQUIRED.items():
        assert {*wanted.split()} <= {*one[name]}, name
    assert one["time"] == sum(one["timings"].values())
    assert {"size", "mimeType"} <= {*one["response"]["content"]}


@pytest.mark.parametrize(
    "content",
    [
        {"text": BODY.decode()},
        {"text": base64.b64encode(BODY).decode(), "encoding": "base64"},
    ],
    ids=["text", "base64"],
)
def test_anothers_is_cut_into_frames_over_the_time_that_it_took(content: dict[str, str]):
    (one,) = read(har(entry(**content)))
    assert frames(BODY) == [read.data for read in one.reads]
    assert ([20, 42.5, 65, 87.5], 110) == ([read.ms for read in one.reads], one.end_ms)
    assert ("spread", "m-1", "api.example.com") == (one.gaps, one.model, one.upstream)
    assert len(READS) == len(one.reads)


def test_nothing_secret_is_taken_over():
    (one,) = read(har(entry(text=BODY.decode())))
    assert b"secret" not in msgspec.json.encode(one)
    assert MASK == one.request.body["token"]
    assert {"content-type": "text/event-stream"} == one.headers


def test_what_is_odd_is_read_all_the_same():
    """A form, no body at all, a date of nobody's."""
    form, none = entry(text=BODY.decode()), entry(text=BODY.decode())
    form["request"]["postData"]["text"] = "a=b"
    form["startedDateTime"] = "yesterday"
    del none["request"]["postData"]
    one, other = read(har(form, none))
    assert (None, "", "1970-01-01T00:00:00.000Z") == (
        one.request.body,
        one.model,
        one.recorded,
    )
    assert None is other.request.body


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_date_that_no_calendar_has_is_nobodys(date: str):
    """In UTC it is before the first day, or behind the last one."""
    far = entry(text=BODY.decode())
    far["startedDateTime"] = date
    assert ["1970-01-01T00:00:00.000Z"] == [one.recorded for one in read(har(far))]


def test_times_without_end_are_bounded():
    """Their sum is a time still, which can be shown."""
    long = entry(text=BODY.decode())
    long["timings"] = dict.fromkeys(("send", "wait", "receive"), 1e308)
    (one,) = read(har(long))
    assert (2e12, 3e12) == (one.head_ms, one.end_ms)


@pytest.mark.parametrize("host", ["[::1", "a\u2100b", "x\x1b[2J"])
def test_an_answer_of_an_address_that_is_none_is_passed_over(host: str):
    odd, good = entry(text=BODY.decode()), entry(text=BODY.decode())
    odd["request"]["url"] = f"https://{host}/v1/chat/completions"
    assert ["api.example.com"] == [one.upstream for one in read(har(odd, good))]


def test_times_that_do_not_fit_the_body_are_not_taken():
    """Somebody has changed the body."""
    ours = json.loads(to_har([recording()], "1.0"))
    ours["log"]["entries"][0]["response"]["content"]["text"] += "data: more\n\n"
    (one,) = read(json.dumps(ours).encode())
    assert "spread" == one.gaps


def test_what_is_no_chat_and_what_has_no_body_is_passed_over():
    page = entry(text="<html>")
    page["request"]["url"] = "https://api.example.com/"
    failed = entry(text=BODY.decode())
    failed["response"]["status"] = 0
    assert [] == read(har(page, failed, entry()))


def test_a_request_that_is_no_text_is_not_kept() -> None:
    one = entry(text=BODY.decode())
    one["request"]["postData"] = {
        "text": base64.b64encode(b'{"a":"\xff"}').decode(),
        "encoding": "base64",
    }
    (read_one,) = read(har(one))
    assert read_one.request.body is None


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b'{"\xff":1}',
        b'{"log":{}}',
        har(entry(text="!", encoding="base64")),
        b'{"x":' + DEEP + b"}",
    ],
)
def test_what_is_no_har_is_named(data: bytes):
    with pytest.raises(RecordingError, match="is no HAR file"):
        read(data)


MESSAGES = [
    {
        "type": "eventsource",
        "time": 1796040000.05,
        "eventName": "message",
        "eventId": "",
        "data": "a",
    },
    {"time": 1796040000.06, "eventName": "tick", "eventId": "7", "data": "b\nc"},
    {"time": 1796040000.1, "eventName": "message", "eventId": "", "data": "[DONE]"},
]
FAR = [*MESSAGES[:2], {**MESSAGES[2], "time": 1e300}]
EVENTS = b"data: a\n\nevent: tick\ndata: b\ndata: c\nid: 7\n\ndata: [DONE]\n\n"


def of_chrome(messages: object = MESSAGES, **content: Any) -> dict[str, Any]:
    """An EventSource in Chrome's tools: no body, but its events with their times (seconds since
    1970)."""
    one = entry(size=0, mimeType="text/event-stream", **content)
    one["startedDateTime"] = "2026-11-30T12:00:00.000Z"
    return {**one, "_eventSourceMessages": messages, "_resourceType": "eventsource"}


def test_an_event_source_of_chrome_is_its_events_at_their_times():
    (one,) = read(har(of_chrome()))
    assert EVENTS == one.body
    assert [50, 60, 100] == [round(each.ms, 3) for each in one.reads]
    assert ("network", 110) == (one.gaps, one.end_ms)


def test_a_body_of_chrome_has_the_times_of_its_events():
    """Comments come with what was before them."""
    body = b": begun\n\ndata: a\n\n: alive\n\n" + EVENTS[len(b"data: a\n\n") :]
    (one,) = read(har(of_chrome(text=body.decode())))
    assert body == one.body
    assert [20, 50, 50, 60, 100] == [round(each.ms, 3) for each in one.reads]


def test_events_of_another_clock_tell_the_gaps():
    """The first comes with the head."""
    messages = [{**each, "time": each["time"] - 1796040000 + 77} for each in MESSAGES]
    (one,) = read(har(of_chrome(messages)))
    assert [20, 30, 70] == [round(each.ms, 3) for each in one.reads]


@pytest.mark.parametrize("messages", [None, [], MESSAGES[:2], MESSAGES[::-1], FAR])
def test_events_that_are_not_those_of_the_body_tell_no_times(messages: object):
    """None at all, too few, in a wrong order, or of a time that never comes."""
    (one,) = read(har(of_chrome(messages, text=EVENTS.decode())))
    assert ("spread", EVENTS) == (one.gaps, one.body)


def test_null_is_what_is_not_known():
    """A body that a tool did not keep, times that it did not measure."""
    one = entry(text=BODY.decode(), encoding=None)
    one["timings"] = None
    one["response"]["headers"].append({"name": "x-empty", "value": None})
    lost = entry(mimeType="text/event-stream", size=0, text=None, comment="responseBodyNotIncluded")
    lost["request"]["postData"] = None
    bare = {**entry(), "response": {"status": None, "headers": None, "content": None}}
    bare["request"] = {**bare["request"], "headers": None}
    (kept,) = read(har(lost, one, bare))
    assert (BODY, 0, 0) == (kept.body, kept.head_ms, kept.end_ms)


def test_an_empty_file_is_named():
    with pytest.raises(RecordingError, match="is empty"):
        read(b"\n")

"""What a recording says, and the same answer in every dialect."""

import pytest

from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import Finish, StreamEnd, StreamError, StreamStart, TextDelta
from proxy.recording.reading import converted, events_of, in_dialect, of_body
from proxy.recording.tape import Read, Recording, RecordingError
from tests.recording.samples import READS, chat, recording
from tests.support import check_grammar


def said(one: Recording) -> str:
    return "".join(event.text for _, event in events_of(one) if isinstance(event, TextDelta))


def test_each_event_has_the_time_of_the_read_that_completed_it():
    """A frame that came in two reads is complete with the second."""
    timed = list(events_of(recording()))
    assert isinstance(timed[0].event, StreamStart)
    assert [(30, "Hel"), (80.5, "lo 你")] == [
        (ms, event.text) for ms, event in timed if isinstance(event, TextDelta)
    ]
    end = timed[-1]
    assert isinstance(end.event, StreamEnd)
    assert ("stop", 81) == (end.event.finish.reason, end.ms)
    check_grammar([event for _, event in timed])


@pytest.mark.parametrize("end", ["broken", "full"])
def test_what_is_not_all_there_ends_in_an_error(end: str):
    timed = list(events_of(recording(reads=READS[:2], end=end)))
    assert isinstance(timed[-1].event, StreamError)
    assert ("upstream_truncated", 90) == (timed[-1].event.error.kind, timed[-1].ms)


def test_an_error_status_is_one_error():
    body = b'{"error":{"message":"slow down","type":"rate"}}'
    (one,) = events_of(recording(status=429, reads=(Read(30, body),)))
    assert isinstance(one.event, StreamError)
    assert ("rate_limited", "slow down") == (one.event.error.kind, one.event.error.message)


@pytest.mark.parametrize("dialect", CLIENTS)
def test_every_clients_dialect_gets_the_answer(dialect: str):
    """Where an upstream can be read in it, it says the same."""
    reads = list(converted(recording(), dialect))
    assert [read.ms for read in reads] == sorted(read.ms for read in reads)
    body = b"".join(read.data for read in reads)
    assert body
    if dialect in UPSTREAMS:
        assert "Hello 你" == said(of_body([body], dialect))


@pytest.mark.parametrize("dialect", [name for name in CLIENTS if name in UPSTREAMS])
def test_a_recording_of_another_dialect_keeps_the_times(dialect: str):
    other = in_dialect(recording(), dialect)
    assert {read.ms for read in other.reads} <= {0, 30, 80.5, 81, 90}
    assert "Hello 你" == said(other)


def test_text_that_is_taken_back_is_settled_for_who_cannot():
    frames = [b'{"id":1,"body":{"content":"a [["}}', b'{"id":1,"body":{"content":"a b"}}']
    body = b"".join(read.data for read in converted(of_body(frames, "chatglm"), "openai_chat"))
    assert "a b" == said(of_body([body], "openai_chat"))


def test_a_dialect_that_there_is_not_is_named():
    with pytest.raises(RecordingError, match="no upstream speaks dialect 'ai_sdk'"):
        list(events_of(recording(dialect="ai_sdk")))
    with pytest.raises(RecordingError, match="no client speaks dialect 'coze'"):
        list(converted(recording(), "coze"))


def test_bare_bytes_are_a_recording_without_times():
    one = of_body([chat("a"), chat("", "stop")], "openai_chat")
    assert ("spread", 2) == (one.gaps, len(one.reads))
    assert Finish("stop", "stop") == list(events_of(one))[-1].event.finish

"""The file of a recording."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.recording.tape import Read, RecordingError, parsed, written
from tests.recording.samples import READS, recording


def test_a_file_gives_back_what_was_written():
    assert recording() == parsed(written(recording()))


def test_a_line_a_read_and_text_where_it_is_text():
    """So that two recordings can be compared by eye."""
    rows = [json.loads(line) for line in written(recording()).splitlines()]
    assert 1 == rows[0]["recording"]
    assert {"ms": 20.0, "status": 200, "headers": {"content-type": "text/event-stream"}} == rows[1]
    assert {"ms": 30.0, "text": READS[0].data.decode()} == rows[2]
    assert {"ms": 90.0, "end": "complete"} == rows[-1]


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_any_bytes_stay(reads: list[bytes]):
    one = recording(reads=tuple(Read(30, data) for data in reads))
    assert one == parsed(written(one))


def test_without_its_last_line_the_answer_broke_off():
    rows = written(recording()).splitlines(keepends=True)
    cut = parsed(b"".join(rows[:-1]))
    assert ("broken", 81.0) == (cut.end, cut.end_ms)


@pytest.mark.parametrize(
    ("number", "line", "said"),
    [
        (1, b'{"recording":2,"recorded":"","upstream":"","dialect":"","model":""}', "version 2"),
        (1, b"data: hi", "line 1: is no line of a recording"),
        (1, b'{"recording":"\xff"}', "line 1: is no line of a recording"),
        (2, b'{"ms":20,"status":700}', "line 2: must have the status"),
        (2, b'{"ms":20,"text":"x"}', "line 2: must have the status"),
        (2, b'{"ms":20,"status":200,"headers":{"a":"b\\r\\nc: d"}}', "control character"),
        (3, b'{"ms":3,"text":"x"}', "line 3: ms goes back, from 20 to 3"),
        (3, b'{"ms":30}', "line 3: a read has either"),
        (3, b'{"ms":30,"text":"\xff"}', "line 3: is no line of a recording"),
        (3, b'{"ms":30,"base64":"!"}', "line 3: base64 is not base64"),
        (3, b'{"ms":30,"end":"complete"}', "line 4: nothing may follow"),
    ],
)
def test_a_mistake_is_named_with_its_line(number: int, line: bytes, said: str):
    rows = written(recording()).splitlines()
    rows[number - 1] = line
    with pytest.raises(RecordingError, match=said):
        parsed(b"\n".join(rows))


@pytest.mark.parametrize("left", [1, 9, 20])
def test_a_copy_that_was_cut_has_what_came_until_then(left: int):
    """Also within a line; but for the first two, without which nothing is known."""
    data = written(recording())
    last = data.rindex(b"\n", 0, -1) + 1
    cut = parsed(data[: last + left])
    assert ("broken", recording().reads) == (cut.end, cut.reads)
    rows = data.split(b"\n")
    with pytest.raises(RecordingError, match="line 2"):
        parsed(b"\n".join(rows[:2])[:-left])
    with pytest.raises(RecordingError, match="line 3"):
        parsed(b"\n".join([*rows[:2], b'{"ms":', b""]))


def test_an_empty_file_is_a_mistake():
    with pytest.raises(RecordingError, match="is empty"):
        parsed(b"")

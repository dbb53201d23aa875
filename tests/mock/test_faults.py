"""Each fault on a small script: what becomes of its bytes, its frames and its end."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.mock.damage import Fault, Stage
from proxy.mock.faults import FAULTS, parse_fault, parse_faults, spoil
from proxy.mock.script import CLOSE, CUT, END, LAST, STALL, MockError, Pause, Send, Status, Step

HEAD = Status(200, {"content-type": "text/event-stream"})
FRAMES = ['data: {"t":"你"}\n\n'.encode(), b'data: {"t":"b"}\n\n', b"data: c\n\n"]
DONE = b"data: [DONE]\n\n"
SCRIPT: list[Step] = [
    HEAD,
    Send(b": open\n\n", counted=False),
    Send(FRAMES[0]),
    Pause(1),
    Send(FRAMES[1]),
    Pause(1),
    Send(FRAMES[2]),
    Send(DONE, counted=False),
    END,
]
WHOLE = b"".join(step.data for step in SCRIPT if isinstance(step, Send))
STAGE = Stage(
    refuse=lambda status: [Status(status, {}), Send(b"refused"), END],
    fail=lambda: b"data: {error}\n\n",
)


def spoilt(faults: str) -> list[Step]:
    """The steps that would be played: nothing after the first last one."""
    played: list[Step] = []
    for step in spoil(SCRIPT, parse_faults(faults), STAGE):
        played.append(step)
        if isinstance(step, LAST):
            break
    return played


def sent(steps: list[Step]) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, Send))


def sends(steps: list[Step]) -> list[bytes]:
    return [step.data for step in steps if isinstance(step, Send)]


@pytest.mark.parametrize(("fault", "end"), [("cut", CUT), ("close", CLOSE), ("stall", STALL)])
def test_ends_after_n_frames(fault: str, end: Step):
    """The first n frames come whole, with what their dialect says before them, and then the end."""
    steps = spoilt(f"{fault}@2")
    assert b": open\n\n" + FRAMES[0] + FRAMES[1] == sent(steps)
    assert end == steps[-1]
    assert [HEAD, end] == spoilt(f"{fault}@0")
    assert spoilt(fault) == spoilt(f"{fault}@1")


def test_a_fault_past_the_end_never_happens():
    """An answer shorter than n frames is played as it is."""
    assert SCRIPT == spoilt("cut@99")


def test_half_a_frame():
    """The next frame stops in its middle, and the body ends cleanly."""
    steps = spoilt("half@1")
    assert b": open\n\n" + FRAMES[0] + FRAMES[1][: len(FRAMES[1]) // 2] == sent(steps)
    assert CLOSE == steps[-1]
    assert sent(spoilt("half@3")).endswith(DONE[: len(DONE) // 2])


def test_garbage_is_the_same_each_time():
    """256 random bytes come between two frames, and the answer goes on."""
    first = sent(spoilt("garbage@1"))
    assert first == sent(spoilt("garbage@1"))
    assert first != sent(spoilt("garbage@2"))
    assert len(WHOLE) + 256 == len(first)
    assert first.endswith(FRAMES[1] + FRAMES[2] + DONE)


def test_error_is_the_vendors_own():
    """After n frames the vendor's encoder is asked for an in-band error, which ends the answer."""
    steps = spoilt("error@1")
    assert sent(steps).endswith(FRAMES[0] + b"data: {error}\n\n")
    assert END == steps[-1]


def test_status_is_asked_of_the_vendor():
    """Any error status, 500 unless given."""
    assert [Status(429, {}), Send(b"refused"), END] == spoilt("status:429")
    assert Status(500, {}) == spoilt("status")[0]


def test_huge_event():
    """A frame of JSON grows by blanks and stays that JSON; a frame of text grows by letters."""
    assert (
        b"data: {" + b" " * 1000 + FRAMES[1].removeprefix(b"data: {")
        == sends(spoilt("huge_event@1:1000"))[2]
    )
    assert b"data: " + b"x" * 1000 + b"c\n\n" == sends(spoilt("huge_event@2:1000"))[3]
    assert len(WHOLE) + (2 << 20) == len(sent(spoilt("huge_event")))


@pytest.mark.parametrize(("after", "filler"), [(1, b" "), (2, b"x")])
@pytest.mark.parametrize("beside", ["", ",burst", ",crlf"])
def test_a_huge_event_is_written_in_parts_of_megabytes(after: int, filler: bytes, beside: str):
    """So that whoever asks for it does not fill the memory; the bytes are the same."""
    size = 5 << 20
    steps = spoilt(f"huge_event@{after}:{size}{beside}")
    assert (2 << 20) + len(WHOLE) >= max(map(len, sends(steps)))
    assert 1 == sent(steps).count(filler * size)
    assert WHOLE == sent(steps).replace(b"\r\n", b"\n").replace(filler * size, b"")


def test_comment_flood():
    """A hundred comments before each frame, and the frames are there still."""
    text = sent(spoilt("comment_flood"))
    assert 300 == text.count(b": keep-alive\n\n")
    assert WHOLE == text.replace(b": keep-alive\n\n", b"")


def test_crlf_and_bom():
    """Line ends become CR LF; the mark comes once, first."""
    assert b"\xef\xbb\xbf" + WHOLE.replace(b"\n", b"\r\n") == sent(spoilt("bom,crlf"))


def test_trailing_bytes_follow_a_whole_answer_only():
    """They come after the terminator; a cut answer has none."""
    assert sent(spoilt("trailing")).startswith(WHOLE + b'data: {"late"')
    assert b"late" not in sent(spoilt("trailing,cut@1"))


def test_gzip():
    """The body is gzip and says so, each frame can be read at once, and it ends as gzip ends."""
    steps = spoilt("gzip")
    assert "gzip" == steps[0].headers["content-encoding"]
    assert WHOLE == gzip.decompress(sent(steps))
    assert 3 == sum(step.counted for step in steps if isinstance(step, Send))


def test_split_utf8():
    """A character of several bytes ends one write and begins the next, with a pause between; the
    bytes are the same."""
    steps = spoilt("split_utf8")
    assert WHOLE == sent(steps)
    pieces = sends(steps)
    assert b"\xe4" == pieces[1][-1:]
    assert b"\xbd\xa0" == pieces[2][:2]
    assert isinstance(steps[3], Pause)


def test_bytewise_and_slow():
    """One byte a write; slow adds a pause after each."""
    assert [bytes([byte]) for byte in WHOLE] == sends(spoilt("bytewise"))
    slow = spoilt("slow:100")
    assert [bytes([byte]) for byte in WHOLE] == sends(slow)
    assert len(WHOLE) == slow.count(Pause(0.01))


def test_burst():
    """Everything in one write, without the pauses."""
    assert [HEAD, Send(WHOLE), END] == spoilt("burst")


def test_heads():
    """Other heads: an HTML page, an empty 200, a redirect, a plain content type."""
    assert "text/html; charset=utf-8" == spoilt("html")[0].headers["content-type"]
    assert b"<html>" in sent(spoilt("html"))
    assert [HEAD, END] == spoilt("empty")
    assert (302, "https://moved.invalid/") == (
        spoilt("redirect")[0].status,
        spoilt("redirect")[0].headers["location"],
    )
    assert "text/plain" == spoilt("wrong_type")[0].headers["content-type"]
    assert WHOLE == sent(spoilt("wrong_type"))


def test_delays():
    """Silence before the headers, and after them."""
    assert [Pause(0.5), HEAD] == spoilt("delay:0.5")[:2]
    assert [HEAD, Pause(2)] == spoilt("first_event_delay:2")[:2]


def test_order_does_not_matter():
    """Faults work in the order of their table, so n counts whole frames even when every byte is a
    write."""
    assert spoilt("cut@2,bytewise") == spoilt("bytewise,cut@2")
    assert b": open\n\n" + FRAMES[0] + FRAMES[1] == sent(spoilt("bytewise,cut@2"))
    assert (Fault("cut", 2), Fault("bytewise")) == parse_faults(" bytewise , cut@2,")
    assert () == parse_faults("")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "cutt@3",
            "there is no fault 'cutt' (did you mean \"cut\"?); the faults are status:value, html,",
        ),
        ("", "there is no fault ''; the faults are"),
        ("cut@", "fault 'cut@' cannot be read; write cut@n, where n and value are numbers"),
        ("cut@x", "cannot be read"),
        ("cut:3", "fault 'cut:3' takes no such argument; write cut@n"),
        ("html@3", "fault 'html@3' takes no such argument; write html"),
        ("status:200", "fault 'status:200': the value must be from 400 to 599"),
        ("slow:0", "the value must be from 1 to 1000000"),
        ("slow:nan", "cannot be read"),
        ("huge_event:67108865", "the value must be from 1 to 67108864"),
    ],
)
def test_a_fault_that_cannot_be_read_is_said(text: str, says: str):
    """The sentence names the mistake and the fix."""
    with pytest.raises(MockError) as caught:
        parse_fault(text)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["gzip,gzip", "cut@3,bytewise, cut@4", "huge_event:9,huge_event"])
def test_a_fault_stands_once(text: str):
    """One over itself, again and again, would take any time and memory."""
    with pytest.raises(MockError, match="stands twice; write it once"):
        parse_faults(text)


def test_every_fault_says_what_it_does():
    """The list that people see has a sentence for each."""
    assert [] == [name for name, row in FAULTS.items() if not row.does.endswith(".")]


@given(st.lists(st.sampled_from(sorted(FAULTS)), max_size=5, unique=True), st.integers(0, 4))
def test_any_faults_together_are_a_script(names: list[str], after: int):
    """Whatever is combined: one status, before the first byte, and a last step."""
    steps = spoilt(
        ",".join(
            f"{name}@{after}" if FAULTS[name].takes in ("n", "both") else name
            for name in names
            if name != "huge_event"
        )
    )
    kinds = [type(step) for step in steps if not isinstance(step, Pause)]
    assert Status == kinds[0]
    assert 1 == kinds.count(Status)
    assert isinstance(steps[-1], LAST)

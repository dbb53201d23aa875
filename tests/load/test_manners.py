"""How the soak's clients read: what they count must be what was sent."""

from tests.bench.wire import DIGITS, MARK
from tests.load.manners import Text


def read(data: bytes, step: int) -> Text:
    text = Text(b"[DONE]")
    for at in range(0, len(data), step):
        text.read(data[at : at + step])
    return text


def piece(number: int) -> bytes:
    return b"%b%0*d" % (MARK, DIGITS, number)


def test_pieces_are_found_however_they_are_cut() -> None:
    data = b'{"a":"' + piece(0) + b' streams"}\n' + piece(1) + piece(2) + b"\ndata: [DONE]\n\n"
    assert [([0, 1, 2], True)] * 3 == [
        (read(data, step).pieces, read(data, step).complete) for step in (1, 7, len(data))
    ]


def test_a_mark_in_what_a_failure_repeats_is_no_piece() -> None:
    data = b"no JSON: @@" + MARK + b"\x90{x}\xff and more of the garbage " + piece(3)
    assert [[3]] * 3 == [read(data, step).pieces for step in (1, 7, len(data))]


def frame(number: int, id_: int) -> bytes:
    return b'data: {"text":"' + piece(number) + b'"}\nid: s:%d\n\n' % id_


def test_who_comes_back_has_the_pieces_of_whole_frames_however_they_are_cut() -> None:
    data = frame(0, 4) + frame(1, 5) + b'data: {"text":"' + piece(2)
    assert [([0, 1, 2], 2, b"s:5")] * 3 == [
        (text.pieces, text.told, text.last_id)
        for text in (read(data, step) for step in (1, 7, len(data)))
    ]

"""The crowd's pieces of text: each says when it was sent and which one it is. Of fixed length, so
that a frame is made by filling two gaps."""

from typing import NamedTuple

from tests.bench.wire import DIGITS, EMPTY_SLOT, LAST_CHUNK, MARK, VENDORS, http_chunk

_NUMBER_DIGITS = 6
STAMP = len(MARK) + DIGITS + 1 + _NUMBER_DIGITS
_EMPTY = EMPTY_SLOT + b"#" + b"0" * _NUMBER_DIGITS


class Frames(NamedTuple):
    """One upstream dialect's answer as HTTP. `begin` is head and first frames, `end` the last ones
    and the end of the body."""

    begin: bytes
    before: bytes
    after: bytes
    end: bytes

    def piece(self, now_ns: int, number: int) -> bytes:
        return b"%b%019d#%06d%b" % (self.before, now_ns, number, self.after)


def frames(dialect: str) -> Frames:
    vendor = VENDORS[dialect]
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {vendor.media}\r\ntransfer-encoding: chunked\r\n\r\n"
    before, after = http_chunk(vendor.content.replace(EMPTY_SLOT, _EMPTY)).split(_EMPTY)
    return Frames(
        head.encode() + http_chunk(vendor.start),
        before + MARK,
        after,
        http_chunk(vendor.end) + LAST_CHUNK,
    )


class Stamp(NamedTuple):
    """A piece as it was read. `end`: where it stops in the text."""

    sent_ns: int
    number: int
    end: int


def find(text: bytes, begin: int) -> Stamp | None:
    """The first whole one from there on."""
    at = text.find(MARK, begin)
    if at < 0 or at + STAMP > len(text):
        return None
    time_at = at + len(MARK)
    number_at = time_at + DIGITS + 1
    return Stamp(
        int(text[time_at : time_at + DIGITS]), int(text[number_at : at + STAMP]), at + STAMP
    )

"""One server-sent event (HTML standard, section 9.2): what it is, how it is written, and many of
one shape taken apart.

Data stays bytes, because a decoder hands it to a JSON parser that wants bytes.
"""

import re
from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple

_LF = 0x0A
_CR = 0x0D
_LINE_END = re.compile(rb"\r\n|\r|\n")
_FORBIDDEN = str.maketrans("", "", "\r\n\0")


class Frame(NamedTuple):
    """One dispatched event. `event` is "message" where the stream named none; `id` is the last
    event ID, which persists.
    """

    event: str
    data: bytes
    id: str

    @property
    def text(self) -> str:
        """The data decoded as the standard says: invalid UTF-8 becomes U+FFFD."""
        return self.data.decode("utf-8", "replace")


# A named tuple's own constructor is a Python function; this makes the same object at half the
# price.
new_frame = tuple.__new__


def shaped(text: bytes) -> tuple[Iterable[str], list[bytes]] | None:
    """The names and the data of whole events that are all of one shape: a line of data, or a name
    and a line of data. What is done here is done in C, for all of them at once.
    """
    lines = text[:-2].split(b"\n")
    if text.startswith(b"data: "):
        if not any(lines[1::2]):
            datas = b"\n".join(lines[::2])[6:].split(b"\ndata: ")
            if 2 * len(datas) == len(lines) + 1:
                return repeat("message"), datas
    elif text.startswith(b"event: ") and not any(lines[2::3]):
        said = b"\n".join(lines[1::3])
        names = b"\n".join(lines[::3])[7:].decode("utf-8", "replace").split("\nevent: ")
        datas = said[6:].split(b"\ndata: ")
        whole = 3 * len(names) == 3 * len(datas) == len(lines) + 1
        if whole and said.startswith(b"data: ") and "" not in names:
            return names, datas
    return None


# the standard's word
def frame(data: bytes | str, *, event: str | None = None, id: str | None = None) -> bytes:  # noqa: A002
    """One event as bytes: `event`, then a `data` line for each line of data, then `id`, then one
    blank line.

    CR, LF and NUL, which could forge a line or void the id, are left out of `event` and `id`. A
    reader gets every line end of data as LF. Characters that UTF-8 cannot say (lone surrogates)
    become U+FFFD.
    """
    body = _utf8(data) if isinstance(data, str) else data
    if _LF in body or _CR in body:
        body = b"\ndata: ".join(_LINE_END.split(body))
    if event is None:
        if id is None:
            return b"data: %b\n\n" % body
        return b"data: %b\nid: %b\n\n" % (body, _one_line(id))
    if id is None:
        return b"event: %b\ndata: %b\n\n" % (_one_line(event), body)
    return b"event: %b\ndata: %b\nid: %b\n\n" % (_one_line(event), body, _one_line(id))


def _one_line(text: str) -> bytes:
    return text.encode() if text.isprintable() else _utf8(text.translate(_FORBIDDEN))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()

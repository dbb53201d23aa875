"""The standard's steps for one line of an event stream: its field goes into the event that is being
read, and an empty line dispatches that event. `sse` finds the lines.

Source: the HTML standard, section 9.2.6 (interpreting an event stream).
"""

from proxy.framing import BadFrame, TooLarge
from proxy.framing.sse_frame import Frame
from proxy.framing.stray import has_swallowed

STRAY_BYTES = 65_536  # kept of stray lines: an error object that a vendor prints bare is smaller
COLON = 0x3A
# of a reconnection time: over 30,000 years in ms are garbage, and int() refuses absurdly many
_RETRY_DIGITS = 15
_BRACE = 0x7B
_DOCUMENTS = (b"{", b"[DONE]")  # an object, and the end that OpenAI's stream has


class SSELines:
    """The event that is being read, and what of the stream outlives an event. For `lossless` and
    `documents` see `SSEParser`.

    `retry` is the reconnection time in ms that the stream set, `last_event_id` what a reconnection
    would send. `stray` holds lines that are no field of the standard at all, joined by LF: some
    vendors print a bare JSON error into the stream or instead of it.
    """

    __slots__ = (
        "_data",
        "_documents",
        "_event",
        "_id",
        "_lossless",
        "_max",
        "_name",
        "_size",
        "_stray",
        "_stray_full",
        "last_event_id",
        "retry",
    )

    def __init__(self, max_event_bytes: int, *, lossless: bool, documents: bool) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self._max = max_event_bytes
        self._lossless = lossless
        self._documents = documents
        self._name = ""  # what the event was called when the last of its data came
        self._size = 0  # bytes of the finished lines of the event being read; 0 means none
        self._data = bytearray()  # the standard's data buffer
        self._event = ""  # the event type buffer
        self._id = ""  # the last event ID buffer
        self._stray = bytearray()
        self._stray_full = False

    @property
    def stray(self) -> bytes:
        return bytes(self._stray[:-1])

    def _line(self, line: bytes, frames: list[Frame]) -> None:
        if not line:
            self._dispatch(frames)
            return
        if line[0] == COLON:
            return
        self._size += len(line) + 1
        if self._size > self._max:
            raise TooLarge(self._max)
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        match name:
            case b"data":
                self._add(value, frames)
            case b"event":
                self._event = value.decode("utf-8", "replace")
            case b"id":
                if 0 not in value:
                    self._id = value.decode("utf-8", "replace")
            case b"retry":
                digits = value.lstrip(b"0") or value[-1:]
                if digits.isdigit() and len(digits) <= _RETRY_DIGITS:
                    self.retry = int(digits)
            case _ if self._lossless and self._data and line[0] == _BRACE:
                self._add(line, frames)
            case _:
                self._keep_stray(line)

    def _dispatch(self, frames: list[Frame]) -> None:
        self._size = 0
        self.last_event_id = self._id
        if self._data:
            self._data.pop()
            frames.append(Frame(self._event or "message", bytes(self._data), self._id))
            self._data.clear()
        self._event = ""

    def _add(self, data: bytes, frames: list[Frame]) -> None:
        """A line of data. One that begins another document dispatches what came before it, under
        the name that the event had then.
        """
        if self._documents:
            if data.startswith(_DOCUMENTS) and self._data[-4:].rstrip().endswith(b"}"):
                frames.append(Frame(self._name or "message", bytes(self._data[:-1]), self._id))
                self._data.clear()
                self._size = len(data) + 1
            self._name = self._event
        self._data += data
        self._data += b"\n"

    def _keep_stray(self, line: bytes) -> None:
        if self._lossless and (b"data:" in line or b"event:" in line) and has_swallowed(line):
            raise BadFrame("bytes that are no event came before one, and it was lost in them")
        if self._stray_full or len(self._stray) + len(line) > STRAY_BYTES:
            self._stray_full = True
            return
        self._stray += line
        self._stray += b"\n"

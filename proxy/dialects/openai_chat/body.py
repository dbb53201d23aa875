"""A body that is no event stream: one JSON document, which is kept and read at its end, or lines
with a chunk on each, without events.
"""

import msgspec

from proxy.codec.lenient_json import NotJSONError, loads
from proxy.codec.openai.errors import in_band, vendor_error
from proxy.dialects.openai_chat.odd import CHUNK, AnswerError, error_event, malformed
from proxy.framing.lines import LineSplitter
from proxy.framing.sse_frame import Frame

_BOM = b"\xef\xbb\xbf"
_ERROR_FIELD = b"error:"  # llama.cpp's server writes `error: {...}` where others write `data:`


class Body:
    """The body of one answer. `document` holds it while it may be one JSON document; `lines` cuts
    it once it is known to be lines.
    """

    __slots__ = ("_max_event_bytes", "document", "lines")

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self.document: bytearray | None = bytearray()
        self.lines: LineSplitter | None = None

    def keep(self, data: bytes) -> bytes:
        """What is to be read of the data now: all of it or, once the body turns out to be lines,
        all that came so far.
        """
        document = self.document
        assert document is not None
        kept = data if document else data.removeprefix(_BOM).lstrip()
        begun = len(document)
        document += kept
        if document and (document[0] not in b"{[" or len(document) > self._max_event_bytes):
            self.document = None
        elif b"\n" in kept and begun <= (end := document.find(b"\n")) and _is_chunk(document[:end]):
            # it is the first line that is whole now
            self.document, self.lines = None, LineSplitter(self._max_event_bytes)
            return bytes(document)
        return data

    def whole_answer(self, stray: bytes, *, answered: bool) -> bytes:
        """The whole answer in one document; empty if the body is none. `stray`: the lines that are
        no field of a stream, where an error or the document may stand bare. `answered`: events gave
        an answer already, so only an error is looked for. Raises AnswerError.
        """
        if not stray and not self.document:
            return b""
        for line in stray.splitlines():
            if line.startswith(_ERROR_FIELD):
                error_event(line.removeprefix(_ERROR_FIELD).strip())
        for data in (bytes(self.document or b""), stray):
            if not data:
                continue
            try:
                said = loads(data)
            except NotJSONError:
                continue
            found = vendor_error(said)
            if found is not None:
                raise AnswerError(in_band(found))
            if answered:
                continue
            if not isinstance(said, dict) or "choices" not in said:
                raise AnswerError(malformed("The upstream sent a document that is no answer", data))
            return data
        return b""


def framed(lines: LineSplitter, data: bytes) -> list[Frame]:
    """The lines as frames. Some write `data:` before some of them."""
    said = (line.removeprefix(b"data:").strip() for line in lines.feed(data))
    return [Frame("message", line, "") for line in said]


def _is_chunk(line: bytearray) -> bool:
    """Whether a line is a whole chunk, which elsewhere would be the data of an event. The first one
    may have no choice yet (Azure).
    """
    try:
        choices = CHUNK.decode(line).choices
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return choices is not None and all(choice.delta is not None for choice in choices)

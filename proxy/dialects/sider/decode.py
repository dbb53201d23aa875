"""Sider's chunks to events, for all four generations and for the framing without newlines of the
founding post's own server.

Values are cut out by their braces, not by blank lines: that reads `data:{...}` with a blank line
behind it and without one alike, and gives each as soon as it is whole.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.cut_characters import RejoiningDecoder
from proxy.codec.json_depth import shallow
from proxy.dialects.sider.errors import code_failure
from proxy.dialects.sider.wire import Chunk, Data, repeated
from proxy.events import Event, Vendor
from proxy.framing.values import DONE, ValueSplitter

_CHUNK = msgspec.json.Decoder(Chunk)
_ANY = msgspec.json.Decoder(dict[str, Any])
# Say nothing, and reset the idle timer by their mere arrival.
_PULSES = frozenset({"pulse", "tag_stream"})


class SiderDecoder(RejoiningDecoder[bytes]):
    """Option `text_in_msg`: where `data.text` is empty the text is in `msg` (the post's server).
    Without it `msg` is a vendor event.

    Text and reasoning become blocks. Tools run on Sider's side and files are links, so both are
    vendor events, as are quotas and ids (only when they change) and every `type` that is not known.
    """

    def __init__(self, max_event_bytes: int, options: Mapping[str, Any]) -> None:
        self._values = ValueSplitter(max_event_bytes)
        super().__init__(self._values, max_event_bytes)
        self._text_in_msg = options.get("text_in_msg") is True
        self._repeated: dict[str, Any] = {}
        self._msg = ""

    def _take(self, frame: bytes, out: list[Event]) -> None:
        if frame == DONE:
            self._finish(out, "stop")
            return
        chunk = self._read(_CHUNK, frame, out)
        if chunk is None:
            return
        if chunk.code != 0:
            self._fail(out, code_failure(chunk.code, chunk.msg))
            return
        text = ""
        if chunk.msg:
            text = self._said(chunk.msg, out)
        if chunk.data is not None:
            text = self._data(chunk.data, frame, out) or text
        if text:
            self._blocks.text(out, text)

    def _said(self, msg: str, out: list[Event]) -> str:
        """What `msg` holds beside a code of 0: text if so declared; in the vendor's own streams
        nobody knows.
        """
        if self._text_in_msg:
            return msg
        if msg != self._msg:
            self._msg = msg
            out.append(Vendor("sider", {"msg": msg}))
        return ""

    def _data(self, data: Data, frame: bytes, out: list[Event]) -> str:
        """The text of a payload; everything else it holds goes out at once."""
        kind = data.type
        if kind is None or kind == "text":
            said = repeated(data)
            if said != self._repeated:
                self._repeated = said
                out.append(Vendor("sider", shallow(said)))
            search = data.deep_search
            if search is None or data.text:
                return data.text or ""
            if search.status == "answering" and search.field is not None:
                return search.field.answer_fragment or ""
        elif kind == "reasoning_content":
            self._reasoning(data, out)
            return ""
        elif kind in _PULSES:
            return ""
        elif (
            kind == "deep_search"
            and data.deep_search is not None
            and data.deep_search.status == "answering"
        ):
            return (data.deep_search.field and data.deep_search.field.answer_fragment) or ""
        self._pass_on(frame, out)
        return ""

    def _reasoning(self, data: Data, out: list[Event]) -> None:
        piece = data.reasoning_content
        if piece is None:
            return
        if piece.text:
            self._blocks.reasoning(out, piece.text)
        if piece.status == "finish":
            self._blocks.end_reasoning(out)

    def _pass_on(self, frame: bytes, out: list[Event]) -> None:
        document = self._read(_ANY, frame, out)
        if document is not None:
            out.append(Vendor("sider", shallow(document.get("data"))))

    def _rest(self) -> list[bytes]:
        # for the fault that it may still raise; an unfinished value is a cut like any other
        self._values.close()
        return []

"""Baidu's packets to events, for both generations at once: a packet shows by itself which one it
is.

Ends: `endTurn` is the end. A body that ends without it was cut, but for the generation of 2023,
which says only that its text generator (`type: txt`) `isFinished`. The first error counts: the
packet after it claims a clean end.
"""

from typing import Any

import msgspec

from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.codec.json_depth import shallow
from proxy.dialects.baidu_chat.errors import KUNLUN, code_failure, hint, parse_error
from proxy.dialects.baidu_chat.wire import Component, Generator, Packet, Reference
from proxy.errors import Failure
from proxy.events import Citation, Event, TextRewrite, Vendor
from proxy.framing.sse_frame import Frame

_PACKET = msgspec.json.Decoder(Packet)
_COMPONENT = msgspec.json.Decoder(Component)
_ANY = msgspec.json.Decoder(Any)
_MARKDOWN = "markdown"  # markdown-yiyan, markdown-hamburg, markdown-with-askback ...
_MOST_KNOWN = 4096  # sources remembered so as not to tell them twice
_REASONING = frozenset({"thinkingSteps", "reasoningContent"})


class BaiduChatDecoder(RejoiningSSEDecoder):
    """Sources come before the text that they are sources of, so they wait for its block; at an end
    without text they become a vendor event. Two parallel answers are two choices. Text that
    moderation withdraws is rewritten to nothing, no more of it is taken, and the finish is
    `content_filter`; only the block that is still open can be taken back.
    """

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._open_text: dict[int, int] = {}  # choice -> text block that may be rewritten
        self._sources: dict[int, list[Reference]] = {}  # choice -> sources that wait
        self._waiting_chars = 0  # of the sources that wait, bounded like an event
        self._most_waiting_chars = max_event_bytes
        self._known: set[int] = set()  # hashes of the sources that were told
        self._withdrawn: set[int] = set()
        self._text_finished = False
        self._kunlun = False
        self._spoke = False
        self._session = ""

    def _take(self, frame: Frame, out: list[Event]) -> None:
        if frame.event == "ping" or not frame.data:
            return
        packet = self._read(_PACKET, frame.data, out)
        if packet is None:
            return
        if packet.kunlun:
            self._kunlun = True  # an error packet with more to say may follow
        content = (
            packet.data.message.content
            if packet.data is not None and packet.data.message is not None
            else None
        )
        if packet.status != 0:
            self._fail(out, code_failure(packet.status, hint(content)))
            return
        self._ids(packet, out)
        if content is not None and content.generator is not None:
            self._generated(content.generator, packet.choice, out)
        if not self.done:
            self._state(packet, out)

    def _ids(self, packet: Packet, out: list[Event]) -> None:
        """The ids that a next turn wants, once."""
        if packet.session_id and packet.session_id != self._session:
            self._session = packet.session_id
            out.append(Vendor("baidu_chat", {"sessionId": packet.session_id, "qid": packet.qid}))

    def _state(self, packet: Packet, out: list[Event]) -> None:
        meta = (
            packet.data.message.meta
            if packet.data is not None and packet.data.message is not None
            else None
        )
        if meta is None or meta.end_turn not in (True, 1):
            return
        if self._kunlun and not self._spoke:
            self._fail(out, code_failure(KUNLUN))
        else:
            self._complete(out, meta.state)

    def _generated(self, piece: Generator, choice: int, out: list[Event]) -> None:
        if piece.withdrawn:
            self._withdraw(choice, out)
        if choice in self._withdrawn:
            return
        self._text_finished = piece.type == "txt" and bool(piece.is_finished)
        if piece.references:
            self._cite(piece.references, choice, out)
        if piece.text:
            self._say(piece.text, choice, out)
        elif piece.component:
            self._component(piece, piece.component, choice, out)

    def _component(self, piece: Generator, name: str, choice: int, out: list[Event]) -> None:
        if not name.startswith(_MARKDOWN) and name not in _REASONING:
            other = self._read(_ANY, bytes(piece.data), out)
            if not self.done:
                out.append(Vendor("baidu_chat", {"component": name, "data": shallow(other)}))
            return
        data = (
            self._read(_COMPONENT, bytes(piece.data), out) if bytes(piece.data) != b"null" else None
        )
        if data is None:
            return
        if data.references:
            self._cite(data.references, choice, out)
        if name.startswith(_MARKDOWN):
            self._say(data.value or "", choice, out)
            return
        thought = "".join(data.reasoning_pieces or ()) or data.reasoning or data.value
        if thought:
            self._spoke = True
            self._open_text.pop(choice, None)
            self._blocks.reasoning(out, thought, choice)

    def _say(self, text: str, choice: int, out: list[Event]) -> None:
        if not text:
            return
        self._spoke = True
        block = self._open_text[choice] = self._blocks.open_text(out, choice)
        out += [_citation(block, source) for source in self._sources.pop(choice, ())]
        self._blocks.text(out, text, choice)

    def _cite(self, sources: list[Reference], choice: int, out: list[Event]) -> None:
        """The vendor repeats its list; each source counts once."""
        for source in sources:
            key = hash((choice, source.url, source.text))
            if key in self._known:
                continue
            if len(self._known) < _MOST_KNOWN:
                self._known.add(key)
            block = self._open_text.get(choice)
            if block is not None:
                out.append(_citation(block, source))
            elif self._waiting_chars < self._most_waiting_chars:
                self._waiting_chars += (
                    sum(len(said or "") for said in msgspec.structs.astuple(source)) + 1
                )
                self._sources.setdefault(choice, []).append(source)
            else:
                out.append(_unplaced([source]))

    def _withdraw(self, choice: int, out: list[Event]) -> None:
        self._withdrawn.add(choice)
        self._sources.pop(choice, None)
        block = self._open_text.pop(choice, None)
        if block is not None:
            out.append(TextRewrite(block, 0, ""))

    def _complete(self, out: list[Event], raw: str | None) -> None:
        waiting = [source for sources in self._sources.values() for source in sources]
        if waiting:
            out.append(_unplaced(waiting))
        self._finish(out, "content_filter" if 0 in self._withdrawn else "stop", raw)

    def _ended(self, out: list[Event]) -> None:
        if self._text_finished and self._spoke:
            self._complete(out, None)
        elif self._kunlun and not self._spoke:
            self._fail(out, code_failure(KUNLUN))
        else:
            super()._ended(out)

    def _not_a_stream(self, body: bytes) -> Failure:
        return parse_error(200, {}, body) or super()._not_a_stream(body)


def _citation(block: int, source: Reference) -> Citation:
    return Citation(block, source.url, source.text, source.abstract)


def _unplaced(sources: list[Reference]) -> Vendor:
    """Sources that no text block is there for."""
    return Vendor(
        "baidu_chat", {"referenceList": [msgspec.to_builtins(source) for source in sources]}
    )

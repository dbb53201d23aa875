"""Events to Baidu's packets, in the form of 2023 (`generator.text`) or of 2026 (components), as the
client's request was.
"""

from typing import Any

import msgspec

from proxy.codec.base import Encoder, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.text_only import TextOnlyEncoder
from proxy.dialects.baidu_chat.errors import error_code, error_content
from proxy.dialects.baidu_chat.wire import Generation
from proxy.errors import Failure
from proxy.events import Citation, StreamEnd, StreamError, StreamStart

_json = msgspec.json.encode


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return BaiduChatEncoder(parsed.options.generation)


def whole(_parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. Both generations get the same form."""
    stream = answer.start.stream if answer.start is not None else ""
    return Reply(200, msgspec.json.encode(whole_packet(answer.text(), stream)))


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    return Reply(why.status, msgspec.json.encode(error_packet(why, "", 0)))


class BaiduChatEncoder(TextOnlyEncoder):
    """One packet a delta, numbered by `seq_id` from 0. Reasoning and sources have a place in the
    2026 form only.

    The page takes back what it has shown when a packet says `antiFlag`: that is how it is told of
    the finish `content_filter`.
    """

    def __init__(self, generation: Generation) -> None:
        super().__init__()
        self._new = generation == "2026"
        self._seq = 0
        self._stream = ""
        self._created_ms = "0"

    def _start(self, event: StreamStart) -> bytes:
        self._stream = event.stream
        self._created_ms = f"{event.created}000"
        if not self._new:
            return b""
        basedata = {
            "status": 0,
            "query": "",
            "lid": self._stream,
            "pd": "csaitab",
            "chatHitKunlun": "",
        }
        return b"event:basedata\ndata:%b\n\n" % _json(basedata) + self._packet("waiting-resp", None)

    def _text(self, _block: int, text: str) -> bytes:  # one answer
        return self._packet(
            "generating-resp",
            self._component("markdown-yiyan", {"value": text}) if self._new else _old(text),
        )

    def _reasoning(self, text: str) -> bytes:
        return self._thinking({"reasoningContentArr": [text], "status": "generating"})

    def _reasoned(self) -> bytes:
        return self._thinking({"reasoningContentArr": [], "status": "finished"})

    def _citation(self, event: Citation) -> bytes:
        source = {
            "url": event.url or "",
            "text": event.title or "",
            "abstract": event.text or "",
            "source": "",
        }
        return self._thinking(
            {"reasoningContentArr": [], "status": "finished", "referenceList": [source]}
        )

    def _end(self, event: StreamEnd) -> bytes:
        out = b""
        if event.finish.reason == "content_filter":
            withdrawn = _old("") | {"antiFlag": 1, "isSafe": 0}
            out = self._packet("generating-resp", withdrawn)
        if self._new:
            return out + self._packet("generate-complete", None, end=True)
        return out + self._packet("generate-complete", _old("", finished=True), end=True)

    def _error(self, event: StreamError) -> bytes:
        return self._frame(error_packet(event.error, self._stream, self._seq))

    def _thinking(self, data: dict[str, Any]) -> bytes:
        return (
            self._packet("generating-resp", self._component("thinkingSteps", data))
            if self._new
            else b""
        )

    def _packet(self, state: str, generator: dict[str, Any] | None, *, end: bool = False) -> bytes:
        message: dict[str, Any] = {
            "msgId": self._stream,
            "isRebuild": False,
            "updateTime": self._created_ms,
            "metaData": {"state": state, "endTurn": end},
        }
        if generator is not None:
            message["content"] = {"generator": generator, "cacheStatus": 0}
        return self._frame(
            envelope(message, self._stream, self._seq)
            | {"product": "pc_aitab" if end and self._new else ""}
        )

    def _frame(self, packet: dict[str, Any]) -> bytes:
        self._seq += 1
        return b"event:message\ndata:%b\n\n" % _json(packet)

    @staticmethod
    def _component(name: str, data: dict[str, Any]) -> dict[str, Any]:
        kept = {
            "text": "",
            "type": "entry",
            "dataType": "",
            "showType": "",
            "antiFlag": 0,
            "needClearHistory": False,
            "isSafe": 1,
        }
        return {**kept, "isFinished": False, "component": name, "group": 1, "data": data}


def _old(text: str, *, finished: bool = False) -> dict[str, Any]:
    return {
        "text": text,
        "type": "txt",
        "dataType": "",
        "showType": "append",
        "antiFlag": 0,
        "isFinished": finished,
    }


def envelope(message: dict[str, Any], stream: str, seq: int) -> dict[str, Any]:
    """A packet around a message. The session is the stream's id: what a client sends back means
    nothing here.
    """
    return {
        "status": 0,
        "qid": stream,
        "pkgId": f"{stream}_{seq}",
        "sessionId": stream,
        "isDefault": 0,
        "isShow": 0,
        "data": {"message": message},
        "seq_id": seq,
    }


def error_packet(why: Failure, stream: str, seq: int) -> dict[str, Any]:
    """As the vendor's own: the state claims completeness, the status does not, and the turn has no
    end.
    """
    message = {
        "msgId": stream,
        "isRebuild": False,
        "metaData": {"state": "generate-complete", "endTurn": False},
        "content": error_content(why),
    }
    return envelope(message, stream, seq) | {"status": error_code(why), "product": ""}


def whole_packet(text: str, stream: str) -> dict[str, Any]:
    """The whole answer as one packet: the vendor has no such form, this is its own with nothing
    left to come.
    """
    message = {
        "msgId": stream,
        "isRebuild": False,
        "metaData": {"state": "generate-complete", "endTurn": True},
        "content": {"generator": _old(text, finished=True), "cacheStatus": 0},
    }
    return envelope(message, stream, 0)

"""Events to Sider's chunks: one class for v1 to v3, one for `/api/chat/v1/completions`. Frames are
`data:` without a space.
"""

from typing import Any

import msgspec

from proxy.codec.base import Encoder, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.text_only import TextOnlyEncoder
from proxy.dialects.sider.errors import error_code
from proxy.dialects.sider.wire import REPEATED
from proxy.errors import Failure
from proxy.events import StreamEnd, StreamError, StreamStart, Vendor

_DONE = b"data:[DONE]\n\n"
# Types that are said from our own events, and chunks of v1 to v3, which have none.
_OURS = (None, "message_start", "text", "reasoning_content")
_json = msgspec.json.encode


def error_body(why: Failure) -> dict[str, Any]:
    """`data` is null in an error: its clients look at `code` first."""
    return {"code": error_code(why), "msg": why.message, "data": None}


def text_data(model: str, stream: str, cid: str) -> dict[str, Any]:
    """What v1 to v3 repeat in every chunk beside the text. Quotas are the vendor's: null until it
    says some.
    """
    known = {
        "cid": cid or f"C{stream}",
        "req_message_id": f"Q{stream}",
        "message_id": f"A{stream}",
        "chat_model": model,
    }
    return dict.fromkeys(REPEATED) | known


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    options = parsed.options
    if options.generation == "chat":
        return ChatEncoder(options.cid, done=options.done)
    return TextEncoder(options.generation, options.cid, done=options.done)


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    stream = answer.start.stream if answer.start is not None else ""
    data = {
        "type": "text",
        "text": answer.text(),
        **text_data(parsed.request.model, stream, parsed.options.cid),
    }
    return Reply(200, msgspec.json.encode({"code": 0, "msg": "", "data": data}))


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    return Reply(why.status, msgspec.json.encode(error_body(why)))


class _SiderEncoder(TextOnlyEncoder):
    def __init__(self, *, done: bool) -> None:
        super().__init__()
        self._done = _DONE if done else b""

    def _error(self, event: StreamError) -> bytes:
        return b"data:%b\n\n" % _json(error_body(event.error))


class TextEncoder(_SiderEncoder):
    """v1 to v3. The first chunk and the last have an empty text: clients of 2023 throw them away
    unread. Reasoning has no place.
    """

    def __init__(self, generation: str, cid: str, *, done: bool) -> None:
        super().__init__(done=done)
        self._cid = cid
        self._repeated: dict[str, Any] = {}
        # v2 and v3 say what kind of chunk it is
        self._head = (
            b'data:{"code":0,"msg":"","data":{"text":'
            if generation == "v1"
            else b'data:{"code":0,"msg":"","data":{"type":"text","text":'
        )
        self._tail = b""

    def _start(self, event: StreamStart) -> bytes:
        self._repeated = text_data(event.model, event.stream, self._cid)
        self._freeze()
        return self._chunk("")

    def _text(self, _block: int, text: str) -> bytes:  # one answer
        return self._chunk(text)

    def _vendor(self, event: Vendor) -> bytes:
        """A Sider upstream's own ids and quotas are better than ours."""
        if event.dialect == "sider" and isinstance(event.data, dict):
            self._repeated |= {name: event.data[name] for name in REPEATED if name in event.data}
            self._freeze()
        return b""

    def _end(self, _event: StreamEnd) -> bytes:  # Sider says neither why nor how much
        return self._chunk("") + self._done

    def _chunk(self, text: str) -> bytes:
        return self._head + _json(text) + self._tail

    def _freeze(self) -> None:
        self._tail = b"," + _json(self._repeated)[1:] + b"}\n\n"


class ChatEncoder(_SiderEncoder):
    """`/api/chat/v1/completions`: `type` says which field counts."""

    def __init__(self, cid: str, *, done: bool) -> None:
        super().__init__(done=done)
        self._cid = cid
        self._model = b'""'
        self._thinking = False

    def _start(self, event: StreamStart) -> bytes:
        self._model = _json(event.model)
        ids = {
            "cid": self._cid or f"C{event.stream}",
            "user_message_id": f"Q{event.stream}",
            "assistant_message_id": f"A{event.stream}",
        }
        return self._chunk(b"message_start", _json(ids))

    def _text(self, _block: int, text: str) -> bytes:  # one answer
        return self._chunk(b"text", _json(text))

    def _reasoning(self, text: str) -> bytes:
        piece = self._reasoning_chunk("processing", text)
        if self._thinking:
            return piece
        self._thinking = True
        return self._reasoning_chunk("start", "") + piece

    def _reasoned(self) -> bytes:
        if not self._thinking:
            return b""
        self._thinking = False
        return self._reasoning_chunk("finish", "")

    def _vendor(self, event: Vendor) -> bytes:
        """Chunks of a Sider upstream of the same generation go on as they came; the ids are ours,
        said at the start.
        """
        data = event.data
        if event.dialect != "sider" or not isinstance(data, dict) or data.get("type") in _OURS:
            return b""
        return b"data:%b\n\n" % _json({"code": 0, "msg": "", "data": data})

    def _end(self, _event: StreamEnd) -> bytes:  # Sider says neither why nor how much
        return self._done

    def _reasoning_chunk(self, status: str, text: str) -> bytes:
        return self._chunk(b"reasoning_content", _json({"status": status, "text": text}))

    def _chunk(self, kind: bytes, value: bytes) -> bytes:
        return b'data:{"code":0,"msg":"","data":{"type":"%b","model":%b,"%b":%b}}\n\n' % (
            kind,
            self._model,
            kind,
            value,
        )

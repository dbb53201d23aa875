"""Events to Yiyan's: `major`, `thought` and `message`, each with a running id, and the whole text
once more in the last message.
"""

from typing import Any

import msgspec

from proxy.codec.base import Encoder, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.text_only import TextOnlyEncoder
from proxy.errors import Failure
from proxy.events import StreamEnd, StreamError, StreamStart, TextDelta

_json = msgspec.json.encode


def error_body(why: Failure) -> dict[str, Any]:
    """The vendor's codes are not known; any but 0 is an error to its clients, so it is the HTTP
    status.
    """
    return {"code": why.status, "msg": why.message, "data": None}


def encoder(_parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`. Every client gets the same form."""
    return YiyanEncoder()


def whole(_parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    text = answer.text()
    data = {"content": text, "tokens_all": text, "is_end": 1}
    return Reply(200, msgspec.json.encode({"code": 0, "msg": "", "data": data}))


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    return Reply(why.status, msgspec.json.encode(error_body(why)))


class YiyanEncoder(TextOnlyEncoder):
    """Keeps the text, because the dialect says it again at its end. Line feeds go out as they are:
    `<br>` could be code.
    """

    gathers = frozenset({TextDelta})

    def __init__(self) -> None:
        super().__init__()
        self._id = 0
        self._stream = ""
        self._said: list[str] = []

    def _start(self, event: StreamStart) -> bytes:
        self._stream = event.stream
        session = {"data": {"sessionId": event.stream}}
        chat = {"data": {"botChat": {"id": event.stream}}}
        data = {
            "createSessionResponseVoCommonResult": session,
            "createChatResponseVoCommonResult": chat,
        }
        return self._frame(b"major", _json({"code": 0, "msg": "", "data": data}))

    def _text(self, _block: int, text: str) -> bytes:  # one answer
        self._said.append(text)
        return self._frame(
            b"message", b'{"code":0,"msg":"","data":{"content":%b,"is_end":0}}' % _json(text)
        )

    def _reasoning(self, text: str) -> bytes:
        return self._thought(text, 0)

    def _reasoned(self) -> bytes:
        return self._thought("", 1)

    # the dialect says neither why nor how much
    def _end(self, _event: StreamEnd) -> bytes:
        data = {"content": "", "tokens_all": "".join(self._said), "is_end": 1}
        return self._frame(b"message", _json({"code": 0, "msg": "", "data": data}))

    def _error(self, event: StreamError) -> bytes:
        return self._frame(b"message", _json(error_body(event.error)))

    def _thought(self, text: str, is_end: int) -> bytes:
        thought = {
            "send_id": "1",
            "thought_index": 0,
            "chat_id": self._stream,
            "step_id": 0,
            "thoughts": text,
            "is_end": is_end,
        }
        return self._frame(b"thought", _json(thought))

    def _frame(self, name: bytes, data: bytes) -> bytes:
        self._id += 1
        return b"event:%b\ndata:%b\nid:%d\n\n" % (name, data, self._id - 1)

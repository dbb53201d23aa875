"""What the decoders of both dialects have in common: messages of an AWS event stream, which are
events, or say that something failed.
"""

from abc import abstractmethod

from proxy.codec.bedrock.errors import broken, exception, parse_error
from proxy.codec.failures import not_a_stream
from proxy.codec.framed import CUT, FramedDecoder
from proxy.errors import failure
from proxy.events import Event
from proxy.framing.aws import Message, MessageSplitter

# A message begins with its length; one that began with this byte or a greater one would be of 512
# MiB or more. It is text.
_TEXT = b" "
_KEPT_TEXT_BYTES = 4096


class EventStreamDecoder(FramedDecoder[Message]):
    """A subclass says what one event means (`_event`) and how an answer ends whose body has ended
    (`_whole`).
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._messages = MessageSplitter(max_event_bytes)
        self._begun = False
        self._text = b""  # what came in the place of a stream
        super().__init__(self._messages, max_event_bytes)

    def feed(self, data: bytes) -> list[Event]:
        if self._text or (not self._begun and data[:1] >= _TEXT):
            self._text += data[: _KEPT_TEXT_BYTES - len(self._text)]
            return []
        self._begun |= bool(data)
        return super().feed(data)

    @abstractmethod
    def _event(self, kind: str, payload: bytes, out: list[Event]) -> None:
        """One event, by its `:event-type`. May raise ValueError for what cannot be read, and
        FramingError.
        """

    @abstractmethod
    def _whole(self, out: list[Event]) -> bool:
        """The body ended behind a message: end the answer, if it is complete. Answers whether it
        was ended.
        """

    def _take(self, frame: Message, out: list[Event]) -> None:
        headers = frame.headers
        kind = headers.get(":message-type")
        if kind == "exception":
            self._fail(out, exception(str(headers.get(":exception-type", "")), frame.payload))
        elif kind == "error":
            self._fail(out, broken(headers.get(":error-code"), headers.get(":error-message")))
        else:
            try:
                self._event(str(headers.get(":event-type", "")), frame.payload, out)
            except (
                ValueError,
                RecursionError,
            ) as error:  # msgspec's own errors, bad UTF-8 and bad base64 are ValueErrors
                self._malformed(out, str(error))

    def _rest(self) -> list[Message]:
        self._cut = bool(self._messages.close())
        return []

    def _ended(self, out: list[Event]) -> None:
        if self._text:
            self._fail(out, parse_error(200, {}, self._text) or not_a_stream(self._text))
        elif self._cut or not self._whole(out):
            self._fail(out, failure("upstream_truncated", CUT))

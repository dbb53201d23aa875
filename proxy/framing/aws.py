"""AWS event stream messages (`application/vnd.amazon.eventstream`): a length, headers, a payload
and two checksums, all big-endian.

    message = total length u32 | headers length u32 | CRC-32 of these 8 bytes
            | headers | payload | CRC-32 of everything before it
    header  = name length u8 | name | type u8 | value

Source: the Smithy specification, "Amazon Event Stream Specification".
"""

import struct
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

from proxy.framing import BadFrame, FramingError, TooLarge

# A timestamp is in milliseconds since 1970; a UUID stays its 16 bytes.
HeaderValue = bool | int | bytes | str

_PRELUDE_BYTES = 12
_CRC_BYTES = 4
_LEAST_BYTES = _PRELUDE_BYTES + _CRC_BYTES
# Headers say the kind of an event, and there are few kinds: those of this length or less are read
# once. Longer ones are not kept.
_REMEMBERED_BYTES = 256
_prelude = struct.Struct(">III").unpack_from
_u32 = struct.Struct(">I").unpack_from
_INTEGERS = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8}  # type -> bytes
_TRUE, _FALSE, _BYTES, _STRING, _UUID = 0, 1, 6, 7, 9


class Message(NamedTuple):
    """One message. Header names are as sent; AWS's own begin with a colon."""

    headers: Mapping[str, HeaderValue]
    payload: bytes


class MessageSplitter:
    """One stream's bytes to messages. `max_event_bytes` bounds a whole message, headers and
    checksums included.
    """

    __slots__ = ("_held", "_max", "_need", "fault")

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._held = bytearray()  # the unfinished message, from its first byte
        self._need = 0  # its length; 0 while its prelude has not been read
        self.fault: FramingError | None = None

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that this chunk completes. Raises TooLarge, and BadFrame for a wrong
        checksum or a length that cannot be.
        """
        if self.fault is not None:
            raise self.fault.again()
        messages: list[Message] = []
        self._held += chunk
        try:
            self._read(messages)
        except FramingError as fault:
            self.fault = fault.again()
            self._held.clear()
            if not messages:
                raise
        return messages

    def close(self) -> bytes:
        """The body ended: what is left of a message that is incomplete, or b"". Raises what `feed`
        would have raised next.
        """
        if self.fault is not None:
            raise self.fault.again()
        return bytes(self._held)

    def _read(self, messages: list[Message]) -> None:
        held, at = self._held, 0
        while True:
            left = len(held) - at
            if not self._need and left >= _PRELUDE_BYTES:
                self._need = self._length(bytes(held[at : at + _PRELUDE_BYTES]))
            if not self._need or left < self._need:
                break
            end = at + self._need
            self._need = 0
            messages.append(_message(bytes(held[at:end])))
            at = end
        del held[:at]

    def _length(self, prelude: bytes) -> int:
        total, headers, crc = _prelude(prelude)
        if crc32(prelude[:8]) != crc:
            raise BadFrame(
                f"expected an AWS event stream message, found {prelude!r}: its first checksum "
                "does not match"
            )
        if total < _LEAST_BYTES or headers > total - _LEAST_BYTES:
            raise BadFrame(
                f"an AWS event stream message cannot be {total} bytes long with {headers} "
                "bytes of headers"
            )
        if total > self._max:
            raise TooLarge(self._max)
        return int(total)


def _message(whole: bytes) -> Message:
    """A whole message whose prelude is good."""
    end = len(whole) - _CRC_BYTES
    if crc32(whole[:end]) != _u32(whole, end)[0]:
        raise BadFrame("an AWS event stream message was damaged: its checksum does not match")
    headers_end = _PRELUDE_BYTES + _u32(whole, 4)[0]
    raw = whole[_PRELUDE_BYTES:headers_end]
    headers = _remembered(raw) if len(raw) <= _REMEMBERED_BYTES else _headers(raw)
    return Message(headers, whole[headers_end:end])


def _headers(raw: bytes) -> Mapping[str, HeaderValue]:
    found: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(raw):
            name_end = at + 1 + raw[at]
            name = raw[at + 1 : name_end].decode()
            if name in found:
                raise BadFrame(f"an AWS event stream message has the header {name[:40]!r} twice")
            found[name], at = _value(raw, raw[name_end], name_end + 1)
    except (IndexError, UnicodeDecodeError) as error:
        raise BadFrame("the headers of an AWS event stream message cannot be read") from error
    return MappingProxyType(found)


_remembered = lru_cache(maxsize=64)(_headers)


def _value(raw: bytes, kind: int, at: int) -> tuple[HeaderValue, int]:
    """The value that begins at `at`, and where it ends. Raises IndexError where the headers end
    before it does.
    """
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind in (_BYTES, _STRING):
        size, at = int.from_bytes(_taken(raw, at, 2)), at + 2
        value = _taken(raw, at, size)
        return (value.decode() if kind == _STRING else value), at + size
    if kind == _UUID:
        return _taken(raw, at, 16), at + 16
    if kind not in _INTEGERS:
        raise BadFrame(f"an AWS event stream message has a header of the unknown type {kind}")
    size = _INTEGERS[kind]
    return int.from_bytes(_taken(raw, at, size), signed=True), at + size


def _taken(raw: bytes, at: int, size: int) -> bytes:
    if at + size > len(raw):
        raise IndexError
    return raw[at : at + size]

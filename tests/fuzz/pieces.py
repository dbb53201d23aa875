"""A body taken apart into its frames, and a frame into the JSON value that it carries, for
mutations that know where they are.

This is no parser: what it cannot take apart stays bytes.
"""

import base64
import json
import re
import struct
from typing import Any, NamedTuple

import msgspec

from tests import aws_frames

_BLANK_LINE = re.compile(rb"(?<=\n\n)(?!\n)|(?<=\r\n\r\n)(?!\r)")
_PRELUDE = 12
_CRC = 4


class Carried(NamedTuple):
    """A frame that carries a JSON value: the bytes around it; `aws` is how deep the value lies in
    AWS's message, 0 for text."""

    before: bytes
    value: Any
    after: bytes
    aws: int = 0

    def rendered(self, value: bytes) -> bytes:
        """The frame with this JSON text in it."""
        if self.aws == 0:
            return self.before + value + self.after
        if self.aws == 2:
            value = json.dumps({"bytes": base64.b64encode(value).decode(), "p": "ab"}).encode()
        return aws_frames.raw_message(self.before, value)


def frames_of(name: str, body: bytes) -> list[bytes]:
    """The frames of a body. Joined, they are the body."""
    if name.startswith("bedrock_"):
        return _messages(body)
    if b"\n\n" in body or b"\r\n\r\n" in body:
        return [frame for frame in _BLANK_LINE.split(body) if frame]
    if b"}\n{" in body:
        return body.splitlines(keepends=True)
    return _values(body)


def carried(name: str, frame: bytes) -> Carried | None:
    """The JSON object in a frame. None: there is none that can be read."""
    try:
        return _in_message(frame) if name.startswith("bedrock_") else _in_text(frame)
    except (ValueError, RecursionError, struct.error, IndexError):
        return None


def _messages(body: bytes) -> list[bytes]:
    found = []
    while len(body) >= _PRELUDE:
        size = max(int.from_bytes(body[:4]), _PRELUDE)
        found.append(body[:size])
        body = body[size:]
    return [*found, body] if body else found


def _values(body: bytes) -> list[bytes]:
    """Objects back to back, whatever stands between them."""
    text, found, at = body.decode("utf-8", "surrogateescape"), [], 0
    while (start := text.find("{", at)) >= 0:
        try:
            end = json.JSONDecoder().raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            break
        found.append(text[at:end])
        at = end
    return [piece.encode("utf-8", "surrogateescape") for piece in (*found, text[at:]) if piece]


def _in_text(frame: bytes) -> Carried:
    start, end = frame.index(b"{"), frame.rindex(b"}") + 1
    return Carried(frame[:start], msgspec.json.decode(frame[start:end]), frame[end:])


def _in_message(frame: bytes) -> Carried:
    headers_end = _PRELUDE + int.from_bytes(frame[4:8])
    value = msgspec.json.decode(frame[headers_end:-_CRC])
    if isinstance(value, dict) and isinstance(value.get("bytes"), str):
        return Carried(
            frame[_PRELUDE:headers_end],
            msgspec.json.decode(base64.b64decode(value["bytes"])),
            b"",
            2,
        )
    return Carried(frame[_PRELUDE:headers_end], value, b"", 1)

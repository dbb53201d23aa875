"""AWS event stream messages, written from the specification's table for tests. Nothing of the
project's code takes part."""

import base64
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any


class Typed:
    """A header's value with its wire type, for the types that a Python value alone does not
    tell."""

    def __init__(self, kind: int, value: Any) -> None:
        self.kind = kind
        self.value = value


_PACKED = {2: ">b", 3: ">h", 4: ">i", 5: ">q", 8: ">q"}


def header(name: str, value: Any) -> bytes:
    kind, value = (value.kind, value.value) if isinstance(value, Typed) else (7, value)
    if kind in (0, 1):
        body = b""
    elif kind in _PACKED:
        body = struct.pack(_PACKED[kind], value)
    elif kind == 9:
        body = value
    else:
        raw = value.encode() if isinstance(value, str) else value
        body = struct.pack(">H", len(raw)) + raw
    return bytes([len(name.encode())]) + name.encode() + bytes([kind]) + body


def message(headers: Mapping[str, Any], payload: bytes) -> bytes:
    return raw_message(b"".join(header(name, value) for name, value in headers.items()), payload)


def raw_message(headers: bytes, payload: bytes) -> bytes:
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


def event(kind: str, payload: Any) -> bytes:
    """An event as Bedrock sends it."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return message(
        {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, data
    )


def exception(kind: str, payload: Any) -> bytes:
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return message(headers, json.dumps(payload).encode())


def chunk(document: Any) -> bytes:
    """A model's own JSON as InvokeModelWithResponseStream wraps it."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return event("chunk", {"bytes": base64.b64encode(data).decode(), "p": "abcd"})

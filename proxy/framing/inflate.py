"""Compressed bodies (RFC 9110, 8.4), made plain in slices, so that whoever reads them stops as soon
as they have become too large.
"""

import importlib
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

# What one step gives at most: under a millisecond of work.
SLICE_BYTES = 65_536
# Some tools write a body as several members, one after the other (RFC 1952, 2.2): each a part of
# it. An empty one takes 20 bytes, so their number has a bound.
_MEMBERS = 100
_GZIP, _ZLIB, _RAW = 31, 15, -15  # as zlib has them: the window of 32 KB, and the form around it
# What a decoder must be able to hold (RFC 9659): 8 MB, as a power of two.
_ZSTD_WINDOW_LOG = 23


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


# Part of Python from 3.14 on; before it a package of its own, an extra (`mainstem[zstd]`).
_ZSTD = _optional("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
_ERRORS = (zlib.error,) if _ZSTD is None else (zlib.error, _ZSTD.ZstdError)


class Inflater:
    """One body. Raises ValueError for what is not in the coding."""

    def __init__(self, fresh: Callable[[bytes], Any]) -> None:
        """`fresh` makes the decoder of one member, which begins with these bytes."""
        self._fresh = fresh
        self._member: Any = None
        self._members = 0

    def slices(self, data: bytes) -> Iterator[bytes]:
        """What these bytes give, none of it empty."""
        more = True
        while data or more:
            if self._member is None or self._member.eof:
                if not data:
                    return
                self._next(data)
            piece, data = self._step(data)
            more = len(piece) == SLICE_BYTES
            if piece:
                yield piece

    def end(self) -> None:
        """No more bytes come."""
        if self._member is None or not self._member.eof:
            raise ValueError("cut")

    def _next(self, data: bytes) -> None:
        self._members += 1
        if self._members > _MEMBERS:
            raise ValueError("too many members")
        self._member = self._fresh(data)

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        """A slice, and the bytes that are not used yet."""
        member = self._member
        try:
            piece = member.decompress(data, SLICE_BYTES)
        except _ERRORS as error:
            raise ValueError("broken") from error
        if member.eof:
            return piece, member.unused_data
        return piece, getattr(member, "unconsumed_tail", b"")  # zstd keeps them itself


def _deflate(data: bytes) -> Any:
    """`deflate` is the zlib format; some clients send what is in it alone (RFC 9110, 8.4.1.2)."""
    return zlib.decompressobj(_ZLIB if data[0] & 0x0F == zlib.DEFLATED else _RAW)


def _known() -> dict[str, Callable[[bytes], Any]]:
    known: dict[str, Callable[[bytes], Any]] = {
        "gzip": lambda _: zlib.decompressobj(_GZIP),
        "deflate": _deflate,
    }
    if _ZSTD is not None:
        options = {_ZSTD.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        known["zstd"] = lambda _: _ZSTD.ZstdDecompressor(options=options)
    return known


# Name of a coding -> what makes the decoder of one member.
CODINGS: Mapping[str, Callable[[bytes], Any]] = MappingProxyType(_known())

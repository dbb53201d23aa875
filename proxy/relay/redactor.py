"""Hides an upstream's secrets in what it says about a failure: vendors repeat keys, or whole
requests, in their messages.
"""

import base64
import json
import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from proxy.errors import Failure
from proxy.settings.secret import MASK, holds_secret
from proxy.settings.upstreams import Upstream

# A shorter text stands in ordinary words; nobody's key is one.
_LEAST_CHARS = 6
# Of a key that is cut or starred in a message, any part of so many characters is recognised, and
# what follows goes with it.
_PART_CHARS = 8
# of a header or an option: without the scheme, the cookie's name and the like
_PIECE = re.compile(r"[^\s;,=\"']{8,}")
_REST = re.compile(r"[\w.~+/=%*-]*")


class Redactor:
    """For the failures of one upstream, asked with one key. It costs nothing until there is a
    failure.
    """

    __slots__ = ("_key", "_settings")

    def __init__(self, settings: Upstream, key: str | None) -> None:
        self._settings = settings
        # the key, if it can be told from ordinary words
        self._key = key if key is not None and len(key) >= _LEAST_CHARS else None

    def over(self, why: Failure) -> Failure:
        """The failure, with the mask for each secret in its words: the key, and what the upstream's
        headers and options hold under names that tell of a secret.
        """
        parts = self._parts()
        if not parts:
            return why
        words = {name: getattr(why, name) for name in ("message", "code", "param")}
        veiled = {name: hidden(text, parts) for name, text in words.items() if text is not UNSET}
        return (
            msgspec.structs.replace(why, **veiled)
            if any(veiled[name] != words[name] for name in veiled)
            else why
        )

    def text(self, text: str) -> str:
        """Any text of the upstream, with the mask for each secret in it."""
        parts = self._parts()
        return hidden(text, parts) if parts else text

    def is_in(self, text: str) -> bool:
        """Whether the key itself stands there: cheap enough to be asked of every answer."""
        return self._key is not None and self._key in text

    def same_size(self, data: bytes) -> bytes:
        """Bytes of the upstream, with a star for each byte of a secret in them."""
        parts, text = self._parts(), data.decode("latin-1")
        small = text.lower()
        if not any(part in small for part in parts):
            return data
        veiled = bytearray(data)
        for start, end in _spans(text, small, parts):
            veiled[start:end] = b"*" * (end - start)
        return bytes(veiled)

    def _parts(self) -> set[str]:
        """Whatever gives a secret away."""
        return {part for secret in self._secrets() for part in _parts(secret)}

    def _secrets(self) -> Iterator[str]:
        if self._key is not None:
            yield self._key
        headers = {name: value.get_secret_value() for name, value in self._settings.headers.items()}
        yield from _secret_pieces({**self._settings.options, **headers})


def named(why: Failure, redactor: Redactor | None, upstream: str) -> Failure:
    """A failure that a decoder found in an answer is the upstream's: with its name, which a decoder
    does not know, and without what it must not say.
    """
    if redactor is not None:
        why = redactor.over(why)
    if why.upstream is None and why.kind.startswith("upstream_"):
        return msgspec.structs.replace(why, upstream=upstream)
    return why


def _secret_pieces(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _secret_pieces(value)
        elif isinstance(value, str) and holds_secret(str(name)):
            yield from _PIECE.findall(value)


def _parts(secret: str) -> Iterator[str]:
    """Every part, in lower case, of a secret in each of its forms."""
    for form in _forms(secret):
        size = min(_PART_CHARS, len(form))
        for start in range(len(form) - size + 1):
            yield form[start : start + size].lower()


def _forms(secret: str) -> set[str]:
    """A secret as it stands, and as it stands in a URL, in JSON, in hexadecimal digits, and within
    something longer that is written in base64, such as a user and password.
    """
    plain = secret.encode("utf-8", "surrogatepass")
    coded = [_in_base64(plain, before) for before in range(3)]
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        json.dumps(secret)[1:-1],
        plain.hex(),
        *coded,
        *(text.translate(_URL_SAFE) for text in coded),
    }


_URL_SAFE = str.maketrans("+/", "-_")


def _in_base64(plain: bytes, before: int) -> str:
    """The digits that hang on these bytes alone, behind so many others (of three, one begins
    anew). A digit has six bits.
    """
    digits = base64.b64encode(bytes(before) + plain).decode()
    return digits[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]


def hidden(text: str, parts: Collection[str]) -> str:
    """The text with a mask for each run of parts, which are in lower case. Its work is
    linear in the text.
    """
    small = text.lower()
    if len(small) != len(text):  # a few letters are longer in lower case
        small = text
    out: list[str] = []
    at = 0
    for start, end in _spans(text, small, parts):
        out += [text[at:start], MASK]
        at = end
    return "".join([*out, text[at:]])


def _spans(text: str, small: str, parts: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where each run of parts begins and ends. `small` is the text in lower case."""
    sizes = sorted({len(part) for part in parts}, reverse=True)

    def reach(at: int) -> int:
        return next((at + size for size in sizes if small[at : at + size] in parts), 0)

    at = 0
    while at < len(text):
        start, end = at, reach(at)
        if not end:
            at += 1
            continue
        while at < end:
            at += 1
            end = max(end, reach(at))
        found = _REST.match(text, end)
        at = found.end() if found else end
        yield start, at

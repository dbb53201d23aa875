"""Hides an upstream's secrets in what it says about a failure: vendors repeat keys, or whole
requests, in their messages.
"""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from proxy.errors import Failure
from proxy.settings.model import Upstream
from proxy.settings.secret import MASK, holds_secret

# A shorter text stands in ordinary words; nobody's key is one.
_LEAST_CHARS = 6
# of a header or an option: without the scheme, the cookie's name and the like
_PIECE = re.compile(r"[^\s;,=\"']{8,}")
# Of a key that is cut or starred in a message, so much of its beginning is recognised, and what
# follows goes with it.
_BEGINNING_CHARS = 16
_REST = r"[\w.~+/=%*-]*"


class Redactor:
    """For the failures of one upstream, asked with one key. It costs nothing until there is a
    failure.
    """

    __slots__ = ("_key", "_settings")

    def __init__(self, settings: Upstream, key: str | None) -> None:
        self._settings = settings
        self._key = key

    def over(self, why: Failure) -> Failure:
        """The failure, with the mask for each secret in its words: the key, and what the upstream's
        headers and options hold under names that tell of a secret.
        """
        said = self._said()
        if said is None:
            return why
        words = {name: getattr(why, name) for name in ("message", "code", "param")}
        hidden = {name: said.sub(MASK, text) for name, text in words.items() if text is not UNSET}
        return (
            msgspec.structs.replace(why, **hidden)
            if any(hidden[name] != words[name] for name in hidden)
            else why
        )

    def text(self, text: str) -> str:
        """Any text of the upstream, with the mask for each secret in it."""
        said = self._said()
        return text if said is None else said.sub(MASK, text)

    def _said(self) -> re.Pattern[str] | None:
        """The secrets, in each form in which they may be said."""
        patterns = [_pattern(form) for secret in self._secrets() for form in _forms(secret)]
        return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def _secrets(self) -> Iterator[str]:
        if self._key is not None and len(self._key) >= _LEAST_CHARS:
            yield self._key
        headers = {name: value.get_secret_value() for name, value in self._settings.headers.items()}
        yield from _named({**self._settings.options, **headers})


def _named(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _named(value)
        elif isinstance(value, str) and holds_secret(str(name)):
            yield from _PIECE.findall(value)


def _forms(secret: str) -> set[str]:
    """A secret as it stands, and as it stands in a URL, in JSON and in the header of a user and
    password.
    """
    plain = secret.encode("utf-8", "surrogatepass")
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        json.dumps(secret)[1:-1],
        base64.b64encode(plain).decode().rstrip("="),
    }


def _pattern(form: str) -> str:
    if len(form) < 2 * _LEAST_CHARS:
        return re.escape(form)
    return re.escape(form[: min(_BEGINNING_CHARS, max(8, len(form) // 2))]) + _REST

"""Who may call: keys known by their SHA-256 and compared in constant time, signed tokens, and what
each of them is allowed.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from itertools import compress, repeat
from typing import Literal, NamedTuple

from pydantic import SecretStr

from proxy.errors import Refused, failure
from proxy.server.access.caller import (
    Caller,
    check_model,
    check_other_model,
    nameable,
    of_key,
    unauthorized,
)
from proxy.server.access.ledger import Ledger
from proxy.settings.auth import Auth, Key

__all__ = [
    "Caller",
    "Keyring",
    "Ledger",
    "check_model",
    "check_other_model",
    "credential",
    "nameable",
]
_MAX_CREDENTIAL_CHARS = 8192  # the largest tokens of login services have a few thousand
_NO_ADMIN = (
    "set `admin:` to serve it on a port of its own, or give a key `admin: true` and send that"
)


def credential(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The key that a client sent, as the vendors' SDKs and browsers send one: Bearer, x-api-key,
    x-goog-api-key or ?key=.

    `headers` have lower-case names. An empty one counts as none, so that the next place is looked
    at.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return (
        bearer
        or headers.get("x-api-key")
        or headers.get("x-goog-api-key")
        or query.get("key")
        or None
    )


class _Entry(NamedTuple):
    """A key as it is looked up. `expires_s` is Unix time."""

    expires_s: float | None
    caller: Caller


class Keyring:
    """The accepted keys and tokens. What is counted is the ledger's, so that a reload, which makes
    a new keyring, forgets nothing.
    """

    def __init__(self, auth: Auth, store: SecretStr | Literal["memory"], ledger: Ledger) -> None:
        self._entries = tuple(_entry(key) for key in auth.keys)
        self._digests = tuple(key.sha256 for key in auth.keys)
        self._open = ledger.open
        self._rates = ledger.rates(store)
        self._tokens = None
        if auth.jwt is not None:
            # needs an extra, mainstem[jwt]
            from proxy.server.access.tokens import Tokens  # noqa: PLC0415

            self._tokens = Tokens(auth.jwt, ledger.key_set(auth.jwt))

    async def start(self) -> None:
        """Fetch what tokens are checked with, and look for the store of rates. What cannot be
        fetched or found is logged, and tried again when it is needed.
        """
        await self._rates.start()
        if self._tokens is not None:
            await self._tokens.start()

    async def admit(self, secret: str | None) -> Caller:
        """Who calls. Raises Refused: unauthorized; rate_limited with the seconds to wait;
        overloaded while tokens cannot be checked.
        """
        secret = _sent(secret)
        entry = self._find(secret)
        caller = await self._of_token(secret) if entry is None else _of_entry(entry)
        if caller.cost_per_day is not None:
            wait_s = await self._rates.money(caller.counter_key, caller.cost_per_day)
            _check(caller, f"{caller.cost_per_day:g} of money a day", wait_s)
        if caller.tokens_per_minute is not None:
            wait_s = await self._rates.tokens(caller.counter_key, caller.tokens_per_minute)
            _check(caller, f"{caller.tokens_per_minute} tokens a minute", wait_s)
        if caller.requests_per_minute is not None:
            wait_s = await self._rates.request(caller.counter_key, caller.requests_per_minute)
            _check(caller, f"{caller.requests_per_minute} requests a minute", wait_s)
        return caller

    async def known(self, secret: str | None) -> None:
        """Whether it is anybody's who may call; not counted, as what it opens asks for each
        request anew. Raises Refused.
        """
        await self._who(secret)

    async def admit_admin(self, secret: str | None, remedy: str = _NO_ADMIN) -> None:
        """For what is the operator's. Not counted. `remedy` is what to do without such a key.
        Raises Refused: unauthorized, or forbidden for a key that is no admin's.
        """
        if not secret:
            raise unauthorized(f"This is for the operator: {remedy}.")
        caller = await self._who(secret)
        if not caller.admin:
            raise Refused(failure("forbidden", f"{caller.title} is no admin's: {remedy}."))

    def check_room(self, caller: Caller) -> None:
        """Raises Refused when this caller has as many streams open as it may."""
        most = caller.max_streams
        if most is not None and self._open.get(caller.counter_key, 0) >= most:
            said = (
                f"{caller.title} has {most} streams open, as many as it may; wait for one to end."
            )
            raise Refused(failure("rate_limited", said, retry_after_s=1))

    def enter(self, caller: Caller) -> None:
        """One more stream of this caller, for which `leave` must be called. Raises Refused as
        `check_room` does.
        """
        self.check_room(caller)
        self._open[caller.counter_key] = self._open.get(caller.counter_key, 0) + 1

    def leave(self, caller: Caller) -> None:
        """A stream that entered has ended."""
        left = self._open.pop(caller.counter_key) - 1
        if left:  # else it is not kept: subjects of tokens are without end
            self._open[caller.counter_key] = left

    async def spend(self, caller: Caller, tokens: int, money: float) -> None:
        """A stream has ended and used this many tokens, input and output together, and this much
        money, as far as that is known.
        """
        key, rates = caller.counter_key, self._rates
        if caller.tokens_per_minute is not None and tokens > 0:
            await rates.spend(key, caller.tokens_per_minute, tokens)
        if caller.cost_per_day is not None and money > 0:
            await rates.pay(key, caller.cost_per_day, money)

    async def _who(self, secret: str | None) -> Caller:
        secret = _sent(secret)
        entry = self._find(secret)
        return await self._of_token(secret) if entry is None else _of_entry(entry)

    def _find(self, secret: str) -> _Entry | None:
        digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
        # all of them, whichever matches: the time taken must not tell
        alike = [*map(hmac.compare_digest, self._digests, repeat(digest))]
        found = [*compress(self._entries, alike)]
        return found[-1] if found else None

    async def _of_token(self, secret: str) -> Caller:
        if self._tokens is None or not self._tokens.may_be(secret):
            raise unauthorized(f"This key is not accepted here{_slip(secret)}.")
        return await self._tokens.caller(secret)


def _sent(secret: str | None) -> str:
    """A credential that is worth looking for. Raises Refused."""
    if not secret:
        raise unauthorized(
            "This endpoint needs a key: send it as Authorization: Bearer <key>, "
            "x-api-key, x-goog-api-key or ?key=."
        )
    if len(secret) > _MAX_CREDENTIAL_CHARS:
        raise unauthorized(
            f"This key is too long to be one: at most {_MAX_CREDENTIAL_CHARS} characters "
            "are looked at."
        )
    return secret


def _of_entry(entry: _Entry) -> Caller:
    """Whose key it is. Raises Refused for one that has expired."""
    if entry.expires_s is not None and time.time() >= entry.expires_s:
        raise unauthorized(f"{entry.caller.title} has expired: ask for a new one.")
    return entry.caller


def _slip(secret: str) -> str:
    """What most likely went wrong on the key's way, where its look tells; nothing of it is said."""
    bare = secret.strip()
    if bare.startswith(("$", "%", "{{", "<")):
        return ": it looks like the name of a variable that nothing has replaced"
    if bare[:7].lower() == "bearer ":
        return ": it begins with Bearer, which is said twice"
    if bare[:1] in "\"'" or bare[-1:] in "\"'":
        return ": it has quotes around it"
    return ""


def _entry(key: Key) -> _Entry:
    return _Entry(None if key.expires is None else key.expires.timestamp(), of_key(key))


def _check(caller: Caller, what: str, wait_s: float | None) -> None:
    """Raises Refused where `what` it has is used up for so long."""
    if wait_s is not None:
        said = f"{caller.title} has used its {what}; try again later."
        raise Refused(failure("rate_limited", said, retry_after_s=wait_s))

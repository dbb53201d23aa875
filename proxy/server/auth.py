"""Who may call: keys known by their SHA-256, compared in constant time, and what each of them is allowed."""

import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from proxy.errors import Refused, failure
from proxy.routing import WILDCARD
from proxy.settings.model import Key


def credential(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The key that a client sent, as the vendors' SDKs and browsers send one: Bearer, x-api-key, x-goog-api-key or ?key=."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or query.get("key")


class Keyring:
    """The accepted keys. Counts and rates live in this process; a reload starts them anew."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = tuple(keys)
        self._open: Counter[str] = Counter()
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._rates = {key.name: limits.RateLimitItemPerMinute(key.requests_per_minute) for key in keys if key.requests_per_minute}

    async def admit(self, secret: str | None) -> Key:
        """The key's settings. Raises Refused: unauthorized, or rate_limited with the seconds to wait."""
        key = self._find(secret)
        rate = self._rates.get(key.name)
        if rate is not None and not await self._limiter.hit(rate, key.name):
            window = await self._limiter.get_window_stats(rate, key.name)
            raise Refused(
                failure(
                    "rate_limited",
                    f"The key {key.name!r} has used its {rate.amount} requests a minute; try again later.",
                    retry_after_s=max(1.0, window.reset_time - time.time()),
                )
            )
        return key

    def enter(self, key: Key) -> None:
        """One more stream of this key. Raises Refused when it has as many as it may; else `leave` must be called."""
        if key.max_streams is not None and self._open[key.name] >= key.max_streams:
            said = f"The key {key.name!r} has {key.max_streams} streams open, as many as it may; wait for one to end."
            raise Refused(failure("rate_limited", said, retry_after_s=1))
        self._open[key.name] += 1

    def leave(self, key: Key) -> None:
        self._open[key.name] -= 1

    def _find(self, secret: str | None) -> Key:
        if not secret:
            said = "This endpoint needs a key: send it as Authorization: Bearer <key>, x-api-key, x-goog-api-key or ?key=."
            raise Refused(failure("unauthorized", said))
        digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
        found: Key | None = None
        for key in self._keys:  # all of them, whichever matches: the time taken must not tell
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is None:
            raise Refused(failure("unauthorized", "This key is not accepted here."))
        return found


def check_model(key: Key, model: str) -> None:
    """Raises Refused (forbidden) for a model that the key may not ask for."""
    if WILDCARD not in key.models and model not in key.models:
        raise Refused(failure("forbidden", f"The key {key.name!r} may not ask for the model {model[:100]!r}.", param="model"))

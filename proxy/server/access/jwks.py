"""The public keys of a login service (a JWK set, RFC 7517): fetched without blocking, kept, and
fetched again when a token names another.

Only from the address that the configuration names; never from one in a token (`jku`, `x5u`), which
would let its sender choose the keys.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from proxy.server.fetched import whole_body
from proxy.settings.auth import Jwt
from proxy.settings.reading import read_file

# between two fetches: tokens with made-up key ids must not become a flood at the login service
AGAIN_S = 30.0
MAX_AGE_S = 600.0  # after which a key that the service has withdrawn is no longer good here
_FETCH_S = 5.0
_MAX_BYTES = 262_144
_MAX_KEYS = 100
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
Keys = Mapping[tuple[str | None, str], PyJWK]


def read_keys(document: bytes, algorithms: Sequence[str]) -> Keys:
    """The usable keys of a JWK set by key id and algorithm. Raises ValueError for what is no such
    set, or has none that fits.

    A key is bound to one algorithm here, which has to be one for keys of its type: so secret ones
    ("oct") are none, and a public key cannot serve as the secret of an HMAC.
    """
    try:
        found = json.loads(document)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    keys: dict[tuple[str | None, str], PyJWK] = {}
    for jwk in listed[:_MAX_KEYS] if isinstance(listed, list) else []:
        for algorithm in algorithms if isinstance(jwk, dict) else ():
            key = _bound(jwk, algorithm)
            if key is not None:
                keys.setdefault((key.key_id, algorithm), key)
    if not keys:
        raise ValueError("no key that fits the algorithms")
    return keys


def _bound(jwk: Mapping[str, object], algorithm: str) -> PyJWK | None:
    """A key for one algorithm; None where it is for something else, or broken."""
    fits = (
        jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and (algorithm not in _CURVES or jwk.get("crv") == _CURVES[algorithm])
        and isinstance(jwk.get("kid"), str | None)
    )
    try:
        return PyJWK(dict(jwk), algorithm) if fits else None
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None


class KeySet:
    """The keys of one service. Those that are known stay when a fetch fails."""

    def __init__(self, jwt: Jwt, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._file = jwt.jwks_url, jwt.jwks_file
        self._algorithms = jwt.algorithms
        self._clock = clock
        self._keys: Keys = {}
        self._next = self._stale = -float("inf")
        self._fetching: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("mainstem")

    @property
    def empty(self) -> bool:
        """Whether no key is known: no fetch has succeeded yet."""
        return not self._keys

    @property
    def wait_s(self) -> float:
        """Seconds until the keys may be fetched again."""
        return max(1.0, self._next - self._clock())

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key of that id, or the only one for the algorithm where the token names none. An
        unknown id fetches the keys again.
        """
        key = self._known(key_id, algorithm)
        if key is None:
            await self.refresh()
            return self._known(key_id, algorithm)
        if self._clock() >= self._stale:
            self._begin()  # and this token need not wait for it
        return key

    async def refresh(self, *, now: bool = False) -> None:
        """Fetch the keys, or wait for the fetch that is under way; not within AGAIN_S of the last
        one, unless `now`. Never raises.
        """
        task = self._begin(now=now)
        if task is not None:
            await asyncio.shield(task)  # one caller who leaves must not end it for the others

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _known(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        if key_id is not None:
            return self._keys.get((key_id, algorithm))
        fitting = [key for (_, bound), key in self._keys.items() if bound == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def _begin(self, *, now: bool = False) -> asyncio.Task[None] | None:
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        if self._clock() < self._next and not now:
            return None
        self._next = self._clock() + AGAIN_S
        self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            document = await (
                _download(self._url)
                if self._url is not None
                else asyncio.to_thread(read_file, Path(self._file or ""), _MAX_BYTES)
            )
            self._keys = read_keys(document, self._algorithms)
            self._stale = self._clock() + MAX_AGE_S
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The kind of error alone, and of the address what is no secret for sure.
            source = urlsplit(self._url).hostname if self._url is not None else self._file
            said = "the keys of the login service could not be read" + (
                "" if self.empty else "; those that are known stay"
            )
            self._log.warning(said, source=source, error=type(error).__name__)


async def _download(url: str) -> bytes:
    """Raises ClientError, OSError (TimeoutError) or, for too long an answer, ValueError."""
    timeout = aiohttp.ClientTimeout(total=_FETCH_S)
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with (
        aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
        session.get(url, allow_redirects=False, raise_for_status=True) as response,
    ):
        if response.status != 200:  # a redirect would be another's choice of address
            raise ValueError("not a 200")
        return await whole_body(response, _MAX_BYTES)

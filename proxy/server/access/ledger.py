"""What is counted and remembered of those who call. It outlives the keyrings that a reload
replaces: a key's open streams are not forgotten because some other setting changed, and a login
service that is away at that moment does not lock everyone out.
"""

from collections import Counter
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from proxy.settings.auth import Jwt

if TYPE_CHECKING:
    from proxy.server.access.jwks import KeySet
    from proxy.server.access.rates import Rates


class Ledger:
    """One process's counts: `open` has the streams of each caller, under what it is counted by."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self._rates: dict[str, Rates] = {}
        self._key_sets: dict[tuple[str | None, str | None, tuple[str, ...]], KeySet] = {}

    def rates(self, store: SecretStr | Literal["memory"]) -> "Rates":
        """The rates in a store; the same ones for the same store."""
        from proxy.server.access.rates import Rates  # noqa: PLC0415  only keys have rates

        address = store if isinstance(store, str) else store.get_secret_value()
        if address not in self._rates:
            self._rates[address] = Rates(store)
        return self._rates[address]

    def key_set(self, jwt: Jwt) -> "KeySet":
        """The public keys of a login service; the same ones for the same service."""
        from proxy.server.access.jwks import KeySet  # noqa: PLC0415  needs an extra, mainstem[jwt]

        source = (jwt.jwks_url, jwt.jwks_file, jwt.algorithms)
        if source not in self._key_sets:
            self._key_sets[source] = KeySet(jwt)
        return self._key_sets[source]

    async def close(self) -> None:
        """Ends what is connected or being fetched."""
        for rates in self._rates.values():
            await rates.close()
        for key_set in self._key_sets.values():
            await key_set.close()

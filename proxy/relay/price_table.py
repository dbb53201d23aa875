"""The prices that the package genai-prices keeps, an extra (`mainstem[prices]`). The only place
that knows it.

Its table is in the package, so nothing is fetched. To import it takes a third of a second and about
28 MB, so that is done only where an upstream may be in it, in a thread, and before the first answer
that may need it.
"""

import asyncio
import threading
from datetime import UTC, datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from proxy.events import Usage, UsageEvent

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo

_MOST_CHARS = 200  # of a model's name: it may be a client's text
_MOST_FOUND = 4096  # models that are remembered, found or not


class PriceTable:
    """The table. Before `load` it knows nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: DataSnapshot | None = None
        self._find = lru_cache(_MOST_FOUND)(self._found)

    @staticmethod
    def is_installed() -> bool:
        return find_spec("genai_prices") is not None

    @staticmethod
    def may_know(base_url: str) -> bool:
        """Whether a vendor may be at this address: none of the table is without TLS."""
        return base_url.startswith("https://")

    async def load(self) -> None:
        """Read it, once."""
        if self._snapshot is None:
            await asyncio.to_thread(self._load)

    def amount(self, base_url: str, model: str, usage: Usage | UsageEvent) -> float | None:
        """What an answer of this vendor's model costs now, in dollars. None where the table does
        not say, or a count that is needed is not known.
        """
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        found = self._find(base_url, model) if len(model) <= _MOST_CHARS else None
        return None if found is None else _amount(found, usage)

    def _load(self) -> None:
        with self._lock:
            if self._snapshot is None:
                from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  see above

                self._snapshot = get_snapshot()

    def _found(self, base_url: str, model: str) -> "ModelInfo | None":
        """The package's own search remembers every name that it was asked for."""
        snapshot = self._snapshot
        if snapshot is None:
            return None
        try:
            provider = snapshot.find_provider(None, None, base_url)
        except LookupError:
            return None
        return provider.find_model(model, all_providers=snapshot.providers)


def _amount(model: "ModelInfo", usage: Usage | UsageEvent) -> float | None:
    from genai_prices import Usage as Used  # noqa: PLC0415  it is loaded by now

    prices = model.get_prices(datetime.now(UTC))
    if prices.input_mtok is None or prices.output_mtok is None:  # not sold by the token
        return None
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cached_input_tokens or None,
        "cache_write_tokens": usage.cache_write_tokens or None,
        "input_audio_tokens": usage.audio_input_tokens or None,
        "output_audio_tokens": usage.audio_output_tokens or None,
    }
    try:
        return float(prices.calc_price(Used(**counts))["total_price"])
    except ValueError:  # counts that contradict one another, such as more cached than there are
        return None


TABLE = PriceTable()

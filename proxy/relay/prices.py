"""What a stream costs: by the prices that its upstream's configuration gives, by what the upstream
itself said, or by the table of a package. Unknown is None, never 0.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from proxy.events import Cost, Usage, UsageEvent
from proxy.routing import WILDCARD
from proxy.settings.costs import Prices

_MILLION = 1_000_000
_DIGITS = 12  # after the point: a token of the cheapest model costs over 1e-9

# What one answer cost, or None.
Priced = Callable[[Usage | UsageEvent], Cost | None]


def unpriced(_usage: Usage | UsageEvent) -> Cost | None:
    """Nobody knows what it cost."""
    return None


class Table(Protocol):
    """Prices that somebody else keeps, in the configuration's currency."""

    def amount(self, base_url: str, model: str, usage: Usage | UsageEvent) -> float | None:
        """What it costs there now."""


class PriceList:
    """The prices of one upstream."""

    def __init__(
        self, own: Mapping[str, Prices], currency: str, base_url: str | None, table: Table | None
    ) -> None:
        """`own` are by the vendor's name of the model, or "*" for any other. `base_url` None: it is
        no vendor's. `table` None: it is not wanted.
        """
        self._own = own
        self._currency = currency
        self._base_url = base_url or ""
        self._table = None if base_url is None else table

    def of(self, model: str) -> Priced:
        """What an answer of this model cost."""
        own = self._own.get(model) or self._own.get(WILDCARD)
        # each stream has its own until its end: a closure would be three times as large
        return partial(self._cost, own, model)

    def _cost(self, own: Prices | None, model: str, usage: Usage | UsageEvent) -> Cost | None:
        if own is not None:
            amount = amount_of(own, usage)
        elif usage.cost is not None:
            return usage.cost if usage.cost.currency == self._currency else None
        elif self._table is None:
            return None
        else:
            amount = self._table.amount(self._base_url, model, usage)
        return None if amount is None else Cost(round(amount, _DIGITS), self._currency)


def amount_of(prices: Prices, usage: Usage | UsageEvent) -> float | None:
    """What it costs at these prices; None where a count that is needed is not known."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    rate_in, rate_out = prices.input_per_million, prices.output_per_million
    apart = (
        (usage.cached_input_tokens, prices.cache_read_per_million, rate_in),
        (usage.cache_write_tokens, prices.cache_write_per_million, rate_in),
        (usage.audio_input_tokens, prices.audio_input_per_million, rate_in),
        (usage.audio_output_tokens, prices.audio_output_per_million, rate_out),
    )
    total = usage.input_tokens * rate_in + usage.output_tokens * rate_out
    for count, rate, common in apart:
        if count and rate is not None:
            total += count * (rate - common)
    return max(total, 0.0) / _MILLION

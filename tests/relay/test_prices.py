"""What an answer costs: at the prices of the configuration, as the upstream said, by the table."""

from typing import Any

import pytest

from proxy.events import Cost, Usage
from proxy.relay.prices import PriceList, amount_of
from proxy.settings.costs import Prices

CHEAP = Prices(input_per_million=1, output_per_million=10)
FULL = Prices(
    input_per_million=1,
    output_per_million=10,
    cache_read_per_million=0.1,
    cache_write_per_million=1.25,
    audio_input_per_million=4,
    audio_output_per_million=20,
)
USED = Usage(1000, 100, 400, 30, 200, 50, 10)


class Table:
    """One that knows one model."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def amount(self, base_url: str, model: str, _usage: Any) -> float | None:
        self.asked.append((base_url, model))
        return 0.25 if model == "known" else None


@pytest.mark.parametrize(
    ("prices", "usage", "millionths"),
    [
        (CHEAP, Usage(1000, 100), 2000),
        (CHEAP, USED, 2000),  # of what has no price of its own the common one holds
        (FULL, USED, 350 + 40 + 250 + 200 + 900 + 200),
        (FULL, Usage(0, 0), 0),
        (FULL, Usage(1, 1, 10**6), 0),  # counts that contradict one another cost nobody money back
        (CHEAP, Usage(None, 100), None),
        (CHEAP, Usage(1000, None), None),
        (CHEAP, Usage(), None),
    ],
)
def test_an_amount_is_the_sum_of_its_tokens(
    prices: Prices, usage: Usage, millionths: float | None
) -> None:
    """Each token once: those read from the cache are of the input already. Unknown is no nought."""
    found = amount_of(prices, usage)
    assert (None if millionths is None else pytest.approx(millionths / 1e6)) == found


def test_a_models_own_price_goes_before_that_of_any_other() -> None:
    prices = PriceList({"m": CHEAP, "*": FULL}, "EUR", None, None)
    assert Cost(0.002, "EUR") == prices.of("m")(USED)
    assert Cost(0.00194, "EUR") == prices.of("other")(USED)


def test_the_configuration_goes_before_the_upstream_and_that_before_the_table() -> None:
    table = Table()
    prices = PriceList({"m": CHEAP}, "USD", "https://h.example/v1", table)
    said = Usage(1000, 100, cost=Cost(0.5, "USD"))
    assert Cost(0.002, "USD") == prices.of("m")(said)
    assert Cost(0.5, "USD") == prices.of("known")(said)
    assert prices.of("known")(Usage(1, 1, cost=Cost(0.5, "EUR"))) is None
    assert [] == table.asked
    assert Cost(0.25, "USD") == prices.of("known")(Usage(1, 1))
    assert prices.of("unknown")(Usage(1, 1)) is None
    assert [("https://h.example/v1", "known"), ("https://h.example/v1", "unknown")] == table.asked


def test_what_is_no_vendors_is_in_no_table() -> None:
    assert PriceList({}, "USD", None, Table()).of("known")(Usage(1, 1)) is None

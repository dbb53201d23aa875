"""The table of genai-prices, against what the package itself says when it is asked in its own way."""

import subprocess
import sys
from decimal import Decimal
from typing import Any

import genai_prices
import pytest

from proxy.events import Usage
from proxy.relay.plan import make_plan
from proxy.relay.price_table import TABLE, PriceTable
from proxy.settings.model import Settings

OPENAI = "https://api.openai.com/v1"


@pytest.fixture(scope="module")
def table() -> PriceTable:
    found = PriceTable()
    found._load()
    return found


@pytest.mark.parametrize(
    ("base_url", "provider", "model"),
    [
        (OPENAI, "openai", "gpt-4o-mini"),
        ("https://api.anthropic.com", "anthropic", "claude-haiku-4-5"),
        ("https://generativelanguage.googleapis.com", "google", "gemini-2.5-pro"),  # by tiers
        ("https://api.deepseek.com/v1", "deepseek", "deepseek-chat"),
        ("https://api.mistral.ai/v1", "mistral", "mistral-small-latest"),
    ],
)
@pytest.mark.parametrize("usage", [(1000, 100, 0), (300_000, 2000, 0), (1000, 100, 400)])
def test_an_amount_is_the_packages(
    table: PriceTable, base_url: str, provider: str, model: str, usage: tuple[int, int, int]
) -> None:
    asked, made, cached = usage
    used = genai_prices.Usage(
        input_tokens=asked, output_tokens=made, cache_read_tokens=cached or None
    )
    expected = genai_prices.calc_price(used, model, provider_id=provider).total_price
    found = table.amount(base_url, model, Usage(asked, made, cached))
    assert expected > 0
    assert found == pytest.approx(float(expected))


def test_a_price_that_its_vendor_publishes(table: PriceTable) -> None:
    """GPT-4o mini: $0.15 a million in, $0.60 out (openai.com/api/pricing, July 2024)."""
    found = table.amount(OPENAI, "gpt-4o-mini", Usage(1_000_000, 1_000_000))
    assert float(Decimal("0.75")) == found


@pytest.mark.parametrize(
    ("base_url", "model", "usage"),
    [
        (OPENAI, "no-such-model", Usage(1, 1)),
        (OPENAI, "gpt-4o-mini" + "x" * 300, Usage(1, 1)),
        ("https://gateway.example.com/v1", "gpt-4o-mini", Usage(1, 1)),
        (OPENAI, "gpt-4o-mini", Usage(None, 1)),
        (OPENAI, "gpt-4o-mini", Usage(1, None)),
        (OPENAI, "gpt-4o-mini", Usage(10, 1, 11)),  # more cached than there were
    ],
)
def test_what_it_does_not_know_is_no_nought(
    table: PriceTable, base_url: str, model: str, usage: Usage
) -> None:
    assert table.amount(base_url, model, usage) is None


def test_names_that_clients_make_up_are_forgotten(table: PriceTable) -> None:
    """Any model may be asked for where models has "*"."""
    snapshot = table._snapshot
    assert snapshot is not None
    before = len(snapshot._provider_cache) + len(snapshot._provider_misses)  # of other tests
    for number in range(5000):
        table.amount(OPENAI, f"made-up-{number}", Usage(1, 1))
    assert table._find.cache_info().currsize <= 4096
    assert len(snapshot._provider_cache) + len(snapshot._provider_misses) < before + 100


def wants(**config: Any) -> bool:
    far = {"dialect": "openai_chat", **config.pop("upstream", {"base_url": OPENAI})}
    tree = {"upstreams": {"far": far}, "models": {"*": [{"upstream": "far"}]}, **config}
    return make_plan(Settings.model_validate(tree), {"far": "http://127.0.0.1:9"}).table is TABLE


def test_it_is_read_only_where_it_may_be_needed() -> None:
    every = {"*": {"input_per_million": 1, "output_per_million": 1}}
    assert wants()
    assert wants(upstream={"base_url": OPENAI, "prices": {"m": every["*"]}})
    assert not wants(costs={"table": "off"})
    assert not wants(costs={"currency": "EUR"})
    assert not wants(upstream={"base_url": OPENAI, "prices": every})
    assert not wants(upstream={"base_url": "http://127.0.0.1:8000/v1"})
    assert not wants(upstream={"mock": {}})


def test_nothing_of_it_is_imported_before() -> None:
    said = "import sys, proxy.app; print(sorted(n for n in sys.modules if 'genai' in n or 'httpx2' in n))"
    out = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert "[]" == out.stdout.strip()


async def test_until_it_is_loaded_it_knows_nothing() -> None:
    table = PriceTable()
    assert table.amount(OPENAI, "gpt-4o-mini", Usage(1, 1)) is None
    table = PriceTable()
    await table.load()
    await table.load()
    assert table.amount(OPENAI, "gpt-4o-mini", Usage(1, 1)) is not None

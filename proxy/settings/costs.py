"""What tokens cost: the section of it, and the prices of an upstream's models.

A field's description is its documentation: config/mainstem.yaml is written from these words.
"""

from typing import Literal

from pydantic import Field, model_validator

from proxy.settings.tree import Tree
from proxy.settings.values import Currency, Rate

TABLE_CURRENCY = "USD"


class Costs(Tree):
    """What streams cost: said in usage.cost, in the log line and in mainstem_cost_total."""

    table: Literal["auto", "off"] = Field(
        "auto",
        description=(
            "auto: models for which their upstream gives no prices are looked up in the package "
            "genai-prices, where it is installed (mainstem[prices]), by base_url and the vendor's "
            "name of the model. It is offline, and takes 28 MB; it is read only where an upstream "
            "at an https:// address has no prices for all its models. off: never."
        ),
    )
    currency: Currency = Field(
        TABLE_CURRENCY,
        description=(
            "Of all prices of this configuration. The table's are in USD, so with any other one "
            "it is off."
        ),
    )

    @model_validator(mode="after")
    def _table_is_in_dollars(self) -> "Costs":
        named = "table" in self.model_fields_set and self.table == "auto"
        if named and self.currency != TABLE_CURRENCY:
            raise ValueError(
                f"has currency {self.currency}, and the table's prices are in {TABLE_CURRENCY}: "
                "set table to off"
            )
        return self


class Prices(Tree):
    """What a model's tokens cost, in costs.currency for a million of them."""

    input_per_million: Rate = Field(description="Of the request.")
    output_per_million: Rate = Field(description="Of the answer, those of reasoning included.")
    cache_read_per_million: Rate | None = Field(
        None, description="Read from the vendor's cache; left out: as input."
    )
    cache_write_per_million: Rate | None = Field(
        None, description="Written into it; left out: as input."
    )
    audio_input_per_million: Rate | None = Field(
        None, description="Of sound in the request; left out: as input."
    )
    audio_output_per_million: Rate | None = Field(
        None, description="Of sound in the answer; left out: as output."
    )

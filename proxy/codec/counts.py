"""Counts as vendors write them: whole numbers, the same as floats or as text, and garbage."""

from typing import Any

from proxy.events import MAX_COUNT, Usage

_MOST_DIGITS = len(str(MAX_COUNT))


def count(value: Any) -> int | None:
    """A number of tokens; None for what cannot be one: a fraction, less than nothing, more than
    MAX_COUNT, a truth.
    """
    if value is None:
        return None
    if type(value) is int:  # nearly all
        return value if 0 <= value <= MAX_COUNT else None
    if isinstance(value, str):
        return _written(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= MAX_COUNT or value != int(value):
        return None
    return int(value)


def takes_back(said: Usage, known: Usage) -> bool:
    """Whether a vendor that has counted already now says that there was nothing: some gateways end
    with a usage of noughts.
    """
    return not (said.input_tokens or said.output_tokens) and bool(
        known.input_tokens or known.output_tokens
    )


def _written(text: str) -> int | None:
    whole, _, fraction = text.partition(".")
    digits = whole.isascii() and whole.isdigit() and len(whole) <= _MOST_DIGITS
    return count(int(whole)) if digits and not fraction.strip("0") else None

"""A little of `make fuzz`: mutated recordings through every decoder, from a fixed seed."""

import pytest

from proxy.dialects.registry import UPSTREAMS
from tests.fuzz.mutate import FEW_ODD
from tests.fuzz.run import Found, everywhere, fuzz

pytestmark = pytest.mark.timeout(300)  # seconds of work at most, but a machine may be loaded

_BYTES = 100_000


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_decoder_takes_any_bytes(name: str) -> None:
    """It never raises, keeps the grammar, gives one terminal event, holds little and makes the same
    of the same bytes however they are cut; and a client's encoder can say what it gave.
    """
    result = fuzz(name, 0, _BYTES)
    assert not isinstance(result, Found), result


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_decoder_takes_any_value_anywhere(name: str) -> None:
    """The same where, in a frame of a good stream, one value is of a type or a size that it cannot
    be."""
    result = everywhere(name, FEW_ODD, 4)
    assert not isinstance(result, Found), result

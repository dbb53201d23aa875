"""No test of hypothesis has a deadline: a loaded machine must not fail it."""

from hypothesis import given, settings
from hypothesis import strategies as st


@given(st.none())
def test_a_property_without_settings_of_its_own_has_no_deadline(nothing: None) -> None:
    """It is defined after conftest.py has loaded our settings."""
    assert nothing is None
    inner = test_a_property_without_settings_of_its_own_has_no_deadline
    assert inner._hypothesis_internal_use_settings.deadline is None  # type: ignore[attr-defined]
    assert settings().deadline is None

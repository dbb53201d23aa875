"""What the mock says that it can play, in English and in Chinese."""

import re

from proxy.mock import chinese
from proxy.mock.faults import FAULTS, parse_fault
from proxy.mock.manual import choices
from proxy.mock.scenarios import ERRORS, SCENARIOS


def test_every_scenario_and_every_fault_is_described_in_both_languages():
    """And nothing else is, in Chinese."""
    scenarios, faults = choices()
    assert [*SCENARIOS, *ERRORS] == list(scenarios)
    assert list(FAULTS) == [parse_fault(asked).name for asked in faults]
    for does in (*scenarios.values(), *faults.values()):
        assert re.fullmatch(r"[ -~]+\.", does["en"])
        assert re.fullmatch(r".*[\u4e00-\u9fff].*。", does["zh"])
    assert (set(SCENARIOS), set(FAULTS)) == (set(chinese.SCENARIOS), set(chinese.FAULTS))


def test_a_fault_is_offered_with_the_value_that_it_takes():
    _, faults = choices()
    assert {"cut@5", "gzip", "status:500", "huge_event@5:2097152"} < set(faults)

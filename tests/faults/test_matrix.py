"""What happens when: every fault, for every dialect that an upstream may speak, before and after
commit, as three clients see it.

The table is in faults.py, and docs/FAULTS.md is written from it.
"""

import asyncio
from pathlib import Path

import pytest

from proxy.dialects.registry import UPSTREAMS
from tests.dialects.sample import TEXT
from tests.faults.clients import PATHS, streamed
from tests.faults.faults import FAULTS, MOMENTS, outcome
from tests.faults.matrix import ask, config_for, played, stage_for
from tests.faults.places import places
from tests.faults.table import PAGE, page
from tests.running import running
from tests.samples import SAMPLES


@pytest.mark.timeout(180)
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_every_fault_ends_as_the_table_says(dialect: str, tmp_path: Path) -> None:
    wrong = await played(dialect, tmp_path)
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong)


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_an_answer_without_a_fault_is_whole(dialect: str, tmp_path: Path) -> None:
    stage = stage_for(dialect, ())
    async with (
        places(stage.script, tmp_path) as urls,
        running(config_for(dialect, (), urls)) as run,
    ):
        seen = await asyncio.gather(
            *(ask(run, client, "good", asyncio.Event()) for client in PATHS)
        )
    assert [] == [
        (client, wrong)
        for client, each in zip(PATHS, seen, strict=True)
        for wrong in streamed(client, each, "completed", TEXT)
    ]


def test_there_is_a_sample_of_every_dialect() -> None:
    assert set(UPSTREAMS) == set(SAMPLES)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_happen_and_no_exception_is_one_in_name_only(name: str) -> None:
    fault = FAULTS[name]
    assert any(outcome(fault, dialect, moment) for dialect in SAMPLES for moment in MOMENTS)
    for unlike in fault.unlike:
        assert set(unlike.dialects) <= set(SAMPLES)
        assert (fault.before, fault.after) != (unlike.before, unlike.after)


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), (
        "run `python -m tests.faults --write` and review what changed"
    )

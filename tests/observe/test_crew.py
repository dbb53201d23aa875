"""The books of who watches the workers; test_metrics.py has them beside real workers."""

from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from proxy.observe.crew import Crew


def counted(folder: Path) -> dict[str, float]:
    found = MultiProcessCollector.merge([str(file) for file in folder.glob("counter_*.db")])
    return {
        " ".join([sample.name, *map(str, sample.labels.values())]): sample.value
        for metric in found
        for sample in metric.samples
    }


def test_deaths_add_up(tmp_path: Path) -> None:
    """A worker that had nothing open, or had not begun, is one as well."""
    with closing(Crew(str(tmp_path))) as crew:
        for pid in (1, 2):
            crew.died(pid)
            crew.gone(pid)
    assert {"mainstem_worker_restarts_total": 2} == counted(tmp_path)


@pytest.mark.parametrize("size", [0, 3, 4, 64, 5000])
@pytest.mark.parametrize("byte", [b"\0", b"\1", b"\x7f", b"\xff"])
def test_what_a_dead_worker_left_unreadable_is_passed_over(
    tmp_path: Path, size: int, byte: bytes
) -> None:
    """It died in the midst of a number, or its disk is full. The file goes with it."""
    file = tmp_path / "gauge_livesum_7.db"
    file.write_bytes(byte * size)
    with closing(Crew(str(tmp_path))) as crew:
        crew.died(7)
        crew.gone(7)
    assert {"mainstem_worker_restarts_total": 1} == counted(tmp_path)
    assert not file.exists()


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    Crew(str(tmp_path / "gone")).died(7)
    assert [] == list(tmp_path.iterdir())

"""What several workers carry: each has its share of a processor, and the table says what came of
it."""

import subprocess
import sys
from pathlib import Path

from tests.bench import crew
from tests.bench.crew import Carried
from tests.bench.measure import Scale
from tests.bench.processes import upstream
from tests.bench.shares import shares


def of(workers: int, chunks: float, requests: float) -> Carried:
    return Carried(workers, chunks, requests, used=0.99, chunk_us=50.0, busiest=1.25, asked=9)


def test_one_is_measured_again_and_its_median_is_what_others_stand_beside() -> None:
    """The least of what each of several carries is named."""
    found = [of(1, 1000, 40), of(4, 3800, 150), of(1, 300, 40), of(1, 1100, 30)]
    shown = crew.text(found, Scale())

    assert shown.splitlines()[2:4] == [
        "| 1 | 1,000 | 1.00× | 40 | 1.00× | 99% | 50.0 µs | 1.25× | 0 of 27 |",
        "| 4 | 3,800 | 3.80× | 150 | 3.75× | 99% | 50.0 µs | 1.25× | 0 of 9 |",
    ], shown
    assert "at least 0.94 N" in shown
    assert "used at least 99% of their shares" in shown


def test_where_no_share_can_be_given_the_table_says_so() -> None:
    """The cost of a chunk is known all the same."""
    shown = crew.text([of(1, 0, 0), of(2, 0, 0)], Scale())

    assert "| 2 |  |  |  |  |  | 50.0 µs |" in shown
    assert "it is not known what several carry" in shown


def test_a_process_has_its_share_as_long_as_it_is_to() -> None:
    """And is then where it was; where none can be given, nothing is changed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as idle:
        group = Path(f"/proc/{idle.pid}/cgroup")
        before = group.read_text()
        with shares([idle.pid], 0.5) as limited:
            during = group.read_text()
        after = group.read_text()
        with shares([idle.pid], 0.5, roots=()) as never:
            pass
        idle.communicate(b"\n")

    assert (limited, before, False) == ("mainstem-bench-" in during, after, never)


def test_workers_of_each_number_are_measured_and_lose_nothing(tmp_path: Path) -> None:
    """Here of one number, in a moment."""
    scale = Scale(window_s=0.3, warm_s=0.2, short_window_s=0.3)
    with upstream(tmp_path / "log") as port:
        [found] = crew.measure(tmp_path, port, scale, (2,), lambda _: None)

    assert (2, 0, []) == (found.workers, found.lost, found.complaints)
    assert min(found.chunk_us, found.busiest) > 0
    assert (found.chunks_per_s > 0) == (found.used > 0)

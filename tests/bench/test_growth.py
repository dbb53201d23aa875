"""What a chunk costs by the number of open streams: all are measured, and the table says how it
grows."""

from tests.bench import growth
from tests.bench.growth import Grown
from tests.bench.measure import Row, Scale
from tests.bench.processes import upstream


def row(cost: float, disturbed: float = 0.0, lost: int = 0, resident_kb: int = 0) -> Row:
    return Row(
        "x",
        "openai_chat",
        "mainstem",
        cpu_per_chunk_us=cost,
        chunks_per_s=1200.0,
        delay_p50_ms=0.5,
        delay_p99_ms=2.0,
        resident_bytes=resident_kb * 1024,
        disturbed=disturbed,
        asked=9,
        lost=lost,
    )


def test_the_smallest_size_is_measured_before_each_other_one_and_at_the_end():
    """Its median counts, as a processor's speed changes with the minutes."""
    assert [10, 100, 10, 1000, 10] == growth.in_turn((10, 100, 1000))
    assert 20.0 == Grown("x", {10: [row(20), row(90), row(10)]}).cost_us(10)


def test_the_table_says_how_a_chunk_grows_and_what_was_lost():
    """And that neighbours have disturbed it."""
    far = row(25, disturbed=0.5, lost=2, resident_kb=100_000)
    grown = [
        Grown("Mainstem", {10: [row(20, resident_kb=200), row(20)], 5000: [far]}),
        Grown("nginx", {10: [row(10)], 5000: [row(13)]}),
    ]
    shown = growth.text(grown, Scale())

    assert (
        "| 5,000 | 25.0 µs | 1.25× | 3% | 0.50 / 2.00 ms | 20.0 KB | 2 of 9 | 13.0 µs | 1.30× | 0.50 / 2.00 ms | 0 of 9 |"
        in shown.splitlines()
    ), shown
    assert "50% of a window" in shown


def test_every_size_is_measured_with_all_its_streams_open(tmp_path):
    """They end when they have been, and none is lost."""
    scale = Scale(window_s=0.5, warm_s=0.2, idle_s=0.1)
    with upstream(tmp_path / "log") as port:
        grown = growth.measure(tmp_path, port, scale, (2, 4), lambda _: None)

    assert "Mainstem" == grown[0].name
    for one in grown:
        assert {2: 2, 4: 1} == {size: len(rows) for size, rows in one.rows.items()}
        assert 0 == sum(row.lost for row in one.all), growth.text(grown, scale)
        assert min(row.cpu_per_chunk_us for row in one.all) > 0

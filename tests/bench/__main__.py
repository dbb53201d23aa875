"""`make bench`: Mainstem beside nginx, in one run on one core, as one table; beside Envoy, LiteLLM
and Portkey too where `make rivals` has installed them. Takes three minutes, with all of them five;
`--quick` half a minute. `--write` makes docs/PERFORMANCE.md of it, of `--growth` and of
`--workers`, in ten minutes. `--pairs` measures each pair of
the commonest dialects instead, and gives one matrix; `--growth` what a chunk costs when few streams
are open, and when thousands are (three minutes), `--workers` what several workers carry beside one
(a minute); `--kept` what it costs that streams are kept.

Three processes on loopback: a vendor that sends at an even pace, the proxy on a processor of its
own, and the clients.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from tests.bench import crew, growth, kept, observing, page, pairs, rivals, rows
from tests.bench.measure import QUICK, Scale
from tests.bench.processes import upstream
from tests.bench.rows import Bench
from tests.bench.table import render
from tests.progress import Bar, shown


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run: small numbers, nothing to quote"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/PERFORMANCE.md and its picture from this run",
    )
    parser.add_argument(
        "--pairs",
        action="store_true",
        help="CPU per chunk for each pair of the commonest dialects, instead of the table",
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="CPU per chunk from 10 to 10,000 open streams, instead of the table",
    )
    parser.add_argument(
        "--workers",
        action="store_true",
        help="what 2, 4 and 8 workers carry beside one, instead of the table",
    )
    parser.add_argument(
        "--kept",
        action="store_true",
        help="what it costs that streams are kept, in memory and in a Redis, instead of the table",
    )
    parser.add_argument("--only", choices=["mainstem", "nginx"], help="measure only one of the two")
    chosen = parser.parse_args()
    if chosen.quick and chosen.write:
        parser.error("what --quick measures is nothing to write down")
    return chosen


class Progress:
    """Goes to standard error: standard output holds the table alone. A bar on a terminal, a line
    for each row elsewhere."""

    def __init__(self, rows: int) -> None:
        self.begun = 0
        self._draws = sys.stderr.isatty()
        self.bar = Bar("bench", lambda: max(0, self.begun - 1) / rows, shown())

    def say(self, text: str) -> None:
        """A row begins."""
        self.begun += 1
        self.bar.say(text)
        if not self._draws:
            print(text, file=sys.stderr, flush=True)


@contextmanager
def stopped_cleanly() -> Iterator[None]:
    """Both signals that end a command unwind it, so that every process started here is stopped;
    also where a shell had Ctrl-C ignored."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def table(chosen: argparse.Namespace, folder: Path, port: int) -> int:
    """Mainstem beside nginx."""
    scale = QUICK if chosen.quick else Scale()
    lacking = rivals.lacking() if chosen.only is None else ""
    if lacking:
        print(f"bench: {lacking}", file=sys.stderr)
    further = growth.count(growth.SIZES) + len(crew.SIZES) if chosen.write else 0
    progress = Progress(1 + rows.count() + further)
    bench = Bench(folder, scale, port, progress.say)
    with progress.bar:
        direct = bench.direct()
        measured = list(bench.rows(chosen.only))
        if chosen.write:
            say = progress.say
            grown = growth.measure(folder, port, growth.SCALE, growth.SIZES, say)
            carried = crew.measure(folder, port, crew.SCALE, crew.SIZES, say)
            page.write(page.Found(measured, direct, scale, grown, carried))
    print(render(measured, direct, scale))
    if lacking:
        print(lacking)
    if chosen.only != "nginx":
        print(observing.text())
    if chosen.json:
        chosen.json.write_text(
            json.dumps(
                {
                    "scale": scale._asdict(),
                    "direct": asdict(direct),
                    "rows": [asdict(row) for row in measured],
                },
                indent=2,
            )
        )
    return 1 if any(row.lost for row in [direct, *measured]) else 0


def matrix(chosen: argparse.Namespace, folder: Path, port: int) -> int:
    """Each pair of the commonest dialects. What is lost fails a run; a pair that costs too much
    only shows, as neighbours may be why."""
    scale = QUICK if chosen.quick else pairs.PAIRS
    progress = Progress(pairs.count())
    with progress.bar:
        measured = pairs.measure(folder, folder / "bench.log", port, scale, progress.say)
    print(pairs.text(measured, scale))
    if chosen.json:
        chosen.json.write_text(
            json.dumps(
                {"scale": scale._asdict(), "rows": [asdict(row) for row in measured.all]}, indent=2
            )
        )
    return 1 if measured.lost else 0


def growth_of(chosen: argparse.Namespace, folder: Path, port: int) -> int:
    """From few streams to thousands."""
    scale, sizes = (QUICK, growth.QUICK_SIZES) if chosen.quick else (growth.SCALE, growth.SIZES)
    progress = Progress(growth.count(sizes))
    with progress.bar:
        grown = growth.measure(folder, port, scale, sizes, progress.say)
    print(growth.text(grown, scale))
    return 1 if any(row.lost for one in grown for row in one.all) else 0


def crew_of(chosen: argparse.Namespace, folder: Path, port: int) -> int:
    """Several workers."""
    scale, sizes = (QUICK, crew.QUICK_SIZES) if chosen.quick else (crew.SCALE, crew.SIZES)
    progress = Progress(len(sizes))
    with progress.bar:
        carried = crew.measure(folder, port, scale, sizes, progress.say)
    print(crew.text(carried, scale))
    return 1 if any(each.lost for each in carried) else 0


def keeping(chosen: argparse.Namespace, folder: Path, port: int) -> int:
    """Streams kept nowhere, in memory and in a Redis. What is lost fails a run, as above."""
    scale = QUICK if chosen.quick else kept.PACED
    progress = Progress(kept.steps())
    with progress.bar:
        found = kept.measure(folder, folder / "bench.log", port, scale, progress.say)
    print(kept.text(found))
    if chosen.json:
        rows = {name: each._asdict() for name, each in found.items()}
        chosen.json.write_text(json.dumps({"scale": scale._asdict(), "rows": rows}, indent=2))
    return 1 if any(sum(each.lost) for each in found.values()) else 0


def main() -> int:
    chosen = arguments()
    with stopped_cleanly(), tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name:
        folder = Path(name)
        with upstream(folder / "bench.log") as port:
            runs = {
                "growth": growth_of,
                "workers": crew_of,
                "kept": keeping,
                "pairs": matrix,
            }
            chosen_ones = [run for name, run in runs.items() if getattr(chosen, name)]
            return (chosen_ones or [table])[0](chosen, folder, port)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as problem:
        sys.exit(f"bench: {problem}")

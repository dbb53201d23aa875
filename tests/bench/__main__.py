"""`make bench`: Mainstem beside nginx, in one run on one core, as one table; beside Envoy and
LiteLLM too where `make rivals` has installed them. Takes under three minutes, with both six;
`--quick` half a minute. `--write` makes docs/PERFORMANCE.md of it. `--pairs` measures each pair of
the commonest dialects instead, and gives one matrix; `--growth` what a chunk costs when few streams
are open, and when thousands are (four minutes); `--kept` what it costs that streams are kept.

Three processes on loopback: a vendor that sends at an even pace, the proxy on a processor of its
own, and the clients.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from tests.bench import growth, kept, observing, page, pairs, rivals
from tests.bench.measure import QUICK, Measurement, Row, Scale, Way
from tests.bench.processes import upstream
from tests.bench.proxies import (
    Proxy,
    Served,
    client_path,
    mainstem,
    mainstem_config,
    nginx,
    passed_path,
)
from tests.bench.table import render
from tests.needs import path_of
from tests.progress import Bar, shown

# (client dialect, upstream dialect)
PATHS = (("native", "openai_chat"), ("openai_chat", "anthropic"), ("openai_chat", "openai_chat"))
DIRECT_WINDOW_S = 3.0


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
        help="CPU per chunk from 10 to 5,000 open streams, instead of the table",
    )
    parser.add_argument(
        "--kept",
        action="store_true",
        help="what it costs that streams are kept, in memory and in a Redis, instead of the table",
    )
    parser.add_argument("--only", choices=["mainstem", "nginx"], help="measure only one of the two")
    return parser.parse_args()


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


class Bench:
    """A run: its folder, its scale and the vendor's port."""

    def __init__(
        self, folder: Path, scale: Scale, upstream_port: int, say: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.say = say
        self.log = folder / "bench.log"
        self.scale = scale
        self.upstream_port = upstream_port
        self.modes = scale.mode_paths()

    def passing(self, dialect: str) -> Way:
        """Through something that passes bytes on: the client speaks the vendor's own dialect, to
        the vendor's own paths."""
        return Way(dialect, lambda mode: passed_path(dialect, self.modes[mode]), lambda mode: mode)

    def measurement(
        self, row: Row, proxy: Proxy, way: Way, *, accounted: bool = True
    ) -> Measurement:
        return Measurement(
            row, proxy, way, self.upstream_port, scale=self.scale, log=self.log, accounted=accounted
        )

    def direct(self) -> Row:
        """What the harness itself takes: clients straight at the vendor."""
        self.say("no proxy ...")
        row = Row("no proxy", "openai_chat", "none")
        scale = self.scale._replace(window_s=min(DIRECT_WINDOW_S, self.scale.window_s))
        bench = Bench(self.folder, scale, self.upstream_port, self.say)
        bench.measurement(
            row, Proxy(self.upstream_port, 0), bench.passing("openai_chat"), accounted=False
        ).paced()
        return row

    def mainstem(self, client: str, dialect: str) -> Row:
        self.say(f"Mainstem, {dialect} -> {client} ...")
        row = Row(f"Mainstem  {dialect} -> {client}", dialect, "mainstem")
        config = mainstem_config(
            self.upstream_port, {mode: Served(dialect, path) for mode, path in self.modes.items()}
        )
        with mainstem(config, self.folder, self.log) as proxy:
            return self.measurement(
                row, proxy, Way(client, lambda mode: client_path(client, mode), lambda mode: mode)
            ).all()

    def nginx(self, dialect: str) -> Row:
        self.say(f"nginx, {dialect} passed through ...")
        row = Row(f"nginx     {dialect} passed through", dialect, "nginx")
        with nginx(self.upstream_port, self.folder, self.log) as proxy:
            return self.measurement(row, proxy, self.passing(dialect)).all()

    def envoy(self, program: Path, dialect: str) -> Row:
        self.say(f"Envoy, {dialect} passed through ...")
        row = Row(f"Envoy     {dialect} passed through", dialect, "envoy")
        with rivals.envoy(program, self.upstream_port, self.folder, self.log) as proxy:
            return self.measurement(row, proxy, self.passing(dialect)).all()

    def litellm(self, program: Path) -> Row:
        self.say("LiteLLM, openai_chat -> openai_chat ...")
        row = Row("LiteLLM   openai_chat -> openai_chat", "openai_chat", "litellm")
        scale = self.scale._replace(
            rate=rivals.LITELLM_RATE, open_streams=rivals.LITELLM_STREAMS, burst_chunks=100
        )
        bench = Bench(self.folder, scale, self.upstream_port, self.say)
        way = Way("openai_chat", lambda mode: client_path("openai_chat", mode), lambda mode: mode)
        with rivals.litellm(
            program, self.upstream_port, bench.modes, self.folder, self.log
        ) as proxy:
            return bench.measurement(row, proxy, way).all()

    def rows(self, only: str | None) -> Iterator[Row]:
        for client, dialect in PATHS:
            if only != "nginx":
                yield self.mainstem(client, dialect)
        if only == "mainstem":
            return
        for dialect in dict.fromkeys(dialect for _, dialect in PATHS):
            if path_of("nginx") is not None:
                yield self.nginx(dialect)
            if only is None and (program := rivals.rival("envoy")) is not None:
                yield self.envoy(program, dialect)
        if only is None and (program := rivals.rival("litellm")) is not None:
            yield self.litellm(program)


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
    beside = [name for name in ("envoy", "litellm") if rivals.rival(name) is not None]
    passed = len({dialect for _, dialect in PATHS}) * (1 + ("envoy" in beside))
    progress = Progress(1 + len(PATHS) + passed + ("litellm" in beside))
    bench = Bench(folder, scale, port, progress.say)
    with progress.bar:
        direct = bench.direct()
        rows = list(bench.rows(chosen.only))
    print(render(rows, direct, scale))
    if chosen.only != "nginx":
        print(observing.text())
    if chosen.write:
        page.write(rows, direct, scale)
    if chosen.json:
        chosen.json.write_text(
            json.dumps(
                {
                    "scale": scale._asdict(),
                    "direct": asdict(direct),
                    "rows": [asdict(row) for row in rows],
                },
                indent=2,
            )
        )
    return 1 if any(row.lost for row in [direct, *rows]) else 0


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
    scale, sizes = (
        (QUICK, growth.QUICK_SIZES) if chosen.quick else (Scale(window_s=5.0), growth.SIZES)
    )
    progress = Progress(growth.count(sizes))
    with progress.bar:
        grown = growth.measure(folder, port, scale, sizes, progress.say)
    print(growth.text(grown, scale))
    return 1 if any(row.lost for one in grown for row in one.all) else 0


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
            run = keeping if chosen.kept else matrix if chosen.pairs else table
            if chosen.growth:
                run = growth_of
            return run(chosen, folder, port)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as problem:
        sys.exit(f"bench: {problem}")

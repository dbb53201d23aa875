"""`python -m tests.load.soak`: the real command under faults at random, for minutes, and what must
hold at the end.

Four processes: the proxy, an upstream that misbehaves, the clients, and this one, which compares
their accounts. Everything is on loopback, bounded in time, and stopped by its id. Exit status 1 if
a verdict fails.
"""

import argparse
import contextlib
import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from tests.bench.processes import OTHER_CPU, process
from tests.bench.proxies import Proxy, mainstem
from tests.load import watch
from tests.load.clients import HUNG_S, Crew
from tests.load.config import Ports, dead_and_stuck, written
from tests.load.errands import Errand
from tests.load.harm import Harm
from tests.load.ledger import Ledger, Verdict, read_row
from tests.load.manners import Row
from tests.load.report import Course, measured, write
from tests.load.scripts import TOTAL_S
from tests.progress import Bar, Nowhere, of_time, shown

SAMPLE_S = 2.0
PROGRESS_S = 10.0
RELOAD_S = 20.0  # between two SIGHUPs, on average
_SETTLE_S = 6.0  # the gauge of tasks is set every 5 s
_GONE_S = TOTAL_S + 10  # streams that outlive their clients end within total_s
_POOL_S = 35.0  # aiohttp keeps an idle connection for 15 s and looks for such every 15 s


class Plan(NamedTuple):
    """How much of a soak. `hostile`: beside a tenth as many clients that mean harm."""

    seconds: float = 1200.0
    streams: int = 500
    seed: int = 1
    quiet: bool = False
    hostile: bool = False


class Reader(threading.Thread):
    """Takes what the clients print, so that their pipe is never full."""

    def __init__(self, clients: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self.rows: queue.SimpleQueue[tuple[Errand, Row]] = queue.SimpleQueue()
        self.done = False
        self._clients = clients
        self.start()

    def run(self) -> None:
        assert self._clients.stdout is not None
        for line in self._clients.stdout:
            row = read_row(line)
            if row is None:
                self.done = True
            else:
                self.rows.put(row)


class Soak:
    """One run. `folder` takes the configuration and the logs."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._ledger = Ledger()
        self._course = Course()
        self._rng = random.Random(plan.seed)
        self._log = (folder / "proxy.log", folder / "others.log")
        self._harm = Harm(plan.streams // 10 if plan.hostile else 0, self._log[1])
        self._read = 0
        self._rest = b""
        self._reloads = 0

    def run(self) -> tuple[list[Verdict], Course]:
        """Everything, from the start of the processes to their end."""
        proxy_log, others_log = self._log
        with (
            dead_and_stuck() as (dead, stuck),
            process(
                [sys.executable, "-m", "tests.load.upstream"], OTHER_CPU, others_log
            ) as upstream,
            self._harm.upstream() as witness,
        ):
            assert upstream.stdout is not None
            port = json.loads(upstream.stdout.readline())["port"]
            self._ports = Ports(port, dead, stuck, witness)
            with mainstem(
                written(self._ports, self._plan.streams), self._folder, proxy_log
            ) as proxy:
                self._proxy: Proxy = proxy
                time.sleep(_SETTLE_S)
                tasks, held = (
                    watch.total(watch.samples(proxy.port), "mainstem_event_loop_tasks"),
                    watch.sockets(proxy.pid),
                )
                self._load()
                verdicts = self._afterwards(tasks, held)
        others = others_log.read_text()
        verdicts.append(
            Verdict(
                "upstream and clients",
                not others,
                f"had nothing to complain of{others and ': ' + others[-500:]}",
            )
        )
        return verdicts, self._course

    # ---- while the clients are there ----

    def _load(self) -> None:
        crew = Crew(self._plan.streams, self._proxy.port, self._plan.seconds, self._plan.seed)
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.load.clients", json.dumps(asdict(crew))]
        said, reload_at = began, began + RELOAD_S / 2
        with (
            process(command, OTHER_CPU, self._log[1]) as clients,
            self._harm.beside(self._proxy.port, crew.seconds),
            self._bar("soak", crew.seconds) as bar,
        ):
            reader = Reader(clients)
            while (
                not reader.done
                and clients.poll() is None
                and time.monotonic() < began + crew.seconds + 2 * HUNG_S
            ):
                time.sleep(SAMPLE_S)
                self._take(reader)
                now = time.monotonic()
                self._sample(now - began, loaded=now < began + crew.seconds)
                if now >= reload_at:
                    self._reload()
                    reload_at = now + self._rng.uniform(0.5, 1.5) * RELOAD_S
                bar.say(self._told())
                if now >= said + PROGRESS_S:
                    said = now
                    self._progress(bar)
            reader.join(SAMPLE_S)
            self._take(reader)
            if not reader.done:
                raise RuntimeError(
                    f"the clients did not end as they should: {self._log[1].read_text()[-2000:]}"
                )

    def _take(self, reader: Reader) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._ledger.row(*reader.rows.get_nowait())
        self._read_log()
        self._ledger.settle()

    def _read_log(self) -> None:
        with self._log[0].open("rb") as log:
            log.seek(self._read)
            data = log.read()
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._ledger.log(line.decode())

    def _sample(self, at_s: float, *, loaded: bool) -> None:
        found = watch.samples(self._proxy.port)
        sample = watch.Sample(
            at_s,
            watch.resident_bytes(self._proxy.pid),
            int(watch.total(found, "mainstem_streams_open")),
            int(watch.total(found, "mainstem_event_loop_tasks")),
            watch.total(found, "mainstem_event_loop_lag_seconds"),
            int(watch.total(found, "mainstem_log_bytes")),
        )
        self._course.last = sample
        if loaded:
            self._course.samples.append(sample)

    def _reload(self) -> None:
        """Another configuration by SIGHUP: running streams keep theirs."""
        self._reloads += 1
        (self._folder / "mainstem.yaml").write_text(
            written(self._ports, self._plan.streams, self._reloads)
        )
        os.kill(self._proxy.pid, signal.SIGHUP)

    def _bar(self, title: str, seconds: float) -> Bar:
        """How far it is, for a terminal; a file has the lines."""
        return Bar(title, of_time(seconds), Nowhere() if self._plan.quiet else shown())

    def _told(self) -> str:
        sample = self._course.last
        return f"open {sample.open_streams}, done {self._ledger.logged}"

    def _progress(self, bar: Bar) -> None:
        if not self._plan.quiet:
            sample, ledger = self._course.last, self._ledger
            ends = " ".join(f"{name} {count}" for name, count in ledger.outcomes.most_common())
            memory = f"{sample.memory_bytes / 2**20:.1f} MiB"
            bar.clear()
            print(
                f"{sample.at_s:6.0f} s  open {sample.open_streams:4d}  done {ledger.logged}  {memory}  lag {sample.lag_s * 1e3:.1f} ms  {ends}",
                flush=True,
            )

    # ---- when they have gone ----

    def _afterwards(self, tasks_before: float, held_before: set[str]) -> list[Verdict]:
        with self._bar("waiting for what outlives its clients", _GONE_S + _POOL_S):
            return self._verdicts(tasks_before, held_before)

    def _verdicts(self, tasks_before: float, held_before: set[str]) -> list[Verdict]:
        proxy, left = self._proxy, time.monotonic()

        def within(seconds: float, there: "set[str] | None" = None) -> Iterator[bool]:
            while time.monotonic() < left + seconds:
                yield True
                time.sleep(0.5)

        for _ in within(_GONE_S):
            if not watch.total(watch.samples(proxy.port), "mainstem_streams_open"):
                break
        for _ in within(_GONE_S + _POOL_S):
            if watch.sockets(proxy.pid) <= held_before:
                break
        sockets = watch.sockets(proxy.pid) - held_before
        sockets_s = time.monotonic() - left
        time.sleep(_SETTLE_S)
        metrics = watch.samples(proxy.port)
        self._read_log()
        account = json.loads(watch.get(self._ports.upstream, "/account"))
        reloads = [
            int(value)
            for labels, value in metrics["mainstem_config_reloads_total"]
            if labels["result"] == "ok"
        ]
        tasks = watch.total(metrics, "mainstem_event_loop_tasks")
        still = {
            labels["upstream"]: value for labels, value in metrics["mainstem_streams_open"] if value
        }
        return [
            *self._ledger.verdicts(account["seen"], metrics),
            *self._harm.verdicts(),
            Verdict("streams", not still, f"open when all clients had gone: {still or 'none'}"),
            Verdict(
                "tasks",
                0 < tasks <= tasks_before,
                f"{tasks:.0f} in the event loop, {tasks_before:.0f} before the first client",
            ),
            Verdict(
                "sockets",
                not sockets,
                f"{len(sockets)} open {sockets_s:.0f} s after the last client, besides those before the first",
            ),
            Verdict(
                "upstream",
                account["open"] == 0,
                f"{account['open']} answers still being given to nobody",
            ),
            Verdict(
                "reloads",
                reloads == [self._reloads],
                f"{self._reloads} by SIGHUP, taken: {reloads}",
            ),
        ]


def soak(plan: Plan, out: Path) -> list[Verdict]:
    """Runs a soak and writes its summary into `out`. Gives the verdicts, those that measure
    included."""
    with tempfile.TemporaryDirectory(prefix="mainstem-soak-") as folder:
        run = Soak(plan, Path(folder))
        try:
            verdicts, course = run.run()
        finally:
            out.mkdir(parents=True, exist_ok=True)
            (out / "proxy.log").write_bytes((Path(folder) / "proxy.log").read_bytes())
    verdicts += measured(course, plan.seconds)
    write(out, plan._asdict(), course, verdicts)
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--streams", type=int, default=500, help="open all the time")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument(
        "--hostile", action="store_true", help="beside a tenth as many clients that mean harm"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/soak"),
        help="folder for summary.json, memory.svg and the proxy's log",
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is stopped
    os.sched_setaffinity(0, OTHER_CPU)
    print(
        f"soak: {options.streams} streams for {options.minutes:g} min, seed {options.seed}",
        flush=True,
    )
    plan = Plan(options.minutes * 60, options.streams, options.seed, hostile=options.hostile)
    verdicts = soak(plan, options.out)
    for verdict in verdicts:
        print(f"{'holds' if verdict.holds else 'FAILS'}  {verdict.name}: {verdict.said}")
    return int(not all(verdict.holds for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.load.crowd`: thousands of streams open at once through the real command, and
none lost.

All are opened and held; then the upstream sends each a piece a second for a minute, and its end,
while a few others run at twenty a second beside the crowd. Everything is on loopback, bounded in
time, and stopped by its id. Exit status 1 if a stream is lost.
"""

import argparse
import contextlib
import hashlib
import json
import os
import resource
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple

from tests.bench.account import cpu_s, most_streams, waited_s
from tests.bench.processes import OTHER_CPU, process
from tests.bench.proxies import mainstem, workers_of
from tests.bench.wire import KEY, VENDORS
from tests.load.crowd_clients import Opened, Outcome, Party
from tests.load.harm import HARM, go
from tests.load.ledger import Verdict
from tests.load.watch import resident_bytes
from tests.progress import Bar, of_time, shown

OTHERS = 20  # streams beside the crowd
OTHERS_PERIOD_MS = 50
PERIOD_MS = 1000
END_S = 10.0  # over which the ends are spread


class Plan(NamedTuple):
    """How large a crowd, how long it is held, how many processes share it, and how many clients
    that mean harm are beside it.
    """

    streams: int = 10_000
    workers: int = 1
    seconds: float = 60.0
    hostile: int = 0


class Report(NamedTuple):
    """What was seen. Memory and CPU are of all workers together."""

    opened: Opened
    crowd: Outcome
    others: Outcome
    memory_per_stream_kb: float
    cpu_share: float
    # of the time in which a worker could have run, and something else had its processor
    waited_share: float
    completed: int

    def lines(self) -> list[str]:
        crowd, others = self.crowd, self.others
        return [
            f"opened    {self.opened.open} streams in {self.opened.seconds:.1f} s",
            f"delay     p50 {crowd.p50_ms:.1f} ms, p99 {crowd.p99_ms:.1f} ms, most {crowd.most_ms:.1f} ms, of {crowd.pieces} pieces of the crowd",
            f"beside    p50 {others.p50_ms:.1f} ms, p99 {others.p99_ms:.1f} ms, most {others.most_ms:.1f} ms, of {others.pieces} pieces",
            f"memory    {self.memory_per_stream_kb:.1f} KB a stream",
            f"CPU       {self.cpu_share:.0%} of one processor while they run; something else had it for {self.waited_share:.0%} of the time",
        ]


class Crowd:
    """One run. `folder` takes the configuration and the logs."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._log = (folder / "proxy.log", folder / "others.log")
        self._count = max(2, round(plan.seconds * 1000 / PERIOD_MS))
        self._others_count = max(2, round(plan.seconds * 1000 / OTHERS_PERIOD_MS))

    def run(self) -> Report:
        with process(
            [sys.executable, "-m", "tests.load.crowd_upstream"], OTHER_CPU, self._log[1]
        ) as upstream:
            upstream_port = _said(upstream, self._log[1])["port"]
            with mainstem(self._config(upstream_port), self._folder, self._log[0]) as proxy:
                workers = workers_of(proxy)
                before = _memory(workers)
                crowd = Party(self._plan.streams, proxy.port, "crowd", self._count)
                others = Party(OTHERS, proxy.port, "others", self._others_count)
                tell(f"opening {self._plan.streams} streams ...")
                with self._clients(crowd) as many, self._clients(others) as few:
                    opened = Opened(**_said(many, self._log[1]))
                    _said(few, self._log[1])
                    memory = _memory(workers) - before
                    cpu, waited = sum(map(cpu_s, workers)), sum(map(waited_s, workers))
                    go(upstream_port)
                    lasts = self._plan.seconds + min(END_S, self._plan.seconds)
                    with self._hostile(proxy.port), Bar("crowd", of_time(lasts), shown()):
                        ended, others_ended = (
                            Outcome.told(_said(clients, self._log[1])) for clients in (many, few)
                        )
                    cpu, waited = (
                        sum(map(cpu_s, workers)) - cpu,
                        sum(map(waited_s, workers)) - waited,
                    )
            # when it has stopped, all is written
            completed = self._log[0].read_text().count('"outcome": "completed"')
        return Report(
            opened,
            ended,
            others_ended,
            memory / 1024 / self._plan.streams,
            cpu / self._plan.seconds,
            waited / self._plan.seconds,
            completed,
        )

    def _clients(self, party: Party) -> "contextlib.AbstractContextManager[Popen[str]]":
        return process(
            [sys.executable, "-m", "tests.load.crowd_clients", json.dumps(asdict(party))],
            OTHER_CPU,
            self._log[1],
        )

    def _hostile(self, port: int) -> "contextlib.AbstractContextManager[Any]":
        if not self._plan.hostile:
            return contextlib.nullcontext()
        command = [sys.executable, "-m", "tests.load.hostile", str(port), str(self._plan.hostile)]
        return process(command, OTHER_CPU, self._log[1])

    def _config(self, upstream_port: int) -> str:
        """Opening takes a while, in which a stream is silent. JSON is YAML."""
        models = {
            "crowd": (PERIOD_MS, self._count),
            "others": (OTHERS_PERIOD_MS, self._others_count),
        }
        end_ms = round(min(END_S, self._plan.seconds) * 1000)
        base = f"http://127.0.0.1:{upstream_port}"
        return json.dumps(
            {
                "server": {
                    "host": "127.0.0.1",
                    "port": 0,
                    "drain_s": 1,
                    "workers": self._plan.workers,
                },
                "auth": {
                    "keys": [{"name": "crowd", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]
                },
                "limits": {"max_streams": self._plan.streams + OTHERS},
                "timeouts": {"connect_s": 30, "first_event_s": 120, "idle_s": 600, "total_s": 3600},
                "logs": {"format": "json", "level": "info"},
                "upstreams": {
                    name: {
                        "dialect": "openai_chat",
                        "base_url": f"{base}/{period}/{count}/{end_ms}{VENDORS['openai_chat'].base}",
                        "api_key": "none",
                    }
                    for name, (period, count) in models.items()
                },
                "models": {name: [{"upstream": name, "model": "bench"}] for name in models},
            }
        )


def tell(text: str) -> None:
    """Only where somebody watches."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def _said(started: "Popen[str]", log: Path) -> dict[str, Any]:
    assert started.stdout is not None
    line = started.stdout.readline()
    if not line:
        raise RuntimeError(f"a process of the crowd ended: {log.read_text()[-2000:]}")
    said: dict[str, Any] = json.loads(line)
    return said


def _memory(pids: list[int]) -> int:
    return sum(map(resident_bytes, pids))


def crowd(plan: Plan) -> tuple[Report, list[Verdict]]:
    """Runs a crowd; no verdict but HARM hangs on the machine."""
    with tempfile.TemporaryDirectory(prefix="mainstem-crowd-") as folder:
        report = Crowd(plan, Path(folder)).run()
    everyone = plan.streams + OTHERS
    return report, [
        *(
            Verdict(HARM, outcome.felt.within_twice, f"{name}: {outcome.felt}")
            for name, outcome in (("crowd", report.crowd), ("beside", report.others))
            if plan.hostile
        ),
        Verdict(
            "open",
            report.opened.open == plan.streams,
            f"{report.opened.open} of {plan.streams} at once",
        ),
        Verdict(
            "crowd",
            report.crowd.whole == plan.streams,
            f"{report.crowd.whole} got all of their text and its end {report.crowd.complaint}".rstrip(),
        ),
        Verdict(
            "others",
            report.others.whole == OTHERS,
            f"{report.others.whole} of {OTHERS} did {report.others.complaint}".rstrip(),
        ),
        Verdict(
            "log",
            report.completed == everyone,
            f"{report.completed} of {everyone} are written down as completed",
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--streams", type=int, default=Plan().streams, help="open at once")
    parser.add_argument("--workers", type=int, default=1, help="processes of the proxy")
    parser.add_argument(
        "--seconds", type=float, default=Plan().seconds, help="for which they run once all are open"
    )
    parser.add_argument("--hostile", type=int, default=0, help="clients that mean harm beside it")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is stopped
    os.sched_setaffinity(0, OTHER_CPU)
    most = most_streams(options.workers)
    if options.streams > most:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        print(
            f"crowd: with {files} open files a process, {most} streams fit into --workers {options.workers}: running those",
            flush=True,
        )
    report, verdicts = crowd(
        Plan(min(options.streams, most), options.workers, options.seconds, options.hostile)
    )
    print("\n".join(report.lines()))
    for verdict in verdicts:
        print(f"{'holds' if verdict.holds else 'FAILS'}  {verdict.name}: {verdict.said}")
    return int(not all(verdict.holds for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())

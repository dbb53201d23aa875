"""What is felt of clients that mean harm: witnesses, whose streams go on all the time, and beside
them, in every other phase (`phases.py`), attacks. Three processes of their own.
"""

import contextlib
import http.client
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.bench.processes import OTHER_CPU, process
from tests.load.config import WITNESS, WITNESS_PIECES
from tests.load.crowd_clients import Outcome, Party
from tests.load.ledger import Verdict

WITNESSES = 50
HARM = "harm"  # the verdict that hangs on the machine as well


class Harm:
    """`hostile` clients, 0 for nothing of all this. `log` takes what the processes complain of."""

    def __init__(self, hostile: int, log: Path) -> None:
        self._hostile = hostile
        self._log = log
        self._outcome: Outcome | None = None

    @contextlib.contextmanager
    def upstream(self) -> Iterator[int]:
        """The port of the witnesses' upstream."""
        if not self._hostile:
            yield 0
            return
        with self._process("tests.load.crowd_upstream") as upstream:
            port = _said(upstream)["port"]
            go(port)
            yield port

    @contextlib.contextmanager
    def beside(self, port: int, seconds: float) -> Iterator[None]:
        """Witnesses and attacks, at this port and for so long."""
        if not self._hostile:
            yield
            return
        party = Party(WITNESSES, port, WITNESS, WITNESS_PIECES, again_s=seconds)
        with (
            self._process("tests.load.crowd_clients", json.dumps(asdict(party))) as witnesses,
            self._process("tests.load.hostile", str(port), str(self._hostile)),
        ):
            _said(witnesses)  # they are open
            yield
            self._outcome = Outcome.told(_said(witnesses))

    def verdicts(self) -> list[Verdict]:
        """Of the witnesses."""
        seen = self._outcome
        if seen is None:
            return []
        whole = f"{seen.whole} of {seen.streams} streams beside them were whole {seen.complaint}"
        return [
            Verdict("witnesses", seen.whole == seen.streams, whole.rstrip()),
            Verdict(HARM, seen.felt.within_twice, str(seen.felt)),
        ]

    def _process(
        self, module: str, *arguments: str
    ) -> "contextlib.AbstractContextManager[Popen[str]]":
        return process([sys.executable, "-m", module, *arguments], OTHER_CPU, self._log)


def go(port: int) -> None:
    """Tell the upstream to begin."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/go")
    connection.getresponse().read()
    connection.close()


def _said(started: "Popen[str]") -> dict[str, Any]:
    assert started.stdout is not None
    said: dict[str, Any] = json.loads(started.stdout.readline())
    return said

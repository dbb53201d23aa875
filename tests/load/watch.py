"""What the machine says of the proxy's process (Linux /proc), and what the proxy says of itself."""

import http.client
import os
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tests.load.errands import OPERATOR_KEY

Samples = dict[str, list[tuple[dict[str, str], float]]]
_TIMEOUT_S = 20.0


def resident_bytes(pid: int) -> int:
    """The memory that is the process's own now (statm's second field less its third, the shared
    one; proc(5)): what other processes map of the same files does not move it.
    """
    _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def sockets(pid: int) -> set[str]:
    """The process's open sockets, by inode."""
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(file.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def get(port: int, path: str) -> bytes:
    """The body of an answer, on a connection that is closed at once."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request(
            "GET", path, headers={"Connection": "close", "Authorization": f"Bearer {OPERATOR_KEY}"}
        )
        return connection.getresponse().read()
    finally:
        connection.close()


def samples(port: int) -> Samples:
    """All metrics by their sample's name; one that nobody has observed yet is an empty list."""
    found: Samples = defaultdict(list)
    for family in text_string_to_metric_families(get(port, "/metrics").decode()):
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return found


def total(found: Samples, name: str) -> float:
    return sum(value for _, value in found[name])


class Sample(NamedTuple):
    """The proxy at one moment, so many seconds after the start. `kept_bytes`: what it counts of
    streams that clients may come back to."""

    at_s: float
    memory_bytes: int
    open_streams: int
    tasks: int
    lag_s: float
    kept_bytes: int = 0

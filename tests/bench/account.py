"""What a process used, by the kernel's own accounting (Linux /proc), and where it may run."""

import os
import resource
import time
from pathlib import Path

# of a process that are not streams': the loop's, listeners, log, modules, connections of those who
# ask for metrics
_SPARE_FILES = 200


def cpu_s(pid: int) -> float:
    """Seconds of processor that the process has used, user and system, all threads, to the
    nanosecond.

    Linux numbers the CPU clock of a process by its id (clock_getcpuclockid(3)); /proc/PID/stat has
    the same in hundredths of a second.
    """
    return time.clock_gettime((~pid << 3) | 2)


def waited_s(pid: int) -> float:
    """Seconds that the process could have run, but something else had its processor (schedstat's
    second field, proc(5)); 0 if unknown."""
    try:
        return (
            sum(
                int((task / "schedstat").read_text().split()[1])
                for task in Path(f"/proc/{pid}/task").iterdir()
            )
            / 1e9
        )
    except (OSError, IndexError):
        return 0.0


def memory_bytes(pid: int) -> int:
    """The process's share of memory (PSS): pages that it shares with others count in part."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{pid}/smaps_rollup has no Pss line")


def most_streams(workers: int = 1) -> int:
    """How many open streams fit: a stream takes two files of its worker, and each process of the
    clients and the upstream has one for each stream. The kernel spreads connections over workers by
    chance, so a share of each is left empty.
    """
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - _SPARE_FILES
    return files // 2 if workers == 1 else min(files, int(files // 2 * workers * 0.95))


def cpus() -> tuple[set[int], set[int]]:
    """Processors for the proxy (one) and for everything else (another one, where there are two)."""
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, {usable[1] if len(usable) > 1 else usable[0]}

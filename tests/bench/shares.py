"""The same share of a processor for each of several processes: a control group for each, whose
quota the kernel enforces (control groups, version 1: cpu.cfs_quota_us, version 2: cpu.max)."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

_PERIOD_US = 100_000
ROOTS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))


@contextlib.contextmanager
def shares(pids: Sequence[int], share: float, roots: Sequence[Path] = ROOTS) -> Iterator[bool]:
    """Each may use this share of a processor as long as the block runs. Gives whether that could be
    had: where there is a quota, root may write it."""
    with contextlib.ExitStack() as held:
        try:
            root, limits = _quota(roots, share)
            for pid in pids:
                held.enter_context(_limited(root, pid, limits))
        except OSError:
            held.close()
            yield False
            return
        yield True


def _quota(roots: Sequence[Path], share: float) -> tuple[Path, dict[str, str]]:
    """Below which folder groups have quotas, and what is written into which file of a group. Raises
    FileNotFoundError."""
    quota = round(share * _PERIOD_US)
    for root in roots:
        control = root / "cgroup.subtree_control"
        if (root / "cpu.cfs_quota_us").exists():
            return root, {"cpu.cfs_period_us": str(_PERIOD_US), "cpu.cfs_quota_us": str(quota)}
        if control.exists() and "cpu" in control.read_text().split():
            return root, {"cpu.max": f"{quota} {_PERIOD_US}"}
    raise FileNotFoundError(*roots)


@contextlib.contextmanager
def _limited(root: Path, pid: int, limits: dict[str, str]) -> Iterator[None]:
    home = root / _group_of(pid, "cpu" if "cpu.max" not in limits else "")
    group = root / f"mainstem-bench-{pid}"
    group.mkdir()
    try:
        for name, value in limits.items():
            (group / name).write_text(value)
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended
            (home / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _group_of(pid: int, controller: str) -> str:
    """In which group the process is now (cgroups(7), /proc/PID/cgroup)."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.strip("/")
    return ""

"""Mutated recordings through every decoder, then the framing under atheris where that is installed
(`make fuzz`):

    python -m tests.fuzz [--megabytes 10] [--seed 1] [--dialect NAME] [--processes 2] [--framing-s 60]
    python -m tests.fuzz --dialect NAME --seed 1 --input N     one input again

Ends with status 1 if a decoder or a splitter broke its contract. What a decoder got is then
printed, made small, with the command that makes it again. A finding becomes a file of `corpus/`.
The table of CPU time for long and longer inputs is `python -m tests.fuzz.linear`.
"""

import argparse
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from proxy.dialects.registry import UPSTREAMS
from tests.fuzz.framing import TARGETS
from tests.fuzz.run import Found, Total, everywhere, found, fuzz, made, why_not
from tests.progress import Bar, of_time, shown
from tests.support import recordings_dir

_MEGA = 1_000_000
_SAY_EVERY_S = 15
_BUILD = Path("build/fuzz")


def _one(name: str, seed: int, megabytes: float) -> Total | Found:
    """In a process of its own: odd values everywhere, then mutations. Says now and then how far it
    is."""
    begun = said = monotonic()

    def progress(total: Total) -> None:
        nonlocal said
        # on a terminal the bar says it
        if monotonic() - said > _SAY_EVERY_S and not sys.stderr.isatty():
            said = monotonic()
            print(
                f"  {name}: {total.taken / _MEGA:.1f} of {megabytes:g} MB, {said - begun:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    first = everywhere(name)
    if isinstance(first, Found):
        return first
    rest = fuzz(name, seed, int(megabytes * _MEGA), progress)
    return rest if isinstance(rest, Found) else rest._replace(inputs=first.inputs + rest.inputs)


def _report(name: str, seed: int, bad: Found) -> None:
    given = bad.given
    print(f"\n{name} breaks its contract:\n{bad.why[:2000]}\n")
    print(f"The smallest body found ({len(given.body)} bytes):\n{given.body[:4000]!r}")
    print(
        f"cut at {given.cuts[:40]}, max_event_bytes {given.most}, options {dict(given.options)}, read by {given.client}"
    )
    again = "--megabytes 0" if bad.number is None else f"--seed {seed} --input {bad.number}"
    print(f"Again: python -m tests.fuzz --dialect {name} {again}", flush=True)


def _again(name: str, seed: int, number: int) -> int:
    if why_not(made(name, seed, number), number) is None:
        print(f"{name}: input {number} of seed {seed} is answered well.")
        return 0
    _report(name, seed, found(name, seed, number))
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Mutated recordings through every decoder."
    )
    parser.add_argument(
        "--megabytes",
        type=float,
        default=10,
        help="that each decoder takes before its terminal events",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dialect", choices=list(UPSTREAMS), help="this one alone")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--framing-s",
        type=int,
        default=60,
        help="seconds for each way to cut frames, under atheris; 0 for none",
    )
    parser.add_argument("--input", type=int, help="this one alone, again; with --dialect")
    args = parser.parse_args()
    if args.input is not None:
        if args.dialect is None:
            parser.error("--input needs --dialect")
        return _again(args.dialect, args.seed, args.input)
    if recordings_dir() is None:
        print(
            "There are no recordings (MAINSTEM_RECORDINGS): what the project writes itself is mutated.",
            file=sys.stderr,
        )
    failed = _all([args.dialect] if args.dialect else list(UPSTREAMS), args)
    return failed if args.dialect else max(failed, _framing(args.framing_s))


def _all(names: list[str], args: argparse.Namespace) -> int:
    begun = monotonic()
    inputs = taken = failed = done = 0
    with (
        ProcessPoolExecutor(args.processes) as pool,
        Bar("decoders", lambda: done / len(names), shown()) as bar,
    ):
        jobs = {pool.submit(_one, name, args.seed, args.megabytes): name for name in names}
        for job in as_completed(jobs):
            name, result = jobs[job], job.result()
            done += 1
            bar.say(f"{done} of {len(names)}, last {name}")
            bar.clear()
            if isinstance(result, Found):
                failed += 1
                _report(name, args.seed, result)
                continue
            inputs, taken = inputs + result.inputs, taken + result.taken
            print(
                f"{name:<20} {result.inputs:>8} inputs {result.taken:>11} bytes, {monotonic() - begun:.0f} s",
                flush=True,
            )
    print(
        f"{len(names) - failed} of {len(names)} decoders kept their contract: {inputs} inputs, {taken} bytes taken, seed {args.seed}."
    )
    return 1 if failed else 0


def _framing(seconds: int) -> int:
    if seconds and find_spec("atheris") is None:
        print(
            "The framing is left out, as atheris is not installed. On Linux x86-64 this brings it:",
            file=sys.stderr,
        )
        print(
            f"    {sys.executable} -m pip install --no-deps --require-hashes -r requirements-dev.lock",
            file=sys.stderr,
        )
        return 0
    failed = 0
    for name in TARGETS if seconds else ():
        known = _BUILD / name  # inputs that reached new code: the next run begins with them
        known.mkdir(parents=True, exist_ok=True)
        limits = [
            f"-max_total_time={seconds}",
            "-max_len=2000",
            "-print_final_stats=1",
            f"-artifact_prefix={_BUILD}/{name}-",
        ]
        with Bar(f"framing: {name}", of_time(seconds), shown()):
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz.framing", name, *limits, str(known)],
                capture_output=True,
                text=True,
                check=False,
            )
        print(f"framing: {name:<11} {_summary(done.stderr)}", flush=True)
        if done.returncode:
            failed = 1
            print(done.stderr[-3000:], flush=True)
    return failed


def _summary(said: str) -> str:
    """libFuzzer's last count of its inputs and of what they reached, and how many it tried."""
    counts = [line for line in said.splitlines() if " cov: " in line or line.startswith("Done ")]
    return "; ".join(" ".join(line.split()) for line in counts[-2:])


if __name__ == "__main__":
    sys.exit(main())

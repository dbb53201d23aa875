"""Says which share of the lines and branches the tests reach, and holds the core to its share.

    python .ci/coverage.py build/coverage.json      (what `make coverage` writes)

Fails if a file of the core is under 95 %, and names what the tests do not reach in it.
"""

import json
import sys
from pathlib import Path

LEAST = 95.0  # per cent, of each file
CORE = (
    "proxy/events.py",
    "proxy/request.py",
    "proxy/errors.py",
    "proxy/routing.py",
    "proxy/framing/",
    "proxy/codec/",
    "proxy/dialects/",
    "proxy/recording/",
)


def main(report: str) -> int:
    """Prints; the exit code is 1 where a file of the core is under its share."""
    measured = json.loads(Path(report).read_text(encoding="utf-8"))
    print(f"Lines and branches that the tests reach: {measured['totals']['percent_covered']:.1f} %")
    core = {name: file for name, file in measured["files"].items() if name.startswith(CORE)}
    if not core:
        print("No file of the core was measured.", file=sys.stderr)
        return 1
    under = 0
    for name, file in sorted(core.items()):
        share = file["summary"]["percent_covered"]
        if share < LEAST:
            under += 1
            lines = ", ".join(map(str, file["missing_lines"]))
            print(
                f"{name}: {share:.1f} %, {LEAST:.0f} wanted; not reached: {lines}", file=sys.stderr
            )
    print(f"Files of the core under {LEAST:.0f} %: {under} of {len(core)}")
    return int(under > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

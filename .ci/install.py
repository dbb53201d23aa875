"""Installs exactly what lock files name into this Python's environment, and shows how far it is.

    python .ci/install.py LOCK...

pip is told to look for nothing else (`--no-deps`) and to take no file whose hash is not locked, so
a later release of any package can break nothing. `pip check` then holds that the locks were
complete. All that pip says is shown if it fails.
"""

import subprocess
import sys
from pathlib import Path

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


def main(locks: list[str]) -> int:
    """Installs; the exit code is pip's."""
    total = sum(
        line[:1].isalnum()
        for lock in locks
        for line in Path(lock).read_text(encoding="utf-8").splitlines()
    )
    command = [
        *PIP,
        "install",
        "--no-deps",
        "--require-hashes",
        *(word for lock in locks for word in ("-r", lock)),
    ]
    said, seen = [], 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            if line.startswith(("Collecting ", "Requirement already")):
                seen += 1
                show(f"  {seen} of {total}: {line.split()[1]}")
            elif line.startswith("Installing"):
                show("  unpacking them")
    show("")
    if pip.returncode:
        sys.stderr.write("".join(said))
        return pip.returncode
    checked = subprocess.run([*PIP, "check"], capture_output=True, text=True, check=False)
    if checked.returncode:
        sys.stderr.write(
            f"{checked.stdout}{checked.stderr}The lock files are incomplete: run `make lock`.\n"
        )
    return checked.returncode


def show(text: str) -> None:
    """One line that replaces the last one; nothing where nobody looks."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\033[K{text}")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/bin/sh
# Makes a virtual environment with the first Python that is new enough, or says in a sentence what is missing.
#   .ci/venv.sh DIRECTORY          PYTHON=/path/to/python chooses one
set -eu

target=$1
needed="3.11"
candidates=${PYTHON:-"python3 python3.14 python3.13 python3.12 python3.11 python"}
without_venv=""

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

can_make_one() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

for candidate in $candidates; do
    is_new_enough "$candidate" || continue
    if ! can_make_one "$candidate"; then
        without_venv=$candidate
        continue
    fi
    echo "Making $target with $("$candidate" --version) ..."
    "$candidate" -m venv --clear "$target"
    exit 0
done

if [ -n "$without_venv" ]; then
    echo "$without_venv cannot make virtual environments: its modules venv and ensurepip are missing." >&2
    echo "On Debian and Ubuntu 'apt-get install python3-venv' brings them; or name another Python: make PYTHON=/path/to/python3" >&2
elif [ -n "${PYTHON:-}" ]; then
    echo "PYTHON=$PYTHON is not a Python of version $needed or newer." >&2
else
    echo "No Python $needed or newer was found (tried: $candidates). Install one, or name it: make PYTHON=/path/to/python3" >&2
fi
exit 1

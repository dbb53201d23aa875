#!/bin/sh
# Writes the lock files from pyproject.toml: every version pinned, every file hashed, no registry's address.
#   .ci/lock.sh PYTHON [--upgrade]     PYTHON is one that has pip-tools (make lock hands it over)
# Keeps the versions that are locked already, unless told to upgrade. Run it on the oldest Python that is supported,
# so that the lock also holds what only that one needs.
set -eu

python=$1
shift

group() {
    "$python" -c 'import sys, tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]]))' "$1"
}

# $1: the file to write; the rest: further arguments. Reads requirements from standard input where an argument is "-".
compile() {
    output=$1
    shift
    echo "Locking $output ..."
    "$python" -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --output-file "$output" "$@"
}

compile requirements.lock pyproject.toml "$@"
compile requirements-extras.lock --all-extras --constraint requirements.lock pyproject.toml "$@"
group build | compile requirements-build.lock - "$@"
group fuzz | compile requirements-fuzz.lock - "$@"
{ group build; group dev; } | compile requirements-dev.lock --constraint requirements-extras.lock pyproject.toml - "$@"

if grep -nE '^ *--(extra-index-url|index-url|find-links)|://' requirements*.lock; then
    echo "A lock file names a registry or a folder (above): it must not." >&2
    exit 1
fi

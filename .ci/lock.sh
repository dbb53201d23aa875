#!/bin/sh
# Writes the lock files from pyproject.toml: every version pinned, every file hashed, no registry's address.
#   .ci/lock.sh UV [--upgrade]     UV is the command of that name (make lock hands it over)
# Keeps the versions that are locked already, unless told to upgrade. The locks hold for every Python and every
# system that is supported, extras included: pip installs them with --no-deps and never looks for anything else.
set -eu

uv=$1
shift

group() {
    python3 -c 'import sys, tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]]))' "$1"
}

# $1: the file to write; the rest: further arguments. Reads requirements from standard input where an argument is "-".
compile() {
    output=$1
    shift
    echo "Locking $output ..."
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
        --no-emit-index-url --no-emit-find-links --output-file "$output" "$@"
}

compile requirements.lock --all-extras pyproject.toml "$@"
group build | compile requirements-build.lock --constraint requirements.lock - "$@"
{ group build; group dev; group fuzz; } |
    compile requirements-dev.lock --all-extras --constraint requirements.lock --constraint requirements-build.lock pyproject.toml - "$@"
compile tests/programs/requirements.lock tests/programs/requirements.in "$@"
compile tests/bench/requirements.lock tests/bench/requirements.in "$@"
compile tests/model/requirements.lock tests/model/requirements.in "$@"

if grep -nE '^ *--(extra-index-url|index-url|find-links)|://' requirements*.lock tests/programs/*.lock tests/bench/*.lock tests/model/*.lock; then
    echo "A lock file names a registry or a folder (above): it must not." >&2
    exit 1
fi

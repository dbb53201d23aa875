#!/usr/bin/env bash
# Installs Debian packages without questions and without starting a service; a registry's hiccup is tried again.
#   .ci/apt.sh PACKAGE...
set -euo pipefail

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "To install $* be root, or install sudo." >&2
        exit 1
    fi
    as_root=(sudo --preserve-env=DEBIAN_FRONTEND)
fi
if ! command -v apt-get >/dev/null; then
    echo "apt-get is not here: install $* in your system's own way." >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive

# Debian asks this file whether a package may start its service; 101 says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

attempt() {
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" >/dev/null
}

for try in 1 2 3 4; do
    attempt "$@" && exit 0
    echo "apt-get failed (try $try of 4)." >&2
    sleep $((try * 5))
done
exit 1

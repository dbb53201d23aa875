#!/usr/bin/env bash
# Installs, on Debian or Ubuntu, the programs that some tests hold the proxy against. Starts no service.
# Does nothing for what is there already. Needs root or sudo only if something is lacking.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"

# program -> the package that brings it
packages=(
    nginx:nginx-light        # passes our streams through, as operators do; the bench's measure
    haproxy:haproxy          # another proxy that operators put in front
    caddy:caddy              # another
    systemd-analyze:systemd  # judges the unit
    promtool:prometheus      # checks deploy/ and what /metrics prints
    redis-server:redis-server
    ip:iproute2              # network namespaces, for faults that only a network has
    chromium:chromium        # a real EventSource and a real fetch
    node:nodejs
    npm:npm
)
lacking=()
for entry in "${packages[@]}"; do
    command -v "${entry%%:*}" >/dev/null || lacking+=("${entry##*:}")
done

if [ ${#lacking[@]} -gt 0 ]; then
    echo "Installing ${lacking[*]} ..."
    .ci/apt.sh "${lacking[@]}"
fi

# folder -> what its packages are for
for folder in "tests/e2e:the browser tests" "tests/oracle/js:the JavaScript SDKs that judge us"; do
    echo "Installing the npm packages of ${folder#*:} ..."
    for try in 1 2 3; do
        if (cd "${folder%%:*}" && npm ci --ignore-scripts --no-audit --no-fund); then
            break
        elif [ "$try" = 3 ]; then
            echo "npm ci failed three times (above is why)." >&2
            exit 1
        fi
        sleep 5
    done
done
echo "All there: nginx, haproxy, caddy, promtool, redis-server, ip, chromium, node and the npm packages of tests/e2e and tests/oracle/js."

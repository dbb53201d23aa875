#!/usr/bin/env bash
# Makes a release in a clean checkout of main: version, date in CHANGELOG.md, commit, tag, wheel, image; then the next
# version is begun. Nothing is sent anywhere: the last lines say what is left to do by hand.
#   .ci/release.sh 0.2.0 [NEXT]        NEXT is the version after it (0.3.0 by default); IMAGE=no leaves the image out
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "$*" >&2; exit 1; }

version=${1:-}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "Say the version as three numbers: .ci/release.sh 0.2.0"
IFS=. read -r major minor _ <<<"$version"
next=${2:-$major.$((minor + 1)).0}
[ "$(git branch --show-current)" = main ] || fail "A release is made on main."
[ -z "$(git status --porcelain)" ] || fail "There are changes that are not committed."
git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null && fail "v$version is released already."
grep -q '^## Unreleased$' CHANGELOG.md || fail "CHANGELOG.md has no section Unreleased."
grep -A3 '^## Unreleased$' CHANGELOG.md | grep -q '^### ' || fail "Nothing stands under Unreleased in CHANGELOG.md."

# Python's form, and npm's for the browser client
set_version() {
    sed -i "s/^__version__ = .*/__version__ = \"$1\"/" proxy/__init__.py
    sed -i "s/^  \"version\": .*/  \"version\": \"${1/.dev/-dev.}\",/" proxy/web/package.json
}

set_version "$version"
sed -i "s/^## Unreleased$/## $version ($(date --utc +%Y-%m-%d))/" CHANGELOG.md
git commit --quiet --message "Release $version" -- proxy/__init__.py proxy/web/package.json CHANGELOG.md
git tag --annotate "v$version" --message "Mainstem $version"

rm -rf dist
make --no-print-directory wheel
ls "dist/mainstem-$version-py3-none-any.whl"

if [ "${IMAGE:-yes}" = no ] || ! command -v docker >/dev/null; then
    echo "The image is not built: docker is missing, or IMAGE=no."
else
    docker build --file deploy/Dockerfile --tag "mainstem:$version" --tag mainstem:latest .
fi

set_version "$next.dev0"
sed -i "0,/^## $version /s//## Unreleased\n\n&/" CHANGELOG.md
git commit --quiet --message "Begin $next" -- proxy/__init__.py proxy/web/package.json CHANGELOG.md

echo "Released $version. Look at it (git show v$version), then: git push origin main v$version"

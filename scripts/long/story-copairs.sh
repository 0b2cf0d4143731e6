#!/usr/bin/env bash
# Story 2 with the real package: copairs 0.5.2 reads caches half written, its fix ends that.
#
#   scripts/long/story-copairs.sh       ROUNDS=300; ISOLINT=path for another binary than target/release/isolint
#
# Downloads copairs and what it needs from the package index. Exits with 0 when sixteen processes fail before the fix and do not after.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
isolint="${ISOLINT:-$here/target/release/isolint}"
rounds="${ROUNDS:-300}"
[ -n "${ISOLINT:-}" ] || cargo build --release --quiet --manifest-path "$here/Cargo.toml"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip=("$work/venv/bin/pip" --quiet --disable-pip-version-check)
"${pip[@]}" install "copairs==0.5.2"
"${pip[@]}" download --no-deps --no-binary :all: --dest "$work" "copairs==0.5.2"
tar -xf "$work"/copairs-0.5.2.tar.gz -C "$work"
source="$work/copairs-0.5.2"
mkdir "$source/.git"

stress() {
    PYTHONPATH="$source/src" "$work/venv/bin/python" -W ignore "$here/scripts/long/story_copairs.py" "$rounds"
}

echo "== what isolint says"
"$isolint" check --preview --exit-zero --output-format concise "$source"
echo "== before"
if stress; then
    echo "story-copairs: nothing failed before the fix" >&2
    exit 1
fi
echo "== the fix"
"$isolint" check --preview --exit-zero --diff --unsafe-fixes "$source"
"$isolint" check --preview --exit-zero --fix --unsafe-fixes --output-format concise "$source"
echo "== after"
stress

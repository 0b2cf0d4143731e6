#!/usr/bin/env bash
# Story 1 with the real repository: openml-python's tests meet at one pickle, and with the fix they do not.
#
#   scripts/long/story-openml.sh GITDIR       RUNS=60; ISOLINT=path for another binary than target/release/isolint
#
# GITDIR is the git directory of a clone of openml/openml-python. Installs openml and what it needs from the package index. Exits with 0
# when the tests fail within RUNS runs before the fix, pass RUNS runs after it, and leave no new file beside the data.
set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: scripts/long/story-openml.sh GITDIR" >&2
    exit 2
fi
git="$(cd "$1" && pwd)"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
isolint="${ISOLINT:-$here/target/release/isolint}"
runs="${RUNS:-60}"
[ -n "${ISOLINT:-}" ] || cargo build --release --quiet --manifest-path "$here/Cargo.toml"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
tree="$work/tree"
# Blob by blob: a clone may lack one.
python3 - "$git" "7feb2a328b68e416cb554cbcf24e091c1c9453e2" "$tree" <<'PYTHON'
import pathlib
import subprocess
import sys

git, commit, tree = sys.argv[1:]
command = ["git", f"--git-dir={git}"]
for row in subprocess.run([*command, "ls-tree", "-r", "-z", commit], capture_output=True, check=True).stdout.decode().split("\0"):
    if not row:
        continue
    meta, path = row.split("\t", 1)
    mode, kind, name = meta.split()
    blob = subprocess.run([*command, "cat-file", kind, name], capture_output=True)
    if kind != "blob" or blob.returncode:
        print(f"not there: {path}")
        continue
    target = pathlib.Path(tree, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(blob.stdout)
PYTHON
mkdir "$tree/.git"
python3 -m venv "$work/venv"
cp -r "$tree" "$work/package"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$work/package" pytest pytest-xdist

cd "$tree"
test="tests/test_tasks/test_split.py"
once() {
    "$work/venv/bin/python" -m pytest --noconftest -p no:cacheprovider -q -n 4 "$test" >"$work/log" 2>&1
}
files() {
    find tests/files -type f | sort
}

echo "== what isolint says of $test"
"$isolint" check --preview --exit-zero --output-format concise "$test"
files >"$work/files"
echo "== before"
failed=0
for n in $(seq "$runs"); do
    if ! once; then
        failed=$n
        break
    fi
done
if [ "$failed" = 0 ]; then
    echo "story-openml: nothing failed in $runs runs before the fix" >&2
    exit 1
fi
echo "run $failed failed: $(grep -E '^(E  |FAILED)' "$work/log" | head -2 | tr '\n' ' ')"
# What a run that broke off may have left.
comm -13 "$work/files" <(files) | while read -r path; do rm -- "$path"; done

echo "== the fix"
"$isolint" check --preview --exit-zero --diff --unsafe-fixes "$test"
"$isolint" check --preview --exit-zero --fix --unsafe-fixes --output-format concise "$test"
echo "== after"
for n in $(seq "$runs"); do
    if ! once; then
        cat "$work/log" >&2
        echo "story-openml: run $n failed after the fix" >&2
        exit 1
    fi
done
echo "$runs runs passed"
if ! diff "$work/files" <(files); then
    echo "story-openml: new files beside the data" >&2
    exit 1
fi

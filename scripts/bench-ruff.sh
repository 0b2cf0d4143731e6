#!/usr/bin/env bash
# Times isolint against ruff on one tree, in turn (A B A B …), and prints the medians and their ratio.
#
#   scripts/bench-ruff.sh DIR        N=7 rounds; ISOLINT=path for another binary than target/release/isolint
#
# ruff checks single lines and files, isolint joins them, so this is no race: it says what a user waits for beside what they know.
set -euo pipefail

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "usage: scripts/bench-ruff.sh DIR" >&2
    exit 2
fi
dir="$(cd "$1" && pwd)"
rounds="${N:-7}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
isolint="${ISOLINT:-$here/target/release/isolint}"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

if [ -z "${ISOLINT:-}" ]; then
    cargo build --release --quiet --manifest-path "$here/Cargo.toml"
fi
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "ruff==0.17.5"

python3 - "$dir" "$rounds" "$isolint" "$work/venv/bin/ruff" <<'PYTHON'
import statistics
import subprocess
import sys
import time

directory, rounds, isolint, ruff = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
commands = {
    "isolint": [isolint, "check", "--exit-zero", "--no-cache", directory],
    "ruff": [ruff, "check", "--isolated", "--no-cache", "-s", "--exit-zero", "--select", "S,PT,ASYNC", directory],
}
times = {name: [] for name in commands}
# One round that is not counted: the file system's cache is warm for both.
for n in range(rounds + 1):
    for name, command in commands.items():
        start = time.perf_counter()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        took = time.perf_counter() - start
        if done.returncode != 0:
            sys.exit(f"{name} exits with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        if n:
            times[name].append(took)

medians = {name: statistics.median(values) for name, values in times.items()}
for name, values in times.items():
    print(f"{name:8} median {medians[name] * 1000:9.1f} ms   least {min(values) * 1000:9.1f}   most {max(values) * 1000:9.1f}   n {len(values)}")
ratios = [a / b for a, b in zip(times["isolint"], times["ruff"])]
print(f"isolint / ruff: {medians['isolint'] / medians['ruff']:.2f} of the medians, {statistics.median(ratios):.2f} median of the pairs")
PYTHON

#!/usr/bin/env bash
# Fuzzes each room of tests/rooms/ and measures what of its lines was reached.
#
#     scripts/long/fuzz.sh [EXECUTIONS [ROOM…]]        a million each, all rooms
#
# Works on the stable toolchain: the compiler's coverage pass and the runtime of the crate libfuzzer-sys are all that is needed. Needs a
# C++ compiler, python3, and for coverage the llvm-cov of an LLVM from 19 on (Debian: llvm-19). An input that breaks a room is written to
# target/fuzz/found/ROOM and ends the run of that room with a failure.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
executions="${1:-1000000}"
[ $# -gt 0 ] && shift
rooms=("$@")
[ ${#rooms[@]} -gt 0 ] || rooms=(python rust yaml ini notebook render fix)
work="$PWD/target/fuzz"
host="$(rustc -vV | sed -n 's/^host: //p')"
# Parsers recurse: as deep a stack as the worker threads of the program have.
ulimit -s 65536

need() { # program package
    command -v "$1" >/dev/null 2>&1 && return
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2"
}
need g++ g++
need python3 python3
llvm="$(ls -d /usr/lib/llvm-{22,21,20,19}/bin 2>/dev/null | head -1 || true)"
if [ -z "$llvm" ]; then
    need llvm-cov-19 llvm-19
    llvm=/usr/lib/llvm-19/bin
fi

coverage="-Cpasses=sancov-module"
for flag in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage="$coverage -Cllvm-args=-sanitizer-coverage-$flag"
done
build() { # flags folder; with a target named, they do not reach the build scripts
    RUSTFLAGS="$1" cargo build --quiet --manifest-path fuzz/Cargo.toml --release --target "$host" --target-dir "$2"
}
build "$coverage -Clink-dead-code" "$work"
fuzz/seeds.py "$work"

# The files of a room.
files() {
    case "$1" in
    python) echo src/python ;;
    rust) echo src/rust ;;
    yaml) echo src/conf/{yaml,ci,circle,gitlab,containers,reusable,recipes,jobs,hosts,comments}.rs ;;
    ini) echo src/conf/{ini,tox,shell,make,pytest,runners,env,script,dockerfile,toml,cargo,nextest,crates}.rs ;;
    notebook) echo src/notebook src/text/cells.rs ;;
    render) echo src/render ;;
    fix) echo src/remedy ;;
    esac
}

status=0
for room in "${rooms[@]}"; do
    corpus="$work/corpus/$room"
    mkdir -p "$corpus" "$work/found/$room"
    log="$work/$room.log"
    if ! "$work/$host/release/$room" "$corpus" "$work/seeds/$room" -runs="$executions" -dict="$work/words.dict" -max_len=16384 \
        -timeout=30 -rss_limit_mb=4096 -artifact_prefix="$work/found/$room/" -print_final_stats=1 >"$log" 2>&1; then
        echo "$room: BROKE, see $log and $work/found/$room"
        status=1
    fi
    done="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    pace="$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")"
    echo "$room: ${done:-?} executions, ${pace:-?} a second, $(ls "$corpus" | wc -l) inputs kept"
done

build "-Cinstrument-coverage" "$work/coverage"
for room in "${rooms[@]}"; do
    binary="$work/coverage/$host/release/$room"
    LLVM_PROFILE_FILE="$work/$room.profraw" "$binary" "$work/corpus/$room" "$work/seeds/$room" -runs=0 >/dev/null 2>&1 || true
    "$llvm/llvm-profdata" merge "$work/$room.profraw" -o "$work/$room.profdata"
    # shellcheck disable=SC2046
    "$llvm/llvm-cov" report "$binary" -instr-profile "$work/$room.profdata" $(files "$room") >"$work/$room.coverage" 2>/dev/null
    echo "$room: $(awk '$1 == "TOTAL" { print $10 }' "$work/$room.coverage") of the lines of $(files "$room" | head -c 60)"
done
exit $status

#!/usr/bin/env python3
"""Reads every Python and Rust file of many checkouts, and says how much of it was read.

    scripts/long/parse.py DIR… [--binary target/release/isolint] [--jobs 2]

Each DIR is a checkout, or a folder of checkouts; it is only read. Asked of each file: no crash, and either it parses, or the report
says that it does not. A file that does not parse counts as unread whole, however small the place is. Of what does not parse, CPython's
`ast` says which files are no Python of this version at all. Exits with 1 where a run breaks down, or less than 99.9 % of the Python
files or 99.5 % of the Rust files parse.
"""

import argparse
import ast
import collections
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WANTED = {"py": 99.9, "rs": 99.5}


def checkouts(folder: Path):
    """The checkouts that a folder is, or holds."""
    marks = (".git", "pyproject.toml", "setup.py", "setup.cfg", "Cargo.toml")
    if any((folder / mark).exists() for mark in marks):
        return [folder]
    return sorted(path for path in folder.iterdir() if path.is_dir())


def is_python(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(path.read_bytes())
        return True
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path)
    options.add_argument("--binary", type=Path, default=ROOT / "target/release/isolint")
    options.add_argument("--jobs", default="0")
    options.add_argument("--verbose", action="store_true", help="name each file that does not parse")
    asked = options.parse_args()
    seen = collections.Counter()
    size = collections.Counter()
    unread = collections.defaultdict(list)
    bytes_unread = collections.Counter()
    why = collections.Counter()
    skipped = collections.Counter()
    broken = []
    projects = 0
    for folder in asked.folders:
        for checkout in checkouts(folder):
            known = {"py": {}, "rs": {}}
            for place, folders, names in os.walk(checkout):
                folders[:] = [name for name in folders if name != ".git"]
                for name in names:
                    path = Path(place, name)
                    kind = name.rsplit(".", 1)[-1]
                    if kind in known and path.is_file() and not path.is_symlink():
                        known[kind][str(path.relative_to(checkout))] = path.stat().st_size
            if not any(known.values()):
                continue
            projects += 1
            # Its own ignore files and environments count for nothing here: each file is named.
            names = sorted([*known["py"], *known["rs"]])
            for at in range(0, len(names), 4000):
                command = [asked.binary.resolve(), "check", "--isolated", "--exit-zero", "--gaps", "--select", "mktemp"]
                command += ["-j", asked.jobs, "--output-format", "json", *names[at : at + 4000]]
                done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=3600, check=False)
                if done.returncode != 0:
                    broken.append(f"{checkout}: status {done.returncode}: {done.stderr[-500:]}")
                    continue
                report = json.loads(done.stdout)
                if report["summary"]["faults"]:
                    broken.append(f"{checkout}: {report['summary']['faults']} faults: {done.stderr[-500:]}")
                part = set(names[at : at + 4000])
                left = {one["path"]: one["why"] for one in report["skipped"] if one["path"] in part}
                gaps = {one["path"]: one["why"] for one in report["gaps"] if one["path"] in part and "macro" not in one["why"]}
                for name in part:
                    kind = name.rsplit(".", 1)[-1]
                    if name in left:
                        skipped[left[name].split(":")[0]] += 1
                        continue
                    seen[kind] += 1
                    size[kind] += known[kind][name]
                    if name in gaps:
                        unread[kind].append((checkout / name, gaps[name]))
                        bytes_unread[kind] += known[kind][name]
                        why[kind, gaps[name]] += 1
    sound = not broken
    print(f"{projects} projects")
    for line in broken:
        print(f"broke down: {line}")
    for kind, wanted in WANTED.items():
        if not seen[kind]:
            continue
        files = 100 * (1 - len(unread[kind]) / seen[kind])
        share = 100 * (1 - bytes_unread[kind] / max(size[kind], 1))
        print(f".{kind}: {seen[kind]} files, {size[kind] / 1e6:.0f} MB; parsed: {files:.3f} % of the files, {share:.3f} % of the bytes")
        for (of, reason), count in sorted(why.items()):
            if of == kind:
                print(f"    {reason}: {count} files")
        good = [path for path, _ in unread[kind] if kind != "py" or is_python(path)]
        if kind == "py":
            valid = seen[kind] - (len(unread[kind]) - len(good))
            files = 100 * (1 - len(good) / max(valid, 1))
            print(f"    CPython {sys.version.split()[0]} parses {len(good)} of these; of what it parses, we parse {files:.3f} %")
        sound &= files >= wanted
        if asked.verbose:
            for path, reason in unread[kind]:
                print(f"    {path}: {reason}{' (CPython parses it)' if kind == 'py' and path in good else ''}")
    for reason, count in skipped.most_common():
        print(f"skipped, and said so: {reason}: {count} files")
    return not sound


if __name__ == "__main__":
    sys.exit(main())

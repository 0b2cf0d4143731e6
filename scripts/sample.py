#!/usr/bin/env python3
"""Draws the sample of findings that docs/precision.md keeps verdicts of.

    scripts/sample.py --seed 7 --size 150 --each 5 DIR… > sample.jsonl

Each DIR holds checkouts of repositories, one folder each. All findings at default confidence, rules in preview too, are sorted by
repository, path, line and rule, and shuffled with the seed; the first SIZE are the sample, then more are taken in the same order until
each rule that spoke has EACH, or all that it has. One line of JSON for each: place, rule, message, and the report as the terminal shows it.
"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys


def findings(binary, tree):
    command = [binary, "check", "--preview", "--exit-zero", "--no-cache", "--output-format", "json", "."]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{tree}: isolint exits with {done.returncode}: {done.stderr[-2000:]}")
    for finding in json.loads(done.stdout)["findings"]:
        primary = finding["labels"][0]
        yield {
            "repository": tree.name,
            "path": primary["path"],
            "line": primary["line"],
            "rule": finding["rule"],
            "severity": finding["severity"],
            "message": finding["message"],
            "labels": [f"{one['path']}:{one['line']} {one['text']}" for one in finding["labels"]],
            "notes": finding["notes"],
            "tests": finding["tests"][:6],
            "reproduce": finding.get("reproduce"),
        }


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("dirs", nargs="+", type=pathlib.Path, metavar="DIR")
    options.add_argument("--bin", default=str(pathlib.Path(__file__).parent.parent / "target/release/isolint"))
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("--size", type=int, default=150)
    options.add_argument("--each", type=int, default=5)
    options = options.parse_args()

    trees = sorted((tree for folder in options.dirs for tree in folder.iterdir() if tree.is_dir()), key=lambda tree: tree.name)
    found = [finding for tree in trees for finding in findings(str(pathlib.Path(options.bin).resolve()), tree)]
    found.sort(key=lambda one: (one["repository"], one["path"], one["line"], one["rule"]))
    counts = collections.Counter(one["rule"] for one in found)
    print(f"{len(found)} findings in {len(trees)} repositories: {dict(sorted(counts.items()))}", file=sys.stderr)
    random.Random(options.seed).shuffle(found)
    sample = found[: options.size]
    drawn = collections.Counter(one["rule"] for one in sample)
    for one in found[options.size :]:
        if drawn[one["rule"]] < options.each:
            drawn[one["rule"]] += 1
            sample.append(one)
    sample.sort(key=lambda one: (one["repository"], one["path"], one["line"], one["rule"]))
    for one in sample:
        print(json.dumps(one))


main()

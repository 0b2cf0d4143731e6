#!/usr/bin/env python3
"""Edits at large: all edits of `--fix --unsafe-fixes` in many checkouts, held against independent parsers.

    scripts/long/edits_at_large.py WORK DIR…       ISOLINT=path for another binary than target/release/isolint

Each DIR is a checkout; it is copied into the folder WORK, and only read itself. `WORK/results.jsonl` keeps what was seen of each, so
that a run that was stopped goes on where it was; without a DIR, what is there is summed up. Asked of each edit:

- the file parses as it did before: CPython's `ast`, rustfmt, PyYAML, `tomllib`, `bash -n`;
- a second run changes nothing;
- what differs between the two files are the spans that the findings name, in their own words: their replacements, made here by
  this script, give the same bytes. Where the tool takes an edit back after another look, or makes one in a later round, the lines
  that differ have to be lines that a finding names.

A finding counts once, in however many checkouts of one repository it stands: the folder of a checkout bears the repository's name, or
that of its commit, below `owner+name`. Exits with 1 where a promise does not hold.
"""

import ast
import collections
import difflib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import warnings

import yaml

from edits import ISOLINT

CHECK = [ISOLINT, "check", "--preview", "--isolated", "--exit-zero"]


def isolint(tree, *flags):
    """A run over a checkout; its standard output and standard error."""
    done = subprocess.run([*CHECK, *flags, "."], cwd=tree, capture_output=True, text=True, timeout=3600)
    if done.returncode:
        raise RuntimeError(f"{tree}: isolint exits with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout, done.stderr


def parses(path, text):
    """Whether another program can read a file; none where nobody here knows its language."""
    try:
        if path.suffix == ".py":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(text)
        elif path.suffix == ".rs":
            words = ["rustfmt", "--edition", "2024", "--emit", "stdout"]
            said = subprocess.run(words, input=text, cwd="/", capture_output=True).stderr
            return b"error: " not in said or b"left behind trailing whitespace" in said
        elif path.suffix in (".yml", ".yaml"):
            # Without the values: tags that are the service's own are no matter here.
            list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        elif path.suffix == ".toml":
            tomllib.loads(text.decode())
        elif path.suffix == ".sh":
            return subprocess.run(["bash", "-n"], input=text, capture_output=True).returncode == 0
        else:
            return None
    except (SyntaxError, ValueError, yaml.YAMLError):
        return False
    return True


def replaced(before, edits):
    """A file with replacements made: none where they overlap."""
    pieces, at = [], 0
    for start, end, text in sorted(set(edits)):
        if start < at:
            return None
        pieces += [before[at:start], text]
        at = end
    return b"".join([*pieces, before[at:]])


def unnamed(before, after, named):
    """Lines of the file before that differ without being named; what is new stands beside one that is, blank lines not counted."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    lines = []
    for tag, first, last, *_ in matcher.get_opcodes():
        if tag != "equal":
            changed = list(range(first + 1, last + 1))
            if not changed:
                # Where a blank line is new among blank lines, nobody can tell which one.
                changed = range(first - 1, first + 3)
                changed = [] if any(line in named for line in changed) else [first]
            lines += [line for line in changed if line not in named]
    return lines


def repository(folder):
    return folder.parent.name.rpartition("+")[2] if re.fullmatch("[0-9a-f]{40}", folder.name) else folder.name


def one(work, folder):
    """What was seen of one checkout."""
    before = json.loads(isolint(folder, "--output-format", "json")[0])["findings"]
    fixable = [finding for finding in before if finding["fix"]]
    seen = {"folder": str(folder), "findings": [], "kinds": [], "exact": 0, "back": [], "broken": []}
    if not fixable:
        return seen
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(folder, tree, symlinks=True, ignore=shutil.ignore_patterns("target", "node_modules"))
    (tree / ".git").mkdir(exist_ok=True)
    out, said = isolint(tree, "--fix", "--unsafe-fixes", "--output-format", "json")
    left = collections.Counter(finding["fingerprint"] for finding in json.loads(out)["findings"])
    made = []
    for finding in fixable:
        if left[finding["fingerprint"]]:
            left[finding["fingerprint"]] -= 1
        else:
            made.append(finding)
        is_made = any(finding is one for one in made)
        seen["findings"].append([repository(folder), finding["rule"], finding["path"], finding["message"], is_made])
    seen["back"] = [line for line in said.splitlines() if "taken back" in line]

    spans, named = collections.defaultdict(list), collections.defaultdict(set)
    for finding in fixable:
        for edit in finding["fix"]["edits"]:
            named[edit["path"]].update(range(edit["line"], edit["endLine"] + 1))
            if any(finding is one for one in made):
                spans[edit["path"]].append((edit["start"], edit["end"], edit["text"].encode()))
    changed = []
    for file in sorted(tree.rglob("*")):
        path = file.relative_to(tree)
        if file.is_symlink() or not file.is_file():
            continue
        # A file that is new has no text before.
        old = (folder / path).read_bytes() if (folder / path).exists() else b""
        new = file.read_bytes()
        if old == new:
            continue
        changed.append(path)
        was, now = parses(path, old), parses(path, new)
        verdict = "no parser" if now is None else "parses" if now else "did not parse before"
        seen["kinds"].append([path.suffix or path.name, verdict])
        if was and not now:
            seen["broken"].append(f"{folder}/{path}: does not parse")
        if replaced(old, spans[str(path)]) == new:
            seen["exact"] += 1
        elif lines := unnamed(old, new, named[str(path)]):
            seen["broken"].append(f"{folder}/{path}: lines {lines} are named by no finding")
    once = {path: (tree / path).read_bytes() for path in changed}
    _, again = isolint(tree, "--fix", "--unsafe-fixes", "--output-format", "json")
    if "Fixed nothing" not in again or any((tree / path).read_bytes() != text for path, text in once.items()):
        seen["broken"].append(f"{folder}: a second run changes something: {again.strip()[-300:]}")
    (work / f"{folder.parent.name}-{folder.name}.diff").write_text(
        subprocess.run(["diff", "-ruN", "-x", ".git", folder, tree], capture_output=True, text=True, errors="replace").stdout
    )
    shutil.rmtree(tree)
    print(f"{folder}: {len(fixable)} offered, {len(made)} made, {len(changed)} files", flush=True)
    return seen


def summed(results):
    """Prints what was seen of all checkouts; whether all promises hold."""
    made = {}
    for result in results:
        for *finding, is_made in result["findings"]:
            # Where one commit of a repository has it made and another has not, the first one counts.
            made.setdefault(tuple(finding), is_made)
    rules = collections.Counter(finding[1] for finding, is_made in made.items() if is_made)
    kinds = collections.Counter(tuple(kind) for result in results for kind in result["kinds"])
    names = ", ".join(f"`{rule}` {count}" for rule, count in rules.most_common())
    repositories = len({repository(pathlib.Path(result["folder"])) for result in results})
    print(f"\n{len(results)} checkouts of {repositories} repositories: {len(made)} findings with an edit, {rules.total()} made: {names}")
    exact, back = sum(result["exact"] for result in results), [line for result in results for line in result["back"]]
    print(f"{kinds.total()} files changed, {exact} of them byte for byte what the findings say; {len(back)} edits taken back")
    for (kind, verdict), count in sorted(kinds.items()):
        print(f"    {kind}: {count} {verdict}")
    broken = [complaint for result in results for complaint in result["broken"]]
    for line in [*back, *(f"BROKEN {complaint}" for complaint in broken)]:
        print(line)
    return not broken


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    kept = work / "results.jsonl"
    results = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    known = {result["folder"] for result in results}
    for folder in (pathlib.Path(name).resolve() for name in sys.argv[2:]):
        if str(folder) in known:
            continue
        try:
            results.append(one(work, folder))
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            print(f"{folder}: not looked at: {error}", flush=True)
            continue
        except KeyboardInterrupt:
            print(f"{folder}: stopped; what was seen so far:", flush=True)
            break
        with kept.open("a") as out:
            print(json.dumps(results[-1]), file=out)
    sys.exit(not summed(results))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""An old project adopts the tool: a baseline, forty edits that have nothing to do with its findings, and one new hazard.

    scripts/long/adopt.py WORK SEED DIR…       EDITS=40; ISOLINT=path for another binary than target/release/isolint

Each DIR is a checkout; it is copied into the folder WORK, and only read itself. All rules report, at all levels of confidence. After the
baseline is written nothing is found; after the edits still nothing, and no entry is stale; after a new test with `tempfile.mktemp` that
one finding. Half of the edits are made in files that hold findings. They are drawn with SEED:

- lines of comment at the top of a file, or a new function or test at its end;
- two functions of a file change places, or two methods of a class;
- a test file gets another name, or goes to another folder;
- a file is written anew by another program: CPython's `ast.unparse`, rustfmt with short lines;
- a new file.

Exits with 1 where something else is found.
"""

import ast
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import warnings

from edits import ISOLINT

EDITS = int(os.environ.get("EDITS", "40"))
HAZARD = "import tempfile\n\n\ndef test_adopted():\n    open(tempfile.mktemp(), \"w\").close()\n"
CHECK = [ISOLINT, "check", "--isolated", "--preview", "--min-confidence", "low", "--baseline", "known.json"]


def isolint(tree, *flags):
    done = subprocess.run([*CHECK, *flags, "--output-format", "json"], cwd=tree, capture_output=True, text=True)
    if done.returncode > 1:
        raise RuntimeError(f"{tree}: isolint exits with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)["findings"] if done.stdout else [], done.stderr


def parsed(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def commented(path, text, rng):
    mark = "//" if path.suffix == ".rs" else "#"
    lines = text.splitlines(keepends=True)
    # Below what has to come first.
    at = 0
    while at < len(lines) and lines[at].startswith(("#!", "//!", "# -*-", "# vim", "/*")):
        at += 1
    if path.suffix == ".rs" and any(line.startswith(("#![", "//!", " *")) for line in lines[at:]):
        return None
    return "".join([*lines[:at], f"{mark} A remark.\n" * rng.randint(1, 12), *lines[at:]])


def longer(path, text, rng):
    n = rng.randint(1000, 9999)
    if path.suffix == ".rs":
        return f"{text.rstrip()}\n\n#[allow(dead_code)]\nfn twice_{n}(n: u32) -> u32 {{\n    n * 2\n}}\n"
    name = "test_twice" if path.name.startswith("test_") else "twice"
    return f"{text.rstrip()}\n\n\ndef {name}_{n}():\n    assert {n} * 2 == {2 * n}\n"


def swapped(path, text, rng):
    """Two neighbours change places; neither is used while the module or class is made."""
    tree = parsed(text) if path.suffix == ".py" else None
    if tree is None:
        return None
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    function = (ast.FunctionDef, ast.AsyncFunctionDef)
    pairs = [(a, b) for body in bodies for a, b in zip(body, body[1:]) if isinstance(a, function) and isinstance(b, function)]
    # A property and its setter, overloads, a decorator and what it decorates stay in their order.
    pairs = [(a, b) for a, b in pairs if a.name != b.name and not a.decorator_list and not b.decorator_list]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    lines = text.splitlines(keepends=True)
    first, second = lines[a.lineno - 1 : a.end_lineno], lines[b.lineno - 1 : b.end_lineno]
    if not second[-1].endswith("\n"):
        return None
    return "".join([*lines[: a.lineno - 1], *second, *lines[a.end_lineno : b.lineno - 1], *first, *lines[b.end_lineno :]])


def rewritten(path, text, rng):
    if path.suffix == ".rs":
        words = ["rustfmt", "--edition", "2024", "--config", f"max_width={rng.choice([60, 72, 140])}", "--emit", "stdout"]
        done = subprocess.run(words, input=text, cwd="/", capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None
    tree = parsed(text)
    return None if tree is None else ast.unparse(tree) + "\n"


def renamed(tree, path, rng):
    """The new path of a test file, which nobody imports."""
    if path.suffix != ".py" or not path.name.startswith("test_"):
        return None
    stem = path.stem
    for other in tree.rglob("*.py"):
        if other != tree / path and stem in other.read_text(errors="replace"):
            return None
    return path.with_name(f"{stem}_{rng.randint(10, 99)}.py")


def edit(tree, found, rng):
    """Makes one edit; what it was, or none where it does not fit the file that was drawn."""
    kind = rng.choice(["remark", "more", "swap", "rename", "rewrite", "new"])
    files = [path for path in (p.relative_to(tree) for p in sorted(tree.rglob("*"))) if path.suffix in (".py", ".rs")]
    files = [path for path in files if (tree / path).is_file() and not (tree / path).is_symlink() and ".git" not in path.parts]
    near = [path for path in files if str(path) in found]
    path = rng.choice(near if near and rng.random() < 0.5 else files)
    if kind == "new":
        name = path.with_name(f"test_new_{rng.randint(100, 999)}.py" if path.suffix == ".py" else f"new_{rng.randint(100, 999)}.rs")
        (tree / name).write_text(longer(name, "", rng).lstrip())
        return f"new {name}"
    if kind == "rename":
        if new := renamed(tree, path, rng):
            (tree / path).rename(tree / new)
            if str(path) in found:
                found.add(str(new))
            return f"rename {path} {new.name}"
        return None
    try:
        text = (tree / path).read_text()
    except UnicodeDecodeError:
        return None
    if not text.strip() or "\r" in text:
        return None
    new = {"remark": commented, "more": longer, "swap": swapped, "rewrite": rewritten}[kind](path, text, rng)
    if new is None or new == text or path.suffix == ".py" and parsed(new) is None:
        return None
    (tree / path).write_text(new)
    return f"{kind} {path}"


def one(work, folder, rng):
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(folder, tree, symlinks=True, ignore=shutil.ignore_patterns("target", "node_modules", ".git"))
    (tree / ".git").mkdir()
    before = subprocess.run([*CHECK[:-2], "--output-format", "json"], cwd=tree, capture_output=True, text=True)
    found = {label["path"] for finding in json.loads(before.stdout)["findings"] for label in finding["labels"]}
    known = len(json.loads(before.stdout)["findings"])
    isolint(tree, "--write-baseline")
    clean, _ = isolint(tree)
    made = []
    while len(made) < EDITS:
        if what := edit(tree, found, rng):
            made.append(what)
    after, said = isolint(tree)
    stale = [line for line in said.splitlines() if "not found any more" in line]
    home = next((folder for folder in ("tests", "test", "t") if (tree / folder).is_dir()), ".")
    (tree / home / "test_adopted_hazard.py").write_text(HAZARD)
    new, _ = isolint(tree)
    new = [finding for finding in new if finding not in after]
    kinds = collections.Counter(what.split()[0] for what in made)
    print(f"{folder}: {known} known; {len(clean)} found, {len(after)} after {len(made)} edits {dict(sorted(kinds.items()))}, "
          f"{len(stale)} stale; {len(new)} with a new hazard", flush=True)  # fmt: skip
    for finding in clean + after:
        print(f"    NEW {finding['path']}:{finding['line']} {finding['rule']} {finding['message']}")
    for line in stale:
        print(f"    STALE {line}")
    if clean or after or stale:
        print("    " + "\n    ".join(made))
    right = [finding["rule"] for finding in new] == ["mktemp"]
    return right and not clean and not after and not stale


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    failed = False
    for folder in sys.argv[3:]:
        failed |= not one(work, pathlib.Path(folder).resolve(), random.Random(f"{sys.argv[2]} {pathlib.Path(folder).name}"))
    sys.exit(failed)


if __name__ == "__main__":
    main()

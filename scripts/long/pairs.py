#!/usr/bin/env python3
"""Collisions reproduced: the command that a finding prints, run until it fails.

    scripts/long/pairs.py MIRROR WORK [NAME...]       RUNS=60; ISOLINT=path for another binary than target/release/isolint

The table is pairs.toml; MIRROR and WORK are those of edits.py. The command is taken from the finding, not from the table: the table
names the rule and the file, and options that the tests need here (`more`). The same tests have to pass one after the other first. Between two runs the checkout is as it was.
Exits with 1 where a command does not fail.
"""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

from edits import HERE, findings, prepare, sweep

RUNS = int(os.environ.get("RUNS", "60"))
# Words by which a failure says what happened.
SAYS = re.compile(r"^(E   .*|thread '.*' panicked.*|ERROR .*|FAILED .*|INTERNALERROR> \w*Error.*)$", re.MULTILINE)


def one(mirror, work, project):
    name = f"pair-{project['name']}"
    tree, venv = work / name, work / f"{name}.venv"
    prepare(mirror, project, tree, venv)
    known = [one for one in findings(tree, project) if one["rule"] == project["rule"] and one["path"] == project["path"]]
    if not known or not known[0]["reproduce"]:
        raise RuntimeError("no such finding")
    command = f"{known[0]['reproduce']} {project.get('more', '')}".strip()
    print(f"{project['name']}: {known[0]['message']}\n    {command}", flush=True)
    env = {**os.environ, "PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "CARGO_TARGET_DIR": str(work / "rust-target")}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "RUSTUP_TOOLCHAIN": "stable", "CARGO_INCREMENTAL": "0", "CARGO_PROFILE_TEST_DEBUG": "0", "CARGO_PROFILE_DEV_DEBUG": "0"}
    if command.startswith("cargo"):
        subprocess.run(command.split(" -- ")[0] + " --no-run", shell=True, cwd=tree, env=env, check=True, capture_output=True)
    # One after the other they pass: it is the tests being together that fails.
    alone = re.sub(r"^pytest -n \d+", "pytest -n 0", re.sub(r"--test-threads \d+", "--test-threads 1", command))
    done = subprocess.run(alone, shell=True, cwd=tree, env=env, capture_output=True, text=True, timeout=600)
    sweep(tree)
    if done.returncode or not re.search(r"\b[1-9]\d* passed", done.stdout):
        raise RuntimeError(f"{alone}\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    for run in range(1, RUNS + 1):
        done = subprocess.run(command, shell=True, cwd=tree, env=env, capture_output=True, text=True, timeout=600)
        sweep(tree)
        if done.returncode:
            said = [line.strip() for line in SAYS.findall(done.stdout + done.stderr)]
            (work / f"{name}.log").write_text(done.stdout + done.stderr)
            print(f"    failed at run {run}: {' / '.join(dict.fromkeys(said[:4]))}", flush=True)
            return True
    print(f"    passed {RUNS} runs", flush=True)
    return False


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    mirror, work, only = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    work.mkdir(parents=True, exist_ok=True)
    failed = False
    for project in tomllib.loads((HERE / "pairs.toml").read_text())["pair"]:
        if only and project["name"] not in only:
            continue
        try:
            failed |= not one(mirror, work, project)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"{project['name']}: {error}", file=sys.stderr)
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()

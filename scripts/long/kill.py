#!/usr/bin/env python3
"""Ends `isolint check --fix --unsafe-fixes` at random moments, and looks at what is left.

    scripts/long/kill.py [--trials 1000] [--seed 8] [--binary target/release/isolint]

After each kill every file must be whole, as it was or as it is to be, with its mode, its owner and its links; and the next run must
finish the work and leave no temporary file. The time of each kill is drawn from the whole run in half of the trials, and in the other
half from the time in which files are written, which begins when the first temporary file is seen.
"""

import argparse
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODES = (0o644, 0o600, 0o755, 0o640)
TEST = """import tempfile


def test_number_{n}():
    path = tempfile.mktemp()
    with open(path, "w") as out:
        out.write("{n}")
"""


def make(project: Path, files: int) -> None:
    """A project with a fix in each file, some of them long, and links beside them."""
    (project / "tests").mkdir(parents=True)
    (project / "shared").mkdir()
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-n 4'\n")
    for n in range(files):
        path = project / "tests" / f"test_{n:02}.py"
        path.write_text(TEST.format(n=n) + "# a long file\n" * (20_000 if n % 4 == 0 else 20))
        path.chmod(MODES[n % len(MODES)])
    real = project / "shared" / "test_real.py"
    real.write_text(TEST.format(n="real"))
    (project / "tests" / "test_link.py").symlink_to("../shared/test_real.py")
    (project / "tests" / "data").symlink_to("../shared")


def look(project: Path) -> dict:
    """Every entry below: a link's target, or a file's bytes, mode and owner."""
    found = {}
    for folder, folders, names in os.walk(project):
        for name in folders + names:
            path = Path(folder) / name
            key = str(path.relative_to(project))
            info = path.lstat()
            if path.is_symlink():
                found[key] = os.readlink(path)
            elif path.is_file():
                found[key] = (path.read_bytes(), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)
    return found


def writes(project: Path) -> bool:
    return any(name.endswith(".isolint") for name in os.listdir(project / "tests"))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--trials", type=int, default=1000)
    options.add_argument("--files", type=int, default=24)
    options.add_argument("--seed", type=int, default=8)
    options.add_argument("--binary", type=Path, default=ROOT / "target/release/isolint")
    asked = options.parse_args()
    if not asked.binary.is_file():
        sys.exit(f"{asked.binary}: not there; build it with `cargo build --release`, or name another with --binary")
    command = [asked.binary.resolve(), "check", "--fix", "--unsafe-fixes", "--exit-zero"]
    draw = random.Random(asked.seed)

    def start(project: Path) -> subprocess.Popen:
        return subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        pristine = place / "pristine"
        make(pristine, asked.files)
        before = look(pristine)

        whole = place / "whole"
        shutil.copytree(pristine, whole, symlinks=True)
        begin = time.monotonic()
        run = start(whole)
        first = None
        while run.poll() is None:
            if first is None and writes(whole):
                first = time.monotonic() - begin
        length = time.monotonic() - begin
        after = look(whole)
        fixed = [key for key in before if before[key] != after[key]]
        if run.returncode != 0 or before.keys() != after.keys() or len(fixed) < asked.files or first is None:
            sys.exit(f"the run to compare with went wrong: status {run.returncode}, {len(fixed)} files fixed")
        print(f"a whole run takes {length * 1000:.0f} ms and writes {len(fixed)} files after {first * 1000:.0f} ms")

        killed = between = left_over = 0
        faults = []
        for trial in range(asked.trials):
            project = place / "trial"
            shutil.copytree(pristine, project, symlinks=True)
            run = start(project)
            if trial % 2:
                while run.poll() is None and not writes(project):
                    pass
                time.sleep(draw.uniform(0, length - first))
            else:
                time.sleep(draw.uniform(0, length))
            run.send_signal(signal.SIGKILL)
            killed += run.wait() == -signal.SIGKILL
            now = look(project)
            stray = now.keys() - before.keys()
            done = sum(now.get(key) == after[key] for key in fixed)
            between += 0 < done < len(fixed)
            left_over += bool(stray)
            for key in before:
                if now.get(key) not in (before[key], after[key]):
                    faults.append(f"trial {trial}: {key} is neither the old nor the new file")
            subprocess.run(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            last = look(project)
            for key in sorted(last.keys() | after.keys()):
                if last.get(key) != after.get(key):
                    faults.append(f"trial {trial}: {key} is wrong after the next run")
            shutil.rmtree(project)
    for fault in faults:
        print(fault)
    print(
        f"{asked.trials} trials: {killed} killed before their end, {between} of them with some files written and others not, "
        f"{left_over} that left a temporary file; {len(faults)} faults"
    )
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())

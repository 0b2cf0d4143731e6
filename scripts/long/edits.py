#!/usr/bin/env python3
"""Edits under the real tests: for each project of edits.toml the tests, the fixes, and the tests again.

    scripts/long/edits.py MIRROR WORK [NAME...]       ISOLINT=path for another binary than target/release/isolint

MIRROR holds a git directory OWNER+NAME/repo for each repository of the table; source packages come from the package index. WORK is a
folder for checkouts and virtual environments; what is there is used again. Needs `git`, `uv` and, for the Rust ones, `cargo` on the PATH.

Each project's tests run alone with a record of the lines that ran, and with two workers. An edit counts where the line of its finding
or one that it wrote ran, and a test that the finding names, where it names any, passed before and after. In Rust the test has to do: that
of the finding, or the one that the table names after a look. Exits with 1 where a test that passed before fails after.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ISOLINT = os.environ.get("ISOLINT", str(HERE.parents[1] / "target" / "release" / "isolint"))
# The rules whose edits are in code; those of CI files are not seen by tests.
RULES = [
    "check-then-act", "cross-device-replace", "cwd-relative-write", "fixed-temp-path", "fixed-temp-suffix", "mktemp",
    "narrow-corruption-handler", "non-atomic-write", "session-fixture-per-worker", "shared-path", "source-tree-write",
    "tempdir-dropped-early", "user-state-path", "weak-unique-name",
]  # fmt: skip
COVERAGE = "[run]\nparallel = true\npatch = subprocess\ninclude = {files}\ndata_file = {data}\n[report]\nignore_errors = true\n"


def run(command, **options):
    """A command that has to succeed; its standard output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def unpack(mirror, project, tree):
    """The files of a commit, or of a source package; a blob that a clone lacks is left out."""
    if "package" in project:
        folder = tree.with_suffix(".sdist")
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder]
        run([*command, project["package"]])
        [archive] = folder.glob("*.tar.gz")
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
        [top] = [one for one in folder.iterdir() if one.is_dir()]
        top.rename(tree)
        return
    git = ["git", f"--git-dir={pathlib.Path(mirror, project['repo'].replace('/', '+'), 'repo').resolve()}"]
    rows = [row for row in run([*git, "ls-tree", "-r", "-z", project["commit"]]).split("\0") if row]
    for row in rows:
        meta, path = row.split("\t", 1)
        mode, kind, name = meta.split()
        blob = subprocess.run([*git, "cat-file", kind, name], capture_output=True)
        if kind != "blob" or blob.returncode:
            continue
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == "120000":
            target.symlink_to(os.fsdecode(blob.stdout))
        else:
            target.write_bytes(blob.stdout)
            target.chmod(0o755 if mode == "100755" else 0o644)


def prepare(mirror, project, tree, venv):
    """A checkout with its own repository, installed in an environment of its own."""
    ready = tree.with_suffix(".ready")
    if not ready.exists():
        for old in (tree, venv):
            shutil.rmtree(old, ignore_errors=True)
        unpack(mirror, project, tree)
        git = ["git", "-C", tree, "-c", "user.name=edits", "-c", "user.email=edits@localhost"]
        run([*git, "init", "--quiet"])
        if "install" in project:
            run(["uv", "venv", "--quiet", "--seed", "--python", project.get("python", sys.executable), venv])
            # Projects that ask git for their version.
            env = {**os.environ, "SETUPTOOLS_SCM_PRETEND_VERSION": project.get("version", "99.0")}
            words = [word for word in project["install"] if word]
            pip = ["uv", "pip", "install", "--quiet", "--python", venv / "bin" / "python"]
            run([*pip, *words, "pytest-xdist", "coverage>=7.10"], cwd=tree, env=env)
        # With what the installation has made, so that it stays when the rest is swept away.
        run([*git, "add", "--all", "--force"])
        run([*git, "commit", "--quiet", "--message", "before"])
        ready.touch()
    run(["git", "-C", tree, "reset", "--quiet", "--hard"])
    sweep(tree)


def sweep(tree):
    """Takes away what tests have left."""
    run(["git", "-C", tree, "clean", "-ffdxq", "-e", "target"])


class Runner:
    """Runs the tests of one project."""

    def __init__(self, project, tree, venv, work, files):
        self.project, self.tree, self.venv, self.work, self.files = project, tree, venv, work, files
        name = project["name"]
        self.home, self.temp = work / f"{name}.home", work / f"{name}.tmp"
        self.home.mkdir(exist_ok=True)
        self.env = {**os.environ, "HOME": str(self.home), "TMPDIR": str(self.temp), "PYTHONDONTWRITEBYTECODE": "1"}
        self.env["PATH"] = f"{venv / 'bin'}:{os.environ['PATH']}"
        self.env.update(project.get("env", {}))

    def fresh(self):
        shutil.rmtree(self.temp, ignore_errors=True)
        self.temp.mkdir()

    def pytest(self, label, workers):
        """The tests that passed, and the lines that ran: by path, where one worker runs them all."""
        self.fresh()
        name = self.project["name"]
        report, data, config = (self.work / f"{name}.{end}" for end in ("xml", "coverage", "coveragerc"))
        for old in [report, *self.work.glob(f"{name}.coverage*")]:
            old.unlink(missing_ok=True)
        config.write_text(COVERAGE.format(files=",".join(str(self.tree / file) for file in self.files), data=data))
        coverage = [self.venv / "bin" / "python", "-m", "coverage"]
        start = [self.venv / "bin" / "python"] if workers else [*coverage, "run", f"--rcfile={config}"]
        words = [*start, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        words += ["-n", str(workers), *self.project.get("args", []), *self.project["tests"]]
        with open(self.work / f"{name}.{label}.log", "w") as log:
            subprocess.run([str(word) for word in words], cwd=self.tree, env=self.env, stdout=log, stderr=log, timeout=1800)
        passed = set()
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            if all(child.tag in ("properties", "system-out", "system-err") for child in case):
                passed.add(f"{case.get('classname')}::{case.get('name')}")
        lines = {}
        if not workers:
            subprocess.run([*coverage, "combine", "--quiet", f"--rcfile={config}"], cwd=self.tree, env=self.env, capture_output=True)
            out = self.work / f"{name}.json"
            done = [*coverage, "json", "--quiet", f"--rcfile={config}", "-o", out]
            subprocess.run(done, cwd=self.tree, env=self.env, capture_output=True)
            for path, one in json.loads(out.read_text())["files"].items():
                lines[os.path.relpath(self.tree / path, self.tree)] = set(one["executed_lines"])
        sweep(self.tree)
        return passed, lines

    def cargo(self, label, threads):
        """The tests that passed, of the commands that the table gives."""
        self.fresh()
        passed = set()
        env = {**self.env, "HOME": os.environ["HOME"], "CARGO_INCREMENTAL": "0", "RUSTUP_TOOLCHAIN": "stable"}
        env |= {"CARGO_PROFILE_TEST_DEBUG": "0", "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_TARGET_DIR": str(self.work / "rust-target")}
        with open(self.work / f"{self.project['name']}.{label}.log", "w") as log:
            for words in self.project["cargo"]:
                command, _, names = words.partition(" -- ")
                command = f"cargo test -j {os.environ.get('JOBS', '1')} --no-fail-fast {command} -- --test-threads {threads} {names}"
                done = subprocess.run(command, shell=True, cwd=self.tree, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
                log.write(done.stdout)
                passed.update(re.findall(r"^test (\S+)(?: - should panic)? \.\.\. ok$", done.stdout, re.MULTILINE))
        sweep(self.tree)
        return passed, {}

    def tests(self, label, workers):
        if "cargo" in self.project:
            return self.cargo(label, workers or 1)
        return self.pytest(label, workers)


def findings(tree, project):
    select = ",".join(project.get("rules", RULES))
    command = [ISOLINT, "check", "--preview", "--isolated", "--exit-zero", "--output-format", "json", "--select", select, "."]
    return json.loads(run(command, cwd=tree))["findings"]


def hunks(tree):
    """What edits changed: path, first and last line before, and the lines that were written, those left out that run at import."""
    found, path, lines = [], None, []
    for line in run(["git", "-C", tree, "diff", "--unified=0"]).splitlines():
        if line.startswith("+++ "):
            path = line[6:]
        elif match := re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,\d+)? @@", line):
            start, count, at = int(match[1]), int(match[2] or 1), int(match[3])
            lines = []
            found.append((path, start, start + max(count, 1) - 1, lines))
        elif line.startswith("+"):
            if not re.match(r"\+\s*(import|from|def|async def|class|@)\b", line):
                lines.append(at)
            at += 1
    return found


def one(mirror, work, project):
    name = project["name"]
    tree, venv = work / name, work / f"{name}.venv"
    prepare(mirror, project, tree, venv)
    before = findings(tree, project)
    runner = Runner(project, tree, venv, work, sorted({edit["path"] for one in before if one["fix"] for edit in one["fix"]["edits"]}))
    alone, ran = runner.tests("before", 0)
    collide = project.get("alone", False)
    together, _ = (set(), {}) if collide else runner.tests("before-2", 2)
    command = [ISOLINT, "check", "--preview", "--isolated", "--exit-zero", "--output-format", "concise", "--fix", "--unsafe-fixes"]
    fixed = subprocess.run([*command, "--select", ",".join(project.get("rules", RULES)), "."], cwd=tree, capture_output=True, text=True)
    (work / f"{name}.fix.log").write_text(fixed.stdout + fixed.stderr)
    (work / f"{name}.diff").write_text(run(["git", "-C", tree, "diff"]))
    written = hunks(tree)
    left = {finding["fingerprint"] for finding in findings(tree, project)}
    # The edits stay when the rest is swept away.
    run(["git", "-C", tree, "add", "--all"])
    alone_after, ran_after = runner.tests("after", 0)
    together_after, _ = (set(), {}) if collide else runner.tests("after-2", 2)
    edits = []
    for finding in before:
        if not finding["fix"] or finding["fingerprint"] in left:
            continue
        path = finding["path"]
        # A test that the finding names passed before and after.
        ends = {test.split("::")[-1] for test in finding["tests"] or project.get("reached", {}).get(path, ())}
        passed = {test.split("::")[-1].split("[")[0] for test in alone & alone_after}
        reached = "cargo" in project or finding["line"] in ran.get(path, ())
        for edit in finding["fix"]["edits"]:
            near = [one for one in written if one[0] == edit["path"] and one[1] <= edit["endLine"] and edit["line"] - 1 <= one[2]]
            reached = reached or any(set(lines) & ran_after.get(edit["path"], set()) for *_, lines in near)
        if ends or "cargo" in project:
            reached = reached and bool(ends & passed)
        edits.append({"rule": finding["rule"], "path": path, "line": finding["line"], "title": finding["fix"]["title"], "reached": reached})
    lost = sorted((alone - alone_after) | (together - together_after))
    result = {
        "name": name, "alone": [len(alone), len(alone_after)], "together": [len(together), len(together_after)],
        "edits": edits, "lost": lost, "kept back": len([one for one in before if one["fix"]]) - len(edits),
    }  # fmt: skip
    (work / f"{name}.result.json").write_text(json.dumps(result, indent=1))
    return result


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    mirror, work, only = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    work.mkdir(parents=True, exist_ok=True)
    projects = tomllib.loads((HERE / "edits.toml").read_text())["project"]
    results, failed = [], False
    for project in projects:
        if only and project["name"] not in only:
            continue
        try:
            result = one(mirror, work, project)
        except (RuntimeError, OSError, ValueError, SyntaxError, subprocess.TimeoutExpired) as error:
            print(f"{project['name']}: {error}", file=sys.stderr)
            failed = True
            continue
        results.append(result)
        reached = [edit for edit in result["edits"] if edit["reached"]]
        heading = f"alone {result['alone']}, two workers {result['together']}, edits {len(result['edits'])}, reached {len(reached)}"
        print(f"{result['name']}: {heading}", flush=True)
        for edit in result["edits"]:
            print(f"    {'ran' if edit['reached'] else '   '} {edit['rule']} {edit['path']}:{edit['line']} {edit['title']}")
        for test in result["lost"]:
            print(f"    LOST {test}")
        failed = failed or bool(result["lost"])
    print("\n| project | passed alone, before and after | passed with two workers | edits | reached by tests |\n| --- | --- | --- | --- | --- |")
    count = {}
    for result in results:
        reached = [edit for edit in result["edits"] if edit["reached"]]
        (a, b), (c, d) = result["alone"], result["together"]
        print(f"| {result['name']} | {a} → {b} | {c} → {d} | {len(result['edits'])} | {len(reached)} |")
        for edit in reached:
            count[edit["rule"]] = count.get(edit["rule"], 0) + 1
    print(f"\n{sum(count.values())} edits reached:", ", ".join(f"{rule} {n}" for rule, n in sorted(count.items())))
    sys.exit(failed)


if __name__ == "__main__":
    main()

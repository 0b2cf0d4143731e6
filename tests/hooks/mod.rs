//! A repository with a hook of ours, and programs that run hooks.

#![allow(dead_code, reason = "each test file that includes it uses a part")]

use super::world::{Ran, World, finish};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const WRITES: &str =
    "import json\n\n\ndef test_write():\n    with open(\"/tmp/report.json\", \"w\") as out:\n        json.dump({}, out)\n";
const READS: &str = "def test_read():\n    assert open(\"/tmp/report.json\").read()\n";
/// The rule on one end alone is not what is asked about here.
const SETTINGS: &str = "select = [\"shared-path\"]\n";

/// What runs hooks, and the folder in which it finds `isolint`.
pub struct Runner {
    program: PathBuf,
    path: OsString,
}

impl Runner {
    pub fn of(program: impl AsRef<Path>, isolint: &Path) -> Runner {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(isolint.to_owned()).chain(std::env::split_paths(&old))).unwrap();
        Runner { program: program.as_ref().to_owned(), path }
    }
}

/// A repository whose commits a hook of ours looks at.
pub struct Project {
    runner: Runner,
    /// The repository of the hook.
    hook: World,
    work: World,
    home: World,
}

impl Project {
    /// With the hook that takes the program from the PATH: all that its repository has is our manifest.
    pub fn new(runner: Runner) -> Project {
        let project = Project::empty(runner);
        project.hook.file(".pre-commit-hooks.yaml", include_str!("../../.pre-commit-hooks.yaml"));
        project.offer("isolint-system");
        project
    }

    /// With a hook that is built from source: its repository is a copy of ours, as it stands here. Builds and installs it.
    pub fn built(runner: Runner, hook: &str) -> Project {
        let project = Project::empty(runner);
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(ours)
            .output()
            .unwrap();
        assert!(listed.status.success(), "{listed:?}");
        let listed = String::from_utf8(listed.stdout).unwrap();
        for name in listed.split_terminator('\0') {
            // One that is deleted and not committed yet is listed as well.
            if let Ok(bytes) = std::fs::read(ours.join(name)) {
                project.hook.file(name, bytes);
            }
        }
        project.offer(hook);
        let done = project.command(&project.runner.program, &project.work, &["install-hooks"]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        project
    }

    fn empty(runner: Runner) -> Project {
        let project = Project { runner, hook: World::bare(), work: World::bare(), home: World::bare() };
        for world in [&project.hook, &project.work] {
            project.git(world, &["init", "-q", "-b", "main"]);
        }
        project
    }

    /// Commits what is in the repository of the hook, and lets the other one use it.
    fn offer(&self, hook: &str) {
        self.commit(&self.hook);
        let revision = self.git(&self.hook, &["rev-parse", "HEAD"]).out;
        let config = format!(
            "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n      - id: {hook}\n",
            self.hook.root().display(),
            revision.trim()
        );
        self.work.file(".pre-commit-config.yaml", config);
        self.work.file("isolint.toml", SETTINGS);
    }

    fn git(&self, world: &World, words: &[&str]) -> Ran {
        let ran = self.run(Path::new("git"), world, words);
        assert_eq!(ran.status, 0, "{words:?}: {ran:?}");
        ran
    }

    fn commit(&self, world: &World) {
        self.git(world, &["add", "-A"]);
        self.git(world, &["commit", "-q", "-m", "x"]);
    }

    /// Runs the hook over what is staged.
    fn hooked(&self) -> Ran {
        self.run(&self.runner.program, &self.work, &["run"])
    }

    fn run(&self, program: &Path, world: &World, words: &[&str]) -> Ran {
        let mut command = self.command(program, world, words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display())))
    }

    fn command(&self, program: &Path, world: &World, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(world.root()).env("PATH", &self.runner.path);
        // The toolchain stays where it is, below the home that the hooks do not see.
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if let (None, Some(home)) = (std::env::var_os(name), std::env::home_dir()) {
                command.env(name, home.join(folder));
            }
        }
        for name in ["HOME", "PRE_COMMIT_HOME", "PREK_HOME", "XDG_CACHE_HOME"] {
            command.env(name, self.home.root());
        }
        // What is installed is a release. Here it is built once for all hooks, and in a hurry.
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("hooks"));
        for (name, value) in [("LTO", "off"), ("OPT_LEVEL", "0"), ("CODEGEN_UNITS", "256")] {
            command.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
        }
        let settings =
            [("protocol.file.allow", "always"), ("user.name", "a"), ("user.email", "a@b"), ("commit.gpgsign", "false")];
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (n, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{n}"), key).env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "ISOLINT_OUTPUT_FORMAT", "RUSTFLAGS"] {
            command.env_remove(name);
        }
        command
    }
}

/// A commit that holds one half of a collision is stopped, with both halves named; one that touches neither is let through.
pub fn finds_a_staged_half(project: &Project) {
    project.work.file("tests/test_write.py", WRITES);
    project.commit(&project.work);

    project.work.file("tests/test_read.py", READS);
    project.git(&project.work, &["add", "-A"]);
    let stopped = project.hooked();
    assert_eq!(stopped.status, 1, "{stopped:?}");
    for word in ["shared-path", "tests/test_write.py", "tests/test_read.py"] {
        assert!(stopped.out.contains(word), "{word}: {}", stopped.out);
    }

    project.commit(&project.work);
    project.work.file("tests/test_more.py", "def test_more():\n    assert 1 + 1 == 2\n");
    project.work.file("docs/more.yml", "a: b\n");
    project.git(&project.work, &["add", "-A"]);
    let passed = project.hooked();
    assert_eq!(passed.status, 0, "{passed:?}");
}

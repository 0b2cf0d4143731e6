//! A repository with a hook of ours, and programs that run hooks.

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
    /// The repository of the hook: our manifest, and nothing else.
    hook: World,
    work: World,
    home: World,
}

impl Project {
    pub fn new(runner: Runner) -> Project {
        let project = Project { runner, hook: World::bare(), work: World::bare(), home: World::bare() };
        project.hook.file(".pre-commit-hooks.yaml", include_str!("../../.pre-commit-hooks.yaml"));
        for world in [&project.hook, &project.work] {
            project.git(world, &["init", "-q", "-b", "main"]);
        }
        project.commit(&project.hook);
        let revision = project.git(&project.hook, &["rev-parse", "HEAD"]).out;
        let config = format!(
            "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n      - id: isolint-system\n",
            project.hook.root().display(),
            revision.trim()
        );
        project.work.file(".pre-commit-config.yaml", config);
        project.work.file("isolint.toml", SETTINGS);
        project
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
        let mut command = Command::new(program);
        command.args(words).current_dir(world.root()).env("PATH", &self.runner.path);
        for name in ["HOME", "PRE_COMMIT_HOME", "PREK_HOME", "XDG_CACHE_HOME"] {
            command.env(name, self.home.root());
        }
        let settings =
            [("protocol.file.allow", "always"), ("user.name", "a"), ("user.email", "a@b"), ("commit.gpgsign", "false")];
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (n, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{n}"), key).env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "ISOLINT_OUTPUT_FORMAT"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display())))
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

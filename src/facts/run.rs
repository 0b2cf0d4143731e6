//! How the tests are run, as far as the repository says: discovery settings, crates, runs.

use crate::text::{FileId, Span};

/// Everything `conf` reads out of configuration and CI files.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Setup {
    /// Which Python files and names are tests, one entry for each configured root, deepest root first; the last is the default for the project.
    pub discovery: Vec<Discovery>,
    pub crates: Vec<Crate>,
    /// How tests are run, strongest evidence first: a CI command before a default of the configuration.
    pub runs: Vec<Run>,
}

/// pytest's and unittest's rules for what a test is (pytest documentation, "Configuration options").
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discovery {
    /// The folder that holds the configuration, relative to the project, `""` for its root.
    pub root: String,
    /// Globs for file names: `test_*.py`, `*_test.py`.
    pub python_files: Vec<String>,
    /// Name prefixes, or globs: `Test`.
    pub python_classes: Vec<String>,
    /// Name prefixes, or globs: `test`.
    pub python_functions: Vec<String>,
    /// Folders below `root`; empty where all of it is searched.
    pub testpaths: Vec<String>,
    pub doctest_modules: bool,
}

/// One Cargo package (The Cargo Book, "Cargo Targets").
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crate {
    /// As code names it: `-` written `_`.
    pub name: String,
    /// Relative to the project, `""` for its root.
    pub dir: String,
    /// Root files of the targets, relative to the project, with what they are.
    pub targets: Vec<(String, Target)>,
    /// Names of all dependencies, dev-dependencies included, as code names them.
    pub dependencies: Vec<String>,
    pub edition: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    Lib,
    Bin,
    /// An integration test: a binary of its own.
    Test,
    /// `harness = false`: what runs in it is not known.
    CustomTest,
    Bench,
    Example,
    BuildScript,
}

/// One way in which tests of this project are run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub runner: Runner,
    pub workers: Workers,
    /// Relative to the project: the tests below it are run so; `""` for all.
    pub scope: String,
    /// Where it is configured: none for what every project of this language has.
    pub place: Option<(FileId, Span)>,
    /// The command or setting, as written, shortened to one line.
    pub text: String,
}

/// CATALOGUE 3.2: who may run beside whom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Runner {
    /// pytest without xdist, `unittest`, `python -m doctest`: one by one in one process.
    Sequential,
    /// `pytest -n`, by `--dist` mode.
    Xdist(Dist),
    /// pytest-run-parallel, pytest-parallel with threads.
    PythonThreads,
    /// Tests as tasks of a pool of processes that are used again: stestr, unittest-parallel, Django's `--parallel`, behavex.
    ProcessPool,
    /// `cargo test`: threads of one process per binary.
    CargoTest,
    /// cargo-nextest: a process for each test.
    Nextest,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dist {
    Load,
    LoadScope,
    LoadFile,
    LoadGroup,
    WorkSteal,
    Each,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Workers {
    One,
    Fixed(u32),
    /// As many as there are CPUs.
    Cpus,
    Unknown,
}

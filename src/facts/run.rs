//! How the tests are run, as far as the repository says: discovery settings, crates, runs.

use super::trace::{Claim, Command, Job, Place, Unread};
use crate::text::{FileId, Span};
use std::sync::OnceLock;

/// Everything `conf` reads out of configuration and CI files.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Setup {
    /// Which Python files and names are tests, one entry for each configured root, deepest root first; the last is the default for the project.
    pub discovery: Vec<Discovery>,
    pub crates: Vec<Crate>,
    /// How tests are run, strongest evidence first: a CI command before a default of the configuration.
    pub runs: Vec<Run>,
    /// The jobs of CI.
    pub jobs: Vec<Job>,
    /// The test commands, with the job and the chain that leads to each.
    pub commands: Vec<Command>,
    /// What jobs take of their hosts.
    pub claims: Vec<Claim>,
    /// Caps that nothing reads.
    pub unread: Vec<Unread>,
    /// Documentation examples that a test run could execute: the crate's name and the first of them.
    pub examples: Vec<(String, Place)>,
    /// Some command runs documentation examples alone.
    pub doctests: bool,
    /// Folders of behave: what they hold in `environment.py` and `steps/` runs for every scenario.
    pub behave: Vec<String>,
    /// The oldest Python of each package that names one, by its folder, the deepest first.
    pub pythons: Vec<(String, (u8, u8))>,
    /// A Cargo project in which nothing sets Python up or runs it: its Python files are samples, inputs of its own tests.
    pub python_is_data: bool,
    /// Modules of the project that pytest loads as plugins: entry points `pytest11`, and `-p` in its configuration.
    pub plugins: Vec<String>,
    /// What nextest's configuration says about single tests, strongest first.
    pub queues: Vec<Queue>,
    /// Ports of the host that services of compose files take.
    pub published: Vec<Published>,
}

/// A port of the host that a service of a compose file takes for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    pub service: String,
    pub port: String,
    pub place: super::trace::Place,
    /// The file stands among tests, or is named after them.
    pub for_tests: bool,
}

/// An override of a nextest profile that keeps tests from running beside others (nextest documentation, "Test groups for mutual
/// exclusion" and "Heavy tests and `threads-required`").
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// The workspace that the configuration is for, relative to the project.
    pub scope: String,
    pub filter: Filter,
    pub hold: Hold,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hold {
    /// A test group and how many of its tests run at once.
    Group(String, u32),
    /// As many threads as there are.
    Alone,
}

/// A nextest filterset, as far as it is understood (nextest documentation, "Filterset DSL reference").
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    All,
    Test(Match),
    Binary(Match),
    Package(Match),
    Not(Box<Filter>),
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Match {
    Equal(String),
    Contains(String),
    Glob(String),
}

impl Filter {
    /// Whether it selects a test; none where that is not known.
    pub fn matches(&self, test: &str, binary: &str, package: &str) -> Option<bool> {
        match self {
            Filter::All => Some(true),
            Filter::Test(one) => Some(one.fits(test)),
            Filter::Binary(one) => Some(one.fits(binary)),
            Filter::Package(one) => Some(one.fits(package)),
            Filter::Not(inner) => inner.matches(test, binary, package).map(|fits| !fits),
            Filter::And(all) => settle(all.iter().map(|one| one.matches(test, binary, package)), false),
            Filter::Or(all) => settle(all.iter().map(|one| one.matches(test, binary, package)), true),
            Filter::Unknown => None,
        }
    }
}

/// One answer of several: `decides` settles it, and else all must be known.
fn settle(mut answers: impl Iterator<Item = Option<bool>> + Clone, decides: bool) -> Option<bool> {
    if answers.clone().any(|one| one == Some(decides)) {
        return Some(decides);
    }
    answers.all(|one| one.is_some()).then_some(!decides)
}

impl Match {
    fn fits(&self, text: &str) -> bool {
        match self {
            Match::Equal(name) => text == name || text.replace('_', "-") == name.replace('_', "-"),
            Match::Contains(part) => text.contains(part.as_str()),
            Match::Glob(pattern) => fnmatch(pattern, text) || fnmatch(&pattern.replace('-', "_"), &text.replace('-', "_")),
        }
    }
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
    /// Folders or files below `root`, or globs of them; empty where all of it is searched.
    pub testpaths: Vec<String>,
    /// Globs for names of folders that are not entered.
    pub norecursedirs: Vec<String>,
    /// Files and folders below `root` that are left out, or globs of them: `--ignore`, `--ignore-glob`.
    pub left_out: Vec<String>,
    pub doctest_modules: bool,
    /// Fixtures that every test uses.
    pub usefixtures: Vec<String>,
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
    /// Names of all dependencies, dev-dependencies included, as code names them, sorted. Without build-dependencies, which tests cannot
    /// use.
    pub dependencies: Vec<String>,
    /// Those of them that the crate itself may use, and not its tests alone.
    pub own_dependencies: Vec<String>,
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

/// Variables that name the user's directories, and where these are by default (XDG Base Directory Specification).
pub const HOMES: &[(&str, &str)] = &[
    ("HOME", ""),
    ("USERPROFILE", ""),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
];

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
    /// Its environment says where the user's directories are: `HOME`, `XDG_CACHE_HOME`.
    pub own_home: bool,
    /// Each of its processes works in a new folder.
    pub own_folder: bool,
    pub notebooks: Notebooks,
    /// Files and folders of the project, or globs of them, that the command leaves out.
    pub left_out: Vec<String>,
    /// The expression by which pytest chooses tests by their marks, where it is known.
    pub marks: Option<String>,
    /// Isolint's own configuration says so: what else was found about these tests does not count.
    pub declared: bool,
}

/// The runners that isolint's own configuration may name.
pub const RUNNERS: [&str; 11] = [
    "pytest",
    "pytest-xdist",
    "pytest-run-parallel",
    "unittest",
    "unittest-parallel",
    "django",
    "stestr",
    "behave",
    "behavex",
    "cargo-test",
    "cargo-nextest",
];

/// A run that isolint's own configuration declares.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Declared {
    /// One of [`RUNNERS`].
    pub runner: String,
    pub workers: Option<Workers>,
    pub dist: Option<Dist>,
    /// Relative to the project; `""` for all tests of the runner's language.
    pub scope: String,
    /// The configuration file, its line, and the setting in it.
    pub file: String,
    pub line: usize,
    pub span: Span,
}

/// Which notebooks a run carries out, and in which processes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Notebooks {
    None,
    /// Notebooks alone, in the processes of its workers, one after the other: what one imports or sets, the next one meets (nbdev).
    InWorkers,
    /// Notebooks beside other tests, each in a kernel process of its own: pytest with this option (nbmake, nbval).
    InKernels(&'static str),
}

/// How a run carries tests out: it decides who may run beside whom (`link::overlap`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Runner {
    /// pytest without xdist, `unittest`, `python -m doctest`: one by one in one process.
    Sequential,
    /// `pytest -n`, by `--dist` mode.
    Xdist(Dist),
    /// Tests in threads of one process: pytest-parallel.
    PythonThreads,
    /// One test after the other, each in several threads at once: pytest-run-parallel ("how it works": it wraps the test function).
    Copies,
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

impl Dist {
    /// By the words that `--dist` takes (pytest-xdist documentation, "Running tests across multiple CPUs").
    pub const ALL: [(&'static str, Dist); 6] = [
        ("load", Dist::Load),
        ("loadscope", Dist::LoadScope),
        ("loadfile", Dist::LoadFile),
        ("loadgroup", Dist::LoadGroup),
        ("worksteal", Dist::WorkSteal),
        ("each", Dist::Each),
    ];
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Workers {
    One,
    Fixed(u32),
    /// As many as there are CPUs.
    Cpus,
    Unknown,
}

impl Default for Discovery {
    /// What pytest does without configuration (pytest documentation, "Configuration options").
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Discovery {
            root: String::new(),
            python_files: list(&["test_*.py", "*_test.py"]),
            python_classes: list(&["Test"]),
            python_functions: list(&["test"]),
            testpaths: Vec::new(),
            norecursedirs: list(&["*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}"]),
            left_out: Vec::new(),
            doctest_modules: false,
            usefixtures: Vec::new(),
        }
    }
}

impl Discovery {
    /// The file's name is that of a test file. Where it lies is another question: [`Discovery::searches`].
    pub fn names_file(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.python_files.iter().any(|pattern| {
            if pattern.contains('/') {
                // pytest matches the absolute path; a relative pattern may start anywhere.
                fnmatch(pattern, path) || fnmatch(&format!("*/{pattern}"), path)
            } else {
                fnmatch(pattern, name)
            }
        })
    }

    /// A plain `pytest` in `root` comes by this file: it lies in `testpaths`, and in no folder that is not entered.
    pub fn searches(&self, path: &str) -> bool {
        let Some(inner) = below(path, &self.root) else { return false };
        let start =
            if self.testpaths.is_empty() { Some(0) } else { self.testpaths.iter().filter_map(|entry| reach(entry, inner)).max() };
        let Some(start) = start else { return false };
        let mut folders: Vec<&str> = inner.split('/').skip(start).collect();
        folders.pop();
        !folders.iter().any(|folder| self.norecursedirs.iter().any(|pattern| !pattern.contains('/') && fnmatch(pattern, folder)))
    }

    /// `--ignore` in `addopts` keeps pytest from a file, or from a folder around it.
    pub fn leaves_out(&self, path: &str) -> bool {
        below(path, &self.root).is_some_and(|inner| left_out(inner, &self.left_out))
    }

    /// A class of this name is collected (subclasses of `unittest.TestCase` are, under any name).
    pub fn names_class(&self, name: &str) -> bool {
        self.python_classes.iter().any(|pattern| names(pattern, name))
    }

    pub fn names_function(&self, name: &str) -> bool {
        self.python_functions.iter().any(|pattern| names(pattern, name))
    }
}

/// Whether a path or a folder around it is one of some paths and globs. A star stands for slashes too (pytest documentation, "Ignoring
/// paths during test collection").
pub fn left_out(path: &str, patterns: &[String]) -> bool {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    patterns.iter().any(|pattern| ends.clone().any(|end| &path[..end] == pattern.as_str() || fnmatch(pattern, &path[..end])))
}

/// A prefix, or a glob.
fn names(pattern: &str, name: &str) -> bool {
    name.starts_with(pattern) || (pattern.contains(['*', '?', '[']) && fnmatch(pattern, name))
}

/// How many parts of `path` the entry of `testpaths` covers; none where `path` does not lie in it.
fn reach(entry: &str, path: &str) -> Option<usize> {
    let entry = entry.trim_start_matches("./").trim_end_matches('/');
    if entry.is_empty() || entry == "." {
        return Some(0);
    }
    let mut parts = path.split('/');
    let mut count = 0;
    for wanted in entry.split('/') {
        if wanted == "**" {
            return Some(count);
        }
        if !fnmatch(wanted, parts.next()?) {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// `path` relative to `dir`, where it lies in it.
pub fn below<'a>(path: &'a str, dir: &str) -> Option<&'a str> {
    if dir.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(dir)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

/// Shell-style matching as Python's `fnmatch` does it: `*` crosses `/`, nothing is escaped. Quadratic at worst.
pub fn fnmatch(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => set(&pattern, p, text[t]),
            Some(c) if *c == text[t] => Some(p + 1),
            _ => None,
        };
        match (step, star) {
            (Some(next), _) => {
                p = next;
                t += 1;
            }
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Matches one character against the `[…]` at `at`; gives the place behind it.
fn set(pattern: &[char], at: usize, c: char) -> Option<usize> {
    let negated = pattern.get(at + 1) == Some(&'!');
    let first = at + 1 + usize::from(negated);
    // A bracket that stands first is a member.
    let Some(close) = pattern.iter().skip(first + 1).position(|c| *c == ']').map(|n| n + first + 1) else {
        return (c == '[').then_some(at + 1);
    };
    let members = &pattern[first..close];
    let mut found = false;
    let mut n = 0;
    while n < members.len() {
        if n + 2 < members.len() && members[n + 1] == '-' {
            found |= members[n] <= c && c <= members[n + 2];
            n += 3;
        } else {
            found |= members[n] == c;
            n += 1;
        }
    }
    (found != negated).then_some(close + 1)
}

impl Runner {
    /// It runs Rust tests; all others run Python's.
    pub fn is_rust(self) -> bool {
        matches!(self, Runner::CargoTest | Runner::Nextest)
    }

    /// Whether what runs at once are threads of one process.
    pub fn is_threads(self) -> bool {
        matches!(self, Runner::CargoTest | Runner::PythonThreads | Runner::Copies)
    }
}

impl Setup {
    /// The runs that carry out the tests of a file: those that are declared for it, and only where there are none those that were found.
    pub fn runs_of(&self, path: &str, rust: bool) -> impl Iterator<Item = &Run> + Clone {
        let declared = self.is_declared(path, rust);
        self.runs
            .iter()
            .filter(move |run| run.declared == declared && run.runner.is_rust() == rust)
            .filter(move |run| run.carries(path))
    }

    /// Whether the processes that run the tests of a Python file work in new folders: some do, and no other run has several.
    pub fn runs_in_own_folders(&self, path: &str) -> bool {
        let runs = self.runs_of(path, false);
        runs.clone().any(|run| run.own_folder) && runs.clone().all(|run| run.own_folder || run.runner == Runner::Sequential)
    }

    /// Isolint's own configuration says how the tests of a file are run.
    pub fn is_declared(&self, path: &str, rust: bool) -> bool {
        self.runs.iter().any(|run| run.declared && run.runner.is_rust() == rust && run.carries(path))
    }

    /// The discovery settings that hold for a file: of the deepest root that contains it, else the default.
    pub fn discovery_for(&self, path: &str) -> &Discovery {
        static DEFAULT: OnceLock<Discovery> = OnceLock::new();
        self.discovery
            .iter()
            .filter(|discovery| below(path, &discovery.root).is_some())
            .max_by_key(|discovery| discovery.root.len())
            .unwrap_or_else(|| DEFAULT.get_or_init(Discovery::default))
    }

    /// A Python file in which tests are looked for: by its name, where it lies, and what is run by name although it lies elsewhere.
    pub fn is_test_file(&self, path: &str) -> bool {
        if self.python_is_data {
            return false;
        }
        let discovery = self.discovery_for(path);
        let found = discovery.searches(path) || self.is_run_by_name(path, discovery);
        discovery.names_file(path) && !discovery.leaves_out(path) && found || self.runs.iter().any(|run| run.scope == path)
    }

    /// A notebook that some run carries out.
    pub fn is_test_notebook(&self, path: &str) -> bool {
        let discovery = self.discovery_for(path);
        self.runs.iter().any(|run| {
            let found = match run.notebooks {
                Notebooks::None => false,
                Notebooks::InWorkers => true,
                Notebooks::InKernels(_) => discovery.searches(path) || run.scope.len() > discovery.root.len(),
            };
            found && run.carries(path)
        })
    }

    /// A command names the file or a folder around it below the root of its configuration: `testpaths` do not hold for it.
    fn is_run_by_name(&self, path: &str, discovery: &Discovery) -> bool {
        self.runs.iter().any(|run| {
            run.scope.len() > discovery.root.len()
                && below(path, &run.scope).is_some()
                && !run.runner.is_rust()
                && run.carries(path)
        })
    }

    /// A Python file that runs along with tests: `conftest.py`, behave's `environment.py` and steps.
    pub fn is_test_support(&self, path: &str) -> bool {
        path == "conftest.py" || path.ends_with("/conftest.py") || self.is_behave_file(path)
    }

    /// behave's `environment.py`, or a file in `steps/` (behave documentation, "Feature Testing Setup").
    pub fn is_behave_file(&self, path: &str) -> bool {
        path.ends_with(".py")
            && self
                .behave
                .iter()
                .filter_map(|dir| below(path, dir))
                .any(|rest| rest == "environment.py" || rest.starts_with("steps/"))
    }

    /// The oldest Python that a file has to run with: what its package says, else the oldest that has not reached its end.
    pub fn python_of(&self, path: &str) -> (u8, u8) {
        self.pythons.iter().find(|(dir, _)| below(path, dir).is_some()).map_or((3, 9), |(_, version)| *version)
    }

    /// The package that a file belongs to: the one whose folder is deepest.
    pub fn crate_of(&self, path: &str) -> Option<&Crate> {
        self.crates.iter().filter(|package| below(path, &package.dir).is_some()).max_by_key(|package| package.dir.len())
    }
}

impl Run {
    /// Whether the run carries out the tests of a file, as far as its name and folder say.
    pub fn carries(&self, path: &str) -> bool {
        let Some(inner) = below(path, &self.scope) else { return false };
        if left_out(path, &self.left_out) {
            return false;
        }
        let is_notebook = path.ends_with(".ipynb");
        match self.notebooks {
            Notebooks::None => !is_notebook,
            // nbdev passes over names with an underscore or a dot before them.
            Notebooks::InWorkers => is_notebook && !inner.split('/').any(|part| part.starts_with(['_', '.'])),
            Notebooks::InKernels(_) => true,
        }
    }
}

impl Crate {
    /// What a file is the root of, if it is the root of a target.
    pub fn target_of(&self, path: &str) -> Option<Target> {
        self.targets.iter().find(|(root, _)| root == path).map(|(_, target)| *target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_python() {
        for (pattern, text) in [
            ("test_*.py", "test_a.py"),
            ("*", "a/b"),
            ("*_test.py", "a_test.py"),
            ("t[ae]st?.py", "test1.py"),
            ("[!a]b", "cb"),
            ("[0-9]x", "7x"),
            ("[]]", "]"),
            ("{arch}", "{arch}"),
            ("[x", "[x"),
            ("", ""),
            ("a**b", "ab"),
        ] {
            assert!(fnmatch(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("test_*.py", "atest_a.py"), ("[!a]b", "ab"), ("?", ""), ("a", "ab"), ("[0-9]x", "ax"), ("*.py", "a.pyc")]
        {
            assert!(!fnmatch(pattern, text), "{pattern} {text}");
        }
        assert!(!fnmatch(&"*a".repeat(500), &"a".repeat(499)));
    }

    #[test]
    fn the_deepest_root_speaks() {
        let inner = Discovery { root: "libs/x".into(), python_files: vec!["check_*.py".into()], ..Discovery::default() };
        let setup = Setup { discovery: vec![inner, Discovery::default()], ..Setup::default() };
        assert!(setup.is_test_file("libs/x/check_a.py"));
        assert!(!setup.is_test_file("libs/x/test_a.py"));
        assert!(setup.is_test_file("libs/xy/test_a.py"));
        assert!(setup.is_test_file("a_test.py"));
        assert_eq!(Setup::default().discovery_for("x.py"), &Discovery::default());
    }

    #[test]
    fn testpaths_and_folders_not_entered() {
        let discovery = Discovery { testpaths: vec!["tests".into(), "src/*/check".into()], ..Discovery::default() };
        assert!(discovery.searches("tests/a/test_x.py"));
        assert!(discovery.searches("src/p/check/test_x.py"));
        assert!(!discovery.searches("src/test_util.py"));
        assert!(!discovery.searches("tests/build/test_x.py"));
        assert!(!discovery.searches("tests/.venv/test_x.py"));
        let named = Discovery { testpaths: vec!["./build/".into()], ..Discovery::default() };
        assert!(named.searches("build/test_x.py"));
        assert!(!Discovery::default().searches("venv/test_x.py"));
        let run = |scope: &str| Run {
            runner: Runner::Sequential,
            workers: Workers::One,
            scope: scope.into(),
            place: None,
            text: String::new(),
            own_home: false,
            own_folder: false,
            notebooks: Notebooks::None,
            left_out: Vec::new(),
            marks: None,
            declared: false,
        };
        let mut setup = Setup { discovery: vec![discovery], runs: vec![run("")], ..Setup::default() };
        assert!(!setup.is_test_file("src/test_util.py"));
        setup.runs.push(run("src"));
        assert!(setup.is_test_file("src/test_util.py"));
        assert!(!setup.is_test_file("src/util.py"));
        setup.runs.push(run("src/util.py"));
        assert!(setup.is_test_file("src/util.py"));
    }

    #[test]
    fn notebooks_are_carried_out_where_a_run_says_so() {
        let run = |scope: &str, notebooks| Run {
            runner: Runner::ProcessPool,
            workers: Workers::Cpus,
            scope: scope.into(),
            place: None,
            text: String::new(),
            own_home: false,
            own_folder: false,
            notebooks,
            left_out: Vec::new(),
            marks: None,
            declared: false,
        };
        let nbdev = Setup { runs: vec![run("nbs", Notebooks::InWorkers)], ..Setup::default() };
        assert!(nbdev.is_test_notebook("nbs/api/a.ipynb"));
        for other in ["nbs/_a.ipynb", "nbs/_x/a.ipynb", "docs/a.ipynb"] {
            assert!(!nbdev.is_test_notebook(other), "{other}");
        }
        assert!(!nbdev.runs[0].carries("nbs/test_a.py"));
        let discovery = Discovery { testpaths: vec!["tests".into()], ..Discovery::default() };
        let runs = vec![run("", Notebooks::InKernels("--nbmake")), run("docs", Notebooks::InKernels("--nbmake"))];
        let kernels = Setup { discovery: vec![discovery], runs, ..Setup::default() };
        assert!(kernels.is_test_notebook("tests/a.ipynb") && kernels.is_test_notebook("docs/a.ipynb"));
        assert!(!kernels.is_test_notebook("examples/a.ipynb"));
        assert!(!Setup { runs: vec![run("", Notebooks::None)], ..Setup::default() }.is_test_notebook("a.ipynb"));
    }

    #[test]
    fn names_are_prefixes_or_globs() {
        let discovery = Discovery {
            python_functions: vec!["test_*".into(), "check".into()],
            python_files: vec!["tests/unit_*.py".into()],
            ..Discovery::default()
        };
        assert!(discovery.names_function("test_a") && discovery.names_function("checks") && !discovery.names_function("testa"));
        assert!(discovery.names_class("TestA") && !discovery.names_class("ATest"));
        assert!(
            discovery.names_file("tests/unit_a.py")
                && discovery.names_file("x/tests/unit_a.py")
                && !discovery.names_file("unit_a.py")
        );
    }

    #[test]
    fn support_files() {
        let setup = Setup { behave: vec!["features".into()], ..Setup::default() };
        assert!(
            setup.is_test_support("conftest.py")
                && setup.is_test_support("a/conftest.py")
                && !setup.is_test_support("myconftest.py")
        );
        assert!(setup.is_test_support("features/environment.py") && setup.is_test_support("features/steps/a.py"));
        assert!(!setup.is_test_support("environment.py") && !setup.is_test_support("features/steps/a.txt"));
    }

    #[test]
    fn files_belong_to_the_deepest_crate() {
        let package = |name: &str, dir: &str| Crate {
            name: name.into(),
            dir: dir.into(),
            targets: vec![(format!("{dir}/src/lib.rs").trim_start_matches('/').to_owned(), Target::Lib)],
            dependencies: Vec::new(),
            own_dependencies: Vec::new(),
            edition: 2021,
        };
        let setup = Setup { crates: vec![package("a", ""), package("b", "crates/b")], ..Setup::default() };
        assert_eq!(setup.crate_of("crates/b/src/lib.rs").unwrap().name, "b");
        assert_eq!(setup.crate_of("crates/bb/src/lib.rs").unwrap().name, "a");
        let found = setup.crate_of("src/lib.rs").unwrap();
        assert_eq!((found.target_of("src/lib.rs"), found.target_of("src/x.rs")), (Some(Target::Lib), None));
    }
}

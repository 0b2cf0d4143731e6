//! The only reader of the tree: which folder is the project, which files are looked at, and their text.

use crate::check::Skipped;
use crate::config::{self, Config, Globs, Held, Home, Settings};
use crate::facts::run::Declared;
use crate::notebook;
use crate::text::{Kind, Source};
use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Files of more bytes are skipped and named: no hand writes them, and a parser's memory grows with them.
pub const MAX_BYTES: u64 = 2 * 1024 * 1024;

/// A notebook holds what its cells gave too, pictures above all.
pub const MAX_NOTEBOOK_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file that the user named is passed over.
const UNKNOWN: &str = "neither Python nor Rust, no notebook, nor configuration that is known";

/// Files that mark a project where there is no `.git`.
const MANIFESTS: [&str; 4] = ["pyproject.toml", "Cargo.toml", "setup.cfg", "tox.ini"];

/// Files that GitLab's configuration may include: GitLab takes no more.
const INCLUDED: usize = 150;

/// Hidden names that are looked at all the same: they say how tests are run.
const SEEN_HIDDEN: [&str; 16] = [
    ".github",
    ".forgejo",
    ".gitea",
    ".gitlab",
    ".circleci",
    ".azure-pipelines",
    ".ci",
    ".config",
    ".cargo",
    ".gitlab-ci",
    ".gitlab-ci.d",
    ".gitlab-ci.yml",
    ".pytest.ini",
    ".pytest.toml",
    ".justfile",
    ".isolint.toml",
];

/// Folders of other people's code and of build products, by name.
const FOREIGN: [&str; 4] = ["node_modules", "__pycache__", "site-packages", "__pypackages__"];

/// Folders that no default leaves out: only an ignore file or the user's own globs do.
const TESTS: [&str; 5] = ["tests", "test", "testing", "fixtures", "testdata"];

/// A folder that holds one of these is a virtual environment: venv (PEP 405), older virtualenv, conda.
const ENVIRONMENTS: [&str; 4] = ["pyvenv.cfg", "bin/activate_this.py", "Scripts/activate_this.py", "conda-meta/history"];

/// What the walk reads in each folder that it enters, whatever it is.
const IGNORE_FILES: [&str; 4] = [".gitignore", ".ignore", ".isolintignore", ".git/info/exclude"];

/// How every `CACHEDIR.TAG` begins (Cache Directory Tagging Specification). Cargo writes one into its target folder.
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// The folder that is analysed, and what of it the user asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// Without symbolic links.
    pub root: PathBuf,
    /// What the user named, without symbolic links, sorted; never empty.
    pub named: Vec<PathBuf>,
    /// The root has `.git` or a manifest, so all of it is analysed; else only what the user named.
    pub whole: bool,
}

/// Which configuration files count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin<'a> {
    /// Those of the project and of its folders.
    Project,
    /// This one alone, as the user named it.
    File(&'a Path),
    /// None.
    Nowhere,
}

/// A project with its configuration and all that is to be looked at.
#[derive(Debug)]
pub struct Opened {
    pub config: Config,
    /// The file of the baseline, where the configuration names one.
    pub baseline: Option<PathBuf>,
    pub found: Found,
}
/// Texts of documents that are open in an editor, by their path without symbolic links.
pub type Open = BTreeMap<PathBuf, Arc<str>>;

/// What was read, sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub root: PathBuf,
    pub sources: Vec<Source>,
    /// What should have been read, and was not.
    pub skipped: Vec<Skipped>,
    /// What the user named, though there is nothing in it for us: excluded, or of no kind that we read.
    pub passed_over: Vec<Skipped>,
}

/// Why there is nothing to look at.
#[derive(Debug)]
pub enum Wrong {
    /// A path that the user named cannot be read.
    Path { path: PathBuf, error: io::Error },
    /// It is neither a file nor a folder.
    Special { path: PathBuf },
    /// A glob to exclude does not parse.
    Glob { glob: String, error: String },
    /// A file that must be read, and cannot.
    Unread { path: PathBuf, why: String },
    /// A configuration file says what it cannot mean.
    Setting(config::Wrong),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Path { path, error } if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "{}: there is no such file or folder; check the spelling, or the folder you are in", path.display())
            }
            Wrong::Path { path, error } if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(f, "{}: no permission to read it; change its mode, or run as its owner", path.display())
            }
            Wrong::Path { path, error } => write!(f, "{}: {error}; name a path that can be read", path.display()),
            Wrong::Special { path } => {
                write!(f, "{}: neither a file nor a folder; save what it gives to a file, and name that", path.display())
            }
            Wrong::Glob { glob, error } => write!(f, "cannot exclude `{glob}`: {error}; see `isolint check --help`"),
            Wrong::Unread { path, why } => write!(f, "{}: cannot be read: {why}", path.display()),
            Wrong::Setting(wrong) => write!(f, "{wrong}"),
        }
    }
}

impl std::error::Error for Wrong {}

impl Wrong {
    fn named(path: &Path, why: Why) -> Wrong {
        match why {
            Why::Io(error) => Wrong::Path { path: path.to_owned(), error },
            Why::Said(why) => Wrong::Unread { path: path.to_owned(), why },
        }
    }
}

/// Finds the project of the paths that the user named (the current folder where there are none): the nearest ancestor with `.git`,
/// else the topmost folder with a manifest, else the deepest folder that holds them all.
///
/// # Errors
/// A path that does not exist, cannot be reached, or is no file or folder.
pub fn locate(paths: &[PathBuf]) -> Result<Project, Wrong> {
    let here = [PathBuf::from(".")];
    let mut named = Vec::new();
    let mut common: Option<PathBuf> = None;
    for path in if paths.is_empty() { &here } else { paths } {
        let wrong = |error| Wrong::Path { path: path.clone(), error };
        let real = fs::canonicalize(path).map_err(wrong)?;
        let kind = fs::metadata(&real).map_err(wrong)?;
        if !kind.is_file() && !kind.is_dir() {
            return Err(Wrong::Special { path: path.clone() });
        }
        // Asked for now, so that the answer names the path as the user wrote it.
        if kind.is_dir() {
            fs::read_dir(&real).map_err(wrong)?;
        } else {
            File::open(&real).map_err(wrong)?;
        }
        let folder = if kind.is_dir() { real.as_path() } else { real.parent().unwrap_or(&real) };
        common = Some(common.map_or_else(|| folder.to_owned(), |other| shared(&other, folder)));
        named.push(real);
    }
    named.sort();
    named.dedup();
    let common = common.unwrap_or_default();
    let marked = common.ancestors().find(|folder| folder.join(".git").exists()).or_else(|| {
        let with_manifest = |folder: &&Path| MANIFESTS.iter().any(|name| folder.join(name).is_file());
        common.ancestors().filter(with_manifest).last()
    });
    Ok(Project { root: marked.unwrap_or(&common).to_owned(), named, whole: marked.is_some() })
}

/// Finds the project of a file that need not be there: what an editor holds and has not saved. It must be in a folder that is. Gives
/// its path relative to the project too.
///
/// # Errors
/// The folder does not exist or cannot be reached, or the path names no file.
pub fn locate_file(path: &Path) -> Result<(Project, String), Wrong> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let project = locate(&[folder.to_owned()])?;
    let no_name = || Wrong::Unread { path: path.to_owned(), why: "it names no file".into() };
    let name = relative(&project.root, &project.named[0].join(path.file_name().ok_or_else(no_name)?));
    Ok((project, name))
}

/// The deepest folder that holds both.
fn shared(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

impl Project {
    /// What the report is filtered by: the named paths relative to the root; empty where the root itself was named.
    pub fn filter(&self) -> Vec<String> {
        let paths: Vec<String> = self.named.iter().map(|path| relative(&self.root, path)).collect();
        if paths.iter().any(String::is_empty) { Vec::new() } else { paths }
    }

    /// Reads the configuration and all that is to be looked at. `exclude` are globs beside those of the configuration.
    ///
    /// # Errors
    /// A configuration file that cannot be read, or says what it cannot mean; else as [`Project::read`].
    pub fn open(&self, origin: Origin, exclude: &[String], jobs: usize) -> Result<Opened, Wrong> {
        self.open_with(origin, exclude, jobs, &Open::new())
    }

    /// The same, with the texts of open documents, as for [`Project::read_with`].
    ///
    /// # Errors
    /// As [`Project::open`].
    pub fn open_with(&self, origin: Origin, exclude: &[String], jobs: usize, open: &Open) -> Result<Opened, Wrong> {
        let rules = config::rule_names();
        let settings = match origin {
            Origin::Project => self.configuration()?.map(|(_, settings)| settings).unwrap_or_default(),
            Origin::File(path) => {
                let beside = fs::canonicalize(path).ok().and_then(|real| Some(real.parent()?.to_owned()));
                let reader = Reader { beside, ..self.reader(Home::Root, &rules) };
                let settings = reader.settings(path, &path.to_string_lossy())?;
                settings.ok_or_else(|| Wrong::Unread { path: path.to_owned(), why: "it has no table for isolint".into() })?
            }
            Origin::Nowhere => Settings::default(),
        };
        let baseline = settings.baseline.as_ref().map(|path| self.root.join(path));
        if let Some(path) = baseline.as_ref().filter(|path| !leads_below(path, &self.root)) {
            let why = "it is outside the project; let `baseline` name a file in it, or give it with --baseline".into();
            return Err(Wrong::Unread { path: path.clone(), why });
        }
        if let Some(path) = baseline.as_ref().filter(|path| fs::metadata(path).is_ok_and(|meta| !meta.is_file())) {
            return Err(Wrong::Unread { path: path.clone(), why: "no regular file".into() });
        }
        let mut config = Config { jobs, ..Config::default() };
        settings.apply(&mut config);
        config.exclude.extend(exclude.iter().cloned());
        let mut found = self.read_with(&config.exclude, jobs, open)?;
        found.show(&config.runs);
        if origin == Origin::Project {
            for (folder, nested) in self.nested(&found.sources, &rules)? {
                config.nest(&folder, nested);
            }
        }
        Ok(Opened { config, baseline, found })
    }

    /// The first of the root's configuration files that speaks of us, and what it says.
    ///
    /// # Errors
    /// It cannot be read, or says what it cannot mean.
    pub fn configuration(&self) -> Result<Option<(&'static str, Settings)>, Wrong> {
        let rules = config::rule_names();
        let reader = self.reader(Home::Root, &rules);
        for name in config::FILES {
            let path = self.root.join(name);
            if path.is_file()
                && let Some(settings) = reader.settings(&path, name)?
            {
                return Ok(Some((name, settings)));
            }
        }
        Ok(None)
    }

    /// Reads the settings of folders below the root that have a configuration of their own, outer ones first: the folder, and what
    /// holds there.
    fn nested(&self, sources: &[Source], rules: &[&str]) -> Result<Vec<(String, Settings)>, Wrong> {
        let mut folders: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for source in sources.iter().filter(|source| source.kind == Kind::Config) {
            if let Some((folder, name)) = source.path.rsplit_once('/')
                && let Some(n) = config::FILES.iter().position(|known| *known == name)
                && (source.text.contains("isolint") || name.contains("isolint"))
            {
                folders.entry(folder).or_default().insert(n);
            }
        }
        let mut found = Vec::new();
        for (folder, names) in folders {
            for n in names {
                let name = format!("{folder}/{}", config::FILES[n]);
                if let Some(settings) = self.reader(Home::Nested, rules).settings(&self.root.join(&name), &name)? {
                    found.push((folder.to_owned(), settings));
                    break;
                }
            }
        }
        Ok(found)
    }

    fn reader<'a>(&'a self, home: Home, rules: &'a [&'a str]) -> Reader<'a> {
        Reader { root: &self.root, beside: None, home, rules }
    }

    /// Reads all that is to be looked at. `exclude` are globs relative to the root: `build/**`, or a bare name for any depth; what
    /// lies below an excluded folder is excluded too, and so is a file that the user named. `jobs` is the number of threads, 0 for
    /// as many as the process may use.
    ///
    /// # Errors
    /// A named file that cannot be read, or a glob that does not parse.
    pub fn read(&self, exclude: &[String], jobs: usize) -> Result<Found, Wrong> {
        self.read_with(exclude, jobs, &Open::new())
    }

    /// The same, with the texts of documents that are open in an editor in the place of their files. One that has no file yet is read
    /// as if it had.
    ///
    /// # Errors
    /// A named file that cannot be read, or a glob that does not parse.
    pub fn read_with(&self, exclude: &[String], jobs: usize, open: &Open) -> Result<Found, Wrong> {
        let exclude = globs(exclude)?;
        let mut tree = Tree::default();
        let within = if self.whole { Vec::new() } else { self.named.clone() };
        walk(&self.root, &self.root, within, &exclude, jobs, &mut tree);
        let mut passed_over = Vec::new();
        for path in &self.named {
            let name = relative(&self.root, path);
            if exclude.covers(&name) {
                passed_over.push(Skipped { path: name, why: "excluded, though named".into() });
            } else if path.is_dir() {
                // Ignored, or below something ignored; but asked for.
                if !tree.folders.contains(path) {
                    walk(&self.root, path, Vec::new(), &exclude, jobs, &mut tree);
                }
            } else if let Some(kind) = kind(&name) {
                tree.files.insert((name, path.clone()), kind);
            } else {
                passed_over.push(Skipped { path: name, why: UNKNOWN.into() });
            }
        }
        for path in open.keys().filter(|path| path.starts_with(&self.root) && !path.exists()) {
            let name = relative(&self.root, path);
            if let Some(kind) = kind(&name).filter(|_| self.whole && !exclude.covers(&name)) {
                tree.files.insert((name, path.clone()), kind);
            }
        }
        let files: Vec<(String, PathBuf, Kind)> = tree.files.into_iter().map(|((name, path), kind)| (name, path, kind)).collect();
        let one = |(name, path, kind): &(String, PathBuf, Kind)| match open.get(path) {
            Some(text) => opened(name, *kind, text),
            None => read(name, path, *kind),
        };
        let read = || files.par_iter().map(one).collect();
        let results: Vec<Result<Source, Why>> = match rayon::ThreadPoolBuilder::new().num_threads(jobs).build() {
            Ok(pool) => pool.install(read),
            // No thread is to be had: the calling one does it all.
            Err(_) => files.iter().map(one).collect(),
        };
        let mut found = Found { root: self.root.clone(), sources: Vec::new(), skipped: tree.skipped, passed_over };
        for ((name, path, _), result) in files.iter().zip(results) {
            match result {
                Ok(source) => found.sources.push(source),
                Err(Why::Io(error)) if self.named.contains(path) => return Err(Wrong::Path { path: path.clone(), error }),
                Err(why) => found.skipped.push(Skipped { path: name.clone(), why: why.to_string() }),
            }
        }
        found.included(&tree.others);
        found.skipped.sort();
        found.skipped.dedup();
        Ok(found)
    }
}

impl Found {
    /// Adds the files that declare runs, so that they can be shown as evidence; those outside the project are named, and not shown.
    fn show(&mut self, runs: &[Declared]) {
        for run in runs {
            if let Err(at) = self.sources.binary_search_by(|source| (*source.path).cmp(run.file.as_str()))
                && !Path::new(&run.file).is_absolute()
                && let Ok(source) = read(&run.file, &self.root.join(&run.file), Kind::Config)
            {
                self.sources.insert(at, source);
            }
        }
    }

    /// Takes these bytes for those of a file of the project, whether it is there or not, as if the user had named it.
    ///
    /// # Errors
    /// They are no text, or a glob to exclude does not parse.
    pub fn put(&mut self, name: &str, given: &[u8], exclude: &[String]) -> Result<(), Wrong> {
        self.sources.retain(|source| &*source.path != name);
        self.skipped.retain(|skipped| skipped.path != name);
        let kind = match kind(name) {
            _ if globs(exclude)?.covers(name) => Err("excluded, though named"),
            None => Err(UNKNOWN),
            Some(kind) => Ok(kind),
        };
        match kind {
            Ok(kind) if given.len() as u64 > most_bytes(kind) => {
                return Err(Wrong::Unread { path: name.into(), why: too_large(most_bytes(kind)) });
            }
            Ok(kind) => {
                let wrong = |why: Why| Wrong::Unread { path: name.into(), why: why.to_string() };
                self.sources.push(source(name, given, kind).map_err(wrong)?);
                self.sources.sort_by(|a, b| a.path.cmp(&b.path));
            }
            Err(why) => self.passed_over.push(Skipped { path: name.to_owned(), why: why.into() }),
        }
        Ok(())
    }

    /// Reads the files that GitLab's configuration speaks of, by path or by folder, and those that they speak of.
    fn included(&mut self, others: &BTreeMap<String, PathBuf>) {
        let mut open: Vec<String> = self
            .sources
            .iter()
            .filter(|source| &*source.path == ".gitlab-ci.yml")
            .map(|source| source.text.to_string())
            .collect();
        let mut known: BTreeSet<&str> = BTreeSet::new();
        while let Some(text) = open.pop() {
            let speaks = |name: &str| {
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                text.contains(name) || !folder.is_empty() && text.contains(&format!("{folder}/*"))
            };
            let more: Vec<(&String, &PathBuf)> = others.iter().filter(|(name, _)| speaks(name)).collect();
            for (name, path) in more {
                if known.len() < INCLUDED
                    && known.insert(name)
                    && let Ok(source) = read(name, path, Kind::Config)
                {
                    open.push(source.text.to_string());
                    self.sources.push(source);
                }
            }
        }
        if !known.is_empty() {
            self.sources.sort_by(|a, b| a.path.cmp(&b.path));
        }
    }
}

/// Reads configuration files, with those that they extend and the call tables that they name.
struct Reader<'a> {
    root: &'a Path,
    /// The folder of a configuration that the user named: what it names may stand there too.
    beside: Option<PathBuf>,
    home: Home,
    rules: &'a [&'a str],
}

impl Reader<'_> {
    /// The settings of a file; none where it does not speak of us. `name` is what messages call it.
    fn settings(&self, path: &Path, name: &str) -> Result<Option<Settings>, Wrong> {
        self.extended(path, name, &mut Vec::new())
    }

    /// `chain` are the files that led here, with their names.
    fn extended(&self, path: &Path, name: &str, chain: &mut Vec<(PathBuf, String)>) -> Result<Option<Settings>, Wrong> {
        let source = read(name, path, Kind::Config).map_err(|why| Wrong::named(path, why))?;
        let settings = Settings::read(name, &source.text, self.home, self.rules).map_err(|mut wrong| {
            // What may stand in this file can depend on who extends it.
            if let (Home::Nested, Some((_, by))) = (self.home, chain.last()) {
                wrong.what.push_str(&format!("; {by} extends this file"));
            }
            Wrong::Setting(wrong)
        })?;
        let Some(mut settings) = settings else { return Ok(None) };
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let file = real
            .strip_prefix(self.root)
            .map_or_else(|_| real.to_string_lossy().into_owned(), |inside| relative(Path::new(""), inside));
        settings.runs.iter_mut().flatten().for_each(|run| run.file.clone_from(&file));
        for table in &mut settings.calls {
            if let Held::In(named) = &table.held {
                let other = beside(name, &named.path);
                let source = self.named(path, name, named, "files")?.1;
                let read = Settings::call_table(&other, &source.text).map_err(Wrong::Setting)?;
                table.held = Held::Here(Box::new(read));
            }
        }
        chain.push((real, name.to_owned()));
        let Some(named) = settings.extend.take() else { return Ok(Some(settings)) };
        let other = beside(name, &named.path);
        let (base, _) = self.named(path, name, &named, "extend")?;
        let wrong = |what| Wrong::Setting(config::Wrong { file: name.to_owned(), line: named.line, what });
        let same = fs::canonicalize(&base).unwrap_or_else(|_| base.clone());
        if let Some(at) = chain.iter().position(|(known, _)| *known == same) {
            let names: Vec<&str> = chain[at..].iter().map(|(_, name)| name.as_str()).chain([chain[at].1.as_str()]).collect();
            return Err(wrong(format!("`extend` goes round in a circle: {}; take one of them out", names.join(" → "))));
        }
        match self.extended(&base, &other, chain)? {
            Some(base) => Ok(Some(settings.over(base))),
            None => Err(wrong(format!("`extend` names {other}, which has no table for isolint; add one, or name another file"))),
        }
    }

    /// Reads a file that a setting names.
    fn named(&self, path: &Path, name: &str, named: &config::Named, key: &str) -> Result<(PathBuf, Source), Wrong> {
        let other = path.parent().unwrap_or(path).join(&named.path);
        let shown = beside(name, &named.path);
        let wrong = |what: String| Wrong::Setting(config::Wrong { file: name.to_owned(), line: named.line, what });
        if !leads_below(&other, self.root) && !self.beside.as_ref().is_some_and(|folder| leads_below(&other, folder)) {
            return Err(wrong(format!("`{key}` names {shown}, which is outside the project; copy it into the project")));
        }
        let source = read(&shown, &other, Kind::Config).map_err(|why| {
            let why = match why {
                Why::Io(error) if error.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
                why => why.to_string(),
            };
            wrong(format!("`{key}` names {shown}, which cannot be read: {why}; the path is relative to {name}"))
        })?;
        Ok((other, source))
    }
}

/// Whether a path leads to a place below a folder, by whatever links. Of a file that is not there its folder decides; what nothing leads to
/// is nowhere else.
fn leads_below(path: &Path, folder: &Path) -> bool {
    let real = path.ancestors().find_map(|part| fs::canonicalize(part).ok());
    real.is_none_or(|real| real.starts_with(folder))
}

/// How messages call a file that is named relative to another one: `sub/isolint.toml` and `../base.toml` give `base.toml`.
fn beside(name: &str, path: &str) -> String {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|_| !folder.is_empty()).collect();
    for part in path.split('/').filter(|part| !matches!(*part, "." | "")) {
        match (part, parts.last()) {
            ("..", Some(last)) if !matches!(*last, ".." | "") => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads one file that the user named, wherever it is, as Python, a notebook or Rust by its name.
///
/// # Errors
/// It cannot be read, or is none of them.
pub fn file(path: &Path) -> Result<Source, Wrong> {
    let project = locate(&[path.to_owned()])?;
    let name = relative(&project.root, &project.named[0]);
    match kind(&name) {
        Some(kind @ (Kind::Python | Kind::Notebook | Kind::Rust)) => {
            read(&name, &project.named[0], kind).map_err(|why| Wrong::named(path, why))
        }
        _ => Err(Wrong::Unread { path: path.to_owned(), why: "neither a `.py`, `.ipynb` nor a `.rs` file".into() }),
    }
}

/// What a walk has seen. Names are relative to the root and give the order.
#[derive(Default)]
struct Tree {
    /// By name and path: two names that are not Unicode may look alike.
    files: BTreeMap<(String, PathBuf), Kind>,
    /// YAML of any purpose.
    others: BTreeMap<String, PathBuf>,
    folders: BTreeSet<PathBuf>,
    skipped: Vec<Skipped>,
}

/// A folder that cannot be entered: the walk would read its ignore files, and one is a pipe or a device, which may never end.
fn trap(root: &Path, folder: &Path) -> Option<Skipped> {
    let special = |name: &&&str| fs::metadata(folder.join(name)).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
    let name = IGNORE_FILES.iter().find(special)?;
    let shown = relative(root, folder);
    let path = if shown.is_empty() { ".".to_owned() } else { shown };
    Some(Skipped { path, why: format!("its {name} is no regular file; remove it") })
}

/// Walks `top`, a folder at or below `root`. With `within`, only what lies below one of these paths.
fn walk(root: &Path, top: &Path, within: Vec<PathBuf>, exclude: &Globs, jobs: usize, tree: &mut Tree) {
    if let Some(trap) = trap(root, top) {
        return tree.skipped.push(trap);
    }
    let traps: Arc<Mutex<Vec<Skipped>>> = Arc::default();
    let shared = Arc::new((root.to_owned(), top.to_owned(), exclude.clone(), traps.clone()));
    let enter = move |entry: &DirEntry| {
        let (root, top, exclude, traps) = &*shared;
        if entry.file_type().is_some_and(|kind| kind.is_dir())
            && let Some(trap) = trap(root, entry.path())
        {
            traps.lock().unwrap_or_else(PoisonError::into_inner).push(trap);
            return false;
        }
        let path = entry.path();
        let name = entry.file_name().to_str().unwrap_or("");
        path == top
            || (within.is_empty() || within.iter().any(|named| path.starts_with(named) || named.starts_with(path)))
                && (!name.starts_with('.') || SEEN_HIDDEN.contains(&name))
                && !(entry.file_type().is_some_and(|kind| kind.is_dir()) && foreign(path, name))
                && !exclude.fits(&relative(root, path))
    };
    let mut builder = WalkBuilder::new(top);
    builder
        .hidden(false)
        // What lies above the project, or in the user's own git configuration, would make the report depend on the machine.
        .parents(false)
        .git_global(false)
        .require_git(false)
        .follow_links(false)
        .add_custom_ignore_filename(".isolintignore")
        .threads(jobs)
        .filter_entry(enter);
    let seen = Mutex::new(std::mem::take(tree));
    builder.build_parallel().run(|| {
        Box::new(|entry| {
            let mut tree = seen.lock().unwrap_or_else(PoisonError::into_inner);
            match entry {
                Ok(entry) => {
                    if let Some(error) = entry.error() {
                        tree.skipped.extend(bad_ignore(root, error));
                    }
                    let Some(file_type) = entry.file_type() else { return WalkState::Continue };
                    if file_type.is_dir() {
                        tree.folders.insert(entry.into_path());
                    } else if file_type.is_file() {
                        let name = relative(root, entry.path());
                        if let Some(kind) = kind(&name) {
                            tree.files.insert((name, entry.into_path()), kind);
                        } else if name.ends_with(".yml") || name.ends_with(".yaml") {
                            tree.others.insert(name, entry.into_path());
                        }
                    }
                }
                Err(error) => {
                    let path = error_path(&error).map(|path| relative(root, path)).unwrap_or_default();
                    let why = error.io_error().map_or_else(|| error.to_string(), plain);
                    // A file that vanished while we looked was never there.
                    if error.io_error().is_none_or(|error| error.kind() != io::ErrorKind::NotFound) {
                        tree.skipped.push(Skipped { path, why });
                    }
                }
            }
            WalkState::Continue
        })
    });
    *tree = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    tree.skipped.append(&mut traps.lock().unwrap_or_else(PoisonError::into_inner));
}

/// A line of our own ignore file that is no glob. Those of `.gitignore` are git's business.
fn bad_ignore(root: &Path, error: &ignore::Error) -> Vec<Skipped> {
    match error {
        ignore::Error::Partial(errors) => errors.iter().flat_map(|error| bad_ignore(root, error)).collect(),
        ignore::Error::WithPath { path, err } if path.ends_with(".isolintignore") => {
            vec![Skipped { path: relative(root, path), why: err.to_string() }]
        }
        _ => Vec::new(),
    }
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        ignore::Error::Loop { child, .. } => Some(child),
        ignore::Error::Partial(errors) => errors.iter().find_map(error_path),
        _ => None,
    }
}

/// A folder of other people's code or of build products. `build` and `env` are not told by their name: they may be source.
fn foreign(path: &Path, name: &str) -> bool {
    if TESTS.contains(&name) {
        return false;
    }
    FOREIGN.contains(&name)
        || (name == "target" && path.with_file_name("Cargo.toml").is_file())
        || ENVIRONMENTS.iter().any(|file| path.join(file).is_file())
        || is_cache(path)
}

fn is_cache(folder: &Path) -> bool {
    let path = folder.join("CACHEDIR.TAG");
    if !path.is_file() {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(CACHE_SIGNATURE.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == CACHE_SIGNATURE
}

/// What kind of source a file is, by its path below the root; none for what is not looked at.
pub fn kind(path: &str) -> Option<Kind> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let below = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
    let parent = folders.rsplit('/').next().unwrap_or("");
    match name {
        "pytest.ini"
        | ".pytest.ini"
        | "pytest.toml"
        | ".pytest.toml"
        | "tox.ini"
        | "setup.cfg"
        // nbdev's.
        | "settings.ini"
        | "pyproject.toml"
        | "Cargo.toml"
        | "nextest.toml"
        | ".gitlab-ci.yml"
        | "azure-pipelines.yml"
        | "azure-pipelines.yaml"
        | "Makefile"
        | "makefile"
        | "GNUmakefile"
        | "justfile"
        | "Justfile"
        | ".justfile"
        | "tox.toml"
        | "hatch.toml"
        | "pixi.toml"
        | "Makefile.toml"
        | "isolint.toml"
        | ".isolint.toml"
        | "Taskfile.yml"
        | "Taskfile.yaml"
        | "action.yml"
        | "action.yaml"
        | "Dockerfile"
        | "Containerfile" => return Some(Kind::Config),
        "config" | "config.toml" if parent == ".cargo" => return Some(Kind::Config),
        _ => {}
    }
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        _ if stem.is_empty() => None,
        "py" => Some(Kind::Python),
        "ipynb" => Some(Kind::Notebook),
        "rs" => Some(Kind::Rust),
        "yml" | "yaml" if below(&[".github", ".forgejo", ".gitea", ".gitlab", ".circleci", ".azure-pipelines"]) => {
            Some(Kind::Config)
        }
        "yml" | "yaml" if stem.trim_start_matches("docker-").split(['.', '-']).next() == Some("compose") => Some(Kind::Config),
        "yml" | "yaml" if stem.ends_with(".gitlab-ci") => Some(Kind::Config),
        "mk" | "just" | "Dockerfile" | "dockerfile" => Some(Kind::Config),
        _ if stem == "Dockerfile" => Some(Kind::Config),
        // Which of them CI calls is not known yet.
        "sh" | "bash" => Some(Kind::Config),
        _ => None,
    }
}

/// Why a file was not read.
enum Why {
    Io(io::Error),
    Said(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Io(error) => f.write_str(&plain(error)),
            Why::Said(why) => f.write_str(why),
        }
    }
}

fn read(name: &str, path: &Path, kind: Kind) -> Result<Source, Why> {
    source(name, &bytes(path, most_bytes(kind))?, kind)
}

/// The text of an open document as a source: it is decoded already, whatever a coding comment in it says.
fn opened(name: &str, kind: Kind, text: &str) -> Result<Source, Why> {
    if text.len() as u64 > most_bytes(kind) {
        return Err(Why::Said(too_large(most_bytes(kind))));
    }
    match kind {
        Kind::Notebook => source(name, text.as_bytes(), kind),
        _ => Ok(Source::of(name, kind, text)),
    }
}

/// The most bytes that a file may have.
fn most_bytes(kind: Kind) -> u64 {
    if kind == Kind::Notebook { MAX_NOTEBOOK_BYTES } else { MAX_BYTES }
}

fn source(name: &str, bytes: &[u8], kind: Kind) -> Result<Source, Why> {
    let source = match kind {
        Kind::Notebook => notebook::read(name, bytes),
        _ => Source::new(name, kind, bytes),
    };
    let source = source.map_err(|why| Why::Said(why.to_string()))?;
    // The code of a notebook is bounded as that of a file is.
    let too_much = kind == Kind::Notebook && source.text.len() as u64 > MAX_BYTES;
    if too_much { Err(Why::Said(too_large(MAX_BYTES))) } else { Ok(source) }
}

fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Why> {
    let mut bytes = Vec::new();
    // Asked before it is opened, which would wait for who writes to a pipe, and again of the open file: another may have taken the name.
    let special = || Err(Why::Said("no regular file".into()));
    if !fs::metadata(path).map_err(Why::Io)?.is_file() {
        return special();
    }
    let file = File::open(path).map_err(Why::Io)?;
    let meta = file.metadata().map_err(Why::Io)?;
    if !meta.is_file() {
        return special();
    }
    if meta.len() > most {
        return Err(Why::Said(too_large(most)));
    }
    // It may grow while it is read.
    bytes.reserve(meta.len() as usize + 1);
    file.take(most + 1).read_to_end(&mut bytes).map_err(Why::Io)?;
    if bytes.len() as u64 > most {
        return Err(Why::Said(too_large(most)));
    }
    Ok(bytes)
}

fn too_large(most: u64) -> String {
    format!("over {} MiB", most / (1024 * 1024))
}

/// The system's reason, without the number that only programmers know.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "no permission to read it".into(),
        io::ErrorKind::NotFound => "gone since it was listed".into(),
        _ => error.to_string(),
    }
}

/// A path below `root`, with `/` between its parts; empty for the root itself. What is not Unicode becomes U+FFFD.
fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

fn globs(texts: &[String]) -> Result<Globs, Wrong> {
    Globs::new(texts).map_err(|(glob, error)| Wrong::Glob { glob, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_path() {
        let kinds = |paths: &[&str]| paths.iter().map(|path| kind(path)).collect::<Vec<_>>();
        assert_eq!(kinds(&["a.py", "noxfile.py", "tests/b.py"]), [Some(Kind::Python); 3]);
        assert_eq!(kinds(&["a.ipynb"]), [Some(Kind::Notebook)]);
        assert_eq!(kinds(&["src/lib.rs", "build.rs"]), [Some(Kind::Rust); 2]);
        let config = [
            "tox.ini",
            "sub/pytest.ini",
            ".pytest.ini",
            "pytest.toml",
            "setup.cfg",
            "pyproject.toml",
            "a/Cargo.toml",
            ".config/nextest.toml",
            ".cargo/config.toml",
            "Makefile",
            "justfile",
            ".github/workflows/test.yml",
            ".github/actions/x/action.yaml",
            ".gitlab-ci.yml",
            "azure-pipelines.yml",
            ".circleci/config.yml",
            "scripts/test.sh",
            "a/tools/b/test.sh",
            "run.sh",
            "tox.toml",
            "rules.mk",
            "ci/unit.gitlab-ci.yml",
            "docker-compose.ci.yml",
            "sub/compose.yaml",
            "settings.ini",
        ];
        assert_eq!(kinds(&config), [Some(Kind::Config); 25]);
        let others = ["a.pyi", "a.txt", "docs/a.yml", "config.toml", "py", ".py", "Cargo.lock", "a.PY.orig", "x/.rs"];
        assert_eq!(kinds(&others), [None; 9]);
    }

    #[test]
    fn how_messages_call_a_file_that_another_names() {
        assert_eq!(beside("isolint.toml", "base.toml"), "base.toml");
        assert_eq!(beside("isolint.toml", "../base.toml"), "../base.toml");
        assert_eq!(beside("sub/deep/isolint.toml", "../../a/./base.toml"), "a/base.toml");
        assert_eq!(beside("/x/isolint.toml", "../base.toml"), "/base.toml");
        assert_eq!(beside("../a/isolint.toml", "../../base.toml"), "../../base.toml");
    }

    #[test]
    fn the_folder_that_two_paths_share() {
        assert_eq!(shared(Path::new("/a/b/c"), Path::new("/a/b")), Path::new("/a/b"));
        assert_eq!(shared(Path::new("/a/bc"), Path::new("/a/b")), Path::new("/a"));
    }

    #[test]
    fn paths_below_the_root() {
        assert_eq!(relative(Path::new("/a"), Path::new("/a/b/c.py")), "b/c.py");
        assert_eq!(relative(Path::new("/a"), Path::new("/a")), "");
    }
}

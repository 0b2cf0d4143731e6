//! The keys of a configuration, each described once. The reader, the JSON schema, the manual and `isolint init` are made of this.

use super::names::{CONFIDENCES, SEVERITIES};
use super::{Level, Local, Settings};
use crate::facts::run::{Declared, Dist, RUNNERS};
use crate::finding::{Confidence, Severity};

/// One key of a table that is read into a `T`.
pub struct Key<T: 'static> {
    pub name: &'static str,
    pub kind: Kind<T>,
    /// In the words of TOML, or a few plain ones; what holds where the key is left out.
    pub default: &'static str,
    /// What it says, in a sentence or two.
    pub text: &'static str,
    /// A line or more of TOML, as it may stand in an `isolint.toml`.
    pub example: &'static str,
}

/// A place in a `T` that a value goes to.
pub type Slot<T, V> = fn(&mut T) -> &mut V;

/// What a key takes, and where it goes.
pub enum Kind<T: 'static> {
    /// `true` or `false`.
    Flag(Slot<T, Option<bool>>),
    /// The path of a file.
    Text(Slot<T, Option<String>>),
    /// The path of a TOML file, relative to this one.
    File(Slot<T, Option<super::Named>>),
    /// A list of names of rules.
    Rules(Slot<T, Option<Vec<String>>>),
    /// A list of globs over paths of the project.
    Globs(Slot<T, Option<Vec<String>>>),
    /// A list of dotted names, or paths of Rust.
    Names(Slot<T, Vec<String>>),
    Severity(Slot<T, Option<Severity>>),
    Confidence(Slot<T, Option<Confidence>>),
    /// A table of levels by rule.
    Levels(Slot<T, super::Levels>),
    /// A table of settings by glob; the keys are [`PER_PATH`].
    PerPath(Slot<T, Vec<super::PerPath>>),
    /// A run or a list of runs; the keys are [`RUN`].
    Runs(Slot<T, Option<Vec<Declared>>>),
    /// A name of [`RUNNERS`].
    Runner(Slot<T, String>),
    /// A number from 1, or `"cpus"`.
    Workers(Slot<T, Option<crate::facts::run::Workers>>),
    /// A word of [`Dist::ALL`].
    Dist(Slot<T, Option<Dist>>),
    /// A path below the project; a folder covers all below.
    Path(Slot<T, String>),
    /// Call tables by language; the keys are those of [`LANGUAGES`].
    Calls(Slot<T, Vec<super::CallTable>>),
    /// A table of guards: by function or context manager, whom it keeps apart: a name of [`REACHES`].
    Guards(Slot<T, Vec<(String, String)>>),
    /// A table of resources: by name, the calls that take it.
    Resources(Slot<T, Vec<(String, Vec<String>)>>),
}

/// What a value of some kind is, in words.
pub struct Form {
    /// For messages: "`key` is …".
    pub is: String,
    /// For the manual.
    pub ty: String,
}

/// Whom a guard keeps apart, as in `guard` of the call tables.
pub const REACHES: [&str; 3] = ["process", "host", "run"];

/// The languages of call tables.
pub const LANGUAGES: [&str; 2] = ["python", "rust"];

/// The runners that take one test after the other.
pub const ONE_BY_ONE: [&str; 3] = ["pytest", "unittest", "behave"];

/// What `[levels]` takes.
pub const LEVELS: [&str; 4] = [SEVERITIES[0], SEVERITIES[1], SEVERITIES[2], "off"];

/// A level by its name.
pub fn level(name: &str) -> Option<Level> {
    if name == "off" { Some(Level::Off) } else { super::severity(name).map(Level::At) }
}

impl<T> Kind<T> {
    pub fn form(&self) -> Form {
        let form = |ty: &str, is: &str| Form { is: is.to_owned(), ty: ty.to_owned() };
        let one_of = |names: &[&str]| Form {
            is: format!("one of {}", super::names::quoted(names)),
            ty: format!("one of {}", names.iter().map(|name| format!("`\"{name}\"`")).collect::<Vec<_>>().join(", ")),
        };
        match self {
            Kind::Flag(_) => form("`true` or `false`", "`true` or `false`"),
            Kind::Text(_) => form("path of a file", "the path of a file: `\"…\"`"),
            Kind::File(_) => form("path of a TOML file", "the path of a TOML file, relative to this one: `\"….toml\"`"),
            Kind::Rules(_) => form("list of rules", "a list of texts: `[\"…\"]`"),
            Kind::Globs(_) => form("list of globs", "a list of texts: `[\"…\"]`"),
            Kind::Names(_) => form("list of names", "a list of texts: `[\"…\"]`"),
            Kind::Severity(_) => one_of(&SEVERITIES),
            Kind::Confidence(_) => one_of(&CONFIDENCES),
            Kind::Levels(_) => {
                form("table: rule = `\"note\"`, `\"warning\"`, `\"error\"` or `\"off\"`", "a table: `\"RULE\" = \"warning\"`")
            }
            Kind::PerPath(_) => form("table: glob = settings", "a table: `\"GLOB\" = { ignore = [\"…\"] }`"),
            Kind::Runs(_) => form("table, or list of tables", "a table `[run]`, or several `[[run]]`"),
            Kind::Runner(_) => one_of(&RUNNERS),
            Kind::Workers(_) => form("number, or `\"cpus\"`", "a number from 1, or `\"cpus\"`"),
            Kind::Dist(_) => one_of(&Dist::ALL.map(|(name, _)| name)),
            Kind::Path(_) => form("path", "a path below the project: `\"…\"`"),
            Kind::Calls(_) => form("table: language = call tables", "a table: `[calls.python]` or `[calls.rust]`"),
            Kind::Guards(_) => {
                form("table: name = `\"process\"`, `\"host\"` or `\"run\"`", "a table: `\"module.name\" = \"host\"`")
            }
            Kind::Resources(_) => form("table: name = list of names", "a table: `name = [\"module.function\"]`"),
        }
    }
}

/// The keys that concern single findings: they may stand in a nested configuration.
pub const LOCAL: &[Key<Settings>] = &[
    Key {
        name: "extend",
        kind: Kind::File(|s| &mut s.extend),
        default: "none",
        text: "Another configuration file, relative to this one. It is read first, and what stands here goes over it: a setting takes \
               the place of the same one there, tables are joined, and `extend-…` lists are added.",
        example: "extend = \"../base.toml\"",
    },
    Key {
        name: "select",
        kind: Kind::Rules(|s| &mut s.local.select),
        default: "all rules that are on",
        text: "Only these rules. A rule in preview is on where it is named, and so is one that a configuration further out ignores or \
               turns off.",
        example: "select = [\"shared-path\", \"mktemp\"]",
    },
    Key {
        name: "extend-select",
        kind: Kind::Rules(|s| &mut s.local.extend_select),
        default: "none",
        text: "These rules too: added to what is selected so far; where nothing is, all rules that are on stay on.",
        example: "extend-select = [\"closed-under-reader\"]",
    },
    Key {
        name: "ignore",
        kind: Kind::Rules(|s| &mut s.local.ignore),
        default: "none",
        text: "Not these rules. Goes before `select` of the same file.",
        example: "ignore = [\"source-tree-write\"]",
    },
    Key {
        name: "extend-ignore",
        kind: Kind::Rules(|s| &mut s.local.extend_ignore),
        default: "none",
        text: "Not these rules either: added to what is ignored so far.",
        example: "extend-ignore = [\"sleep-as-sync\"]",
    },
    Key {
        name: "min-severity",
        kind: Kind::Severity(|s| &mut s.local.min_severity),
        default: "`\"note\"`",
        text: "Findings below this severity are not shown.",
        example: "min-severity = \"warning\"",
    },
    Key {
        name: "min-confidence",
        kind: Kind::Confidence(|s| &mut s.local.min_confidence),
        default: "`\"medium\"`",
        text: "Findings of which we are less sure are not shown.",
        example: "min-confidence = \"high\"",
    },
    Key {
        name: "preview",
        kind: Kind::Flag(|s| &mut s.local.preview),
        default: "`false`",
        text: "Rules in preview are on: those whose precision is not measured yet.",
        example: "preview = true",
    },
    Key {
        name: "levels",
        kind: Kind::Levels(|s| &mut s.local.levels),
        default: "each rule's own",
        text: "The severity of a rule's findings, or `\"off\"`. It takes the place of what the rule would say, and counts for \
               `min-severity` and the exit status.",
        example: "[levels]\nshared-path = \"error\"\nsleep-as-sync = \"off\"",
    },
    Key {
        name: "per-path",
        kind: Kind::PerPath(|s| &mut s.per_path),
        default: "none",
        text: "Settings for findings whose own place (the first that a report names) matches the glob, in the order of the file. The \
               other end of a collision does not count.",
        example: "[per-path]\n\"tests/legacy/**\" = { ignore = [\"env-mutation\"], min-severity = \"error\" }",
    },
];

/// The keys that concern the whole project: they stand in the configuration of its root.
pub const WHOLE: &[Key<Settings>] = &[
    Key {
        name: "exclude",
        kind: Kind::Globs(|s| &mut s.exclude),
        default: "none",
        text: "Paths that are not looked at, neither for findings nor as the other end of one.",
        example: "exclude = [\"vendored/**\"]",
    },
    Key {
        name: "extend-exclude",
        kind: Kind::Globs(|s| &mut s.extend_exclude),
        default: "none",
        text: "These paths neither: added to what is excluded so far.",
        example: "extend-exclude = [\"examples\"]",
    },
    Key {
        name: "baseline",
        kind: Kind::Text(|s| &mut s.baseline),
        default: "none",
        text: "The file of findings that are known and not shown, relative to the project.",
        example: "baseline = \"isolint-baseline.json\"",
    },
    Key {
        name: "run",
        kind: Kind::Runs(|s| &mut s.runs),
        default: "what is read from the project",
        text: "How tests are run, where the tool cannot read it. Goes over what it read about the same tests. Several are written \
               `[[run]]`.",
        example: "[run]\nrunner = \"pytest-xdist\"\nworkers = 4\ndist = \"loadfile\"",
    },
    Key {
        name: "calls",
        kind: Kind::Calls(|s| &mut s.calls),
        default: "none",
        text: "What the project's own helpers do, in the words of `rules/calls/README.md`: tables under their own names, or `files` \
               that hold them, relative to this file. They go before the built-in tables, and before the code of what they name.",
        example: "[calls.python]\nfiles = [\"tools/isolint-calls.toml\"]\n\n[calls.python.calls]\n\"shop.store.save\" = { params = [\"path\", \"data\"], \
                  does = { write = \"path\" } }",
    },
    Key {
        name: "private-paths",
        kind: Kind::Globs(|s| &mut s.private_paths),
        default: "none",
        text: "Paths that each test has to itself though their names do not say so (a container, a namespace, a wrapper), as reports \
               write them: nothing is said about them.",
        example: "private-paths = [\"<temp>/shop/**\"]",
    },
    Key {
        name: "safe-stores",
        kind: Kind::Names(|s| &mut s.safe_stores),
        default: "none",
        text: "Classes or functions of the project that give a store which processes may share: what is done through it is safe.",
        example: "safe-stores = [\"shop.cache.Store\"]",
    },
    Key {
        name: "guards",
        kind: Kind::Guards(|s| &mut s.guards),
        default: "none",
        text: "Context managers and functions of the project that hold one lock, and whom it keeps apart: threads of one process, \
               processes of one `host`, or tests of one `run`.",
        example: "[guards]\n\"shop.locks.exclusive\" = \"host\"",
    },
    Key {
        name: "resources",
        kind: Kind::Resources(|s| &mut s.resources),
        default: "none",
        text: "Things that only one test at a time may use, and the functions or classes of the project that take them. Two tests that \
               may overlap and both take one are a finding of `fixed-external-name`.",
        example: "[resources]\ndevice = [\"shop.device.claim\"]",
    },
];

/// The keys of an entry of `[per-path]`.
pub const PER_PATH: &[Key<Local>] = &[
    Key {
        name: "select",
        kind: Kind::Rules(|s| &mut s.select),
        default: "as around it",
        text: "Only these rules here.",
        example: "[per-path]\n\"tests\" = { select = [\"shared-path\"] }",
    },
    Key {
        name: "ignore",
        kind: Kind::Rules(|s| &mut s.extend_ignore),
        default: "as around it",
        text: "Not these rules here, besides those that are ignored anyway.",
        example: "[per-path]\n\"tests/legacy/**\" = { ignore = [\"env-mutation\"] }",
    },
    Key {
        name: "min-severity",
        kind: Kind::Severity(|s| &mut s.min_severity),
        default: "as around it",
        text: "Findings below this severity are not shown here.",
        example: "[per-path]\n\"*_slow.py\" = { min-severity = \"error\" }",
    },
    Key {
        name: "min-confidence",
        kind: Kind::Confidence(|s| &mut s.min_confidence),
        default: "as around it",
        text: "Findings of which we are less sure are not shown here.",
        example: "[per-path]\n\"tools\" = { min-confidence = \"high\" }",
    },
    Key {
        name: "preview",
        kind: Kind::Flag(|s| &mut s.preview),
        default: "as around it",
        text: "Rules in preview are on here.",
        example: "[per-path]\n\"tests/new/**\" = { preview = true }",
    },
    Key {
        name: "levels",
        kind: Kind::Levels(|s| &mut s.levels),
        default: "as around it",
        text: "The severity of a rule's findings here, or `\"off\"`.",
        example: "[per-path]\n\"tests/legacy/**\" = { levels = { shared-path = \"note\" } }",
    },
];

/// The keys of a `[run]`.
pub const RUN: &[Key<Declared>] = &[
    Key {
        name: "runner",
        kind: Kind::Runner(|r| &mut r.runner),
        default: "must be there",
        text: "What runs the tests.",
        example: "[run]\nrunner = \"cargo-nextest\"",
    },
    Key {
        name: "workers",
        kind: Kind::Workers(|r| &mut r.workers),
        default: "`\"cpus\"`",
        text: "How many tests run at once. Says nothing of a runner that takes one after the other (`pytest`, `unittest`, `behave`).",
        example: "[run]\nrunner = \"unittest-parallel\"\nworkers = \"cpus\"",
    },
    Key {
        name: "dist",
        kind: Kind::Dist(|r| &mut r.dist),
        default: "`\"load\"`",
        text: "How `pytest-xdist` hands tests to its workers, in the words of its `--dist`. For no other runner.",
        example: "[run]\nrunner = \"pytest-xdist\"\ndist = \"loadscope\"",
    },
    Key {
        name: "path",
        kind: Kind::Path(|r| &mut r.scope),
        default: "all tests of the runner's language",
        text: "The folder or file whose tests are run so, relative to the project.",
        example: "[[run]]\nrunner = \"pytest\"\npath = \"tests/serial\"",
    },
];

/// The name of a key, for all keys of a table.
pub fn names<T>(keys: &[&'static [Key<T>]]) -> Vec<&'static str> {
    let mut names: Vec<&str> = keys.iter().flat_map(|keys| keys.iter()).map(|key| key.name).collect();
    names.sort_unstable();
    names
}

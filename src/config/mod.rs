//! What a user may set, and how it is read out of configuration files. Works on text; the shell finds and reads the files.

mod globs;
pub mod init;
pub mod keys;
pub mod manual;
mod names;
mod read;
pub mod schema;

pub use globs::Globs;
pub use names::{CONFIDENCES, SEVERITIES, confidence, nearest, present, rule_names, severity, unknown_rule};

use crate::baseline::Baseline;
use crate::calls::{Call, Keeper, OneOrMany, Reach, Table, Tables, Verb};
use crate::facts::run::{Declared, below};
use crate::finding::{Confidence, Severity};
use crate::text::Changes;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The settings of one run, from the command line and the configuration files.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Only these rules; empty for all that are on.
    pub select: Vec<String>,
    pub ignore: Vec<String>,
    pub min_severity: Severity,
    pub min_confidence: Confidence,
    /// Rules in preview are on.
    pub preview: bool,
    /// What holds in parts of the project, each over what stands before it.
    pub layers: Vec<Layer>,
    /// Globs of paths that are not looked at.
    pub exclude: Vec<String>,
    /// Only findings with an end in one of these paths (relative to the project; a folder covers all below) are shown; empty for all.
    pub paths: Vec<String>,
    /// Only findings with a place that this change touches are shown; none for all.
    pub changes: Option<Changes>,
    /// Findings that are known and not shown.
    pub baseline: Option<Baseline>,
    /// How tests are run, where the user says so.
    pub runs: Vec<Declared>,
    /// What library calls do, and the project's own helpers.
    pub tables: Arc<Tables>,
    /// Paths, as reports write them, that each test has to itself.
    pub private_paths: Globs,
    /// Threads; 0 for as many as the process may use.
    pub jobs: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            select: Vec::new(),
            ignore: Vec::new(),
            min_severity: Severity::Note,
            min_confidence: Confidence::Medium,
            preview: false,
            layers: Vec::new(),
            exclude: Vec::new(),
            paths: Vec::new(),
            changes: None,
            baseline: None,
            runs: Vec::new(),
            tables: Arc::default(),
            private_paths: Globs::default(),
            jobs: 0,
        }
    }
}

impl Config {
    /// What holds for findings in a file.
    pub fn scope(&self, path: &str) -> Scope {
        let mut scope = Scope {
            select: self.select.clone(),
            also: Vec::new(),
            ignore: self.ignore.clone(),
            levels: Levels::new(),
            min_severity: self.min_severity,
            min_confidence: self.min_confidence,
            preview: self.preview,
        };
        for layer in self.layers.iter().filter(|layer| layer.covers(path)) {
            scope.put(&layer.local);
        }
        scope
    }

    /// Puts settings over what holds in the whole project.
    pub fn put(&mut self, local: Local) {
        self.layers.push(Layer { folder: String::new(), globs: None, local });
    }

    /// Puts the settings of a folder's own configuration over what holds there.
    pub fn nest(&mut self, folder: &str, settings: Settings) {
        let whole = settings.bases.into_iter().chain([settings.local]).map(|local| (None, local));
        let parts = settings.per_path.into_iter().map(|part| (Some(part.globs), part.local));
        self.layers.extend(whole.chain(parts).map(|(globs, local)| Layer { folder: folder.to_owned(), globs, local }));
    }
}

/// The settings that decide over the findings of one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Only these rules and those of `also`; empty for all that are on.
    pub select: Vec<String>,
    /// Rules that are on besides.
    pub also: Vec<String>,
    pub ignore: Vec<String>,
    pub levels: Levels,
    pub min_severity: Severity,
    pub min_confidence: Confidence,
    pub preview: bool,
}

impl Scope {
    fn put(&mut self, local: &Local) {
        if let Some(select) = &local.select {
            self.select.clone_from(select);
            self.also.clear();
        }
        self.also.extend(local.extend_select.iter().flatten().cloned());
        // Who names a rule wants to see it, whatever was said further out.
        for name in local.select.iter().chain(&local.extend_select).flatten() {
            self.ignore.retain(|ignored| ignored != name);
            if self.levels.get(name) == Some(&Level::Off) {
                self.levels.remove(name);
            }
        }
        if let Some(ignore) = &local.ignore {
            self.ignore.clone_from(ignore);
        }
        self.ignore.extend(local.extend_ignore.iter().flatten().cloned());
        self.levels.extend(local.levels.iter().map(|(rule, level)| (rule.clone(), *level)));
        self.min_severity = local.min_severity.unwrap_or(self.min_severity);
        self.min_confidence = local.min_confidence.unwrap_or(self.min_confidence);
        self.preview = local.preview.unwrap_or(self.preview);
    }
}

/// The severity that a user gives a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    At(Severity),
    Off,
}

/// Levels by the rule's name.
pub type Levels = BTreeMap<String, Level>;

/// Settings that decide over single findings; what is not set stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Local {
    pub select: Option<Vec<String>>,
    pub extend_select: Option<Vec<String>>,
    pub ignore: Option<Vec<String>>,
    pub extend_ignore: Option<Vec<String>>,
    pub min_severity: Option<Severity>,
    pub min_confidence: Option<Confidence>,
    pub preview: Option<bool>,
    pub levels: Levels,
}

/// Settings of a part of the project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layer {
    /// Relative to the project; `""` for its root.
    pub folder: String,
    /// Which files below the folder; none for all.
    pub globs: Option<Globs>,
    pub local: Local,
}

impl Layer {
    fn covers(&self, path: &str) -> bool {
        below(path, &self.folder).is_some_and(|inner| self.globs.as_ref().is_none_or(|globs| globs.covers(inner)))
    }
}

/// The files that may hold our settings, in the order in which they are asked; the first that does is taken.
pub const FILES: [&str; 4] = ["isolint.toml", ".isolint.toml", "pyproject.toml", "Cargo.toml"];

/// Whose settings a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// The whole project's.
    Root,
    /// Those of the folder it lies in.
    Nested,
}

/// What one configuration file, or several that extend one another, set; what they do not set stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The file that this one goes over; none once it was read.
    pub extend: Option<Named>,
    /// The local settings of the files that were extended, the furthest first.
    pub bases: Vec<Local>,
    pub local: Local,
    pub per_path: Vec<PerPath>,
    pub exclude: Option<Vec<String>>,
    pub extend_exclude: Option<Vec<String>>,
    /// The file of the baseline, relative to the project.
    pub baseline: Option<String>,
    pub runs: Option<Vec<Declared>>,
    pub calls: Vec<CallTable>,
    pub private_paths: Option<Vec<String>>,
    pub safe_stores: Vec<String>,
    /// By function or context manager: whom it keeps apart.
    pub guards: Vec<(String, String)>,
    /// By resource: the calls that take it.
    pub resources: Vec<(String, Vec<String>)>,
}

/// A file that a setting names, relative to the file of the setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub path: String,
    /// Where it is named, from 1.
    pub line: usize,
}

/// Settings for the files that match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PerPath {
    pub globs: Globs,
    pub local: Local,
}

/// A call table of the project: in a file that is still to be read, or here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallTable {
    pub is_rust: bool,
    pub held: Held,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Held {
    In(Named),
    Here(Box<Table>),
}

/// What is wrong with a setting, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// As the user knows it.
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl std::error::Error for Wrong {}

impl Settings {
    /// Puts these settings over those of the file that they extend.
    pub fn over(self, base: Settings) -> Settings {
        // A list that is set anew stands alone; else what is added to it adds up.
        let lists =
            |own: Option<Vec<String>>, more: Option<Vec<String>>, base: Option<Vec<String>>, base_more: Option<Vec<String>>| {
                if own.is_some() { (own, more) } else { (base, joined(base_more, more)) }
            };
        let (exclude, extend_exclude) = lists(self.exclude, self.extend_exclude, base.exclude, base.extend_exclude);
        Settings {
            extend: None,
            bases: base.bases.into_iter().chain([base.local]).collect(),
            local: self.local,
            per_path: [base.per_path, self.per_path].concat(),
            exclude,
            extend_exclude,
            baseline: self.baseline.or(base.baseline),
            runs: self.runs.or(base.runs),
            calls: [base.calls, self.calls].concat(),
            private_paths: joined(base.private_paths, self.private_paths),
            safe_stores: [base.safe_stores, self.safe_stores].concat(),
            guards: [base.guards, self.guards].concat(),
            resources: [base.resources, self.resources].concat(),
        }
    }

    /// All globs of paths that are not looked at.
    pub fn excluded(&self) -> Vec<String> {
        self.exclude.iter().chain(&self.extend_exclude).flatten().cloned().collect()
    }

    /// Puts the settings of the root's configuration into `config`, over what is there.
    pub fn apply(self, config: &mut Config) {
        if self.exclude.is_some() {
            config.exclude = self.excluded();
        } else {
            config.exclude.extend(self.extend_exclude.iter().flatten().cloned());
        }
        config.runs = self.runs.clone().unwrap_or(std::mem::take(&mut config.runs));
        // They were read as globs before.
        config.private_paths = Globs::new(self.private_paths.as_deref().unwrap_or_default()).unwrap_or_default();
        let tables = self.tables();
        if !tables.is_empty() {
            let all = Arc::make_mut(&mut config.tables);
            tables.into_iter().for_each(|(is_rust, table)| all.add(is_rust, table));
        }
        config.nest("", self);
    }

    /// The call tables that these settings amount to, with whether they are of Rust.
    fn tables(&self) -> Vec<(bool, Table)> {
        let mut tables: Vec<(bool, Table)> = Vec::new();
        let mut add = |name: &str, call: Call| tables.push((name.contains("::"), Table::of(name, call)));
        for name in &self.safe_stores {
            add(name, Call { store: true, ..Call::default() });
        }
        for (name, reach) in &self.guards {
            let guard = match reach.as_str() {
                "host" => Reach::Host,
                "run" => Reach::Run,
                _ => Reach::Process,
            };
            add(name, Call { guard: Some(guard), on: Some(format!("={name}")), ..Call::default() });
        }
        for (resource, calls) in &self.resources {
            for name in calls {
                let does = [(Verb::Create, OneOrMany::One(format!("={resource}")))].into();
                add(name, Call { does, state: Some(Keeper::Named("resource".to_owned())), ..Call::default() });
            }
        }
        // What is written out goes before what is only declared.
        for table in &self.calls {
            if let Held::Here(here) = &table.held {
                tables.push((table.is_rust, (**here).clone()));
            }
        }
        tables
    }
}

fn joined(base: Option<Vec<String>>, more: Option<Vec<String>>) -> Option<Vec<String>> {
    match (base, more) {
        (Some(base), Some(more)) => Some([base, more].concat()),
        (base, more) => base.or(more),
    }
}

#[cfg(test)]
mod tests;

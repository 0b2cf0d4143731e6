//! What is analysed: the projects of the client's folders and documents, as they are on disk and in the editor.

use super::Options;
use crate::baseline::Baseline;
use crate::check::{self, Memory, Report, Wanted};
use crate::config::{self, Config, Settings};
use crate::discover::{self, Open};
use crate::finding::Fix;
use crate::remedy::rounds::Changed;
use crate::text::FileId;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What the client has open: folders, and documents that lie in none of them.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub named: Vec<PathBuf>,
    pub open: Open,
}

/// What was found, and what kept us from looking.
#[derive(Debug, Default)]
pub struct Analysed {
    pub projects: Vec<Project>,
    /// Mistakes in configuration files.
    pub mistakes: Vec<Mistake>,
    /// What else is wrong, for people.
    pub wrong: Vec<String>,
}

#[derive(Debug)]
pub struct Project {
    pub root: PathBuf,
    pub report: Report,
    config: Config,
}

/// A line of a configuration file that says what it cannot mean.
#[derive(Debug)]
pub struct Mistake {
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    pub what: String,
}

impl Project {
    pub fn path(&self, file: FileId) -> Option<PathBuf> {
        Some(self.root.join(&*self.report.sources.get(file.0 as usize)?.path))
    }

    /// The file of a path; none where it is no part of the project.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        let path = path.strip_prefix(&self.root).ok()?;
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let path = parts.join("/");
        let at = self.report.sources.binary_search_by(|source| (*source.path).cmp(&path)).ok()?;
        Some(FileId(at as u32))
    }
}

/// A fix that may be made without anybody looking, and that changes this file only.
pub fn is_own_safe(fix: &Fix, file: FileId) -> bool {
    fix.safe && fix.edits.iter().all(|edit| edit.file == file)
}

/// Who analyses, and what it remembers of each project, by its root.
#[derive(Default)]
pub struct Analyst {
    options: Options,
    memories: BTreeMap<PathBuf, Memory>,
    /// The last settings that were right: while somebody writes new ones, these stay.
    settings: BTreeMap<PathBuf, (Settings, Option<Baseline>)>,
}

impl Analyst {
    pub fn new(options: Options) -> Analyst {
        Analyst { options, ..Analyst::default() }
    }

    /// None where it was not wanted to its end.
    pub fn analyse(&mut self, asked: &Asked, wanted: Wanted) -> Option<Analysed> {
        let mut analysed = Analysed::default();
        let projects = locate(&asked.named, &mut analysed.wrong);
        self.memories.retain(|root, _| projects.iter().any(|project| project.root == *root));
        for project in projects {
            if !wanted() {
                return None;
            }
            let Some(mut config) = self.configured(&project, &mut analysed) else { continue };
            config.paths = project.filter();
            let found = match project.read_with(&config.exclude, config.jobs, &asked.open) {
                Ok(found) => found,
                Err(wrong) => {
                    analysed.wrong.push(wrong.to_string());
                    continue;
                }
            };
            let memory = self.memories.entry(project.root.clone()).or_default();
            let report = check::check_again(found.sources, &config, memory, wanted)?;
            analysed.wrong.extend(report.faults.iter().map(|fault| format!("internal error: {fault}; please report it")));
            analysed.projects.push(Project { root: project.root, report, config });
        }
        Some(analysed)
    }

    /// The files that safe fixes of one file change, each made only where it helps. None where it was not wanted to its end.
    pub fn fix(&mut self, analysed: &Analysed, path: &Path, wanted: Wanted) -> Option<Vec<(PathBuf, Changed)>> {
        let mut changed = Vec::new();
        for project in &analysed.projects {
            let Some(file) = project.file(path) else { continue };
            let memory = self.memories.entry(project.root.clone()).or_default();
            let chosen = |fix: &Fix| is_own_safe(fix, file);
            let outcome = check::fix_some(project.report.clone(), &chosen, &project.config, memory, wanted)?;
            changed.extend(outcome.changed.into_iter().map(|changed| (project.root.join(&changed.path), changed)));
        }
        Some(changed)
    }

    /// The configuration of a project; none where there was never a right one.
    fn configured(&mut self, project: &discover::Project, analysed: &mut Analysed) -> Option<Config> {
        match self.read_settings(project) {
            Ok(read) => {
                self.settings.insert(project.root.clone(), read);
            }
            Err(Wrong::Setting(wrong)) => {
                analysed.mistakes.push(Mistake { file: project.root.join(&wrong.file), line: wrong.line, what: wrong.what })
            }
            Err(Wrong::Else(what)) => analysed.wrong.push(what),
        }
        let (settings, baseline) = self.settings.get(&project.root)?.clone();
        let mut config = Config { jobs: self.options.jobs, ..Config::default() };
        settings.apply(&mut config);
        config.preview |= self.options.preview;
        config.baseline = baseline;
        Some(config)
    }

    fn read_settings(&self, project: &discover::Project) -> Result<(Settings, Option<Baseline>), Wrong> {
        let rules = config::rule_names();
        let settings = match &self.options.config {
            Some(path) => discover::settings(path, &rules)?,
            None if self.options.isolated => Settings::default(),
            None => project.settings(&rules)?,
        };
        let baseline = match settings.baseline.as_ref().map(|path| project.root.join(path)) {
            Some(path) => {
                let wrong = |why: String| Wrong::Else(format!("the baseline {}: {why}", path.display()));
                let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
                Some(Baseline::parse(&text).map_err(wrong)?)
            }
            None => None,
        };
        Ok((settings, baseline))
    }
}

enum Wrong {
    Setting(config::Wrong),
    Else(String),
}

impl From<discover::Wrong> for Wrong {
    fn from(wrong: discover::Wrong) -> Wrong {
        match wrong {
            discover::Wrong::Setting(wrong) => Wrong::Setting(wrong),
            other => Wrong::Else(other.to_string()),
        }
    }
}

/// The projects that these paths belong to, each once, sorted by root.
fn locate(named: &[PathBuf], wrong: &mut Vec<String>) -> Vec<discover::Project> {
    let mut projects: BTreeMap<PathBuf, discover::Project> = BTreeMap::new();
    for path in named {
        match discover::locate(std::slice::from_ref(path)) {
            Ok(project) => match projects.get_mut(&project.root) {
                Some(known) => {
                    known.named.extend(project.named);
                    known.named.sort();
                    known.named.dedup();
                }
                None => {
                    projects.insert(project.root.clone(), project);
                }
            },
            Err(error) => wrong.push(error.to_string()),
        }
    }
    projects.into_values().collect()
}

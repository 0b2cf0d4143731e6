//! What is analysed: the projects of the client's folders and documents, as they are on disk and in the editor.

use super::Options;
use crate::baseline::Baseline;
use crate::check::{self, Memory, Report, Wanted};
use crate::config::{self, Config, Local};
use crate::discover::{self, Found, Open, Opened, Origin};
use crate::finding::Fix;
use crate::remedy::rounds::Changed;
use crate::text::{FileId, Source};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the client has open: folders, and documents that lie in none of them.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub named: Vec<PathBuf>,
    pub open: Open,
}

/// What was found, and what kept us from looking.
#[derive(Debug, Default)]
pub struct Analysed {
    pub projects: Vec<Arc<Project>>,
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

/// Who analyses, and what it knows of each project, by its root.
#[derive(Default)]
pub struct Analyst {
    options: Options,
    known: BTreeMap<PathBuf, Known>,
}

#[derive(Default)]
struct Known {
    memory: Memory,
    /// The last configuration that was right: while somebody writes a new one, it stays.
    config: Option<Config>,
    last: Option<Last>,
}

/// The last analysis, and what it was made of.
struct Last {
    sources: Vec<Source>,
    project: Arc<Project>,
}

impl Last {
    /// A file that is saved, opened or closed says what it said before, most of the time.
    fn is_of(&self, sources: &[Source], config: &Config) -> bool {
        self.project.config == *config
            && self.sources.len() == sources.len()
            && self.sources.iter().zip(sources).all(|(old, new)| old.says_the_same(new))
    }
}

impl Analyst {
    pub fn new(options: Options) -> Analyst {
        Analyst { options, ..Analyst::default() }
    }

    /// None where it was not wanted to its end.
    pub fn analyse(&mut self, asked: &Asked, wanted: Wanted) -> Option<Analysed> {
        let mut analysed = Analysed::default();
        let projects = locate(&asked.named, &mut analysed.wrong);
        self.known.retain(|root, _| projects.iter().any(|project| project.root == *root));
        for project in projects {
            if !wanted() {
                return None;
            }
            let known = self.known.entry(project.root.clone()).or_default();
            let opened = open(&self.options, &project, &asked.open).or_else(|wrong| {
                analysed.blame(&project, wrong);
                // Something can still be said with what was right before.
                let config = known.config.clone().ok_or(())?;
                let found = project.read_with(&config.exclude, config.jobs, &asked.open).map_err(|_| ())?;
                Ok::<_, ()>((config, found))
            });
            let Ok((mut config, found)) = opened else { continue };
            known.config = Some(config.clone());
            config.paths = project.filter();
            let last = known.last.take().filter(|last| last.is_of(&found.sources, &config));
            let project = match last {
                Some(last) => last.project,
                None => {
                    let report = check::check_again(found.sources.clone(), &config, &mut known.memory, wanted)?;
                    Arc::new(Project { root: project.root, report, config })
                }
            };
            let faults = project.report.faults.iter();
            analysed.wrong.extend(faults.map(|fault| format!("internal error: {fault}; please report it")));
            known.last = Some(Last { sources: found.sources, project: project.clone() });
            analysed.projects.push(project);
        }
        Some(analysed)
    }

    /// The files that safe fixes of one file change, each made only where it helps. None where it was not wanted to its end.
    pub fn fix(&mut self, analysed: &Analysed, path: &Path, wanted: Wanted) -> Option<Vec<(PathBuf, Changed)>> {
        let mut changed = Vec::new();
        for project in &analysed.projects {
            let Some(file) = project.file(path) else { continue };
            let memory = &mut self.known.entry(project.root.clone()).or_default().memory;
            let chosen = |fix: &Fix| is_own_safe(fix, file);
            let outcome = check::fix_some(project.report.clone(), &chosen, &project.config, memory, wanted)?;
            changed.extend(outcome.changed.into_iter().map(|changed| (project.root.join(&changed.path), changed)));
        }
        Some(changed)
    }
}

impl Analysed {
    fn blame(&mut self, project: &discover::Project, wrong: Wrong) {
        match wrong {
            Wrong::Setting(wrong) => {
                self.mistakes.push(Mistake { file: project.root.join(&wrong.file), line: wrong.line, what: wrong.what });
            }
            Wrong::Else(what) => self.wrong.push(what),
        }
    }
}

/// Reads the configuration of a project, and all that is to be looked at.
fn open(options: &Options, project: &discover::Project, texts: &Open) -> Result<(Config, Found), Wrong> {
    let origin = match &options.config {
        Some(path) => Origin::File(path),
        None if options.isolated => Origin::Nowhere,
        None => Origin::Project,
    };
    let Opened { mut config, baseline, found } = project.open_with(origin, &[], options.jobs, texts)?;
    if let Some(path) = baseline {
        let wrong = |why: String| Wrong::Else(format!("the baseline {}: {why}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        config.baseline = Some(Baseline::parse(&text).map_err(wrong)?);
    }
    if options.preview {
        config.put(Local { preview: Some(true), ..Local::default() });
    }
    Ok((config, found))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_change_is_not_analysed_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let file = root.join("test_a.py");
        fs::write(root.join("pyproject.toml"), "").unwrap();
        fs::write(&file, "x = 1\n").unwrap();
        let mut analyst = Analyst::new(Options::default());
        let mut look =
            |open: Open| analyst.analyse(&Asked { named: vec![root.clone()], open }, &|| true).unwrap().projects.remove(0);
        let open = |text: &str| Open::from([(file.clone(), text.into())]);
        let first = look(Open::new());
        assert!(Arc::ptr_eq(&first, &look(open("x = 1\n"))), "it was only opened");
        let second = look(open("x = 2\n"));
        assert!(!Arc::ptr_eq(&first, &second));
        fs::write(root.join("isolint.toml"), "min-severity = \"error\"\n").unwrap();
        assert!(!Arc::ptr_eq(&second, &look(open("x = 2\n"))), "other settings, another report");
    }
}

//! The whole library in one call: sources and configuration in, a report out. No I/O, no panic that gets out.

use crate::baseline::Entry;
use crate::config::{Config, Local};
use crate::facts::run::Setup;
use crate::facts::{FileFacts, Gap, Language};
use crate::finding::{Confidence, Finding, Fix};
pub use crate::link::Wanted;
use crate::link::fault::caught;
use crate::link::{Declared, Suite};
use crate::plan::{self, Plan};
use crate::text::{FileId, Kind, Source, Span};
use crate::{conf, link, python, remedy, rules, rust, settle};
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sorted by path; a [`FileId`] is an index into it.
    pub sources: Vec<Source>,
    /// Shown findings, sorted by path, place and rule.
    pub findings: Vec<Finding>,
    /// Findings that an ignore comment covers, with the comment's file and place.
    pub ignored: Vec<(Finding, FileId, Span)>,
    /// How many findings the baseline knows.
    pub known: usize,
    /// How many findings are not shown because the change that was asked about does not touch them.
    pub untouched: usize,
    /// Entries of the baseline of which there are fewer now, with how many fewer.
    pub stale: Vec<(Entry, usize)>,
    pub gaps: Vec<(FileId, Gap)>,
    /// What was not read: path and reason. Filled in by the caller from discovery.
    pub skipped: Vec<Skipped>,
    /// Names that the configuration declares, of modules of the project that do not have them.
    pub unmet: Vec<String>,
    /// Panics caught: the file or rule, and the message. A run with one exits with 2.
    pub faults: Vec<String>,
    pub tests: usize,
    /// Names of the runners found, with the place of the setting: `pytest -n 4 (.github/workflows/test.yml:156)`.
    pub runners: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}

/// Bytes of stack for each worker: parsers recurse, and an overflow would end the process.
const STACK: usize = 64 << 20;

/// Analyses a project. `sources` are its files in any order; they come back sorted by path.
pub fn check(sources: Vec<Source>, config: &Config) -> Report {
    check_again(sources, config, &mut Memory::default(), &|| true).unwrap_or_default()
}

/// What the last analysis of a project read out of its files. Facts depend on nothing but the source, so a report made with a memory
/// is the same as one made without it; it is only there sooner.
#[derive(Default)]
pub struct Memory {
    lowered: HashMap<Arc<str>, (Source, Arc<FileFacts>)>,
}

impl Memory {
    fn recall(&self, source: &Source) -> Option<Arc<FileFacts>> {
        let (known, facts) = self.lowered.get(&source.path)?;
        known.says_the_same(source).then(|| facts.clone())
    }

    /// Keeps what was lowered now, and forgets all else.
    fn keep(&mut self, sources: &[Source], lowered: &[Option<Result<Arc<FileFacts>, String>>]) {
        let sound = sources.iter().zip(lowered).filter_map(|(source, one)| match one {
            Some(Ok(facts)) => Some((source.path.clone(), (source.clone(), facts.clone()))),
            _ => None,
        });
        self.lowered = sound.collect();
    }
}

/// Analyses a project again: only files that changed since the last analysis with this memory are lowered. None where the analysis was
/// not wanted to its end; the memory keeps what was read until then.
pub fn check_again(mut sources: Vec<Source>, config: &Config, memory: &mut Memory, wanted: Wanted) -> Option<Report> {
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    on_threads(config.jobs, || analyse(sources, config, memory, wanted, |_| ()).map(|(report, _)| report))
}

/// Runs it on so many threads with deep stacks; 0 is as many as the process may use.
fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build() {
        Ok(pool) => pool.install(run),
        // No threads to be had: the caller's own will do.
        Err(_) => run(),
    }
}

/// Which test files of a project may run beside any other, and what holds the rest back. The report holds all findings that the plan
/// is made of: those of low confidence and of rules in preview too. With `preview` the latter hold tests back, and raise no mere doubt.
pub fn conflicts(mut sources: Vec<Source>, config: &Config, preview: bool) -> (Report, Plan) {
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let mut config = config.clone();
    config.put(Local { preview: Some(true), min_confidence: Some(Confidence::Low), ..Local::default() });
    let memory = &mut Memory::default();
    let done = on_threads(config.jobs, || analyse(sources, &config, memory, &|| true, plan::look));
    let (report, seen) = done.unwrap_or_default();
    let path_of = |file: FileId| report.sources.get(file.0 as usize).map_or(String::new(), |source| source.path.to_string());
    let plan = Plan::new(&seen, &report.findings, &report.gaps, &path_of, preview);
    (report, plan)
}

/// How the tests of a project are run, without a look at the tests themselves. The sources come back sorted by path.
pub fn setup(mut sources: Vec<Source>, config: &Config) -> (Vec<Source>, Setup) {
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let read = || {
        let lowered = sources.par_iter().map(|source| match source.kind {
            Kind::Python | Kind::Notebook => {
                caught(&source.path, || Arc::new(lower(source))).unwrap_or_else(|_| Arc::new(empty()))
            }
            _ => Arc::new(empty()),
        });
        let facts: Vec<Arc<FileFacts>> = lowered.collect();
        conf::read(&sources, &link::programs(&sources, &facts), &config.runs)
    };
    let setup = on_threads(0, read);
    (sources, setup)
}

/// Fixes what can be fixed in a project that was checked: only what is safe, or all. Nothing is written.
pub fn fix(report: Report, unsafe_too: bool, config: &Config) -> remedy::rounds::Outcome {
    // The rounds come one after the other.
    let memory = RefCell::new(Memory::default());
    let again = |sources| check_again(sources, config, &mut memory.borrow_mut(), &|| true).unwrap_or_default();
    remedy::rounds::run(report, unsafe_too, &again)
}

/// Makes some of the fixes of a project that was checked, and no others. None where that was not wanted to its end.
pub fn fix_some(
    report: Report,
    chosen: &dyn Fn(&Fix) -> bool,
    config: &Config,
    memory: &mut Memory,
    wanted: Wanted,
) -> Option<remedy::rounds::Outcome> {
    let only = |mut report: Report| {
        for finding in &mut report.findings {
            finding.fix = finding.fix.take().filter(chosen);
        }
        report
    };
    let memory = RefCell::new(memory);
    let again = |sources| only(check_again(sources, config, &mut memory.borrow_mut(), wanted).unwrap_or_default());
    let outcome = remedy::rounds::run(only(report), true, &again);
    wanted().then_some(outcome)
}

/// Writes ignore comments for what is shown of a project that was checked, with this reason. Nothing is written to a file.
pub fn add_ignores(report: Report, reason: &str, config: &Config) -> remedy::cover::Covered {
    on_threads(1, || remedy::cover::run(report, reason, &|sources| check(sources, config)))
}

/// Whether two versions of a configuration file differ in nothing but comments.
pub fn same_but_comments(before: &Source, after: &Source) -> bool {
    conf::comments::same(&before.path, &before.text, &after.text)
}

/// The facts of one source; of a configuration file, its ignore comments only.
pub fn lower(source: &Source) -> FileFacts {
    #[cfg(test)]
    link::fault::trip(source.path.strip_suffix(".py").into_iter(), "front_end");
    match source.kind {
        Kind::Python | Kind::Notebook => python::lower(source),
        Kind::Rust => rust::lower(source),
        Kind::Config => FileFacts { ignores: conf::comments::ignores(source), ..empty() },
    }
}

/// Facts that say nothing: of a configuration file, or of a source whose lowering failed.
fn empty() -> FileFacts {
    crate::facts::Builder::with_module(Language::Python).finish()
}

/// The report, and what `look` takes from the suite; its default where linking broke down.
fn analyse<T: Default + Send>(
    mut sources: Vec<Source>,
    config: &Config,
    memory: &mut Memory,
    wanted: Wanted,
    look: impl FnOnce(&Suite) -> T + Send,
) -> Option<(Report, T)> {
    conf::notebooks::leave_out(&mut sources);
    let lowered: Vec<Option<Result<Arc<FileFacts>, String>>> = sources
        .par_iter()
        .map(|source| match memory.recall(source) {
            Some(facts) => Some(Ok(facts)),
            None => wanted().then(|| caught(&source.path, || Arc::new(lower(source)))),
        })
        .collect();
    memory.keep(&sources, &lowered);
    let mut report = Report::default();
    let mut facts = Vec::with_capacity(lowered.len());
    for (i, (source, one)) in sources.iter().zip(lowered).enumerate() {
        let one = one?.unwrap_or_else(|fault| {
            report.faults.push(fault);
            Arc::new(empty())
        });
        if source.kind != Kind::Config {
            report.gaps.extend(one.gaps.iter().map(|gap| (FileId(i as u32), gap.clone())));
        }
        facts.push(one);
    }
    let mut found: Vec<Finding> = Vec::new();
    let read = caught("configuration", || {
        #[cfg(test)]
        link::fault::trip(sources.iter().filter_map(|source| source.path.strip_suffix(".py")), "configuration");
        conf::read(&sources, &link::programs(&sources, &facts), &config.runs)
    });
    let setup = read.unwrap_or_else(|fault| {
        report.faults.push(fault);
        Setup::default()
    });
    let linked = caught("linking", || {
        let is_private = |path: &str| config.private_paths.covers(path);
        let declared = Declared { tables: &config.tables, is_private: (!config.private_paths.is_empty()).then_some(&is_private) };
        let mut suite = Suite::new(&sources, &facts, &setup, &declared, wanted)?;
        let results: Vec<Result<Vec<Finding>, String>> = rules::TABLE
            .par_iter()
            .filter_map(|rule| Some((rule.name, rule.check?)))
            .filter(|_| wanted())
            .map(|(name, check)| {
                caught(name, || {
                    #[cfg(test)]
                    link::fault::trip(sources.iter().filter_map(|source| source.path.strip_suffix(".py")), name);
                    let mut found = Vec::new();
                    check(&suite, &mut found);
                    found
                })
            })
            .collect();
        let tests = suite.tests.len();
        let (unmet, faults) = (std::mem::take(&mut suite.unmet), std::mem::take(&mut suite.faults));
        let seen = look(&suite);
        drop(suite);
        Some((tests, unmet, faults, results, seen))
    });
    report.runners = runners(&setup, &sources);
    let mut seen = T::default();
    match linked {
        Ok(linked) => {
            let (tests, unmet, faults, results, looked) = linked?;
            report.unmet = unmet;
            report.faults.extend(faults);
            seen = looked;
            report.tests = tests;
            for result in results {
                match result {
                    Ok(findings) => found.extend(findings),
                    Err(fault) => report.faults.push(fault),
                }
            }
        }
        Err(fault) => report.faults.push(fault),
    }
    report.sources = sources;
    let plain: Vec<&FileFacts> = facts.iter().map(|facts| &**facts).collect();
    settle::settle(&mut report, found, &plain, config);
    let names = remedy::Names::default();
    let project = remedy::Project { sources: &report.sources, facts: &facts, setup: &setup, names: &names };
    for finding in &mut report.findings {
        if let Some(remedy) = finding.remedy.take() {
            match caught(finding.rule, || remedy::fix(&remedy, project)) {
                Ok(fix) => finding.fix = fix,
                Err(fault) => report.faults.push(fault),
            }
        }
    }
    // Asked last of all: who is not wanted may have left out a rule.
    wanted().then_some((report, seen))
}

fn runners(setup: &Setup, sources: &[Source]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for run in &setup.runs {
        let place = run.place.and_then(|(file, span)| {
            let source = sources.get(file.0 as usize)?;
            Some(format!(" ({}:{})", source.path, source.line(span.start)))
        });
        out.push(format!("{}{}", run.text, place.unwrap_or_default()));
    }
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(trip: &str) -> Report {
        let found =
            "import tempfile\n\n\ndef test_a():\n    open(tempfile.mktemp(), 'w').close()\n\n\ndef trip_unit():\n    pass\n";
        let other = "def test_b():\n    pass\n";
        let found = if trip == "unit" { found.to_owned() } else { found.replace("trip_unit", "unit") };
        let sources = [("test_a.py".to_owned(), found), (format!("trip_{trip}.py"), other.to_owned())];
        let sources = sources.into_iter().map(|(path, text)| Source::of(path, Kind::Python, text)).collect();
        check(sources, &Config { preview: true, ..Config::default() })
    }

    #[test]
    fn what_breaks_down_is_named_and_the_rest_goes_on() {
        let sound = report("nothing");
        assert_eq!(sound.faults, [""; 0]);
        let rules = |report: &Report| report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>();
        assert!(rules(&sound).contains(&"mktemp"), "{:?}", rules(&sound));
        let parts = [
            ("front_end", "trip_front_end.py"),
            ("configuration", "configuration"),
            ("unit", "test_a.py"),
            ("fixed-port", "fixed-port"),
        ];
        for (part, named) in parts {
            let broken = report(part);
            assert_eq!(broken.faults, [format!("{named}: tripped")], "{part}");
            assert_eq!(rules(&broken), rules(&sound), "{part}");
        }
        let broken = report("mktemp");
        assert_eq!(broken.faults, ["mktemp: tripped"]);
        assert!(!rules(&broken).contains(&"mktemp") && broken.tests == sound.tests);
    }
}

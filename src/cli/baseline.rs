//! The file of the baseline: read, written anew, and what is stale in it.

use super::{Failure, output, warn};
use isolint::baseline::{Baseline, Entry};
use isolint::check::Report;
use std::io::ErrorKind;
use std::path::Path;

/// Stale entries that are named before the rest is counted.
const NAMED: usize = 10;

/// Reads the baseline, where one is named. `new`: it is about to be written, so it may be missing.
pub fn read(path: Option<&Path>, new: bool) -> Result<Option<Baseline>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let wrong = |why: String| Failure::Baseline { path: path.display().to_string(), why };
    match std::fs::read_to_string(path) {
        Ok(text) => Baseline::parse(&text).map(Some).map_err(|why| wrong(format!("{why}; `--write-baseline` writes it anew"))),
        Err(error) if error.kind() == ErrorKind::NotFound && new => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(wrong("there is no such file; `--write-baseline` writes it".to_owned()))
        }
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Writes the baseline anew: with all findings, or only without what is stale in it. `report` is of the whole project, and `old` is what
/// it was held against.
pub fn renew(path: &Path, report: &Report, old: Baseline, all: bool) -> Result<u8, Failure> {
    let before = old.len();
    let mut baseline = old.without(&report.stale);
    let kept = baseline.len();
    if all {
        if !report.findings.is_empty() && before > 0 && is_ci() {
            let why = format!(
                "it may only shrink in CI, and {} findings would be added; write it on your own machine, or mend them",
                report.findings.len()
            );
            return Err(Failure::Baseline { path: path.display().to_string(), why });
        }
        baseline.add(&Baseline::of(&report.findings, &report.sources));
    }
    output::write_file(path, baseline.write().as_bytes())?;
    warn(&format!(
        "{}: findings known: {}; added: {}, taken out: {}",
        path.display(),
        baseline.len(),
        baseline.len() - kept,
        before - kept
    ));
    Ok(0)
}

/// What services that run jobs set (GitHub, GitLab, CircleCI and others: `CI=true`).
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// Names what the baseline holds and nobody finds any more.
pub fn tell_stale(stale: &[(Entry, usize)]) {
    for (entry, _) in stale.iter().take(NAMED) {
        warn(&format!("note: {}: {} of `{}` is in the baseline and not found any more", entry.path, entry.rule, entry.about));
    }
    if stale.len() > NAMED {
        warn(&format!("note: {} more are in the baseline and not found any more", stale.len() - NAMED));
    }
    if !stale.is_empty() {
        warn("note: `--shrink-baseline` takes them out");
    }
}

//! GitLab's code quality report (GitLab documentation, "Code Quality", "Code Quality report format").

use super::escaped;
use super::fingerprint::fingerprints;
use super::place::Places;
use crate::check::Report;
use crate::finding::Severity;
use crate::text::Columns;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Issue<'a> {
    description: &'a str,
    check_name: &'a str,
    /// One of its own for each: of equal ones only the first is shown.
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(&report.sources, Columns::CodePoints);
    let issues = report.findings.iter().zip(fingerprints(report)).filter_map(|(finding, fingerprint)| {
        let label = finding.labels.first()?;
        let region = places.label(label)?;
        Some(Issue {
            description: &finding.message,
            check_name: finding.rule,
            fingerprint,
            severity: match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Note => "info",
            },
            location: Location { path: places.path(label.file), lines: Lines { begin: region.start.line, end: region.end.line } },
        })
    });
    escaped::write(&issues.collect::<Vec<_>>(), out)?;
    writeln!(out)
}

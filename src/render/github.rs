//! Workflow commands: annotations in the log of a GitHub, Gitea or Forgejo job (GitHub documentation, "Workflow commands for GitHub
//! Actions").
//!
//! A step shows ten annotations of each level and drops the rest in silence, so all findings stand as plain lines in the log first. Those
//! lines are switched off as commands: a file's name may begin with one.

use super::place::Places;
use super::sanitized::sanitized;
use super::{Format, Options};
use crate::check::Report;
use crate::finding::{Finding, Role, Severity};
use crate::text::Columns;
use std::io::{self, Write};

/// Annotations of one level that a step shows.
const SHOWN: usize = 10;

/// Columns of a message; a longer one is cut.
const MESSAGE: usize = 1000;

pub fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut plain = Vec::new();
    super::render(Format::Concise, report, &Options { color: false, ..*options }, &mut plain)?;
    // Nobody can write this word into a file before the report is known.
    let word = blake3::hash(&plain).to_hex();
    writeln!(out, "::stop-commands::{word}")?;
    out.write_all(&plain)?;
    writeln!(out, "::{word}::")?;
    let places = Places::new(&report.sources, Columns::CodePoints);
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for finding in report.findings.iter().filter(|finding| finding.severity == severity).take(SHOWN) {
            annotation(finding, &places, out)?;
        }
    }
    Ok(())
}

fn annotation(finding: &Finding, places: &Places, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    write!(out, "::{command} title={}", property(&format!("isolint: {}", finding.rule)))?;
    if let Some(label) = finding.labels.first()
        && let Some(region) = places.label(label)
    {
        write!(out, ",file={}", property(places.path(label.file)))?;
        write!(out, ",line={},endLine={}", region.start.line, region.end.line)?;
        // Columns of a place on several lines are refused.
        if region.start.line == region.end.line {
            write!(out, ",col={},endColumn={}", region.start.column, region.end.column)?;
        }
    }
    let mut message = sanitized(&finding.message, MESSAGE).to_string();
    for label in finding.labels.iter().filter(|label| label.role == Role::OtherEnd) {
        if let Some(region) = places.label(label) {
            let path = sanitized(places.path(label.file), MESSAGE);
            let text = sanitized(super::label_text(label), MESSAGE);
            message.push_str(&format!("\n{path}:{}: {text}", region.start.line));
        }
    }
    if !finding.help.is_empty() {
        message.push_str(&format!("\nhelp: {}", sanitized(&finding.help, MESSAGE)));
    }
    writeln!(out, "::{}", data(&message))
}

/// A message: it ends at the end of the line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: it also ends at a comma or colon.
fn property(text: &str) -> String {
    data(&sanitized(text, MESSAGE).to_string()).replace(':', "%3A").replace(',', "%2C")
}

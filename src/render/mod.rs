//! A report as text for people and programs. One file for each format; none of them decides what is reported.
//!
//! Paths are those of [`crate::text::Source`], columns are 1-based. Nothing here fails but the writer.

mod checkstyle;
mod concise;
mod escaped;
pub mod fingerprint;
mod github;
mod gitlab;
mod json;
mod junit;
pub mod place;
mod rdjson;
pub mod sanitized;
mod sarif;
mod summary;
mod terminal;
mod window;

use crate::check::Report;
use crate::facts::Ignore;
use crate::finding::{Fix, Label, Role, Severity};
use crate::text::{FileId, Span};
use std::io::{self, Write};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Source snippets with labels, for people.
    Terminal,
    /// `path:line:column: severity[rule] message`, one line each.
    Concise,
    /// Our own, versioned: [`JSON_VERSION`].
    Json,
    /// "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", as code scanning reads it.
    Sarif,
    /// Workflow commands: annotations in the log of a job.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
    /// Reviewdog's diagnostic format.
    Rdjson,
}

/// The version that JSON output carries; it changes when a key goes away or changes its meaning.
pub const JSON_VERSION: u32 = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Colours for a terminal; only [`Format::Terminal`] and [`Format::Concise`] know them.
    pub color: bool,
    /// Columns of the terminal: longer source lines are cut around what is shown, notes and help are broken. At most 200 are used.
    pub width: usize,
    /// Name each gap, not only their number ([`Format::Terminal`] and [`Format::Concise`]).
    pub gaps: bool,
    /// Findings that an ignore comment covers, too ([`Format::Terminal`], [`Format::Concise`], [`Format::Json`] and [`Format::Sarif`]).
    pub suppressed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { color: false, width: 200, gaps: false, suppressed: false }
    }
}

/// Writes a report, in pieces of some size: `out` need not be buffered.
///
/// # Errors
/// Those of `out`.
pub fn render(format: Format, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    match format {
        Format::Terminal => terminal::render(report, options, &mut out)?,
        Format::Concise => concise::render(report, options, &mut out)?,
        Format::Json => json::render(report, options, &mut out)?,
        Format::Sarif => sarif::render(report, options, &mut out)?,
        Format::Github => github::render(report, options, &mut out)?,
        Format::Gitlab => gitlab::render(report, &mut out)?,
        Format::Junit => junit::render(report, &mut out)?,
        Format::Checkstyle => checkstyle::render(report, &mut out)?,
        Format::Rdjson => rdjson::render(report, &mut out)?,
    }
    out.flush()
}

/// Where a rule's page can be read; none while the package names no repository.
pub fn page_uri(rule: &str) -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY").trim_end_matches('/');
    (!repository.is_empty()).then(|| format!("{repository}/blob/main/rules/{rule}.md"))
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// What a fix asks of its reader.
fn applicability(fix: &Fix) -> &'static str {
    if fix.safe { "safe" } else { "unsafe" }
}

/// Why a comment says that a finding is to be ignored.
fn reason(report: &Report, (file, comment): (FileId, Span)) -> Option<Box<str>> {
    let source = report.sources.get(file.0 as usize)?;
    Ignore::parse(source.slice(comment), comment.start, false)?.reason
}

/// What a label says; one that says nothing would not be drawn, and could not be a link's text.
fn label_text(label: &Label) -> &str {
    if !label.text.trim().is_empty() {
        return &label.text;
    }
    match label.role {
        Role::Primary => "here",
        Role::OtherEnd => "the other end",
        Role::Derivation => "through here",
        Role::Evidence => "because of this",
    }
}

/// What a gap's reason says to a person.
fn why_name(why: crate::facts::Why) -> &'static str {
    use crate::facts::Why;
    match why {
        Why::Syntax => "does not parse",
        Why::Macro => "a macro whose body is not understood",
        Why::Depth => "nested too deep to read",
        Why::Size => "too large, or over its time",
        Why::Encoding => "not text, or in an encoding that is not known",
        Why::Unreadable => "could not be read",
    }
}

//! Reviewdog's diagnostic format (reviewdog documentation, "Reviewdog Diagnostic Format", `reviewdog.proto`): one JSON object. Columns are
//! 1-based and count bytes.

use super::place::{Places, Region};
use super::{escaped, page_uri};
use crate::check::Report;
use crate::finding::{Finding, Label, Role, Severity};
use crate::text::{Columns, Position};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    source: Source,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    message: &'a str,
    location: Location<'a>,
    severity: &'static str,
    code: Code<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Code<'a> {
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    range: Range,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Range {
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct Suggestion<'a> {
    range: Range,
    text: Cow<'a, str>,
}

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(&report.sources, Columns::Bytes);
    let diagnostics = report.findings.iter().filter_map(|finding| diagnostic(finding, &places)).collect();
    let document = Document { source: Source { name: env!("CARGO_PKG_NAME") }, diagnostics };
    escaped::write(&document, out)?;
    writeln!(out)
}

fn diagnostic<'a>(finding: &'a Finding, places: &Places<'a>) -> Option<Diagnostic<'a>> {
    let label = finding.labels.first()?;
    let related = finding.labels[1..].iter().filter(|label| label.role == Role::OtherEnd);
    let related =
        related.filter_map(|label| Some(Related { message: super::label_text(label), location: location(label, places)? }));
    // A suggestion is one replacement in the file of the finding, and each is taken by itself.
    let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
    let alone = edits.clone().count() == 1;
    let suggestions = edits
        .filter(|edit| alone && edit.file == label.file)
        .filter_map(|edit| places.edit(edit))
        .map(|(region, text)| Suggestion { range: range(region), text });
    Some(Diagnostic {
        message: &finding.message,
        location: location(label, places)?,
        severity: match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Note => "INFO",
        },
        code: Code { value: finding.rule, url: page_uri(finding.rule) },
        suggestions: suggestions.collect(),
        related_locations: related.collect(),
    })
}

fn location<'a>(label: &Label, places: &Places<'a>) -> Option<Location<'a>> {
    Some(Location { path: places.path(label.file), range: range(places.label(label)?) })
}

fn range(region: Region) -> Range {
    let point = |position: Position| Point { line: position.line, column: position.column };
    Range { start: point(region.start), end: point(region.end) }
}

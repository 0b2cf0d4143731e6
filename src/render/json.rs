//! Our own JSON, version [`JSON_VERSION`]. Keys keep their order; columns are in code points, `start` and `end` in bytes of the
//! decoded text. In a notebook they are those of its file, and `cell` says where that is for its reader.

use super::escaped;
use super::fingerprint::fingerprints_of;
use super::place::{Places, Shown};
use super::{JSON_VERSION, Options, page_uri};
use crate::check::{Report, Skipped};
use crate::facts::Why;
use crate::finding::{Confidence, Edit, Finding, Label, Role, Severity};
use crate::text::{Columns, FileId, Span};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    findings: Vec<Entry<'a>>,
    /// Findings that an ignore comment covers, where they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Vec<Suppressed<'a>>>,
    gaps: Vec<GapEntry<'a>>,
    skipped: Vec<SkippedEntry<'a>>,
    faults: &'a [String],
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Suppressed<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    comment: Option<Place<'a>>,
    reason: Option<Box<str>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Entry<'a> {
    rule: &'a str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    /// That of the first label.
    #[serde(flatten)]
    place: Option<Place<'a>>,
    labels: Vec<LabelEntry<'a>>,
    help: &'a str,
    notes: &'a [String],
    tests: &'a [String],
    reproduce: Option<&'a str>,
    fingerprint: String,
    url: Option<String>,
    fix: Option<FixEntry<'a>>,
}

/// Replacements that belong together, sorted by file and place.
#[derive(Serialize)]
struct FixEntry<'a> {
    title: &'a str,
    applicability: &'static str,
    edits: Vec<EditEntry<'a>>,
}

#[derive(Serialize)]
struct EditEntry<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct LabelEntry<'a> {
    role: Role,
    text: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

/// Lines and columns are 1-based, ends exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    path: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    start: u32,
    end: u32,
    /// In a notebook.
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<CellPlace<'a>>,
}

/// The cell of a notebook, counted from 1 among all cells, and the lines in it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CellPlace<'a> {
    number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    line: u32,
    end_line: u32,
}

#[derive(Serialize)]
struct GapEntry<'a> {
    why: Why,
    #[serde(flatten)]
    place: Place<'a>,
}

#[derive(Serialize)]
struct SkippedEntry<'a> {
    path: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Summary<'a> {
    errors: usize,
    warnings: usize,
    notes: usize,
    ignored: usize,
    files: usize,
    tests: usize,
    runners: &'a [String],
    gaps: usize,
    skipped: usize,
    faults: usize,
}

pub fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(&report.sources, Columns::CodePoints);
    let all: Vec<&Finding> = report.findings.iter().chain(report.ignored.iter().map(|(finding, ..)| finding)).collect();
    let mut fingerprints = fingerprints_of(&all, report);
    let ignored = report.ignored.iter().zip(fingerprints.split_off(report.findings.len()));
    let suppressed = ignored.map(|((finding, file, comment), print)| Suppressed {
        entry: entry(finding, print, &places),
        comment: place(&places, *file, *comment),
        reason: super::reason(report, (*file, *comment)),
    });
    let findings = report.findings.iter().zip(fingerprints).map(|(finding, print)| entry(finding, print, &places));
    let gaps = report.gaps.iter().filter_map(|(file, gap)| {
        let place = place(&places, *file, gap.span)?;
        Some(GapEntry { why: gap.why, place })
    });
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let document = Document {
        version: JSON_VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        findings: findings.collect(),
        suppressed: options.suppressed.then(|| suppressed.collect()),
        gaps: gaps.collect(),
        skipped: report.skipped.iter().map(|Skipped { path, why }| SkippedEntry { path, why }).collect(),
        faults: &report.faults,
        summary: Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            ignored: report.ignored.len(),
            files: report.sources.len(),
            tests: report.tests,
            runners: &report.runners,
            gaps: report.gaps.len(),
            skipped: report.skipped.len(),
            faults: report.faults.len(),
        },
    };
    escaped::write(&document, out)?;
    writeln!(out)
}

fn entry<'a>(finding: &'a Finding, fingerprint: String, places: &Places<'a>) -> Entry<'a> {
    let label = |label: &'a Label| {
        let place = place(places, label.file, label.span)?;
        Some(LabelEntry { role: label.role, text: &label.text, place })
    };
    Entry {
        rule: finding.rule,
        severity: finding.severity,
        confidence: finding.confidence,
        message: &finding.message,
        place: finding.labels.first().and_then(|label| place(places, label.file, label.span)),
        labels: finding.labels.iter().filter_map(label).collect(),
        help: &finding.help,
        notes: &finding.notes,
        tests: &finding.tests,
        reproduce: finding.reproduce.as_deref(),
        fingerprint,
        url: page_uri(finding.rule),
        fix: finding.fix.as_ref().map(|fix| FixEntry {
            title: &fix.title,
            applicability: super::applicability(fix),
            edits: fix.edits.iter().filter_map(|edit| edit_entry(edit, places)).collect(),
        }),
    }
}

fn edit_entry<'a>(edit: &'a Edit, places: &Places<'a>) -> Option<EditEntry<'a>> {
    let (region, text) = places.edit(edit)?;
    let cell = places.shown(edit.file, edit.span).and_then(|shown| shown.cell);
    Some(EditEntry { place: place_of(places, edit.file, Shown { region, cell }), text })
}

fn place<'a>(places: &Places<'a>, file: FileId, span: Span) -> Option<Place<'a>> {
    Some(place_of(places, file, places.shown(file, span)?))
}

fn place_of<'a>(places: &Places<'a>, file: FileId, Shown { region, cell }: Shown<'a>) -> Place<'a> {
    let cell =
        cell.map(|at| CellPlace { number: at.cell.number, id: at.cell.id.as_deref(), line: at.line, end_line: at.end_line });
    Place {
        path: places.path(file),
        line: region.start.line,
        column: region.start.column,
        end_line: region.end.line,
        end_column: region.end.column,
        start: region.span.start,
        end: region.span.end,
        cell,
    }
}

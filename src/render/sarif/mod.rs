//! SARIF 2.1.0, as code scanning and editors read it ("Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS;
//! "SARIF support for code scanning", GitHub Docs).
//!
//! Ignored findings are left out where they are not asked for: code scanning opens alerts for suppressed results.

mod model;
mod rule;

use super::fingerprint::{self, fingerprints_of, line_hashes};
use super::place::{Places, Region};
use super::{Options, escaped, label_text, why_name};
use crate::check::Report;
use crate::facts::Why;
use crate::finding::{Finding, Fix, Label, Role, Severity};
use crate::text::{Columns, FileId, Span};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

/// Results that code scanning takes of one run; what costs least is left out, and a notification says so.
const RESULTS: usize = 25_000;
/// Related locations that code scanning shows of a result.
const RELATED: usize = 100;
/// Gaps that are named; more are counted.
const GAPS: usize = 1000;

const ROOT: &str = "%SRCROOT%";

pub fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let log = model::Log {
        schema: "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: vec![run(report, options)],
    };
    escaped::write(&log, out)?;
    writeln!(out)
}

fn run(report: &Report, options: &Options) -> model::Run {
    let places = Places::new(&report.sources, Columns::Utf16);
    let (kept, left_out) = keep(report, options);
    let mut rules: Vec<model::Rule> = Vec::new();
    let mut indexes: HashMap<&str, usize> = HashMap::new();
    let mut hashes = Hashes { places: &places, known: HashMap::new() };
    let mut results = Vec::with_capacity(kept.len());
    for (finding, comment, fingerprint) in kept {
        let rule_index = *indexes.entry(finding.rule).or_insert_with(|| {
            rules.push(rule::descriptor(finding));
            rules.len() - 1
        });
        // The id of a page found by a former name is the page's.
        let rule_id = rules.get(rule_index).map_or_else(|| finding.rule.to_owned(), |rule| rule.id.clone());
        let mut partial_fingerprints = BTreeMap::from([(fingerprint::KEY, fingerprint)]);
        if let Some(hash) = finding.labels.first().and_then(|label| hashes.of(label)) {
            partial_fingerprints.insert("primaryLocationLineHash", hash);
        }
        let suppressions = comment.iter().filter_map(|(file, span)| {
            let location = location(&places, *file, places.region(*file, *span)?, None);
            let justification = super::reason(report, (*file, *span));
            Some(model::Suppression { kind: "inSource", justification, location })
        });
        let suppressions = suppressions.collect();
        results.push(model::Result { suppressions, ..result(finding, rule_id, rule_index, partial_fingerprints, &places) });
    }
    model::Run {
        tool: model::Tool {
            driver: model::Driver {
                name: env!("CARGO_PKG_NAME"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                information_uri: Some(env!("CARGO_PKG_REPOSITORY")).filter(|uri| !uri.is_empty()),
                rules,
            },
        },
        // What stands before the last slash is the category under which code scanning keeps the alerts.
        automation_details: model::AutomationDetails { id: "isolint/" },
        invocations: vec![model::Invocation {
            execution_successful: report.faults.is_empty(),
            tool_execution_notifications: notifications(report, left_out, &places),
        }],
        original_uri_base_ids: BTreeMap::from([(ROOT, model::UriBase { description: text_of("The root of the project.") })]),
        newline_sequences: ["\r\n", "\n", "\r"],
        column_kind: "utf16CodeUnits",
        results,
    }
}

/// A finding with the comment that covers it, if one does, and its fingerprint.
type Kept<'a> = (&'a Finding, Option<(FileId, Span)>, String);

/// The findings to write, and how many are left out.
fn keep<'a>(report: &'a Report, options: &Options) -> (Vec<Kept<'a>>, usize) {
    let ignored = report.ignored.iter().filter(|_| options.suppressed);
    let ignored = ignored.map(|(finding, file, comment)| (finding, Some((*file, *comment))));
    let all: Vec<_> = report.findings.iter().map(|finding| (finding, None)).chain(ignored).collect();
    let fingerprints = fingerprints_of(&all.iter().map(|(finding, _)| *finding).collect::<Vec<_>>(), report);
    let all = all.into_iter().zip(fingerprints).map(|((finding, comment), fingerprint)| (finding, comment, fingerprint));
    let mut kept: Vec<(usize, Kept)> = all.enumerate().collect();
    let left_out = kept.len().saturating_sub(RESULTS);
    if left_out > 0 {
        kept.sort_by_key(|(at, (finding, ..))| (std::cmp::Reverse(finding.severity), *at));
        kept.truncate(RESULTS);
        kept.sort_by_key(|(at, _)| *at);
    }
    (kept.into_iter().map(|(_, finding)| finding).collect(), left_out)
}

fn result(
    finding: &Finding,
    rule_id: String,
    rule_index: usize,
    partial_fingerprints: BTreeMap<&'static str, String>,
    places: &Places,
) -> model::Result {
    let primary = finding.labels.first();
    let cited = finding.labels.iter().skip(1).filter_map(|label| Some((label, places.label(label)?)));
    let cited: Vec<(&Label, Region)> = cited.take(RELATED).collect();
    let related = cited.iter().enumerate().map(|(n, (label, region))| {
        let mut location = location(places, label.file, *region, Some(label_text(label)));
        location.id = Some(n + 1);
        location
    });
    let locations: Vec<model::Location> = primary
        .and_then(|label| Some(location(places, label.file, places.label(label)?, Some(label_text(label)))))
        .into_iter()
        .collect();
    let derivation = cited.iter().filter(|(label, _)| label.role == Role::Derivation);
    let steps: Vec<model::Location> =
        derivation.map(|(label, region)| location(places, label.file, *region, Some(label_text(label)))).collect();
    let code_flows = if steps.is_empty() {
        Vec::new()
    } else {
        let steps = steps.into_iter().chain(locations.iter().cloned());
        let locations = steps.map(|location| model::ThreadFlowLocation { location }).collect();
        vec![model::CodeFlow { thread_flows: [model::ThreadFlow { locations }] }]
    };
    model::Result {
        rule_id,
        rule_index,
        level: level(finding.severity),
        message: model::Text { text: message(finding, &cited) },
        related_locations: related.collect(),
        locations,
        code_flows,
        partial_fingerprints,
        suppressions: Vec::new(),
        fixes: finding.fix.iter().map(|fix| fix_of(fix, places)).collect(),
        properties: model::ResultProperties {
            confidence: finding.confidence,
            help: finding.help.clone(),
            notes: finding.notes.clone(),
            reproduce: finding.reproduce.clone(),
            tests: finding.tests.clone(),
        },
    }
}

/// A fix: its replacements by file, in the order of the text.
fn fix_of(fix: &Fix, places: &Places) -> model::Fix {
    let mut changes: BTreeMap<FileId, Vec<model::Replacement>> = BTreeMap::new();
    for edit in &fix.edits {
        let Some((region, text)) = places.edit(edit) else { continue };
        let replacement = model::Replacement { deleted_region: region_of(region), inserted_content: text_of(&text) };
        changes.entry(edit.file).or_default().push(replacement);
    }
    let change = |(file, replacements)| model::ArtifactChange { artifact_location: artifact(places.path(file)), replacements };
    model::Fix {
        description: text_of(&rule::sentence(&fix.title)),
        artifact_changes: changes.into_iter().map(change).collect(),
        properties: model::FixProperties { applicability: super::applicability(fix) },
    }
}

/// The message: what is wrong, which is the alert's title; links to the places that show it; what to do. The numbers of links are
/// those of the related locations.
fn message(finding: &Finding, cited: &[(&Label, Region)]) -> String {
    let mut text = plain(&rule::sentence(&finding.message));
    for (role, head) in
        [(Role::OtherEnd, "The other end"), (Role::Derivation, "How it gets there"), (Role::Evidence, "Why it is believed")]
    {
        let numbered = cited.iter().enumerate().filter(|(_, (label, _))| label.role == role);
        let links: Vec<String> =
            numbered.map(|(n, (label, _))| format!("[{}]({})", link_text(label_text(label)), n + 1)).collect();
        if !links.is_empty() {
            text.push_str(&format!(" {head}: {}.", links.join(", ")));
        }
    }
    if !finding.help.is_empty() {
        text.push_str(&format!(" What to do: {}", plain(&rule::sentence(&finding.help))));
    }
    text
}

/// The text of an embedded link: brackets and backslashes stand behind a backslash ("Static Analysis Results Interchange Format",
/// 3.11.6).
fn link_text(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if matches!(c, '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Text outside of links: what would read as a link is taken apart. Curly braces stay: viewers show `{name}` as it is where a
/// message has no arguments, and would show doubled braces doubled.
fn plain(text: &str) -> String {
    text.replace("](", "] (")
}

fn location(places: &Places, file: FileId, region: Region, message: Option<&str>) -> model::Location {
    // A region of a notebook's text stands elsewhere in its file.
    let shown = places.shown(file, region.span);
    let cell = shown.as_ref().and_then(|shown| shown.cell);
    model::Location {
        id: None,
        physical_location: model::PhysicalLocation {
            artifact_location: artifact(places.path(file)),
            region: Some(region_of(shown.map_or(region, |shown| shown.region))),
        },
        logical_locations: cell
            .map(|at| model::LogicalLocation {
                name: at.name(),
                fully_qualified_name: format!("{}: {}", places.path(file), at.name()),
                kind: "cell",
            })
            .into_iter()
            .collect(),
        properties: cell.map(|at| model::LocationProperties {
            cell: at.cell.number,
            cell_id: at.cell.id.as_deref().map(str::to_owned),
            line: at.line,
            end_line: at.end_line,
        }),
        message: message.map(|text| model::LocationText { text: plain(text) }),
    }
}

fn region_of(region: Region) -> model::Region {
    model::Region {
        start_line: region.start.line,
        start_column: region.start.column,
        end_line: region.end.line,
        end_column: region.end.column,
    }
}

fn artifact(path: &str) -> model::ArtifactLocation {
    model::ArtifactLocation { uri: percent_encoded(path), uri_base_id: ROOT }
}

/// A path as a relative URI: all but unreserved characters and `/` are percent-encoded ("Uniform Resource Identifier (URI): Generic
/// Syntax", RFC 3986, 2.3), a colon too, which would make a scheme of the first part.
fn percent_encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

fn level(severity: Severity) -> &'static str {
    super::severity_name(severity)
}

fn text_of(text: &str) -> model::Text {
    model::Text { text: text.to_owned() }
}

/// Line hashes of the files asked for.
struct Hashes<'p, 'a> {
    places: &'p Places<'a>,
    known: HashMap<FileId, Vec<String>>,
}

impl Hashes<'_, '_> {
    /// The hash of the line that a label starts on; none where the text is not the file's: code scanning reads the bytes.
    fn of(&mut self, label: &Label) -> Option<String> {
        let source = self.places.source(label.file).filter(|source| !source.decoded)?;
        let line = self.places.shown(label.file, label.span)?.region.start.line;
        let text = source.cells.as_ref().map_or(&*source.text, |cells| cells.file());
        let hashes = self.known.entry(label.file).or_insert_with(|| line_hashes(text));
        hashes.get(line as usize - 1).cloned()
    }
}

fn notifications(report: &Report, left_out: usize, places: &Places) -> Vec<model::Notification> {
    let mut list = Vec::new();
    for fault in &report.faults {
        list.push(notification("fault", "error", fault.clone(), None));
    }
    for skipped in &report.skipped {
        let location = model::Location {
            id: None,
            physical_location: model::PhysicalLocation { artifact_location: artifact(&skipped.path), region: None },
            logical_locations: Vec::new(),
            properties: None,
            message: None,
        };
        list.push(notification("skipped", "warning", format!("{} was not read: {}", skipped.path, skipped.why), Some(location)));
    }
    for (file, gap) in report.gaps.iter().take(GAPS) {
        // A macro that is not understood is nothing the user did wrong.
        let level = if gap.why == Why::Macro { "note" } else { "warning" };
        let location = gap_location(places, *file, gap.span);
        list.push(notification("gap", level, format!("Not understood: {}.", why_name(gap.why)), location));
    }
    if report.gaps.len() > GAPS {
        list.push(notification("limit", "note", format!("{} more gaps are not listed.", report.gaps.len() - GAPS), None));
    }
    if left_out > 0 {
        list.push(notification(
            "limit",
            "warning",
            format!("{left_out} of the findings {} left out: a run takes {RESULTS}.", if left_out == 1 { "is" } else { "are" }),
            None,
        ));
    }
    list
}

fn gap_location(places: &Places, file: FileId, span: Span) -> Option<model::Location> {
    Some(location(places, file, places.region(file, span)?, None))
}

/// `id` is `fault`, `skipped`, `gap` or `limit`.
fn notification(id: &'static str, level: &'static str, text: String, location: Option<model::Location>) -> model::Notification {
    model::Notification {
        descriptor: model::DescriptorReference { id },
        level,
        message: model::Text { text: plain(&text) },
        locations: location.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_percent_encoded() {
        assert_eq!(percent_encoded("tests/test_a-b.py"), "tests/test_a-b.py");
        assert_eq!(percent_encoded("tésts/a b#?%.py"), "t%C3%A9sts/a%20b%23%3F%25.py");
        assert_eq!(percent_encoded("c:x\n"), "c%3Ax%0A");
    }

    #[test]
    fn links_are_escaped_and_text_makes_none() {
        assert_eq!(link_text(r"a[0]\b"), r"a\[0\]\\b");
        assert_eq!(plain("`test_x[a](2)`"), "`test_x[a] (2)`");
    }
}

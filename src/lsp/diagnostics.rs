//! Findings as diagnostics, file by file.

use super::actions::Named;
use super::analyst::{Analysed, Mistake};
use super::client::Can;
use super::documents::Documents;
use super::place::{Spot, Spots};
use crate::finding::{Finding, Label, Role, Severity};
use crate::render::fingerprint::fingerprints;
use crate::render::page_uri;
use gen_lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, Position, Range, Uri,
};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Diagnostics of all files, and cells of open notebooks, that have some.
pub fn of(analysed: &Analysed, can: &Can, documents: &Documents, named: Named) -> BTreeMap<Spot, Vec<Diagnostic>> {
    let mut files: BTreeMap<Spot, Vec<Diagnostic>> = BTreeMap::new();
    for project in &analysed.projects {
        let spots = Spots::new(project, can.columns, documents);
        for (finding, fingerprint) in project.report.findings.iter().zip(fingerprints(&project.report)) {
            let writer = Writer { spots: &spots, can, named, finding, fingerprint: &fingerprint };
            for label in &finding.labels {
                if let Some((spot, diagnostic)) = writer.at(label) {
                    files.entry(spot).or_default().push(diagnostic);
                }
            }
        }
    }
    for mistake in &analysed.mistakes {
        files.entry(Spot::File(mistake.file.clone())).or_default().push(of_mistake(mistake));
    }
    for diagnostics in files.values_mut() {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.range.start, diagnostic.range.end, diagnostic.severity.map(u32::from)));
        // Where one project lies in another, both see the same.
        diagnostics.dedup();
    }
    files
}

/// A name for exactly these diagnostics: the client shows it to ask whether there are others by now.
pub fn result_id(diagnostics: &[Diagnostic]) -> String {
    let mut hasher = DefaultHasher::new();
    // Texts and numbers only: there is nothing in it that JSON cannot say.
    serde_json::to_string(diagnostics).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The rule on ignore comments: what it speaks of is not needed.
const UNNEEDED: &str = "unused-ignore";

struct Writer<'a> {
    spots: &'a Spots<'a>,
    can: &'a Can,
    named: Named<'a>,
    finding: &'a Finding,
    fingerprint: &'a str,
}

impl Writer<'_> {
    /// The finding where it has its place; at its other end a hint. What only explains it has none of its own.
    fn at(&self, label: &Label) -> Option<(Spot, Diagnostic)> {
        let finding = self.finding;
        let severity = match (label.role, finding.severity) {
            (Role::Primary, Severity::Error) => DiagnosticSeverity::Error,
            (Role::Primary, Severity::Warning) => DiagnosticSeverity::Warning,
            (Role::Primary, Severity::Note) => DiagnosticSeverity::Information,
            (Role::OtherEnd, _) => DiagnosticSeverity::Hint,
            (Role::Derivation | Role::Evidence, _) => return None,
        };
        let others = finding.labels.iter().filter(|other| !std::ptr::eq(*other, label));
        let related: Vec<_> = others.filter_map(|other| self.related(other)).collect();
        let tags = (finding.rule == UNNEEDED && self.can.tags).then(|| vec![DiagnosticTag::Unnecessary]);
        let (spot, range) = self.spots.at(label.file, label.span)?;
        let diagnostic = Diagnostic {
            range,
            severity: Some(severity),
            code: Some(finding.rule.to_owned().into()),
            code_description: page_uri(finding.rule)
                .filter(|_| self.can.href)
                .map(|href| CodeDescription { href: Uri::from(href) }),
            source: Some(env!("CARGO_PKG_NAME").to_owned()),
            message: message(finding).into(),
            tags,
            related_information: (self.can.related && !related.is_empty()).then_some(related),
            data: self.can.data.then(|| {
                serde_json::json!({
                    "fingerprint": self.fingerprint,
                    "confidence": finding.confidence,
                    "tests": finding.tests,
                    "reproduce": finding.reproduce,
                })
            }),
        };
        Some((spot, diagnostic))
    }

    fn related(&self, label: &Label) -> Option<DiagnosticRelatedInformation> {
        let (spot, range) = self.spots.at(label.file, label.span)?;
        let (uri, _) = (self.named)(&spot);
        let message = if label.text.is_empty() { "here".to_owned() } else { label.text.clone() };
        Some(DiagnosticRelatedInformation { location: Location { uri, range }, message })
    }
}

fn message(finding: &Finding) -> String {
    if finding.help.is_empty() { finding.message.clone() } else { format!("{}\nhelp: {}", finding.message, finding.help) }
}

fn of_mistake(mistake: &Mistake) -> Diagnostic {
    let line = u32::try_from(mistake.line).unwrap_or(1).saturating_sub(1);
    Diagnostic {
        range: Range { start: Position { line, character: 0 }, end: Position { line: line + 1, character: 0 } },
        severity: Some(DiagnosticSeverity::Error),
        source: Some(env!("CARGO_PKG_NAME").to_owned()),
        message: mistake.what.clone().into(),
        ..Diagnostic::default()
    }
}

//! What is said of a place under the cursor: the findings there, and the pages of their rules.

use super::client::Can;
use super::place::{self, Spot, Spots};
use crate::finding::{Finding, Role};
use crate::page;
use gen_lsp_types::{Hover, MarkupContent, MarkupKind, Position, Range};
use std::collections::BTreeSet;
use std::fmt::Write;

/// None where nothing is found at this place.
pub fn at(spots: &Spots, asked: &Spot, position: Position, can: &Can) -> Option<Hover> {
    let here = Range { start: position, end: position };
    let mut found: Vec<(&Finding, Range)> = Vec::new();
    for finding in &spots.project.report.findings {
        let ends = finding.labels.iter().filter(|label| matches!(label.role, Role::Primary | Role::OtherEnd));
        let places = ends.filter_map(|label| spots.at(label.file, label.span)).filter(|(spot, _)| spot == asked);
        found.extend(places.filter(|(_, range)| place::touch(*range, here)).map(|(_, range)| (finding, range)).take(1));
    }
    let (_, range) = *found.first()?;
    let mut text = String::new();
    for (n, (finding, _)) in found.iter().enumerate() {
        if n > 0 {
            text.push_str("\n---\n\n");
        }
        say(finding, &mut text);
    }
    let rules: BTreeSet<&str> = found.iter().map(|(finding, _)| finding.rule).collect();
    for page in rules.into_iter().filter_map(page::find) {
        let _ = write!(text, "\n---\n\n## `{}`: {}\n\n{}\n", page.name, page.front.title, page.body.trim());
    }
    let kind = if can.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    Some(Hover { contents: MarkupContent { kind, value: text }.into(), range: Some(range) })
}

fn say(finding: &Finding, text: &mut String) {
    let _ = writeln!(text, "**{}**: {}\n", finding.rule, finding.message);
    for note in &finding.notes {
        let _ = writeln!(text, "- {note}");
    }
    if !finding.help.is_empty() {
        let _ = writeln!(text, "- help: {}", finding.help);
    }
    if !finding.tests.is_empty() {
        let tests: Vec<String> = finding.tests.iter().map(|test| format!("`{test}`")).collect();
        let _ = writeln!(text, "- tests: {}", tests.join(", "));
    }
    if let Some(command) = &finding.reproduce {
        let _ = writeln!(text, "\n```sh\n{command}\n```");
    }
}

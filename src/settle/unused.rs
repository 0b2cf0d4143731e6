//! Ignore comments that cover nothing, or name no rule.

use super::ignores::{Cover, Covers};
use super::means;
use crate::config::nearest;
use crate::finding::{Confidence, Finding, Label, Remedy, Role, Severity};
use crate::page::Page;
use crate::text::{FileId, Source, Span};
use std::collections::BTreeSet;

/// The rule that speaks of ignore comments.
pub(super) const RULE: &str = "unused-ignore";

/// One finding for each comment with a name that is not needed. `needed` are the names that cover something.
pub(super) fn findings(covers: &Covers, needed: &BTreeSet<(FileId, Span)>, sources: &[Source], pages: &[Page]) -> Vec<Finding> {
    if !pages.iter().any(|page| page.name == RULE) {
        return Vec::new();
    }
    covers.comments().filter_map(|(file, cover)| finding(file, cover, needed, sources, pages)).collect()
}

fn finding(
    file: FileId,
    cover: &Cover,
    needed: &BTreeSet<(FileId, Span)>,
    sources: &[Source],
    pages: &[Page],
) -> Option<Finding> {
    let is_rule = |name: &str| pages.iter().any(|page| means(name, page.name, pages));
    let names: Vec<&str> = pages.iter().map(|page| page.name).collect();
    let mut unknown = Vec::new();
    let mut unneeded = Vec::new();
    let mut changes = Vec::new();
    for (name, span) in &cover.rules {
        if !is_rule(name) {
            let near = nearest(name, &names);
            unknown.push(match near {
                Some(near) => format!("`{name}` is no rule (did you mean `{near}`?)"),
                None => format!("`{name}` is no rule"),
            });
            changes.push((*span, near.map(str::to_owned)));
        } else if !needed.contains(&(file, *span)) && !means(name, RULE, pages) {
            unneeded.push(format!("`{name}`"));
            changes.push((*span, None));
        }
    }
    let message = match (unknown.is_empty(), unneeded.is_empty()) {
        (true, true) if cover.rules.is_empty() => "this comment names no rule, so it ignores nothing".to_owned(),
        (true, true) => return None,
        (false, true) => unknown.join(", "),
        (true, false) => format!("nothing is found here for {}: the comment is not needed any more", unneeded.join(" and ")),
        (false, false) => format!("{}, and nothing is found here for {}", unknown.join(", "), unneeded.join(" and ")),
    };
    let help = if cover.rules.is_empty() {
        "name the rule in brackets, with a reason behind them: `isolint: ignore[shared-path] made by hand`"
    } else {
        "take the name out of the brackets, or the whole comment where it is the only one"
    };
    let path = sources.get(file.0 as usize).map_or("", |source| &source.path);
    Some(Finding {
        rule: RULE,
        severity: Severity::Warning,
        confidence: Confidence::High,
        message,
        labels: vec![Label { file, span: cover.comment, text: "this comment".to_owned(), role: Role::Primary }],
        help: help.to_owned(),
        notes: Vec::new(),
        tests: Vec::new(),
        reproduce: None,
        key: format!("{path} {}", cover.rules.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(" ")),
        remedy: (!changes.is_empty()).then_some(Remedy::RenameIgnored { file, comment: cover.comment, changes }),
        fix: None,
    })
}

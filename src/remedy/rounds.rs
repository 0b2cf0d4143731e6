//! Rounds of edits, each analysed again: what does not parse, does not remove its finding or brings a new one is taken back.

use super::apply;
use crate::check::Report;
use crate::finding::{Finding, Fix};
use crate::text::{FileId, Source};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds until what overlaps has had its turn.
const ROUNDS: usize = 20;

/// Analyses that one run may ask for: a fix that has to be taken back costs a few.
const LOOKS: usize = 400;

/// What fixing did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report after the last round.
    pub report: Report,
    /// Paths of the files that changed, with their texts before and after.
    pub changed: Vec<Changed>,
    /// Fixes that were made, by the name of their rule.
    pub made: BTreeMap<&'static str, usize>,
    /// Findings whose edits were taken back, with the reason.
    pub taken_back: Vec<(Finding, &'static str)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    pub path: String,
    pub before: String,
    pub after: String,
}

/// What a finding is about, wherever it stands now.
pub(super) type Identity = (&'static str, String, String);

/// Fixes what can be fixed: only what is safe, or all. `again` analyses sources as `report` was made.
pub fn run(report: Report, unsafe_too: bool, again: &dyn Fn(Vec<Source>) -> Report) -> Outcome {
    let first = report.sources.clone();
    let mut made = BTreeMap::new();
    let mut taken_back: Vec<(Finding, &'static str)> = Vec::new();
    let mut refused: BTreeSet<Identity> = BTreeSet::new();
    let mut work = Work { report, again, looks: LOOKS };
    for _ in 0..ROUNDS {
        let report = &work.report;
        let wanted: Vec<(Identity, Fix)> = report
            .findings
            .iter()
            .filter_map(|finding| {
                let fix = finding.fix.as_ref().filter(|fix| fix.safe || unsafe_too)?;
                let identity = identity(finding, &report.sources);
                (!refused.contains(&identity)).then(|| (identity, fix.clone()))
            })
            .collect();
        let fixes: Vec<&Fix> = wanted.iter().map(|(_, fix)| fix).collect();
        let taken = apply::together(&fixes);
        let round: Vec<(Identity, Fix)> =
            wanted.iter().filter(|(_, fix)| taken.iter().any(|one| std::ptr::eq(*one, fix))).cloned().collect();
        if round.is_empty() {
            break;
        }
        let findings = report.findings.clone();
        let sources = report.sources.clone();
        let mut kept = Vec::new();
        let back = work.accept(&sources, &mut kept, &round);
        if kept.is_empty() && back.is_empty() {
            break;
        }
        for (identity, _) in &kept {
            *made.entry(identity.0).or_insert(0) += 1;
        }
        for (identity_of, why) in back {
            if let Some(finding) = findings.iter().find(|finding| identity(finding, &sources) == identity_of) {
                taken_back.push((finding.clone(), why));
            }
            refused.insert(identity_of);
        }
    }
    Outcome { changed: changed(&first, &work.report.sources), report: work.report, made, taken_back }
}

/// The files that differ, of the same files before and after.
pub fn changed(before: &[Source], after: &[Source]) -> Vec<Changed> {
    let differ = before.iter().zip(after).filter(|(old, new)| old.file_text() != new.file_text());
    differ
        .map(|(old, new)| Changed {
            path: old.path.to_string(),
            before: old.file_text().to_owned(),
            after: new.file_text().to_owned(),
        })
        .collect()
}

struct Work<'a> {
    report: Report,
    again: &'a dyn Fn(Vec<Source>) -> Report,
    looks: usize,
}

impl Work<'_> {
    /// Makes these fixes over those that are kept already. What has to be taken back is found by halving.
    fn accept(
        &mut self,
        sources: &[Source],
        kept: &mut Vec<(Identity, Fix)>,
        more: &[(Identity, Fix)],
    ) -> Vec<(Identity, &'static str)> {
        if more.is_empty() {
            return Vec::new();
        }
        if self.looks == 0 {
            return more.iter().map(|(identity, _)| (identity.clone(), "too many edits had to be looked at")).collect();
        }
        self.looks -= 1;
        let all: Vec<&Fix> = kept.iter().chain(more).map(|(_, fix)| fix).collect();
        let tried = apply::sources(sources, &all).map(|edited| {
            let mut new = sources.to_vec();
            for (file, source) in edited {
                new[file.0 as usize] = source;
            }
            (self.again)(new)
        });
        let verdict = match &tried {
            Some(new) => judge(&self.report, new, more),
            None => Some("its edits do not fit the file"),
        };
        match (verdict, tried) {
            (None, Some(new)) => {
                self.report = new;
                kept.extend(more.iter().cloned());
                Vec::new()
            }
            (why, _) => match more {
                [(identity, _)] => vec![(identity.clone(), why.unwrap_or("its edits do not fit the file"))],
                _ => {
                    let (left, right) = more.split_at(more.len() / 2);
                    let mut back = self.accept(sources, kept, left);
                    back.extend(self.accept(sources, kept, right));
                    back
                }
            },
        }
    }
}

/// What speaks against a round of edits.
fn judge(old: &Report, new: &Report, made: &[(Identity, Fix)]) -> Option<&'static str> {
    let gaps = |report: &Report| {
        let mut count: BTreeMap<FileId, usize> = BTreeMap::new();
        for (file, _) in &report.gaps {
            *count.entry(*file).or_default() += 1;
        }
        count
    };
    let (gaps_before, gaps_after) = (gaps(old), gaps(new));
    if gaps_after.iter().any(|(file, count)| count > gaps_before.get(file).unwrap_or(&0)) || new.faults.len() > old.faults.len() {
        return Some("the file would not parse");
    }
    let (before, after) = (counts(old), counts(new));
    let mut wanted: BTreeMap<&Identity, usize> = BTreeMap::new();
    for (identity, _) in made {
        *wanted.entry(identity).or_default() += 1;
    }
    let left = |identity: &Identity| after.get(identity).copied().unwrap_or(0);
    if wanted.iter().any(|(identity, n)| left(identity) + n > before.get(*identity).copied().unwrap_or(0)) {
        return Some("the finding would still be there");
    }
    if after.iter().any(|(identity, n)| *n > before.get(identity).copied().unwrap_or(0)) {
        return Some("it would bring a new finding");
    }
    None
}

fn counts(report: &Report) -> BTreeMap<Identity, usize> {
    let mut counts = BTreeMap::new();
    for finding in &report.findings {
        *counts.entry(identity(finding, &report.sources)).or_insert(0) += 1;
    }
    counts
}

pub(super) fn identity(finding: &Finding, sources: &[Source]) -> Identity {
    let path = finding.labels.first().and_then(|label| sources.get(label.file.0 as usize)).map_or("", |source| &*source.path);
    (finding.rule, finding.key.clone(), path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Gap, Why};
    use crate::finding::{Confidence, Edit, Label, Role, Severity};
    use crate::text::{Kind, Span};

    /// A linter that dislikes each `bad` followed by a letter, and offers what `cure` makes of the letter. `(` is a fault of syntax.
    fn look(sources: Vec<Source>, cure: fn(&str) -> &'static str) -> Report {
        let mut report = Report { sources, ..Report::default() };
        let text = report.sources[0].text.to_string();
        for (start, word) in text.match_indices("bad") {
            let letter = &text[start + 3..start + 4];
            let span = Span::new(start, start + 4);
            let edit = Edit { file: FileId(0), span, text: cure(letter).to_owned() };
            report.findings.push(Finding {
                rule: "mktemp",
                severity: Severity::Error,
                confidence: Confidence::High,
                message: word.to_owned(),
                labels: vec![Label { file: FileId(0), span, text: String::new(), role: Role::Primary }],
                help: String::new(),
                notes: Vec::new(),
                tests: Vec::new(),
                reproduce: None,
                key: letter.to_owned(),
                remedy: None,
                fix: Some(Fix { title: String::new(), safe: letter != "u", edits: vec![edit] }),
            });
        }
        if let Some(at) = text.find('(') {
            report.gaps.push((FileId(0), Gap { span: Span::new(at, at), why: Why::Syntax }));
        }
        report
    }

    fn fixed(text: &str, unsafe_too: bool, cure: fn(&str) -> &'static str) -> (String, Vec<&'static str>) {
        let again = |sources| look(sources, cure);
        let outcome = run(again(vec![Source::of("a.py", Kind::Python, text)]), unsafe_too, &again);
        let text = outcome.report.sources[0].text.to_string();
        (text, outcome.taken_back.iter().map(|(_, why)| *why).collect())
    }

    #[test]
    fn what_helps_is_kept_and_the_rest_is_taken_back() {
        let cure = |letter: &str| match letter {
            "a" => "good",
            "b" => "badb",
            "c" => "good(",
            "d" => "bade",
            _ => "fine",
        };
        let (text, back) = fixed("bada badb badc badd badf bada", false, cure);
        assert_eq!(text, "good badb badc badd fine good");
        assert_eq!(back, ["the finding would still be there", "the file would not parse", "it would bring a new finding"]);
    }

    #[test]
    fn what_needs_a_look_waits() {
        let cure = |_: &str| "good";
        assert_eq!(fixed("badu bada", false, cure).0, "badu good");
        assert_eq!(fixed("badu bada", true, cure).0, "good good");
    }

    #[test]
    fn overlapping_edits_take_turns() {
        // Each of the two replaces the whole text that they share.
        let again = |sources: Vec<Source>| {
            let mut report = look(sources, |_| "good");
            let whole = Span::new(0, report.sources[0].text.len());
            let text = report.sources[0].text.to_string();
            for finding in &mut report.findings {
                let cured = text.replacen(&format!("bad{}", finding.key), "good", 1);
                finding.fix = Some(Fix {
                    title: String::new(),
                    safe: true,
                    edits: vec![Edit { file: FileId(0), span: whole, text: cured }],
                });
            }
            report
        };
        let outcome = run(again(vec![Source::of("a.py", Kind::Python, "bada badb")]), false, &again);
        assert_eq!(&*outcome.report.sources[0].text, "good good");
        assert_eq!(outcome.made, BTreeMap::from([("mktemp", 2)]));
    }
}

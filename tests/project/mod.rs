//! A small project for a test: its files, the marks in their comments, and how a report is held against them.
//!
//! Marks stand in comments, at the end of the line they speak of, or alone on the line above it:
//!
//! - `# finding: mktemp`: a finding of that rule looks first at this line (twice the name: two findings); `mktemp(note)` says how
//!   severe it is as well
//! - `# other end: shared-path`: a finding of that rule cites this line as its other end or its evidence
//! - `# missed: mktemp`: should be found here, and is not yet
//! - `# wrong: mktemp`: is found here, and should not be
//!
//! Names are separated by commas, several marks of one line by semicolons; `//` serves as `#` does.

use isolint::check::Report;
use isolint::config::Config;
use isolint::facts::Why;
use isolint::finding::{Finding, Role, Severity};
use isolint::text::{FileId, Kind, Source};
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mark {
    Finding,
    OtherEnd,
    Missed,
    Wrong,
}

const MARKS: [(&str, Mark); 4] =
    [("finding:", Mark::Finding), ("other end:", Mark::OtherEnd), ("missed:", Mark::Missed), ("wrong:", Mark::Wrong)];

/// One file: its path in the project, its text, and how many lines stand above the text in the page it came from.
#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    pub text: String,
    pub above: usize,
}

impl File {
    fn source(&self) -> Source {
        match kind(&self.path) {
            Kind::Notebook if self.text.starts_with('{') => notebook(&self.path, &self.text),
            Kind::Notebook => notebook(&self.path, &notebook_of(&self.text)),
            kind => Source::of(self.path.as_str(), kind, self.text.as_str()),
        }
    }
}

/// Marks of a notebook stand in the lines of its cells.
fn notebook(path: &str, text: &str) -> Source {
    isolint::notebook::read(path, text.as_bytes()).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// A notebook written as Python with a line `# %%` before each cell, `# %% [markdown]` before one of prose.
fn notebook_of(text: &str) -> String {
    let mut cells: Vec<serde_json::Value> = Vec::new();
    for cell in text.split("# %%").skip(1) {
        let (head, code) = cell.split_once('\n').unwrap_or((cell, ""));
        let kind = if head.trim() == "[markdown]" { "markdown" } else { "code" };
        let lines: Vec<&str> = code.trim_end().split_inclusive('\n').collect();
        cells.push(serde_json::json!({ "cell_type": kind, "metadata": {}, "source": lines }));
    }
    serde_json::json!({ "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5 }).to_string()
}

/// A marked line: file, 1-based line of its text, rule.
type Place = (String, usize, String);

/// Files that are analysed together.
#[derive(Clone, Debug, Default)]
pub struct Project {
    pub files: Vec<File>,
}

impl Project {
    pub fn sources(&self) -> Vec<Source> {
        let mut sources: Vec<Source> = self.files.iter().map(File::source).collect();
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        sources
    }

    /// All marks: an entry for each time a name stands at a line, with the severity that is asked for.
    pub fn marks(&self) -> BTreeMap<(Mark, Place), Vec<Option<Severity>>> {
        let mut marks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for file in &self.files {
            let source = file.source();
            let lines: Vec<&str> = source.text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                let Some((comment, alone)) = comment_with_marks(line) else { continue };
                let target = if alone { below(&lines, at) } else { at };
                for (mark, rule, severity) in read_marks(comment) {
                    marks.entry((mark, (file.path.clone(), target + 1, rule))).or_default().push(severity);
                }
            }
        }
        marks
    }

    /// `tests/a.py:3`, with the line of the page where the file stands in one.
    fn at(&self, path: &str, line: usize) -> String {
        match self.files.iter().find(|file| file.path == path) {
            Some(file) if file.above > 0 => format!("line {} ({path}:{line})", file.above + line),
            _ => format!("{path}:{line}"),
        }
    }
}

/// Which findings count beside those that are marked.
#[derive(Clone, Copy, Debug)]
pub enum Judged<'a> {
    /// An unmarked finding of this rule is a failure; those of other rules are not looked at.
    Rule(&'a str),
    /// Any unmarked finding is a failure.
    All,
}

/// What is wrong with `report`, held against the marks of `project`: a sentence or more for each difference.
pub fn differences(project: &Project, report: &Report, judged: Judged) -> Vec<String> {
    let mut wrong = faults(project, report);
    let marks = project.marks();
    let primary = |finding: &Finding| -> Option<Place> {
        let label = finding.labels.iter().find(|label| label.role == Role::Primary)?;
        let (path, line) = place(report, label.file, label.span.start)?;
        Some((path, line, finding.rule.to_owned()))
    };
    let mut found: BTreeMap<Place, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        match primary(finding) {
            Some(place) => found.entry(place).or_default().push(finding),
            None => wrong.push(format!(
                "a finding of `{}` has no primary label in a file of the project: {}",
                finding.rule, finding.message
            )),
        }
    }
    let ends: Vec<Place> = report
        .findings
        .iter()
        .flat_map(|finding| finding.labels.iter().map(move |label| (finding.rule, label)))
        .filter(|(_, label)| matches!(label.role, Role::OtherEnd | Role::Evidence))
        .filter_map(|(rule, label)| place(report, label.file, label.span.start).map(|(path, line)| (path, line, rule.to_owned())))
        .collect();

    for ((mark, place), wanted) in &marks {
        let (path, line, rule) = place;
        let at = project.at(path, *line);
        let have = found.get(place).map_or(0, Vec::len);
        match mark {
            Mark::Finding if have < wanted.len() => {
                wrong.push(format!("{at}: expected {}`{rule}`, {}", times(wanted.len()), nearby(project, report, path, *line)));
            }
            Mark::OtherEnd if !ends.contains(place) => {
                wrong.push(format!("{at}: expected the other end of a `{rule}`, {}", nearby(project, report, path, *line)));
            }
            Mark::Missed if have > 0 || ends.contains(place) => {
                wrong.push(format!("{at}: `{rule}` is found now, and was marked as missed: move the example to Caught"));
            }
            Mark::Wrong if have == 0 => {
                wrong.push(format!("{at}: the false `{rule}` is gone: move the example to Clean"));
            }
            Mark::Finding => {
                for severity in wanted.iter().flatten() {
                    if let Some(other) = found[place].iter().find(|finding| finding.severity != *severity) {
                        wrong.push(format!("{at}: expected `{rule}` as {severity:?}, found {}", say(other)));
                    }
                }
            }
            _ => {}
        }
    }
    for (place, findings) in &found {
        let (path, line, rule) = place;
        let expected: usize =
            [Mark::Finding, Mark::Wrong].iter().filter_map(|mark| marks.get(&(*mark, place.clone()))).map(Vec::len).sum();
        let counts = match judged {
            Judged::Rule(name) => name == rule,
            Judged::All => true,
        };
        if counts && findings.len() > expected && !marks.contains_key(&(Mark::Missed, place.clone())) {
            for finding in findings.iter().skip(expected) {
                wrong.push(format!("{}: nothing is marked here, found {}", project.at(path, *line), say(finding)));
            }
        }
    }
    wrong
}

/// Panics that were caught, and files that could not be read: an example that does not parse proves nothing.
fn faults(project: &Project, report: &Report) -> Vec<String> {
    let panics = report.faults.iter().map(|fault| format!("the analysis broke down: {fault}"));
    let gaps = report.gaps.iter().filter(|(_, gap)| gap.why != Why::Macro).map(|(file, gap)| {
        let at = place(report, *file, gap.span.start).map_or_else(String::new, |(path, line)| project.at(&path, line));
        format!("{at}: cannot be read ({:?}): the example must parse", gap.why)
    });
    panics.chain(gaps).collect()
}

fn times(n: usize) -> String {
    if n == 1 { String::new() } else { format!("{n} times ") }
}

fn say(finding: &Finding) -> String {
    format!("`{}` ({:?}, {:?}): {}", finding.rule, finding.severity, finding.confidence, finding.message)
}

/// What was found in the file instead: what helps most when a mark is off by a line.
fn nearby(project: &Project, report: &Report, path: &str, line: usize) -> String {
    let mut here: Vec<(usize, String)> = report
        .findings
        .iter()
        .flat_map(|finding| finding.labels.iter().map(move |label| (finding, label)))
        .filter_map(|(finding, label)| {
            let (at, n) = place(report, label.file, label.span.start)?;
            (at == path).then(|| (n, format!("{} {:?} of {}", project.at(&at, n), label.role, say(finding))))
        })
        .collect();
    here.sort_by_key(|(n, _)| n.abs_diff(line));
    match here.as_slice() {
        [] => "found nothing in this file".to_owned(),
        some => format!(
            "found only\n      {}",
            some.iter().take(4).map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n      ")
        ),
    }
}

/// Path and 1-based line of a byte offset.
fn place(report: &Report, file: FileId, start: u32) -> Option<(String, usize)> {
    let source = report.sources.get(file.0 as usize)?;
    let before = source.text.get(..start as usize)?;
    Some((source.path.to_string(), before.matches('\n').count() + 1))
}

/// What a file is, by its name.
pub fn kind(path: &str) -> Kind {
    match path.rsplit('.').next() {
        Some("py" | "pyi") => Kind::Python,
        Some("ipynb") => Kind::Notebook,
        Some("rs") => Kind::Rust,
        _ => Kind::Config,
    }
}

/// How pages and cases are looked at: rules in preview are on, and what is shown by default counts.
pub fn config() -> Config {
    Config { preview: true, ..Config::default() }
}

/// The comment of `line` that holds marks, without its sign, and whether it stands alone.
/// The comment of a line that holds marks, without its sign, and whether it stands alone.
pub fn comment_with_marks(line: &str) -> Option<(&str, bool)> {
    for (at, _) in line.char_indices() {
        let rest = &line[at..];
        let Some(comment) = rest.strip_prefix('#').or_else(|| rest.strip_prefix("//")) else { continue };
        if MARKS.iter().any(|(word, _)| comment.trim_start().starts_with(word)) {
            return Some((comment, line[..at].trim().is_empty()));
        }
    }
    None
}

/// The next line that is not itself a comment with marks.
fn below(lines: &[&str], at: usize) -> usize {
    (at + 1..lines.len()).find(|next| !matches!(comment_with_marks(lines[*next]), Some((_, true)))).unwrap_or(at + 1)
}

fn read_marks(comment: &str) -> Vec<(Mark, String, Option<Severity>)> {
    comment
        .split(';')
        .filter_map(|part| {
            let part = part.trim().trim_start_matches(['#', '/']).trim_start();
            MARKS.iter().find_map(|(word, mark)| part.strip_prefix(word).map(|names| (*mark, names)))
        })
        .flat_map(|(mark, names)| names.split(',').map(move |name| (mark, name.trim())))
        .filter(|(_, name)| !name.is_empty())
        .map(|(mark, name)| match name.strip_suffix(')').and_then(|name| name.split_once('(')) {
            Some((name, "note")) => (mark, name.to_owned(), Some(Severity::Note)),
            Some((name, "warning")) => (mark, name.to_owned(), Some(Severity::Warning)),
            Some((name, "error")) => (mark, name.to_owned(), Some(Severity::Error)),
            _ => (mark, name.to_owned(), None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isolint::finding::{Confidence, Label, Severity};
    use isolint::text::Span;

    fn project(text: &str) -> Project {
        Project { files: vec![File { path: "test_a.py".into(), text: text.into(), above: 0 }] }
    }

    fn finding(text: &str, rule: &'static str, words: &[&str]) -> Finding {
        let label = |word: &&str, role| {
            let start = text.find(*word).unwrap();
            Label { file: FileId(0), span: Span::new(start, start + word.len()), text: "here".into(), role }
        };
        let roles = std::iter::once(Role::Primary).chain(std::iter::repeat(Role::OtherEnd));
        Finding {
            rule,
            severity: Severity::Error,
            confidence: Confidence::High,
            message: "a message".into(),
            labels: words.iter().zip(roles).map(|(word, role)| label(word, role)).collect(),
            help: String::new(),
            notes: Vec::new(),
            tests: Vec::new(),
            reproduce: None,
            key: String::new(),
            remedy: None,
            fix: None,
        }
    }

    fn judge(text: &str, findings: Vec<Finding>, judged: Judged) -> Vec<String> {
        let project = project(text);
        let report = Report { sources: project.sources(), findings, ..Report::default() };
        differences(&project, &report, judged)
    }

    #[test]
    fn marks_stand_at_the_end_of_a_line_or_alone_above_it() {
        let marks = project(
            "one() # finding: a, b\n# other end: c\n  // missed: d; wrong: e\ntwo()\nurl = \"#x\"  # wrong: f\n# prose\n",
        )
        .marks();
        let at = |mark, line, rule: &str| ((mark, ("test_a.py".to_owned(), line, rule.to_owned())), vec![None]);
        let want = [
            at(Mark::Finding, 1, "a"),
            at(Mark::Finding, 1, "b"),
            at(Mark::OtherEnd, 4, "c"),
            at(Mark::Missed, 4, "d"),
            at(Mark::Wrong, 4, "e"),
            at(Mark::Wrong, 5, "f"),
        ];
        assert_eq!(marks, BTreeMap::from(want));
    }

    #[test]
    fn what_is_marked_and_found_is_silent() {
        let text = "one() # finding: a\ntwo() # other end: a\nx() # missed: a\ny() # wrong: a\n";
        let findings = vec![finding(text, "a", &["one", "two"]), finding(text, "a", &["y("])];
        assert_eq!(judge(text, findings, Judged::All), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_named() {
        let text = "one() # finding: a\ntwo() # other end: a\nx() # missed: a\ny() # wrong: a\nz()\n";
        let wrong = judge(text, vec![finding(text, "a", &["x("]), finding(text, "a", &["z("])], Judged::Rule("a")).join("\n");
        for want in [
            "test_a.py:1: expected `a`, found only",
            "test_a.py:2: expected the other end of a `a`",
            "test_a.py:3: `a` is found now",
            "test_a.py:4: the false `a` is gone",
            "test_a.py:5: nothing is marked here, found `a` (Error, High): a message",
        ] {
            assert!(wrong.contains(want), "{want}\nis not in\n{wrong}");
        }
        assert_eq!(wrong.matches("test_a.py:3: nothing").count(), 0, "one difference, one sentence");
    }

    #[test]
    fn two_findings_at_one_place_need_two_marks() {
        let text = "one() # finding: a\n";
        let twice = || vec![finding(text, "a", &["one"]), finding(text, "a", &["one"])];
        assert_eq!(judge(text, twice(), Judged::All).len(), 1);
        assert_eq!(judge("one() # finding: a, a\n", twice(), Judged::All), Vec::<String>::new());
        assert!(
            judge("one() # finding: a, a\n", vec![finding(text, "a", &["one"])], Judged::All)[0].contains("expected 2 times `a`")
        );
    }

    #[test]
    fn a_severity_that_is_asked_for_must_be_there() {
        let text = "one() # finding: a(error)\n";
        assert_eq!(judge(text, vec![finding(text, "a", &["one"])], Judged::All), Vec::<String>::new());
        let text = "one() # finding: a(note)\n";
        let wrong = judge(text, vec![finding(text, "a", &["one"])], Judged::All);
        assert!(wrong.len() == 1 && wrong[0].contains("expected `a` as Note, found `a` (Error"), "{wrong:?}");
        assert!(
            judge("one() # finding: a(nothing)\n", Vec::new(), Judged::All)[0].contains("a(nothing)"),
            "a misspelt one is a name"
        );
    }

    #[test]
    fn other_rules_count_where_they_are_marked() {
        let text = "one() # finding: a\ntwo() # finding: b\nthree()\n";
        let found = vec![finding(text, "a", &["one"]), finding(text, "b", &["three"])];
        let wrong = judge(text, found.clone(), Judged::Rule("a"));
        assert!(wrong.len() == 1 && wrong[0].starts_with("test_a.py:2: expected `b`"), "{wrong:?}");
        assert_eq!(judge(text, found, Judged::All).len(), 2);
    }

    #[test]
    fn a_finding_without_a_place_and_a_gap_are_failures() {
        let text = "one()\n";
        let mut lost = finding(text, "a", &["one"]);
        lost.labels.clear();
        assert!(judge(text, vec![lost], Judged::Rule("b"))[0].contains("no primary label"));
        let project = project(text);
        let gap = |why| (FileId(0), isolint::facts::Gap { span: Span::new(0, 1), why });
        let report = Report { sources: project.sources(), gaps: vec![gap(Why::Syntax), gap(Why::Macro)], ..Report::default() };
        let wrong = differences(&project, &report, Judged::All);
        assert!(wrong.len() == 1 && wrong[0].contains("must parse"), "{wrong:?}");
    }
}

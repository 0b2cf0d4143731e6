//! Ignore comments for findings that are there: written where they are read, in the file's own style.
//!
//! A comment is tried where people would put it: in the comment that is there already, at the end of the line, alone above it. A try
//! counts where the file is read again with the comment in it, and is otherwise the same.

use super::apply;
use super::draft::Draft;
use super::names::Names;
use super::rounds::{self, Changed, Outcome, identity};
use crate::check::{Report, lower, same_but_comments};
use crate::facts::{FileFacts, Ignore, IgnoreScope, joined_lines};
use crate::finding::{Edit, Finding, Label, Role};
use crate::text::{Kind, Source, Span};
use std::collections::BTreeMap;

/// The rule on comments themselves. A comment that is not needed is mended, not ignored.
const UNUSED: &str = "unused-ignore";

const NOWHERE: &str = "no comment can stand there";

/// A line with a comment at its end is no longer than this, or than the longest line of its file; else the comment stands above it.
const WIDTH: usize = 88;

/// What writing comments did.
#[derive(Clone, Debug)]
pub struct Covered {
    /// The report after it: what is left in it cannot carry a comment.
    pub report: Report,
    pub changed: Vec<Changed>,
    /// Findings that have a comment now.
    pub made: usize,
    /// Findings that have none, with the reason.
    pub left: Vec<(Finding, &'static str)>,
}

/// Writes a comment for each finding of a report, and mends the comments that cover nothing. `again` analyses sources as `report` was
/// made.
pub fn run(report: Report, reason: &str, again: &dyn Fn(Vec<Source>) -> Report) -> Covered {
    let first = report.sources.clone();
    let before = report.findings.len();
    let mended = mend(report, again).report;
    let mut files: Vec<File> = mended.sources.iter().map(|source| File::new(source.clone())).collect();
    let mut reasons = BTreeMap::new();
    for finding in mended.findings.iter().filter(|finding| finding.rule != UNUSED) {
        if let Err(why) = cover(finding, reason, &mut files) {
            reasons.insert(identity(finding, &mended.sources), why);
        }
    }
    let report = again(files.into_iter().map(|file| file.source).collect());
    let why = |finding: &Finding| match finding.rule {
        UNUSED => "which rule the comment is meant for is not known",
        _ => reasons.get(&identity(finding, &report.sources)).copied().unwrap_or(NOWHERE),
    };
    let left = report.findings.iter().map(|finding| (finding.clone(), why(finding))).collect();
    Covered {
        changed: rounds::changed(&first, &report.sources),
        made: before.saturating_sub(report.findings.len()),
        report,
        left,
    }
}

/// Mends the comments that cover nothing.
fn mend(report: Report, again: &dyn Fn(Vec<Source>) -> Report) -> Outcome {
    let only_comments = |mut report: Report| {
        for finding in report.findings.iter_mut().filter(|finding| finding.rule != UNUSED) {
            finding.fix = None;
        }
        report
    };
    rounds::run(only_comments(report), false, &|sources| only_comments(again(sources)))
}

/// A file while comments are put into it.
struct File {
    source: Source,
    facts: Option<FileFacts>,
    /// What was put in: where, in the file as it was analysed, and how many bytes.
    put: Vec<(u32, u32)>,
}

impl File {
    fn new(source: Source) -> File {
        File { source, facts: None, put: Vec::new() }
    }

    /// Where a byte of the file as it was analysed stands now.
    fn now(&self, offset: u32) -> u32 {
        offset + self.put.iter().filter(|(at, _)| *at <= offset).map(|(_, bytes)| bytes).sum::<u32>()
    }

    /// Where a byte that stands here now stood when the file was analysed.
    fn then(&self, offset: u32) -> u32 {
        let mut put = self.put.clone();
        put.sort_unstable();
        let (mut added, mut least) = (0, 0);
        for (at, bytes) in put {
            if at + added >= offset {
                break;
            }
            added += bytes;
            least = at;
        }
        // What was put in itself stood nowhere: it is where it was put.
        offset.saturating_sub(added).max(least)
    }

    fn facts(&mut self) -> &FileFacts {
        self.facts.get_or_insert_with(|| lower(&self.source))
    }
}

/// A comment that may be written: what is put in where, and where in it the name of the rule begins.
struct Try {
    at: u32,
    text: String,
    name: u32,
}

/// Puts a comment at one end of a finding.
fn cover(finding: &Finding, reason: &str, files: &mut [File]) -> Result<(), &'static str> {
    let mut why = NOWHERE;
    let ends = [Role::Primary, Role::OtherEnd].into_iter().flat_map(|role| finding.labels.iter().filter(move |l| l.role == role));
    for label in ends {
        let Some(file) = files.get_mut(label.file.0 as usize) else { continue };
        if file.source.decoded {
            why = "the file is not in UTF-8, or begins with a byte order mark";
            continue;
        }
        if cover_at(finding.rule, label, reason, file) {
            return Ok(());
        }
    }
    Err(why)
}

fn cover_at(rule: &str, label: &Label, reason: &str, file: &mut File) -> bool {
    let span = Span { start: file.now(label.span.start), end: file.now(label.span.end) };
    let facts = file.facts().clone();
    let lines = [file.source.line(span.start), file.source.line(span.end.saturating_sub(1).max(span.start))];
    let here = |ignore: &&Ignore| ignore.scope == IgnoreScope::Line && lines.contains(&ignore.line(&file.source));
    if facts.ignores.iter().filter(here).any(|ignore| ignore.rules.iter().any(|(name, _)| **name == *rule)) {
        return true;
    }
    let now = Label { span, ..label.clone() };
    let Some((one, source, new)) = written(rule, &now, reason, &file.source, &facts) else { return false };
    let at = file.then(one.at);
    file.put.push((at, one.text.len() as u32));
    (file.source, file.facts) = (source, Some(new));
    true
}

/// The comment for a rule at one end of a finding, without a reason. None where no comment can stand there.
pub fn comment(rule: &str, label: &Label, source: &Source) -> Option<Edit> {
    if source.decoded {
        return None;
    }
    let (one, ..) = written(rule, label, "", source, &lower(source))?;
    Some(Edit { file: label.file, span: Span { start: one.at, end: one.at }, text: one.text })
}

/// The first try that counts, with the file as it is with it.
fn written(rule: &str, label: &Label, reason: &str, source: &Source, facts: &FileFacts) -> Option<(Try, Source, FileFacts)> {
    let first = source.line(label.span.start);
    let last = source.line(label.span.end.saturating_sub(1).max(label.span.start));
    let here = |ignore: &&Ignore| ignore.scope == IgnoreScope::Line && [first, last].contains(&ignore.line(source));
    let names = Names::default();
    let draft = Draft::of_comments(label.file, source, facts, &names)?;
    let style = Style { draft: &draft, rule, reason };
    let mut tries: Vec<Try> = facts.ignores.iter().filter(here).filter_map(|ignore| style.joined(ignore)).collect();
    tries.extend(style.fits(first).then(|| style.behind(first)));
    tries.extend([style.above(first), style.behind(first)]);
    if last != first {
        tries.push(style.behind(last));
    }
    let (head, tail) = joined_lines(source, first);
    if (head, tail) != (first, first) {
        tries.extend([style.above(head), style.behind(tail)]);
    }
    // Behind a backslash the line goes on, and takes no comment, though our parser would.
    let goes_on =
        |at: u32| source.kind == Kind::Python && source.text[..at as usize].trim_end_matches(['\r', '\n']).ends_with('\\');
    tries.into_iter().filter(|one| !goes_on(one.at)).find_map(|one| {
        let edit = Edit { file: label.file, span: Span { start: one.at, end: one.at }, text: one.text.clone() };
        let new_source = apply::edited(source, vec![edit])?;
        let new = lower(&new_source);
        is_sound(source, facts, &new_source, &new, rule, &one).then_some((one, new_source, new))
    })
}

/// Whether the new file is the old one with the comment in it, and the comment is read.
fn is_sound(old: &Source, facts: &FileFacts, new: &Source, new_facts: &FileFacts, rule: &str, one: &Try) -> bool {
    let is_read = |ignore: &Ignore| ignore.rules.iter().any(|(name, span)| **name == *rule && span.start == one.at + one.name);
    // What of a notebook is Python is decided anew: the first line of a cell may say what the cell is.
    let as_it_was = match &old.cells {
        None => true,
        Some(_) => apply::edited(old, Vec::new()).is_some_and(|old| {
            let (before, after) = old.text.split_at(one.at as usize);
            [before, &one.text, after].concat() == *new.text
        }),
    };
    let same = match old.kind {
        Kind::Config => same_but_comments(old, new),
        _ => facts.gaps.len() == new_facts.gaps.len() && facts.ops.len() == new_facts.ops.len(),
    };
    as_it_was && same && new_facts.ignores.iter().any(is_read)
}

/// How a file writes comments.
struct Style<'a> {
    draft: &'a Draft<'a>,
    rule: &'a str,
    reason: &'a str,
}

impl Style<'_> {
    fn marker(&self) -> &'static str {
        if self.draft.source.kind == Kind::Rust { "//" } else { "#" }
    }

    fn comment(&self) -> String {
        format!("{} isolint: ignore[{}] {}", self.marker(), self.rule, self.reason).trim_end().to_owned()
    }

    fn line(&self, line: u32) -> Span {
        self.draft.source.line_span(line)
    }

    /// The comment as `text`, and where in it the rule is named.
    fn put(&self, at: u32, text: String) -> Try {
        let name = text.find(self.rule).unwrap_or(0) as u32;
        Try { at, text, name }
    }

    /// At the end of a line.
    fn behind(&self, line: u32) -> Try {
        let space = if self.draft.source.kind == Kind::Rust { " " } else { "  " };
        self.put(self.line(line).end, format!("{space}{}", self.comment()))
    }

    /// Alone above a line. What begins with a tab in a Makefile is for the shell, and is printed.
    fn above(&self, line: u32) -> Try {
        let start = self.line(line).start;
        let indent = self.draft.indent(start);
        let indent = if self.draft.source.kind == Kind::Config && indent.starts_with('\t') { "" } else { indent };
        self.put(start, format!("{indent}{}{}", self.comment(), self.draft.newline()))
    }

    /// In a comment that is there.
    fn joined(&self, ignore: &Ignore) -> Option<Try> {
        let text = self.draft.text(ignore.span);
        let at = |offset: usize| ignore.span.start + offset as u32;
        match (text.find('['), text.find(']')) {
            (Some(_), Some(close)) if ignore.rules.is_empty() => Some(self.put(at(close), self.rule.to_owned())),
            (Some(_), Some(close)) => Some(self.put(at(close), format!(", {}", self.rule))),
            (None, _) => Some(self.put(at(text.find("ignore")? + "ignore".len()), format!("[{}]", self.rule))),
            // Where the names end is not known.
            (Some(_), None) => None,
        }
    }

    /// Whether a comment at the end of a line keeps it as short as the file's lines are.
    fn fits(&self, line: u32) -> bool {
        let source = self.draft.source;
        let width = |line| source.slice(self.line(line)).chars().count();
        let longest = (1..=source.line_count()).map(width).max().unwrap_or(0);
        width(line) + 2 + self.comment().chars().count() <= longest.max(WIDTH)
    }
}

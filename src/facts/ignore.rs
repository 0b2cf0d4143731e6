//! Ignore comments: `isolint: ignore[rule, rule] reason` and `isolint: ignore-file[rule]`, in any language's comments.

use crate::text::{Kind, Source, Span};
use serde::{Deserialize, Serialize};

/// One ignore comment, as written; `settle` decides what it covers and whether it was needed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ignore {
    /// The comment, its marker (`#`, `//`) included.
    pub span: Span,
    /// The rule names between the brackets, each with its place; empty where the brackets are missing or empty.
    pub rules: Vec<(Box<str>, Span)>,
    pub scope: IgnoreScope,
    /// The comment is alone on its line, so it speaks of the line below.
    pub own_line: bool,
    pub reason: Option<Box<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoreScope {
    /// The line (or, on a definition, the unit).
    Line,
    /// The whole file.
    File,
}

impl Ignore {
    /// Reads a comment. `comment` is its text with the marker, `start` the byte offset of the marker. `None` where the comment
    /// does not speak to us. It may stand behind what a comment says to other tools, and before it: `# noqa: X  # isolint: ignore[y]`.
    pub fn parse(comment: &str, start: u32, own_line: bool) -> Option<Ignore> {
        comment.match_indices("isolint:").find_map(|(at, _)| {
            let lead = lead(&comment[..at])?;
            let rest = &comment[lead..];
            Ignore::at_marker(&rest[..end(rest, at - lead)], start + lead as u32, own_line)
        })
    }

    fn at_marker(comment: &str, start: u32, own_line: bool) -> Option<Ignore> {
        let mut at = comment.find("isolint:")? + "isolint:".len();
        at += comment[at..].len() - comment[at..].trim_start().len();
        let scope = if comment[at..].starts_with("ignore-file") {
            at += "ignore-file".len();
            IgnoreScope::File
        } else if comment[at..].starts_with("ignore") {
            at += "ignore".len();
            IgnoreScope::Line
        } else {
            return None;
        };
        let mut rules = Vec::new();
        if comment[at..].starts_with('[') {
            at += 1;
            let end = comment[at..].find(']').map_or(comment.len(), |n| at + n);
            let mut from = at;
            for part in comment[at..end].split(',') {
                let name = part.trim();
                if !name.is_empty() {
                    let lead = part.len() - part.trim_start().len();
                    let first = start + (from + lead) as u32;
                    rules.push((name.into(), Span { start: first, end: first + name.len() as u32 }));
                }
                from += part.len() + 1;
            }
            at = (end + 1).min(comment.len());
        }
        let reason = comment[at..].trim().trim_end_matches("*/").trim();
        Some(Ignore {
            span: Span { start, end: start + comment.len() as u32 },
            rules,
            scope,
            own_line,
            reason: (!reason.is_empty()).then(|| reason.into()),
        })
    }

    /// The line that it speaks of, from 1: its own, or the next one with code.
    pub fn line(&self, source: &Source) -> u32 {
        match self.own_line {
            true => next_code_line(source, source.line(self.span.end.saturating_sub(1).max(self.span.start))),
            false => source.line(self.span.start),
        }
    }
}

/// The lines of the command or setting that a line belongs to: those of a shell, make or Docker that end in a backslash go on. In
/// source code a line is a line.
pub fn joined_lines(source: &Source, line: u32) -> (u32, u32) {
    let goes_on = |line: &u32| source.slice(source.line_span(*line)).trim_end().ends_with('\\');
    if source.kind != Kind::Config {
        return (line, line);
    }
    let before = (1..line).rev().take_while(goes_on).count() as u32;
    let behind = (line..source.line_count()).take_while(goes_on).count() as u32;
    (line - before, line + behind)
}

/// The first line after `line` that holds more than a comment; the line after it where there is none.
fn next_code_line(source: &Source, line: u32) -> u32 {
    let is_code = |line: &u32| {
        let text = source.line_text(*line, 256).trim_start();
        let comment = match source.kind {
            Kind::Python | Kind::Notebook => text.starts_with('#'),
            Kind::Rust => text.starts_with("//"),
            Kind::Config => text.starts_with(['#', ';']),
        };
        !text.is_empty() && !comment
    };
    (line + 1..=source.line_count()).find(is_code).unwrap_or(line + 1)
}

/// Where the marker begins that a text ends with, spaces aside; none where it ends otherwise: `# see isolint: ignore` is prose, and so is
/// what stands between backquotes.
fn lead(before: &str) -> Option<usize> {
    if before.matches('`').count() % 2 == 1 {
        return None;
    }
    let bare = before.trim_end_matches([' ', '\t']);
    let marker = bare.trim_end_matches(['#', '/', '*', '!', ';']);
    (marker.len() < bare.len()).then_some(marker.len())
}

/// Where a comment ends that speaks to us from `at` on: where another begins behind it, or with its text. `see #12` is a reason.
fn end(comment: &str, at: usize) -> usize {
    let rest = &comment[at..];
    let next = [" # ", " // "].iter().filter_map(|marker| rest.find(marker)).min();
    next.map_or(comment, |next| &comment[..at + next]).trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_places_and_reason() {
        let ignore = Ignore::parse("# isolint: ignore[shared-path, mktemp] set up by hand", 10, false).unwrap();
        assert_eq!(ignore.scope, IgnoreScope::Line);
        let names: Vec<_> = ignore.rules.iter().map(|(name, span)| (&**name, span.start, span.end)).collect();
        assert_eq!(names, [("shared-path", 28, 39), ("mktemp", 41, 47)]);
        assert_eq!(ignore.reason.as_deref(), Some("set up by hand"));
    }

    #[test]
    fn prose_is_no_ignore() {
        assert_eq!(Ignore::parse("# write isolint: ignore[x] to silence", 0, true), None);
        assert_eq!(Ignore::parse("# isolint: something else", 0, true), None);
        assert_eq!(Ignore::parse("/// As in `# noqa  # isolint: ignore[x]`.", 0, true), None);
    }

    #[test]
    fn other_tools_may_be_spoken_to_before_and_behind() {
        let text = "# noqa: S108  # isolint: ignore[mktemp] see #12  # type: ignore";
        let ignore = Ignore::parse(text, 100, false).unwrap();
        assert_eq!(&text[ignore.span.start as usize - 100..ignore.span.end as usize - 100], "# isolint: ignore[mktemp] see #12");
        assert_eq!(ignore.reason.as_deref(), Some("see #12"));
        assert_eq!((ignore.rules[0].1.start, ignore.rules[0].1.end), (132, 138));
    }

    #[test]
    fn a_file_scope_and_an_open_bracket() {
        assert_eq!(Ignore::parse("// isolint: ignore-file[mktemp]", 0, true).unwrap().scope, IgnoreScope::File);
        assert_eq!(Ignore::parse("# isolint: ignore[mktemp", 0, true).unwrap().rules.len(), 1);
    }
}

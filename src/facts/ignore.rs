//! Ignore comments: `isolint: ignore[rule, rule] reason` and `isolint: ignore-file[rule]`, in any language's comments.

use crate::text::Span;
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
    /// does not speak to us.
    pub fn parse(comment: &str, start: u32, own_line: bool) -> Option<Ignore> {
        let marker = comment.find("isolint:")?;
        // Only the marker itself may stand before: `# see isolint: ignore` is prose.
        if !comment[..marker].chars().all(|c| matches!(c, '#' | '/' | '*' | '!' | ';' | ' ' | '\t')) {
            return None;
        }
        let mut at = marker + "isolint:".len();
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
    }

    #[test]
    fn a_file_scope_and_an_open_bracket() {
        assert_eq!(Ignore::parse("// isolint: ignore-file[mktemp]", 0, true).unwrap().scope, IgnoreScope::File);
        assert_eq!(Ignore::parse("# isolint: ignore[mktemp", 0, true).unwrap().rules.len(), 1);
    }
}

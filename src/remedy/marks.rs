//! A mark that other tests of the same file have.

use super::draft::Draft;
use crate::facts::UnitId;
use crate::finding::Fix;
use crate::text::Span;

/// Writes a mark below the marks of these tests.
pub fn copied(mut draft: Draft, mark: Span, tests: &[UnitId]) -> Option<Fix> {
    let text = draft.text(mark);
    let newline = draft.newline();
    for test in tests {
        let end = draft.facts.unit(*test).marks.iter().map(|mark| mark.span.end).max()?;
        let line = draft.lines(Span { start: end, end });
        // An attribute that goes on, or a function on the same line.
        if !draft.text(Span { start: end, end: line.end }).trim().is_empty() {
            return None;
        }
        let indent = draft.indent(end);
        draft.insert(line.end, format!("{newline}{indent}{text}"));
    }
    super::finish(draft, &format!("mark it `{text}` too"), true)
}

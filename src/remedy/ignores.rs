//! Ignore comments: names in them, and comments that are not needed.

use super::draft::Draft;
use super::finish;
use crate::finding::Fix;
use crate::text::Span;

/// Gives names in a comment other names, or takes them out; the comment goes with its last name.
pub(super) fn names(mut draft: Draft, comment: Span, changes: &[(Span, Option<String>)]) -> Option<Fix> {
    let text = draft.text(comment);
    let open = comment.start + text.find('[')? as u32 + 1;
    let close = comment.start + text.find(']')? as u32;
    // Each name with the comma and the spaces behind it, or before it where it is the last.
    let mut at = open;
    let mut kept: Vec<String> = Vec::new();
    for part in draft.text(Span { start: open, end: close }).split(',') {
        let end = at + part.len() as u32;
        let name = Span { start: at, end };
        let change = changes.iter().find(|(span, _)| name.contains(*span));
        match change {
            Some((_, None)) => {}
            Some((_, Some(other))) => kept.push(other.clone()),
            None => kept.push(part.trim().to_owned()),
        }
        at = end + 1;
    }
    kept.retain(|name| !name.is_empty());
    if kept.is_empty() {
        draft.replace(whole(&draft, comment), "");
        return finish(draft, "take the comment out", true);
    }
    kept.dedup();
    draft.replace(Span { start: open, end: close }, kept.join(", "));
    finish(draft, "name the rules that are needed", true)
}

/// A comment with the line that it stands on alone, or with the spaces before it.
fn whole(draft: &Draft, comment: Span) -> Span {
    let source = draft.source;
    let line = source.line_span(source.line(comment.start));
    let before = source.slice(Span { start: line.start, end: comment.start });
    let after = source.slice(Span { start: comment.end, end: line.end.max(comment.end) });
    if before.trim().is_empty() && after.trim().is_empty() {
        let next = &source.text[line.end as usize..];
        let end = if next.starts_with("\r\n") { 2 } else { u32::from(next.starts_with('\n')) };
        return Span { start: line.start, end: line.end + end };
    }
    // Alone on its line but for another comment behind it, which takes its place.
    if before.trim().is_empty() {
        return Span { start: comment.start, end: comment.end + (after.len() - after.trim_start().len()) as u32 };
    }
    Span { start: comment.start - (before.len() - before.trim_end().len()) as u32, end: comment.end }
}

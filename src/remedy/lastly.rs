//! `try` and `finally` around what stands between a change and the statement that takes it back.

use super::draft::Draft;
use crate::facts::{Site, Statement, Value, What};
use crate::finding::Fix;
use crate::text::Span;

/// What follows the last change goes into a `try`, and the statements that put the changes back into its `finally`.
pub fn restored(mut draft: Draft, changes: &[Site], restores: &[Site]) -> Option<Fix> {
    if !draft.is_python() || changes.iter().chain(restores).any(|site| site.file != draft.file) {
        return None;
    }
    let spans = |sites: &[Site]| -> Option<Vec<Span>> {
        sites.iter().map(|site| draft.facts.ops.get(site.op.0 as usize).map(|op| op.span)).collect()
    };
    let (changes, restores) = (spans(changes)?, spans(restores)?);
    let siblings = siblings(&draft, *changes.iter().max_by_key(|span| span.start)?);
    let holds = |one: &&&Statement, spans: &[Span]| spans.iter().any(|span| one.span.contains(*span));
    let after = siblings.iter().rposition(|one| holds(&one, &changes))? + 1;
    let first = siblings.iter().position(|one| holds(&one, &restores))?;
    let last = siblings.iter().rposition(|one| holds(&one, &restores))?;
    let (body, back) = (siblings.get(after..first)?, siblings.get(first..=last)?);
    // All of them stand here, and nothing else between them.
    let all = restores.iter().all(|span| back.iter().any(|one| one.span.contains(*span)));
    if body.is_empty() || !all || !back.iter().all(|one| holds(&one, &restores)) {
        return None;
    }
    let body = Span { start: body.first()?.span.start, end: body.last()?.span.end };
    let back = Span { start: back.first()?.span.start, end: back.last()?.span.end };
    let whole = Span { start: body.start, end: back.end };
    // A statement that shares its line is no line of its own; a text that goes on over a line is not to be moved.
    let alone = draft.text(Span { start: draft.lines(whole).start, end: whole.start }).trim().is_empty();
    let between = draft.text(Span { start: body.end, end: back.start }).to_owned();
    if !alone || draft.text(whole).contains("\\\n") || !between.contains('\n') || is_given(&draft, back, body) {
        return None;
    }
    let (indent, newline) = (draft.indent(whole.start).to_owned(), draft.newline());
    let inner = format!("{indent}{}", draft.step());
    // A comment between them stays with what stands above it.
    let end = body.end + between.trim_end().len() as u32;
    let (tried, put_back) = (draft.moved(Span { start: body.start, end }, &inner)?, draft.moved(back, &inner)?);
    draft.replace(whole, format!("try:{newline}{tried}{newline}{indent}finally:{newline}{put_back}"));
    super::finish(draft, "put it back in a `finally`", true)
}

/// The statements of the block that one of them, the one around some bytes, stands in directly.
fn siblings<'a>(draft: &Draft<'a>, span: Span) -> Vec<&'a Statement> {
    let unit = draft.facts.unit(draft.unit_at(span)).inner;
    let blocks = draft.facts.statements.iter().flat_map(|one| &one.blocks).copied();
    let around = blocks.chain([unit]).filter(|block| block.contains(span));
    around.min_by_key(|block| block.end - block.start).map_or(Vec::new(), |block| draft.statements_in(block))
}

/// Whether a name that one stretch of code reads is given its value in another one.
fn is_given(draft: &Draft, reads: Span, gives: Span) -> bool {
    let facts = draft.facts;
    let names: Vec<_> = facts.uses.iter().filter(|(_, place)| reads.contains(*place)).map(|(name, _)| *name).collect();
    let holds = |v| matches!(facts.value(v), Value::Name(name) if names.contains(name));
    facts.ops.iter().filter(|op| gives.contains(op.span)).any(|op| match &op.what {
        What::Store { to, .. } => match facts.value(*to) {
            Value::Tuple(all) | Value::List(all) => all.iter().any(|one| holds(*one)),
            _ => holds(*to),
        },
        _ => false,
    })
}

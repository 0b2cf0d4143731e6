//! A handler that catches more of what its body raises.

use super::draft::{Call, Draft};
use crate::facts::{Handler, OpId, Step, Value};
use crate::finding::Fix;
use crate::text::Span;

/// Errors that are called by their bare name.
const BUILTIN: &[&str] = &["EOFError", "OSError", "RuntimeError", "ValueError"];

/// Errors by the module of the standard library that has them.
const HOMES: &[(&str, &str)] = &[("BadZipFile", "zipfile"), ("JSONDecodeError", "json"), ("UnpicklingError", "pickle")];

/// Adds errors to an `except` clause or to `suppress(…)`. `caught` are the last names of those that are there.
pub fn handler(mut draft: Draft, handler: Span, caught: &[String], missed: &[String]) -> Option<Fix> {
    if !draft.is_python() {
        return None;
    }
    let clause = draft.facts.units.iter().find_map(|unit| find(&unit.body, handler));
    let (at, more) = match clause {
        Some(clause) => {
            if asks_for_more(&draft, clause)
                || draft.text(Span { start: clause.span.start, end: clause.types.start }) != "except "
            {
                return None;
            }
            let text = draft.text(clause.types);
            match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
                Some(inner) if !inner.trim().is_empty() && !inner.contains(['(', '#']) => {
                    let end = inner.trim_end().trim_end_matches(',').trim_end().len();
                    (clause.types.start + 1 + end as u32, None)
                }
                // A name may stand for a tuple, which must not be put into another.
                None if caught.iter().any(|name| text.rsplit('.').next() == Some(name)) => (clause.types.end, Some(clause.types)),
                _ => return None,
            }
        }
        None => (suppress(&draft, handler)?.args.last()?.span.end, None),
    };
    let mut names = Vec::new();
    for error in missed {
        names.push(if BUILTIN.contains(&error.as_str()) {
            error.clone()
        } else {
            let (_, module) = HOMES.iter().find(|(name, _)| name == error)?;
            draft.reach(module, error)
        });
    }
    let names = names.join(", ");
    match more {
        Some(single) => {
            let text = draft.text(single);
            draft.replace(single, format!("({text}, {names})"));
        }
        None => draft.insert(at, format!(", {names}")),
    }
    super::finish(draft, "catch what the handler misses, too", false)
}

/// The `except` clause that is written here.
fn find(steps: &[Step], at: Span) -> Option<&Handler> {
    steps.iter().find_map(|step| match step {
        Step::Op(_) => None,
        Step::If { then, other, .. } => find(then, at).or_else(|| find(other, at)),
        Step::Loop { body, other, .. } => find(body, at).or_else(|| find(other, at)),
        Step::Try { body, handlers, other, last } => handlers.iter().find(|handler| handler.span == at).or_else(|| {
            [body, other, last].into_iter().chain(handlers.iter().map(|one| &one.body)).find_map(|all| find(all, at))
        }),
        Step::With { body, .. } | Step::Scope(body) => find(body, at),
        Step::Match { arms, .. } => arms.iter().find_map(|arm| find(&arm.body, at)),
    })
}

/// Whether the body asks the error for something that others may not have: `error.pos`.
fn asks_for_more(draft: &Draft, clause: &Handler) -> bool {
    let facts = draft.facts;
    let head = draft.text(Span { start: clause.types.end, end: clause.span.end });
    let Some(rest) = head.trim_start().strip_prefix("as ") else { return false };
    let bound = rest.split(':').next().unwrap_or("").trim();
    facts.values.iter().zip(&facts.spans).any(|(value, span)| match value {
        Value::Attr(base, _) => clause.span.contains(*span) && facts.dotted(*base).as_deref() == Some(bound),
        _ => false,
    })
}

/// The call of `suppress` that is written here.
fn suppress<'a>(draft: &Draft<'a>, at: Span) -> Option<Call<'a>> {
    let ops = 0..draft.facts.ops.len() as u32;
    ops.filter(|op| draft.facts.op(OpId(*op)).span == at)
        .find_map(|op| draft.call(OpId(op)))
        .filter(|call| draft.last_name(call) == "suppress")
}

//! A temporary file or directory that is made when its name is chosen.

use super::draft::{Call, Draft};
use crate::facts::{Site, What};
use crate::finding::{Act, Fix};
use crate::text::Span;

/// `tempfile.mktemp` becomes `mkstemp` or `mkdtemp`; what made the directory until now goes away.
pub fn name(mut draft: Draft, site: Site, first: Option<&Act>, directory: bool) -> Option<Fix> {
    let call = draft.call(site.op).filter(|call| draft.text(call.name).ends_with("mktemp"));
    let Some(call) = call else { return as_value(draft, site) };
    let statement = draft.statement(call.span)?;
    if directory {
        // Only where the directory is made in a statement of its own.
        let made = draft.call(first?.site.op)?;
        let made = draft.statement(made.span).filter(|one| one.span == made.span)?;
        rename(&mut draft, &call, "mkdtemp")?;
        let whole = draft.whole_lines(made.span);
        draft.replace(whole, "");
        return super::finish(draft, "make the directory with `mkdtemp`", true);
    }
    // The name of a directory: something is joined to it.
    let joined = draft.facts.ops.iter().any(|op| match &op.what {
        What::Call { callee, args } => {
            let join = draft.facts.dotted(*callee).is_some_and(|name| name.rsplit('.').next() == Some("join"));
            join && args.first().is_some_and(|arg| arg.span == call.span)
        }
        _ => false,
    });
    if joined {
        rename(&mut draft, &call, "mkdtemp")?;
        return super::finish(draft, "make the directory with `mkdtemp`", false);
    }
    if draft.is_conditional(site.op, statement.span) || !statement.blocks.is_empty() {
        return None;
    }
    let unit = draft.unit_at(call.span);
    let span = draft.facts.unit(unit).span;
    // A class body or module would keep the handle as a variable of its own.
    if !draft.facts.unit(unit).inner.contains(statement.span) || unit.0 == 0 {
        return None;
    }
    let handle = draft.fresh(span, call.span, &["handle", "fd", "descriptor", "file_handle"])?;
    let os = draft.module("os");
    let close = format!("{os}.close({handle})");
    let assigned = draft.facts.ops.iter().find(|op| {
        op.span == statement.span && matches!(&op.what, What::Store { value, .. } if draft.facts.written(*value) == call.span)
    });
    let target = assigned.map(|_| draft.text(Span { start: statement.span.start, end: call.span.start }).trim_end());
    match target {
        Some(target) if target.matches('=').count() == 1 && target.ends_with('=') && !target.contains([':', ',']) => {
            draft.insert(statement.span.start, format!("{handle}, "));
            rename(&mut draft, &call, "mkstemp")?;
            draft.insert_after(statement, &[close]);
        }
        Some(_) => return None,
        None => {
            let path = draft.fresh(span, call.span, &["path", "temporary", "temp_path", "temporary_path"])?;
            let mut inner = Draft::new_like(&draft);
            rename(&mut inner, &call, "mkstemp")?;
            let made = super::apply::text_of(&inner.edits, draft.text(call.span), call.span.start)?;
            draft.edits.extend(inner.edits.into_iter().filter(|edit| !call.span.contains(edit.span)));
            draft.insert_before(statement, &[format!("{handle}, {path} = {made}"), close]);
            draft.replace(call.span, path);
        }
    }
    // What opens it for writing next finds an empty file instead of none.
    let opened = first.is_some_and(|first| matches!(&*first.call, "builtins.open" | "io.open" | "pathlib.Path.open" | ".open"));
    super::finish(draft, "make the file with `mkstemp`", opened)
}

/// `mktemp` as a function that others call.
fn as_value(mut draft: Draft, site: Site) -> Option<Fix> {
    let op = draft.facts.ops.get(site.op.0 as usize)?;
    let text = draft.text(op.span);
    let ends: Vec<usize> = text.match_indices("mktemp").map(|(at, word)| at + word.len()).collect();
    let [end] = ends.as_slice() else { return None };
    let start = text[..*end].rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).map_or(0, |at| at + 1);
    let span = Span { start: op.span.start + start as u32, end: op.span.start + *end as u32 };
    if text[*end..].trim_start().starts_with('(') {
        return None;
    }
    let tempfile = draft.module("tempfile");
    draft.replace(span, format!("lambda: {tempfile}.NamedTemporaryFile(delete=False).name"));
    super::finish(draft, "make the file with `NamedTemporaryFile`", false)
}

/// Renames the function, in the import too where it is called by its bare name and nobody else calls it.
fn rename(draft: &mut Draft, call: &Call, to: &str) -> Option<()> {
    if !draft.receiver(call).is_empty() {
        return draft.rename(call, to);
    }
    let name = draft.imported("tempfile", to);
    draft.replace(call.name, name);
    Some(())
}

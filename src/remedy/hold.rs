//! A temporary's owner that is held as long as its path is used.

use super::draft::{Call, Draft};
use crate::facts::{Site, Statement, Unit, V, Value, What};
use crate::finding::Fix;
use crate::text::Span;

/// Binds an owner that the statement which makes it would drop.
pub fn owner(mut draft: Draft, made: Site) -> Option<Fix> {
    let call = draft.call(made.op)?;
    let statement = draft.statement(call.span)?;
    let unit = draft.unit_at(call.span);
    let conditional = draft.is_conditional(made.op, statement.span);
    // Where a class body or module would keep it, it lives too long.
    if conditional || unit.0 == 0 || !draft.facts.unit(unit).inner.contains(statement.span) {
        return None;
    }
    if draft.is_python() {
        in_python(&mut draft, &call, statement)?
    } else {
        in_rust(&mut draft, &call, statement)?
    }
    super::finish(draft, "hold what removes it as long as its path is used", false)
}

fn in_python(draft: &mut Draft, call: &Call, statement: &Statement) -> Option<()> {
    let head = draft.text(Span { start: statement.span.start, end: call.span.start });
    let rest = draft.text(Span { start: call.span.end, end: statement.span.end });
    let early = match statement.blocks.as_slice() {
        [] => true,
        // The head of a `with` runs once.
        [block] => head.starts_with("with ") && call.span.end <= block.start,
        _ => false,
    };
    if !early || !rest.starts_with(".name") || head.contains("lambda") {
        return None;
    }
    let unit = draft.facts.unit(draft.unit_at(call.span));
    if is_made_anew(draft, unit, head) {
        return None;
    }
    let mut lines = Vec::new();
    let name = draft.fresh(unit.span, call.span, &["tmp", "temporary", "tmp_owner"])?;
    let made = draft.text(call.span);
    lines.push(format!("{name} = {made}"));
    if head.starts_with("self.") {
        // The method ends before the tests begin.
        if draft.facts.name(unit.name) != "setUp" || draft.last_name(call) != "TemporaryDirectory" {
            return None;
        }
        lines.push(format!("self.addCleanup({name}.cleanup)"));
    }
    draft.insert_before(statement, &lines);
    draft.replace(call.span, name);
    Some(())
}

/// Whether the unit makes the directory that the statement names: it counts on its being gone.
fn is_made_anew(draft: &Draft, unit: &Unit, head: &str) -> bool {
    let Some((target, _)) = head.split_once('=') else { return false };
    let is_target = |v: V| draft.facts.dotted(v).is_some_and(|name| name == target.trim());
    draft.facts.ops.iter().filter(|op| unit.span.contains(op.span)).any(|op| {
        let What::Call { callee, args } = &op.what else { return false };
        let makes = matches!(draft.facts.last_name(*callee), Some("mkdir" | "makedirs" | "copytree"));
        let of = matches!(draft.facts.value(*callee), Value::Attr(base, _) if is_target(*base));
        makes && (of || args.iter().any(|arg| is_target(arg.value)))
    })
}

fn in_rust(draft: &mut Draft, call: &Call, statement: &Statement) -> Option<()> {
    let head = draft.text(Span { start: statement.span.start, end: call.span.start });
    let rest = draft.text(Span { start: call.span.end, end: statement.span.end });
    let pattern = head.strip_prefix("let ")?.trim_end().strip_suffix('=').map(str::trim_end);
    let unit = draft.facts.unit(draft.unit_at(call.span)).span;
    if let Some(items) = pattern.and_then(|pattern| pattern.strip_prefix('(')).and_then(|rest| rest.strip_suffix(')')) {
        // `let (_, path) = setup();`: an underscore alone binds nothing.
        let mut at = statement.span.start + "let (".len() as u32;
        let mut bare = Vec::new();
        for item in items.split(',') {
            if item.trim() == "_" {
                let start = at + (item.len() - item.trim_start().len()) as u32;
                bare.push(Span { start, end: start + 1 });
            }
            at += item.len() as u32 + 1;
        }
        let [one] = bare.as_slice() else { return None };
        let name = draft.fresh(unit, *one, &["_guard", "_owner"]).filter(|_| !items.contains('('))?;
        draft.replace(*one, name);
        return Some(());
    }
    let mut path = rest;
    // `child` is how a directory of `assert_fs` names what is below it.
    while !path.starts_with(".path()") && !path.starts_with(".child(") {
        path = match path.strip_prefix('?').or_else(|| path.strip_prefix(".unwrap()")) {
            Some(path) => path,
            None => path.strip_prefix(".expect(\"")?.split_once("\")")?.1,
        };
    }
    let owner = Span { start: call.span.start, end: statement.span.end - path.len() as u32 };
    if head.ends_with('.') || head.contains(['|', '{']) || !statement.blocks.is_empty() {
        return None;
    }
    let names = if draft.text(call.name).contains("File") { ["file", "temporary", "guard"] } else { ["dir", "folder", "guard"] };
    let name = draft.fresh(unit, call.span, &names)?;
    let made = draft.text(owner);
    draft.insert_before(statement, &[format!("let {name} = {made};")]);
    draft.replace(owner, name);
    Some(())
}

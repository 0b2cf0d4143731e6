//! Changes that pytest puts back: a test makes them through its `monkeypatch` fixture.

use super::Project;
use super::draft::Draft;
use super::own::{Provider, drop_imports, parameters, provider};
use crate::facts::{OpId, Site, UnitId, Value, What};
use crate::finding::Fix;
use crate::text::Span;
use std::collections::BTreeSet;

/// Writes each change of a pytest test through `monkeypatch`.
pub fn changes(sites: &[Site], project: Project) -> Option<Fix> {
    let mut draft = project.draft(*sites.first()?)?;
    let mut units: BTreeSet<UnitId> = BTreeSet::new();
    let mut safe = true;
    for site in sites {
        let span = draft.facts.ops.get(site.op.0 as usize)?.span;
        let unit = draft.unit_at(span);
        if site.file != draft.file || !draft.is_python() || provider(&draft, unit, project)? != Provider::Parameter {
            return None;
        }
        let statement = draft.statement(span)?.span;
        let (text, same) = rewritten(&draft, site.op, statement)?;
        safe &= same;
        draft.replace(statement, text);
        units.insert(unit);
    }
    for unit in units {
        parameters(&mut draft, unit, &["monkeypatch"])?;
    }
    drop_imports(&mut draft);
    super::finish(draft, "let `monkeypatch` put it back", safe)
}

/// The statement in other words, and whether it does exactly the same before it is put back.
fn rewritten(draft: &Draft, op: OpId, statement: Span) -> Option<(String, bool)> {
    let facts = draft.facts;
    let text = draft.text(statement);
    match &facts.ops[op.0 as usize].what {
        What::Store { to, .. } => {
            let (target, value) = given(draft.text(facts.written(*to)), text)?;
            match facts.value(*to) {
                Value::Item(..) => Some((format!("monkeypatch.setenv({}, {value})", variable(target)?), true)),
                Value::Attr(..) => {
                    let (holder, name) = target.rsplit_once('.')?;
                    Some((format!("monkeypatch.setattr({holder}, \"{name}\", {value})"), false))
                }
                _ => None,
            }
        }
        What::Delete(_) => Some((format!("monkeypatch.delenv({})", variable(text.strip_prefix("del ")?.trim())?), true)),
        What::Call { args, .. } => {
            let call = draft.call(op).filter(|call| call.span == statement)?;
            let given: Vec<&str> = args.iter().map(|arg| draft.text(arg.span)).collect();
            let name = facts.dotted(call.callee)?;
            match (name.as_str(), given.as_slice()) {
                ("os.environ.pop" | "environ.pop", [key]) => Some((format!("monkeypatch.delenv({key})"), true)),
                ("os.environ.pop" | "environ.pop", [key, _]) => Some((format!("monkeypatch.delenv({key}, raising=False)"), true)),
                ("os.chdir" | "chdir", [path]) => Some((format!("monkeypatch.chdir({path})"), true)),
                ("setattr", [holder, name, value]) => Some((format!("monkeypatch.setattr({holder}, {name}, {value})"), false)),
                ("sys.path.insert", ["0", path]) => Some((format!("monkeypatch.syspath_prepend({path})"), false)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The target of an assignment as it is written, and the one value that it is given.
pub(super) fn given<'t>(target: &'t str, statement: &'t str) -> Option<(&'t str, &'t str)> {
    let value = statement
        .strip_prefix(target)?
        .trim_start()
        .strip_prefix('=')
        .filter(|rest| !target.is_empty() && !rest.starts_with('='))?
        .trim();
    // A second target or a tuple without parentheses is no single argument.
    let single = !value.starts_with(['*', '(']) || value.ends_with(')');
    (single && !has_top_level(value, &[',', '='])).then_some((target, value))
}

/// The key of an item of `os.environ`.
fn variable(item: &str) -> Option<&str> {
    let (holder, key) = item.strip_suffix(']')?.split_once('[')?;
    (matches!(holder.trim(), "os.environ" | "environ") && !has_top_level(key, &[',', ']'])).then_some(key)
}

/// Whether one of some characters stands outside of brackets and texts.
fn has_top_level(text: &str, wanted: &[char]) -> bool {
    let (mut depth, mut quote) = (0usize, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if depth == 0 && wanted.contains(&c) => return true,
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

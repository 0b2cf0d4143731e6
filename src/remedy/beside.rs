//! A temporary that is made in the directory of its target.

use super::draft::{Call, Draft};
use super::publish::{is_pathlib, is_rust_path};
use crate::facts::{Arg, Operator, Site, V, Value, What};
use crate::finding::{Act, Fix};
use crate::text::Span;

/// Gives the call that makes a temporary the directory into which `moved` renames it.
pub fn target(mut draft: Draft, made: Site, moved: &Act) -> Option<Fix> {
    let (maker, call) = (draft.call(made.op)?, draft.call(moved.site.op)?);
    let unit = draft.unit_at(maker.span);
    if draft.unit_at(call.span) != unit || maker.span.end > call.span.start {
        return None;
    }
    let between = Span { start: maker.span.end, end: call.span.start };
    if draft.is_python() {
        in_python(&mut draft, &maker, &call, moved, between)?
    } else {
        in_rust(&mut draft, &maker, &call, between)?
    }
    super::finish(draft, "make the temporary in the directory of its target", false)
}

fn in_python<'a>(draft: &mut Draft<'a>, maker: &Call<'a>, call: &Call<'a>, moved: &Act, between: Span) -> Option<()> {
    // The place of `dir` among the arguments.
    let places = match draft.last_name(maker) {
        "mkstemp" | "mkdtemp" | "TemporaryDirectory" => 2,
        "NamedTemporaryFile" => 6,
        _ => return None,
    };
    let named = |arg: &Arg| arg.name.is_some_and(|name| draft.facts.name(name) == "dir");
    let starred = |arg: &Arg| draft.text(arg.span).starts_with('*');
    if maker.args.iter().any(|arg| named(arg) || starred(arg))
        || maker.args.iter().filter(|arg| arg.name.is_none()).count() > places
    {
        return None;
    }
    let (place, name) = if draft.is_method(&moved.call) { (0, "target") } else { (1, "dst") };
    let mut arg = draft.argument(call, place, name)?;
    let mut span = draft.written(arg);
    // `str(target)`
    if let Value::Result(op) = draft.facts.value(arg.value)
        && let Some(text) = draft.call(*op).filter(|text| matches!(draft.last_name(text), "str" | "fspath"))
        && let [inner] = text.args
    {
        (arg, span) = (inner, inner.span);
    }
    if !is_settled(draft, span, between) {
        return None;
    }
    let folder = match folder(draft, arg.value, span) {
        Some(folder) => folder,
        None => {
            let target = plain(draft.text(span))?;
            if is_pathlib(draft, target, call.span) {
                format!("{target}.parent")
            } else {
                let os = draft.module("os");
                format!("{os}.path.dirname({target}) or \".\"")
            }
        }
    };
    draft.set_argument(maker, "dir", &folder);
    Some(())
}

fn in_rust<'a>(draft: &mut Draft<'a>, maker: &Call<'a>, call: &Call<'a>, between: Span) -> Option<()> {
    let made = draft.text(maker.name);
    let to = match draft.last_name(maker) {
        "new" if made.ends_with("NamedTempFile::new") || made.ends_with("TempDir::new") => "new_in",
        "tempdir" => "tempdir_in",
        _ => return None,
    };
    let place = match draft.last_name(call) {
        "persist" | "persist_noclobber" => 0,
        "rename" => 1,
        _ => return None,
    };
    let arg = call.args.get(place).filter(|_| maker.args.is_empty())?;
    if !is_settled(draft, arg.span, between) {
        return None;
    }
    let folder = match folder(draft, arg.value, arg.span) {
        Some(folder) => format!("&{}", folder.trim_start_matches('&')),
        None => {
            let target = plain(draft.text(arg.span).trim_start_matches('&'))?;
            let path = draft.rust_name(&["std", "path", "Path"]);
            let parent = if is_rust_path(draft, target, call.span) {
                format!("{target}.parent()")
            } else {
                format!("{path}::new(&{target}).parent()")
            };
            format!("{parent}.unwrap_or({path}::new(\".\"))")
        }
    };
    draft.rename(maker, to)?;
    draft.insert(maker.close, folder);
    Some(())
}

/// A name or an attribute, as it is written.
fn plain(text: &str) -> Option<&str> {
    (!text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))).then_some(text)
}

/// The directory in an expression that joins one name to it.
fn folder(draft: &Draft, value: V, span: Span) -> Option<String> {
    let facts = draft.facts;
    let is_name = |v: V| matches!(facts.value(v), Value::Text(text) if !facts.name(*text).contains(['/', '\\']));
    match facts.value(value) {
        Value::Binary(Operator::Divide, _, name) if is_name(*name) => {
            let before = draft.text(Span { start: span.start, end: facts.written(*name).start });
            before.trim_end().strip_suffix('/').map(|folder| folder.trim_end().to_owned())
        }
        Value::Result(op) => {
            let call = draft.call(*op).filter(|call| matches!(draft.last_name(call), "join" | "joinpath"))?;
            let (last, before) = call.args.split_last()?;
            if !is_name(last.value) || last.name.is_some() {
                return None;
            }
            match before {
                [] => Some(draft.receiver(&call).to_owned()),
                [folder] => Some(draft.text(folder.span).to_owned()),
                [.., end] => Some(format!("{})", draft.text(Span { start: call.span.start, end: end.span.end }))),
            }
        }
        _ => None,
    }
}

/// Whether an expression means the same before and after a stretch of code: nothing in it is given a value there, and no directory is
/// made there.
fn is_settled(draft: &Draft, span: Span, between: Span) -> bool {
    let facts = draft.facts;
    let names: Vec<&str> =
        facts.uses.iter().filter(|(_, place)| span.contains(*place)).map(|(name, _)| facts.name(*name)).collect();
    let holds = |v: V| facts.dotted(v).is_some_and(|to| names.contains(&to.split('.').next().unwrap_or("")));
    let inside = facts.ops.iter().filter(|op| op.span.end > between.start && op.span.start < between.end);
    !inside.into_iter().any(|op| match &op.what {
        What::Store { to, .. } => match facts.value(*to) {
            Value::Tuple(all) | Value::List(all) => all.iter().any(|one| holds(*one)),
            _ => holds(*to),
        },
        What::Call { callee, .. } => {
            let name = facts.dotted(*callee).unwrap_or_default();
            let last = name.rsplit(['.', ':']).next().unwrap_or("");
            matches!(last, "mkdir" | "makedirs" | "create_dir" | "create_dir_all")
        }
        _ => false,
    })
}

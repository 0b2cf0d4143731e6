//! Where a path is given its name: from a call that is handed the path back to the expression that makes it.

use super::draft::Draft;
use crate::facts::{Operator, Shape, UnitId, V, Value, What};
use crate::finding::Use;
use crate::text::Span;

/// Where a path is given its name: an expression in a unit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Definition {
    pub span: Span,
    pub unit: UnitId,
    /// The name of a variable of the module.
    pub constant: Option<String>,
    /// The path lies beside this one: another ending, the same name.
    pub derived: bool,
}

/// Where the path of a use is given its name: the argument or receiver whose definition ends as the path does.
pub fn define(draft: &Draft, one: &Use) -> Option<Definition> {
    let call = draft.call(one.site.op)?;
    let mut values: Vec<V> = call.args.iter().map(|arg| arg.value).collect();
    if let Value::Attr(base, _) = draft.facts.value(call.callee) {
        values.insert(0, *base);
    }
    let unit = draft.unit_at(call.span);
    // Which argument names the path; none inside where it is one that we do not move.
    let mut found = values.into_iter().filter_map(|value| {
        let definition = resolve(draft, value, unit, &one.parts, 0)?;
        let (name, span) = last_text(draft, definition.span)?;
        let same = |part: &String| if draft.is_format(span) { part.ends_with(&name) } else { *part == name };
        // Another ending: the path lies beside this one.
        let beside = |part: &String| stem(part) == stem(&name);
        let derived = !one.parts.iter().any(same);
        if derived && !one.parts.iter().any(beside) {
            return None;
        }
        // A name alone that somebody else puts below a folder, or gives its ending, is no path yet.
        let bare = definition.span == span && draft.text(span).trim_matches(['"', '\'']) == name;
        let below = one.parts.first().is_some_and(|first| !beside(first));
        let made_elsewhere = bare && (below || derived && stem(&name) == name);
        Some((!made_elsewhere).then_some(Definition { derived: derived || definition.derived, ..definition }))
    });
    let first = found.next()??;
    found.all(|other| other.is_some_and(|other| other.span == first.span)).then_some(first)
}

/// A file's name without its endings.
fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// Functions that make a path of paths or texts.
pub const MAKERS: &[&str] = &[
    "join",
    "joinpath",
    "Path",
    "PurePath",
    "with_name",
    "with_stem",
    "with_file_name",
    "resolve",
    "absolute",
    "abspath",
    "realpath",
    "normpath",
    "expanduser",
    "str",
    "fspath",
    "new",
    "from",
    "to_path_buf",
    "to_owned",
    "to_string",
    "concat!",
];

/// How far a name is followed to what it was given.
const DEPTH: usize = 6;

fn resolve(draft: &Draft, value: V, unit: UnitId, parts: &[String], depth: usize) -> Option<Definition> {
    let facts = draft.facts;
    if depth > DEPTH {
        return None;
    }
    let here = |span: Span| Some(Definition { span, unit, constant: None, derived: false }).filter(|_| span != Span::default());
    match facts.value(value) {
        Value::Name(name) => {
            let name = facts.name(*name);
            let mut at = Some(unit);
            while let Some(id) = at {
                let data = facts.unit(id);
                let stored = stores(draft, name, |place| place == id);
                if let [(value, _)] = stored.as_slice() {
                    let mut definition = resolve(draft, *value, id, parts, depth + 1)?;
                    if data.parent.is_none() && definition.constant.is_none() {
                        definition.constant = Some(name.to_owned());
                    }
                    return Some(definition);
                }
                if !stored.is_empty() || data.params.iter().any(|param| facts.name(param.name) == name) {
                    return None;
                }
                at = data.parent;
            }
            None
        }
        Value::Attr(base, _) if facts.is_self(*base) => {
            let name = facts.dotted(value)?;
            let class = facts.unit(unit).class?;
            let stored = stores(draft, &name, |place| facts.unit(place).class == Some(class));
            let [(value, place)] = stored.as_slice() else { return None };
            resolve(draft, *value, *place, parts, depth + 1)
        }
        Value::Result(op) => {
            let call = draft.call(*op)?;
            let last = draft.last_name(&call);
            let receiver = match facts.value(call.callee) {
                Value::Attr(base, _) => Some(*base),
                _ => None,
            };
            // What is derived from another file lies beside it.
            if let (true, Some(base)) = (matches!(last, "with_suffix" | "with_extension"), receiver) {
                let base = resolve(draft, base, unit, parts, depth + 1)?;
                return Some(Definition { derived: true, ..base });
            }
            let first = call.args.first().map(|arg| arg.value);
            let is_name = |v: V| matches!(facts.value(v), Value::Name(_) | Value::Attr(..));
            if !MAKERS.contains(&last) {
                // A helper of this file that names files.
                return if is_helper(draft, last) { here(call.span) } else { None };
            }
            // `Path(x)` and `str(x)` name what `x` does.
            if let (Some(inner), [_]) = (first.filter(|v| is_name(*v)), call.args)
                && matches!(last, "Path" | "PurePath" | "str" | "fspath" | "new" | "from")
            {
                return resolve(draft, inner, unit, parts, depth + 1);
            }
            let base = match receiver {
                Some(base) if !draft.receiver(&call).ends_with("path") => Some(base),
                _ => first,
            };
            let own = base.and_then(|base| below_own(draft, base, unit, parts, depth));
            own.or_else(|| here(call.span).filter(|_| !base.is_some_and(|base| is_of_class(draft, base, unit))))
        }
        Value::Binary(_, left, _) => below_own(draft, *left, unit, parts, depth)
            .or_else(|| here(facts.written(value)).filter(|_| !is_of_class(draft, *left, unit))),
        Value::Text(_) | Value::Format(_) => here(facts.written(value)),
        _ => None,
    }
}

/// The definition of a variable that a path is built on, where that one is a part of the path in question: then it is the one to move.
fn below_own(draft: &Draft, base: V, unit: UnitId, parts: &[String], depth: usize) -> Option<Definition> {
    let facts = draft.facts;
    if depth > DEPTH {
        return None;
    }
    match facts.value(base) {
        Value::Name(_) | Value::Attr(..) => {}
        // `root.join("a").join("b")` is built on what `root` is.
        Value::Result(op) => {
            let call = draft.call(*op).filter(|call| matches!(draft.last_name(call), "join" | "joinpath"))?;
            let Value::Attr(root, _) = facts.value(call.callee) else { return None };
            return below_own(draft, *root, unit, parts, depth + 1);
        }
        Value::Binary(Operator::Divide, root, _) => return below_own(draft, *root, unit, parts, depth + 1),
        _ => return None,
    }
    let definition = resolve(draft, base, unit, parts, depth + 1).filter(|one| one.constant.is_none())?;
    let (name, _) = last_text(draft, definition.span)?;
    parts.contains(&name).then_some(definition)
}

/// Whether a path is built on an attribute that the methods of the class do not set: a directory that the whole class knows.
fn is_of_class(draft: &Draft, base: V, unit: UnitId) -> bool {
    let facts = draft.facts;
    let class = facts.unit(unit).class;
    facts.own_field(base).is_some()
        && facts.dotted(base).is_some_and(|name| stores(draft, &name, |place| facts.unit(place).class == class).is_empty())
}

/// A function of this file that gives a path: by its type in Rust, by being no class in Python.
fn is_helper(draft: &Draft, name: &str) -> bool {
    let facts = draft.facts;
    facts.units.iter().filter(|unit| unit.shape == Shape::Function && facts.name(unit.name) == name).any(|unit| {
        let returns = unit.returns.and_then(|ty| facts.dotted(ty));
        draft.is_python() || returns.is_some_and(|ty| matches!(ty.rsplit("::").next(), Some("PathBuf" | "String")))
    })
}

/// What a name or attribute is given, in the units asked for.
pub fn stores(draft: &Draft, name: &str, within: impl Fn(UnitId) -> bool) -> Vec<(V, UnitId)> {
    let facts = draft.facts;
    let named = facts.ops.iter().filter_map(|op| match &op.what {
        What::Store { to, value, .. } if facts.dotted(*to).as_deref() == Some(name) => Some((*value, draft.unit_at(op.span))),
        _ => None,
    });
    named.filter(|(_, unit)| within(*unit)).collect()
}

/// The last part of the last text in an expression, and where it is written.
pub fn last_text(draft: &Draft, within: Span) -> Option<(String, Span)> {
    let facts = draft.facts;
    let texts = facts.values.iter().enumerate().filter_map(|(at, value)| {
        let span = facts.written(V(at as u32));
        let text = match value {
            Value::Text(text) => facts.name(*text),
            Value::Format(pieces) => match facts.value(*pieces.last()?) {
                Value::Text(text) => facts.name(*text),
                _ => "",
            },
            _ => return None,
        };
        (span != Span::default() && within.contains(span)).then_some((text, span))
    });
    let (text, span) = texts.max_by_key(|(_, span)| (span.start, span.end))?;
    let name = text.trim_end_matches('/').rsplit('/').next()?;
    (!name.is_empty() && !matches!(name, "." | "..")).then(|| (name.to_owned(), span))
}

/// The name that a file gets in its directory, as the source writes it; none for an expression that ends in no text.
pub fn quoted(draft: &Draft, within: Span) -> Option<String> {
    let (name, span) = last_text(draft, within)?;
    let text = draft.text(span);
    if !draft.is_format(span) || whole_name(draft, span) {
        let quote = if text.ends_with('\'') { '\'' } else { '"' };
        return (!name.contains(['\'', '"', '\\'])).then(|| format!("{quote}{name}{quote}"));
    }
    // A text with holes: what stands before its last slash goes, unless a hole holds it.
    if !draft.is_python() || !text.ends_with(['"', '\'']) {
        return None;
    }
    let open = text.find(['"', '\''])?;
    let cut = text.rfind('/').map_or(open + 1, |at| at + 1);
    (text[cut..].matches('}').count() == text[cut..].matches('{').count()).then(|| format!("{}{}", &text[..=open], &text[cut..]))
}

/// Whether the last piece of a text with holes holds the whole name of the file.
fn whole_name(draft: &Draft, span: Span) -> bool {
    let facts = draft.facts;
    facts.values.iter().enumerate().any(|(at, value)| match value {
        Value::Format(pieces) if facts.written(V(at as u32)) == span => {
            pieces.last().is_some_and(|last| matches!(facts.value(*last), Value::Text(text) if facts.name(*text).contains('/')))
        }
        _ => false,
    })
}

impl Draft<'_> {
    /// Whether a text with holes is written here.
    fn is_format(&self, span: Span) -> bool {
        let written = |at: usize| self.facts.written(V(at as u32)) == span;
        self.facts.values.iter().enumerate().any(|(at, value)| matches!(value, Value::Format(_)) && written(at))
    }
}

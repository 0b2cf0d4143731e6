//! What stands between a change and the statement that takes it back, and may end the test there.

use super::summary::Effect;
use super::term::Site;
use crate::facts::{FileFacts, Language, OpId, Shape, UnitId, Value, What};
use crate::text::Span;
use std::sync::Arc;

/// An operation that may end the code around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Risk {
    pub site: Site,
    /// It is meant to fail where something is wrong: an assertion. Any other call fails where the code under test does.
    pub asserts: bool,
}

/// Calls of the standard library that set the stage, and do not fail where their arguments are sound.
const HARMLESS: &[&str] = &[
    "Mock",
    "MagicMock",
    "append",
    "bool",
    "copy",
    "dict",
    "dirname",
    "float",
    "format",
    "get",
    "getLogger",
    "getcwd",
    "getenv",
    "int",
    "isinstance",
    "items",
    "join",
    "keys",
    "len",
    "list",
    "object",
    "pop",
    "print",
    "property",
    "range",
    "repr",
    "set",
    "sorted",
    "str",
    "strip",
    "super",
    "tuple",
    "type",
    "values",
];

/// The first such operation between two effects of one test; none where they do not stand in one unit, one below the other.
pub fn between(facts: &[Arc<FileFacts>], change: &Effect, restore: &Effect) -> Option<Risk> {
    let trail = |effect: &Effect| -> Vec<Site> { effect.via.iter().copied().chain([effect.site]).collect() };
    let (a, b) = (trail(change), trail(restore));
    let common = a.iter().zip(&b).take_while(|(one, two)| one == two).count();
    let (from, to) = (*a.get(common)?, *b.get(common)?);
    let data = facts.get(from.file.0 as usize)?;
    let (start, end) = (data.span(from.op), data.span(to.op));
    let unit = innermost(data, start);
    if from.file != to.file || start.end > end.start || innermost(data, end) != unit {
        return None;
    }
    let inside = |span: Span| span.start >= start.end && span.end <= end.start && innermost(data, span) == unit;
    let found = data.ops.iter().enumerate().filter(|(_, op)| inside(op.span)).filter_map(|(at, op)| {
        let asserts = match &op.what {
            What::Assert(_) | What::Raise(_) | What::Yield(_) => true,
            What::Call { callee, .. } => {
                let method = || match data.value(*callee) {
                    Value::Attr(_, name) => data.name(*name).to_owned(),
                    _ => String::new(),
                };
                let name = data.dotted(*callee).unwrap_or_else(method);
                asserts(data.language, &name)?
            }
            _ => return None,
        };
        Some(Risk { site: Site { file: from.file, op: OpId(at as u32) }, asserts })
    });
    let all: Vec<Risk> = found.collect();
    all.iter().find(|risk| risk.asserts).or(all.first()).copied()
}

/// Whether a call is an assertion; none where it is taken not to fail.
fn asserts(language: Language, name: &str) -> Option<bool> {
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    match language {
        Language::Rust => matches!(
            last,
            "unwrap"
                | "expect"
                | "unwrap_err"
                | "expect_err"
                | "panic!"
                | "assert_eq!"
                | "assert_ne!"
                | "assert!"
                | "assert_snapshot!"
        )
        .then_some(true),
        Language::Python if last.starts_with("assert") || matches!(last, "raises" | "fail" | "warns") => Some(true),
        Language::Python if HARMLESS.contains(&last) || name.starts_with("os.") || name.is_empty() => None,
        Language::Python => Some(false),
    }
}

/// The innermost unit around some bytes.
fn innermost(facts: &FileFacts, span: Span) -> UnitId {
    let around = facts.units.iter().enumerate().filter(|(_, unit)| unit.shape != Shape::Module && unit.span.contains(span));
    UnitId(around.min_by_key(|(_, unit)| unit.span.end - unit.span.start).map_or(0, |(at, _)| at as u32))
}

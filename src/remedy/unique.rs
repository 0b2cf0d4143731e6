//! A temporary that gets a name which no other writer has.

use super::define::{MAKERS, last_text, stores};
use super::draft::{Draft, contains_word};
use crate::facts::{Operator, Site, V, Value};
use crate::finding::{Act, Fix};
use crate::text::Span;

/// Puts a random part before the ending of the temporary's name, where one variable holds the path from the first write to the rename.
pub fn name(mut draft: Draft, written: Site, moved: &Act) -> Option<Fix> {
    if !draft.is_python() || written.file != draft.file {
        return None;
    }
    let (write, rename) = (draft.call(written.op)?, draft.call(moved.site.op)?);
    let facts = draft.facts;
    let from = match facts.value(rename.callee) {
        Value::Attr(base, _) if draft.is_method(&moved.call) => *base,
        _ => draft.argument(&rename, 0, "src")?.value,
    };
    let variable = variable(&draft, from)?;
    let unit = draft.unit_at(rename.span);
    let data = facts.unit(unit);
    let is_param = data.params.iter().any(|param| facts.name(param.name) == variable);
    if is_param || draft.unit_at(write.span) != unit || !contains_word(draft.text(write.span), variable) {
        return None;
    }
    let stored = stores(&draft, variable, |place| place == unit);
    let [(value, _)] = stored.as_slice() else { return None };
    let whole = facts.written(*value);
    let makes = match facts.value(*value) {
        Value::Text(_) | Value::Format(_) | Value::Binary(Operator::Add | Operator::Divide, ..) => true,
        Value::Result(op) => {
            let last = draft.last_name(&draft.call(*op)?);
            last == "with_suffix" || MAKERS.contains(&last)
        }
        _ => false,
    };
    let (_, text) = last_text(&draft, whole).filter(|_| makes && whole.end <= write.span.start)?;
    // The last text is the end of the path only where nothing is put behind it.
    let behind = draft.text(Span { start: text.end, end: whole.end });
    if !behind.chars().all(|c| c == ')' || c.is_whitespace()) {
        return None;
    }
    let text_now = draft.text(text);
    // Who else spells the name out means the same file; an ending is no name.
    let around = if ends_only(text_now) { data.span } else { Span { start: 0, end: draft.source.text.len() as u32 } };
    if draft.text(around).matches(text_now).count() > 1 {
        return None;
    }
    let unique = format!(".{{{}().hex}}", draft.reach("uuid", "uuid4"));
    let text_new = with(text_now, &unique)?;
    draft.replace(text, text_new);
    super::finish(draft, "give the temporary a name that no other writer has", false)
}

/// The name that a path is held by, bare, or as `str(path)` or `Path(path)`.
fn variable<'a>(draft: &Draft<'a>, value: V) -> Option<&'a str> {
    let facts = draft.facts;
    match facts.value(value) {
        Value::Name(name) => Some(facts.name(*name)),
        Value::Result(op) => {
            let call = draft.call(*op).filter(|call| matches!(draft.last_name(call), "str" | "fspath" | "Path"))?;
            let [inner] = call.args else { return None };
            match facts.value(inner.value) {
                Value::Name(name) => Some(facts.name(*name)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A text that begins with the dot of an ending.
fn ends_only(text: &str) -> bool {
    text.starts_with("\".") || text.starts_with("'.")
}

/// A text as it is written, with one more part before its ending.
fn with(text: &str, part: &str) -> Option<String> {
    let (format, quoted) = match text.strip_prefix(['f', 'F']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
    let odd = inner.contains([quote, '\\']) || inner.contains("{{") || inner.contains("}}");
    if inner.is_empty() || odd || !format && inner.contains(['{', '}']) {
        return None;
    }
    // The literal end of the last name.
    let start = inner.rfind(['}', '/']).map_or(0, |at| at + 1);
    let at = inner[start..].rfind('.').map_or(inner.len(), |at| start + at);
    (start < inner.len()).then(|| format!("f{quote}{}{part}{}{quote}", &inner[..at], &inner[at..]))
}

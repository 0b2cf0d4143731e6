//! An order for what has none: a list where a set was written, `sorted(...)` around the rest.

use super::draft::Draft;
use crate::finding::Fix;
use crate::text::Span;

/// Gives the elements of a Python value an order. `display`: it is written with braces.
pub fn given(mut draft: Draft, value: Span, display: bool, safe: bool) -> Option<Fix> {
    if !draft.is_python() || value.start == value.end {
        return None;
    }
    let text = draft.text(value);
    if display {
        let inner = text.strip_prefix('{')?.strip_suffix('}')?;
        draft.replace(value, format!("[{inner}]"));
        return super::finish(draft, "write a list", safe);
    }
    // `list(x)`, whether the value is that call or its argument.
    let before = Span { start: value.start.saturating_sub(5), end: value.start };
    let after = Span { start: value.end, end: value.end + 1 };
    if draft.text(before) == "list(" && draft.text(after) == ")" {
        draft.replace(Span { start: before.start, end: after.end }, format!("sorted({text})"));
    } else if let Some(inner) = text.strip_prefix("list(").filter(|_| is_one_call(text)) {
        draft.replace(value, format!("sorted({inner}"));
    } else {
        draft.replace(value, format!("sorted({text})"));
    }
    super::finish(draft, "sort them", safe)
}

/// Whether the first parenthesis of a text is closed by its last character.
fn is_one_call(text: &str) -> bool {
    let mut open = 0usize;
    let mut quoted: Option<char> = None;
    for (at, c) in text.char_indices() {
        match (quoted, c) {
            (Some(quote), c) if c == quote => quoted = None,
            (Some(_), '\\') => return false,
            (Some(_), _) => {}
            (None, '"' | '\'') => quoted = Some(c),
            (None, '(') => open += 1,
            (None, ')') => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return at + 1 == text.len();
                }
            }
            _ => {}
        }
    }
    false
}

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
    let sorted = match text.strip_prefix("list(").filter(|_| text.ends_with(')') && is_one_call(text)) {
        Some(inner) => format!("sorted({inner}"),
        None => format!("sorted({text})"),
    };
    draft.replace(value, sorted);
    super::finish(draft, "sort them", safe)
}

/// Whether the first parenthesis of a text is closed by its last character.
fn is_one_call(text: &str) -> bool {
    let mut open = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return at + 1 == text.len();
                }
            }
            // Text may hold parentheses of its own.
            '"' | '\'' => return false,
            _ => {}
        }
    }
    false
}

//! An ignore comment for a finding, written where it is read, in the file's own style.
//!
//! A comment is tried where people would put it: in the comment that is there already, at the end of the line, alone above it. A try
//! counts where the file is read again with the comment in it, and is otherwise the same.

use super::apply;
use crate::check::lower;
use crate::facts::{FileFacts, Ignore, IgnoreScope};
use crate::finding::{Edit, Label};
use crate::text::{Kind, Source, Span};

/// A line with a comment at its end is no longer than this; else the comment stands above it.
const WIDTH: usize = 100;

/// Puts a comment for a rule at one end of a finding. None where no comment can stand there.
pub fn comment(rule: &str, label: &Label, source: &Source) -> Option<Edit> {
    if source.decoded || source.cells.is_some() {
        return None;
    }
    let facts = lower(source);
    let first = source.line(label.span.start);
    let last = source.line(label.span.end.saturating_sub(1).max(label.span.start));
    let marker = if source.kind == Kind::Rust { "//" } else { "#" };
    let comment = format!("{marker} isolint: ignore[{rule}]");
    let behind = |line: u32| {
        let space = if source.kind == Kind::Rust { " " } else { "  " };
        (source.line_span(line).end, format!("{space}{comment}"))
    };
    let text = source.slice(source.line_span(first));
    let indent = &text[..text.len() - text.trim_start().len()];
    let end = if source.text.contains("\r\n") { "\r\n" } else { "\n" };
    let above = (source.line_span(first).start, format!("{indent}{comment}{end}"));
    let fits = text.chars().count() + comment.len() + 2 <= WIDTH && source.kind != Kind::Config;
    let mut tries: Vec<(u32, String)> = facts.ignores.iter().filter_map(|ignore| joined(ignore, rule, first, source)).collect();
    tries.extend(fits.then(|| behind(first)));
    tries.extend([above, behind(first), behind(last)]);
    // Behind a backslash the line goes on, and takes no comment, though our parser would.
    let goes_on =
        |at: u32| source.kind == Kind::Python && source.text[..at as usize].trim_end_matches(['\r', '\n']).ends_with('\\');
    tries.into_iter().filter(|(at, _)| !goes_on(*at)).find_map(|(at, text)| {
        let edit = Edit { file: label.file, span: Span { start: at, end: at }, text };
        let new = apply::text_of(std::slice::from_ref(&edit), &source.text, 0)?;
        is_sound(&facts, source, &new, rule, &edit).then_some(edit)
    })
}

/// Another name in a comment of the same line.
fn joined(ignore: &Ignore, rule: &str, line: u32, source: &Source) -> Option<(u32, String)> {
    let at_line = source.line(ignore.span.start) + u32::from(ignore.own_line) == line;
    if ignore.scope != IgnoreScope::Line || ignore.rules.is_empty() || !at_line {
        return None;
    }
    let close = source.slice(ignore.span).find(']')?;
    Some((ignore.span.start + close as u32, format!(", {rule}")))
}

/// Whether the new text is the old one with the comment in it, and the comment is read.
fn is_sound(facts: &FileFacts, old: &Source, new: &str, rule: &str, edit: &Edit) -> bool {
    if old.kind == Kind::Config {
        return true;
    }
    let new = lower(&Source::of(old.path.clone(), old.kind, new));
    let put = Span { start: edit.span.start, end: edit.span.start + edit.text.len() as u32 };
    let is_read = |ignore: &Ignore| ignore.rules.iter().any(|(name, span)| **name == *rule && put.contains(*span));
    facts.gaps.len() == new.gaps.len() && facts.ops.len() == new.ops.len() && new.ignores.iter().any(is_read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Role;
    use crate::text::FileId;

    fn covered(path: &str, kind: Kind, text: &str, at: &str) -> Option<String> {
        let source = Source::of(path, kind, text);
        let start = text.find(at).unwrap();
        let label = Label { file: FileId(0), span: Span::new(start, start + at.len()), text: String::new(), role: Role::Primary };
        let edit = comment("mktemp", &label, &source)?;
        apply::text_of(&[edit], text, 0)
    }

    #[test]
    fn at_the_end_of_the_line_or_above_it() {
        let python = |text: &str, at: &str| covered("a.py", Kind::Python, text, at).unwrap();
        assert_eq!(python("f()\ng()\n", "g()"), "f()\ng()  # isolint: ignore[mktemp]\n");
        assert_eq!(python("f()  # isolint: ignore[fixed-port] why\n", "f()"), "f()  # isolint: ignore[fixed-port, mktemp] why\n");
        assert_eq!(python("if x:\n    f('''\n''')\n", "f('''\n''')"), "if x:\n    # isolint: ignore[mktemp]\n    f('''\n''')\n");
        let long = format!("f('{}')\r\n", "x".repeat(90));
        assert_eq!(python(&long, "f("), format!("# isolint: ignore[mktemp]\r\n{long}"));
        let rust = covered("a.rs", Kind::Rust, "fn f() { g(); }\n", "g()").unwrap();
        assert_eq!(rust, "fn f() { g(); } // isolint: ignore[mktemp]\n");
        let config = covered("a.yml", Kind::Config, "a:\n  - b\n", "b").unwrap();
        assert_eq!(config, "a:\n  # isolint: ignore[mktemp]\n  - b\n");
    }

    #[test]
    fn where_no_comment_can_stand_there_is_none() {
        assert_eq!(covered("a.py", Kind::Python, "x = '''\n{}\n''' + \\\n  y + '''\n'''\n", "y"), None);
    }
}

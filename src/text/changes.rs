//! Which lines of which files a change touches, as a version control system counts them.

use super::{Source, Span};
use std::collections::BTreeMap;

/// The lines of a project that changed, by path relative to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    files: BTreeMap<String, Lines>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Lines {
    /// The file is new.
    All,
    /// First and last line of each stretch, from 1.
    Some(Vec<(u32, u32)>),
}

impl Changes {
    /// A whole file is new.
    pub fn add_file(&mut self, path: &str) {
        self.files.insert(path.to_owned(), Lines::All);
    }

    /// Lines of a file changed, both ends included.
    pub fn add_lines(&mut self, path: &str, first: u32, last: u32) {
        if let Lines::Some(lines) = self.files.entry(path.to_owned()).or_insert(Lines::Some(Vec::new())) {
            lines.push((first, last));
        }
    }

    /// Whether a stretch of a source's text holds a line that changed. Of a notebook, the lines of its file count.
    pub fn touch(&self, source: &Source, span: Span) -> bool {
        let lines = match self.files.get(&*source.path) {
            None => return false,
            Some(Lines::All) => return true,
            Some(Lines::Some(lines)) => lines,
        };
        let span = match &source.cells {
            Some(cells) => cells.in_file(span),
            None => span,
        };
        // Only LF ends a line for git.
        let line = |offset: u32| {
            let before = source.file_text().as_bytes().get(..offset as usize).unwrap_or_default();
            memchr::memchr_iter(b'\n', before).count() as u32 + 1
        };
        let (first, last) = (line(span.start), line(span.end.saturating_sub(1).max(span.start)));
        lines.iter().any(|(from, to)| *from <= last && first <= *to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Kind;

    #[test]
    fn lines_are_those_that_git_counts() {
        let source = Source::of("a.py", Kind::Python, "a\rb\nc\nd\n");
        let mut changes = Changes::default();
        assert!(!changes.touch(&source, Span::new(0, 8)));
        changes.add_lines("a.py", 2, 2);
        let touched: Vec<bool> = (0..8).map(|at| changes.touch(&source, Span::new(at, at + 1))).collect();
        assert_eq!(touched, [false, false, false, false, true, true, false, false]);
        assert!(changes.touch(&source, Span::new(0, 8)));
        changes.add_file("a.py");
        changes.add_lines("a.py", 9, 9);
        assert!(changes.touch(&source, Span::new(0, 1)));
    }
}

//! From bytes to lines and columns, for people, JSON and SARIF.
//!
//! A line ends with LF, CRLF or a lone CR, as in Python ("The Python Language Reference", 2.1.2 Physical lines), in editors and
//! in code scanning. Form feed, NEL and U+2028 end no line.

use crate::finding::Label;
use crate::text::{FileId, Source, Span};
use std::cell::OnceCell;

/// A position in a text. All three are 1-based.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    pub line: u32,
    /// In code points.
    pub column: u32,
    /// In UTF-16 code units.
    pub utf16: u32,
}

/// A span that fits its text, and its two ends as positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Bytes; both ends lie inside the text and on character boundaries.
    pub span: Span,
    pub start: Position,
    /// Exclusive: the position after the last character.
    pub end: Position,
}

/// Where the lines of a text start.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a str,
    /// Byte offsets, ascending; the first is 0.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let is_crlf = bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n');
            if !is_crlf {
                starts.push(at + 1);
            }
        }
        Lines { text, starts }
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The 0-based line that holds a byte offset. A line end belongs to the line it ends.
    pub fn line_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Bytes of a 0-based line, without its line end; empty at the end of the text for a line that is not there.
    pub fn line(&self, line: usize) -> std::ops::Range<usize> {
        let len = self.text.len();
        let start = self.starts.get(line).copied().unwrap_or(len);
        let end = self.starts.get(line + 1).copied().unwrap_or(len);
        let content = self.text.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n']);
        start..start + content.len()
    }

    /// The position of a byte offset that lies on a character boundary.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.line_at(offset);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        let (chars, units) = before.chars().fold((0, 0), |(chars, units), c| (chars + 1, units + c.len_utf16() as u32));
        Position { line: line as u32 + 1, column: chars + 1, utf16: units + 1 }
    }

    /// A span as positions. One that leaves the text or cuts a character is made to fit: its start moves back, its end on.
    pub fn region(&self, span: Span) -> Region {
        let len = self.text.len();
        let mut start = (span.start as usize).min(len);
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = (span.end as usize).clamp(start, len);
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        Region { span: Span::new(start, end), start: self.position(start), end: self.position(end) }
    }
}

/// The sources of a report with their lines, found when first asked for.
pub struct Places<'a> {
    sources: &'a [Source],
    lines: Vec<OnceCell<Lines<'a>>>,
}

impl<'a> Places<'a> {
    pub fn new(sources: &'a [Source]) -> Self {
        Places { sources, lines: sources.iter().map(|_| OnceCell::new()).collect() }
    }

    pub fn source(&self, file: FileId) -> Option<&'a Source> {
        self.sources.get(file.0 as usize)
    }

    /// The path of a file, relative to the project; empty for one that is not there.
    pub fn path(&self, file: FileId) -> &'a str {
        self.source(file).map_or("", |source| &source.path)
    }

    pub fn lines(&self, file: FileId) -> Option<&Lines<'a>> {
        let source = self.source(file)?;
        Some(self.lines.get(file.0 as usize)?.get_or_init(|| Lines::new(&source.text)))
    }

    pub fn region(&self, file: FileId, span: Span) -> Option<Region> {
        Some(self.lines(file)?.region(span))
    }

    pub fn label(&self, label: &Label) -> Option<Region> {
        self.region(label.file, label.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, offset: usize) -> (u32, u32, u32) {
        let position = Lines::new(text).position(offset);
        (position.line, position.column, position.utf16)
    }

    #[test]
    fn all_three_line_ends_count_once() {
        let text = "a\nb\r\nc\rd\n\r\n\re";
        let lines = Lines::new(text);
        let content: Vec<&str> = (0..8).map(|n| &text[lines.line(n)]).collect();
        assert_eq!(content, ["a", "b", "c", "d", "", "", "e", ""]);
        assert_eq!(at(text, text.len()), (7, 2, 2));
    }

    #[test]
    fn other_separators_end_no_line() {
        let text = "a\u{c}b\u{b}c\u{85}d\u{2028}e\u{2029}f\ng";
        assert_eq!(at(text, text.find('f').unwrap()), (1, 11, 11));
        assert_eq!(at(text, text.find('g').unwrap()), (2, 1, 1));
    }

    #[test]
    fn columns_count_code_points_and_utf16_units() {
        let text = "x = \"é😀\u{301}\" + y";
        assert_eq!(at(text, text.find('y').unwrap()), (1, 13, 14));
    }

    #[test]
    fn a_span_is_made_to_fit() {
        let lines = Lines::new("é😀");
        assert_eq!(lines.region(Span { start: 1, end: 3 }).span, Span::new(0, 6));
        assert_eq!(lines.region(Span { start: 90, end: 80 }).span, Span::new(6, 6));
        assert_eq!(lines.region(Span { start: 2, end: 0 }).span, Span::new(2, 2));
        assert_eq!(Lines::new("").region(Span { start: 0, end: 1 }).end, Position { line: 1, column: 1, utf16: 1 });
    }

    #[test]
    fn an_offset_between_cr_and_lf_is_on_the_line_they_end() {
        assert_eq!(at("ab\r\ncd", 3), (1, 4, 4));
        assert_eq!(at("ab\r\ncd", 4), (2, 1, 1));
    }
}

//! Where labels stand: a report's sources, and spans as regions of them.

use crate::finding::Label;
use crate::text::{Columns, FileId, Position, Source, Span};

/// A span that fits its text, and its two ends as positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Bytes; both ends lie inside the text and between characters.
    pub span: Span,
    pub start: Position,
    /// Exclusive: the position after the last character.
    pub end: Position,
}

/// The sources of a report, and what their columns count.
pub struct Places<'a> {
    sources: &'a [Source],
    columns: Columns,
}

impl<'a> Places<'a> {
    pub fn new(sources: &'a [Source], columns: Columns) -> Self {
        Places { sources, columns }
    }

    pub fn source(&self, file: FileId) -> Option<&'a Source> {
        self.sources.get(file.0 as usize)
    }

    /// The path of a file, relative to the project; empty for one that is not there.
    pub fn path(&self, file: FileId) -> &'a str {
        self.source(file).map_or("", |source| &source.path)
    }

    /// A span of a file as positions, made to fit.
    pub fn region(&self, file: FileId, span: Span) -> Option<Region> {
        let source = self.source(file)?;
        let span = source.fit(span);
        let position = |offset| source.position(offset, self.columns);
        Some(Region { span, start: position(span.start), end: position(span.end) })
    }

    pub fn label(&self, label: &Label) -> Option<Region> {
        self.region(label.file, label.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Kind;

    #[test]
    fn columns_are_counted_as_asked() {
        let sources = [Source::of("a.py", Kind::Python, "x = \"é😀\u{301}\" + y")];
        let at = sources[0].text.find('y').unwrap();
        let column = |columns| Places::new(&sources, columns).region(FileId(0), Span::new(at, at + 1)).unwrap().start.column;
        assert_eq!((column(Columns::CodePoints), column(Columns::Utf16)), (13, 14));
    }

    #[test]
    fn a_file_that_is_not_there_has_no_region() {
        let places = Places::new(&[], Columns::CodePoints);
        assert_eq!((places.region(FileId(0), Span::default()), places.path(FileId(0))), (None, ""));
    }
}

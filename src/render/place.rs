//! Where labels stand: a report's sources, and spans as regions of them.

use super::sanitized::sanitized;
use crate::finding::{Edit, Label};
use crate::text::{Cell, Columns, FileId, Position, Source, Span};
use std::borrow::Cow;

/// A path is never longer on the systems we run on; a longer one is hostile.
const PATH: usize = 4096;

/// A span that fits its text, and its two ends as positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Bytes; both ends lie inside the text and between characters.
    pub span: Span,
    pub start: Position,
    /// Exclusive: the position after the last character.
    pub end: Position,
}

/// A region as people and programs are told it.
pub struct Shown<'a> {
    /// In the file: of a notebook, the bytes of its JSON.
    pub region: Region,
    /// Of a notebook: the cell, and the lines in it.
    pub cell: Option<InCell<'a>>,
}

/// A region of a notebook's cell.
#[derive(Clone, Copy)]
pub struct InCell<'a> {
    pub cell: &'a Cell,
    /// From 1; the last is that of the region's last character.
    pub line: u32,
    pub end_line: u32,
}

impl InCell<'_> {
    /// `cell 3`
    pub fn name(&self) -> String {
        format!("cell {}", self.cell.number)
    }
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

    /// A span of a file as it stands in the file.
    pub fn shown(&self, file: FileId, span: Span) -> Option<Shown<'a>> {
        let region = self.region(file, span)?;
        let source = self.source(file)?;
        let Some(cells) = &source.cells else { return Some(Shown { region, cell: None }) };
        let within = source.within(region.span.start);
        let last = source.within(region.span.end.saturating_sub(1).max(region.span.start));
        let cell = within.map(|within| InCell {
            cell: within.cell,
            line: within.line,
            end_line: last.filter(|last| last.cell == within.cell).map_or(within.line, |last| last.line),
        });
        let span = cells.in_file(region.span);
        let position = |offset| cells.position(offset, self.columns);
        Some(Shown { region: Region { span, start: position(span.start), end: position(span.end) }, cell })
    }

    /// An edit as it is made in the file: what it replaces, and by what.
    pub fn edit<'e>(&self, edit: &'e Edit) -> Option<(Region, Cow<'e, str>)> {
        let source = self.source(edit.file)?;
        let (span, text) = source.in_file(source.fit(edit.span), &edit.text);
        let position = |offset| match &source.cells {
            Some(cells) => cells.position(offset, self.columns),
            None => source.position(offset, self.columns),
        };
        Some((Region { span, start: position(span.start), end: position(span.end) }, text))
    }

    /// Where a region begins, for people: `a.py:3:1`, `a.ipynb: cell 3, line 2`.
    pub fn name(&self, file: FileId, region: Region) -> String {
        let path = sanitized(self.path(file), PATH);
        match self.source(file).and_then(|source| source.within(region.span.start)) {
            Some(within) => format!("{path}: cell {}, line {}", within.cell.number, within.line),
            None => format!("{path}:{}:{}", region.start.line, region.start.column),
        }
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

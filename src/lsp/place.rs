//! Places as the protocol counts them: lines and characters from 0, ours from 1, and the cells of an open notebook one by one.

use super::analyst::Project;
use super::documents::Documents;
use crate::finding::Edit;
use crate::render::place::{Places, Region};
use crate::text::{self, Columns, FileId, Source, Span};
use gen_lsp_types::{Position, Range, TextEdit};
use std::path::PathBuf;

/// What has lines of its own for the client.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Spot {
    File(PathBuf),
    /// The URI of a cell of a notebook that is open.
    Cell(String),
}

/// The places of a project as the client sees them.
pub struct Spots<'a> {
    pub project: &'a Project,
    places: Places<'a>,
    columns: Columns,
    documents: &'a Documents,
}

impl<'a> Spots<'a> {
    pub fn new(project: &'a Project, columns: Columns, documents: &'a Documents) -> Spots<'a> {
        Spots { project, places: Places::new(&project.report.sources, columns), columns, documents }
    }

    /// Where a span stands; in a notebook that is not open, in its JSON.
    pub fn at(&self, file: FileId, span: Span) -> Option<(Spot, Range)> {
        if let Some(cell) = self.in_cell(file, span) {
            return Some(cell);
        }
        let path = self.project.path(file)?;
        Some((Spot::File(path), range(self.places.shown(file, span)?.region)))
    }

    pub fn edit(&self, edit: &Edit) -> Option<(Spot, TextEdit)> {
        if let Some((cell, range)) = self.in_cell(edit.file, edit.span) {
            return Some((cell, TextEdit { range, new_text: edit.text.clone() }));
        }
        // In a notebook the text is escaped as its JSON asks.
        let (region, text) = self.places.edit(edit)?;
        Some((Spot::File(self.project.path(edit.file)?), TextEdit { range: range(region), new_text: text.into_owned() }))
    }

    fn in_cell(&self, file: FileId, span: Span) -> Option<(Spot, Range)> {
        let source = self.places.source(file).filter(|source| source.cells.is_some())?;
        let book = self.documents.book(&self.project.path(file)?)?;
        let (uri, range) = book.range(source, span, self.columns)?;
        Some((Spot::Cell(uri.0.clone()), range))
    }
}

/// A place that the client names.
pub fn of_client(position: Position) -> text::Position {
    text::Position { line: position.line.saturating_add(1), column: position.character.saturating_add(1) }
}

fn to_client(position: text::Position) -> Position {
    Position { line: position.line - 1, character: position.column - 1 }
}

/// A region of a file.
fn range(region: Region) -> Range {
    Range { start: to_client(region.start), end: to_client(region.end) }
}

/// A span of a text.
pub fn range_between(source: &Source, span: Span, columns: Columns) -> Range {
    Range { start: to_client(source.position(span.start, columns)), end: to_client(source.position(span.end, columns)) }
}

/// Whether two ranges share a place; one that is empty stands between characters, and touches both.
pub fn touch(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

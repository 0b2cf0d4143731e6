//! Places as the protocol counts them: lines and characters from 0, ours from 1.

use crate::render::place::{Places, Region};
use crate::text::{self, Columns, FileId, Source, Span};
use gen_lsp_types::{Position, Range};

/// A place that the client names.
pub fn of_client(position: Position) -> text::Position {
    text::Position { line: position.line.saturating_add(1), column: position.character.saturating_add(1) }
}

fn to_client(position: text::Position) -> Position {
    Position { line: position.line - 1, character: position.column - 1 }
}

/// A span as it stands in its file: of a notebook, in its JSON.
pub fn range_of(places: &Places, file: FileId, span: Span) -> Option<Range> {
    Some(range(places.shown(file, span)?.region))
}

/// A region of a file.
pub fn range(region: Region) -> Range {
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

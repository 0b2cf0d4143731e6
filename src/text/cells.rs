//! Where the text of a notebook stands in its file: the cells that it was put together from, and their bytes.

use super::{Columns, Position, Source, Span, Text};
use std::borrow::Cow;

/// One cell whose code is part of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    /// From 1, among all cells of the notebook, as editors and other linters count them.
    pub number: u32,
    pub id: Option<Box<str>>,
    /// Its lines in the text, the last line end included.
    pub span: Span,
    /// What its first lines tell the tools that run it, name and value: `#| eval: false`, `#|slow`.
    pub directives: Vec<(Box<str>, Box<str>)>,
}

/// A stretch of the text, and the bytes of the file that it was made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Piece {
    /// Where it begins in the text; it ends where the next begins.
    at: u32,
    from: Span,
    /// Byte for byte the same in both.
    verbatim: bool,
}

/// The cells of a notebook, in order, and where each byte of their text stands in the file.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    file: Option<Box<Source>>,
    pub list: Vec<Cell>,
    /// Ascending.
    pieces: Vec<Piece>,
}

/// A place as people name it: the cell, and the line in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Within<'a> {
    pub cell: &'a Cell,
    /// From 1.
    pub line: u32,
}

impl Cells {
    /// No cells yet, of a file with this text.
    pub fn new(file: Source) -> Cells {
        Cells { file: Some(Box::new(file)), ..Cells::default() }
    }

    /// Notes that the text goes on at `at` with what the bytes `from` of the file say.
    pub fn push(&mut self, at: usize, from: Span, verbatim: bool) {
        self.pieces.push(Piece { at: at as u32, from, verbatim });
    }

    /// The text of the file itself.
    pub fn file(&self) -> &str {
        self.file.as_ref().map_or("", |file| &file.text)
    }

    /// The bytes of the file that a span of the text was made of.
    pub fn in_file(&self, span: Span) -> Span {
        let start = self.piece(span.start).map_or(0, |piece| match piece.verbatim {
            true => piece.from.start + (span.start - piece.at),
            false => piece.from.start,
        });
        if span.end <= span.start {
            return Span { start, end: start };
        }
        let end = self.piece(span.end - 1).map_or(0, |piece| match piece.verbatim {
            true => (piece.from.start + (span.end - piece.at)).min(piece.from.end),
            false => piece.from.end,
        });
        Span { start, end: end.max(start) }
    }

    /// Where a byte of the file stands.
    pub fn position(&self, offset: u32, columns: Columns) -> Position {
        self.file.as_ref().map_or(Position { line: 1, column: 1 }, |file| file.position(offset, columns))
    }

    fn piece(&self, offset: u32) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.at <= offset);
        self.pieces.get(after.checked_sub(1)?)
    }

    /// The cell that holds a byte of the text; the last one for the end of the text.
    fn cell(&self, offset: u32) -> Option<&Cell> {
        let after = self.list.partition_point(|cell| cell.span.start <= offset);
        self.list.get(after.checked_sub(1)?)
    }
}

/// A text as JSON writes it between quotes (RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format", 7).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

impl Source {
    /// The cell and the line in it that hold a byte of the text; none where the file is no notebook.
    pub fn within(&self, offset: u32) -> Option<Within<'_>> {
        let cell = self.cells.as_ref()?.cell(offset)?;
        Some(Within { cell, line: self.line(offset) - self.line(cell.span.start) + 1 })
    }

    /// The text of the file itself: of a notebook, its JSON.
    pub fn file_text(&self) -> &str {
        self.cells.as_ref().map_or(&self.text, |cells| cells.file())
    }

    /// The bytes of the file that an edit of the text replaces, and what it writes there. In a notebook that is JSON: a line that is
    /// put before another, or taken out, is a string of its own where the cell is written so.
    pub fn in_file<'t>(&self, span: Span, text: &'t str) -> (Span, Cow<'t, str>) {
        let Some(cells) = &self.cells else { return (span, text.into()) };
        let (file, at) = (cells.file(), cells.in_file(span));
        let mut written = escaped(text);
        let (before, behind) = (&file[..at.start as usize], &file[at.end as usize..]);
        let Some(outside) = before.strip_suffix('"').filter(|_| !before.ends_with("\\\"")) else { return (at, written.into()) };
        let gap = &outside[outside.trim_end().len()..];
        let is_element = outside.trim_end().ends_with(['[', ',']);
        if is_element && at.start == at.end && text.ends_with('\n') {
            written.push_str(&format!("\",{gap}\""));
        } else if is_element
            && text.is_empty()
            && let Some(rest) = behind.strip_prefix('"').and_then(|rest| rest.trim_start().strip_prefix(','))
            && let Some(next) = rest.find('"')
        {
            // Up to the string of the next line.
            let end = file.len() - rest.len() + next + 1;
            return (Span::new(at.start as usize, end), Cow::Borrowed(""));
        }
        (at, written.into())
    }

    /// The text without some cells, of which the lines stay.
    pub fn leave_out(&mut self, out: impl Fn(&Cell, &str) -> bool) {
        let Some(cells) = &self.cells else { return };
        let mut bytes = self.text.as_bytes().to_vec();
        let mut changed = false;
        for cell in cells.list.iter().filter(|cell| out(cell, self.slice(cell.span))) {
            changed = true;
            for byte in &mut bytes[cell.span.start as usize..cell.span.end as usize] {
                if *byte != b'\n' && *byte != b'\r' {
                    *byte = b' ';
                }
            }
        }
        // Whole cells were blanked, so what is left is whole characters.
        if changed && let Ok(text) = String::from_utf8(bytes) {
            self.text = Text::from(text);
        }
    }
}

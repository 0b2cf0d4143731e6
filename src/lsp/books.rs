//! Notebooks that are open in the editor: each cell is a document, and together they are the text of the file.

use super::documents::{Document, changed};
use super::place;
use crate::text::{Columns, Kind, Source, Span};
use gen_lsp_types::{
    NotebookCell, NotebookCellKind, NotebookDocument, NotebookDocumentChangeEvent, Range, TextDocumentItem, Uri,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One open notebook.
#[derive(Debug)]
pub struct Book {
    uri: Uri,
    cells: Vec<NotebookCell>,
    /// The texts of the cells, by their URI, with the language that each is written in.
    documents: BTreeMap<String, (String, Document)>,
    /// The notebook as a file.
    text: Arc<str>,
    /// Where the code of each cell stands in it, between its quotes.
    spans: Vec<Span>,
}

impl Book {
    pub fn new(book: NotebookDocument, texts: Vec<TextDocumentItem>) -> Book {
        let mut open =
            Book { uri: book.uri, cells: book.cells, documents: BTreeMap::new(), text: Arc::from(""), spans: Vec::new() };
        open.add(texts);
        open.write();
        open
    }

    pub fn change(&mut self, change: NotebookDocumentChangeEvent, columns: Columns) {
        let Some(cells) = change.cells else { return };
        if let Some(structure) = cells.structure {
            let (start, gone) = (structure.array.start as usize, structure.array.delete_count as usize);
            let start = start.min(self.cells.len());
            let end = start.saturating_add(gone).min(self.cells.len());
            self.cells.splice(start..end, structure.array.cells.unwrap_or_default());
            for closed in structure.did_close.unwrap_or_default() {
                self.documents.remove(&closed.uri.0);
            }
            self.add(structure.did_open.unwrap_or_default());
        }
        for new in cells.data.unwrap_or_default() {
            if let Some(cell) = self.cells.iter_mut().find(|cell| cell.document == new.document) {
                *cell = new;
            }
        }
        for content in cells.text_content.unwrap_or_default() {
            let uri = &content.document.text_document_identifier.uri;
            let Some((_, document)) = self.documents.get_mut(&uri.0) else { continue };
            document.version = content.document.version;
            for change in content.changes {
                document.text = changed(&document.text, change, columns);
            }
        }
        self.write();
    }

    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The notebook as a file, in the place of the one on disk.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub fn cell(&self, uri: &str) -> Option<&Document> {
        Some(&self.documents.get(uri)?.1)
    }

    /// The cell that holds a span of the notebook's Python, and the range in it; none where the notebook was another one when it was read.
    pub fn range(&self, source: &Source, span: Span, columns: Columns) -> Option<(&Uri, Range)> {
        let cells = source.cells.as_ref().filter(|cells| cells.file() == &*self.text)?;
        let span = source.fit(span);
        let at = source.within(span.start)?.cell.number as usize - 1;
        let (cell, code) = (self.cells.get(at)?, self.spans.get(at)?);
        let document = self.cell(&cell.document.0)?;
        let span = cells.in_file(span);
        let start = self.decoded(*code, span.start)?;
        let end = self.decoded(*code, span.end.min(code.end)).unwrap_or(start).max(start);
        let text = Source::of("", Kind::Config, document.text.clone());
        Some((&cell.document, place::range_between(&text, Span::new(start, end), columns)))
    }

    fn add(&mut self, items: Vec<TextDocumentItem>) {
        for TextDocumentItem { uri, language_id, version, text } in items {
            let document = Document { uri: uri.clone(), version, text: text.into() };
            self.documents.insert(uri.0, (String::from(language_id), document));
        }
    }

    /// Writes the notebook as Jupyter does ("The Notebook file format", version 4), without what nobody here reads.
    fn write(&mut self) {
        let mut text = String::from("{\"cells\": [");
        self.spans.clear();
        for (n, cell) in self.cells.iter().enumerate() {
            let known = self.documents.get(&cell.document.0);
            let kind = match (cell.kind, known) {
                (NotebookCellKind::Markup, _) => "markdown",
                (_, Some((language, _))) if language == "python" => "code",
                _ => "raw",
            };
            let id = cell.metadata.as_ref().and_then(|metadata| metadata.get("id")).filter(|id| id.is_string());
            let id = id.map_or(String::new(), |id| format!("\"id\": {id}, "));
            let code = json!(known.map_or("", |(_, document)| &*document.text)).to_string();
            text.push_str(&format!("{}{{\"cell_type\": \"{kind}\", {id}\"source\": ", if n > 0 { ", " } else { "" }));
            self.spans.push(Span::new(text.len() + 1, text.len() + code.len() - 1));
            text.push_str(&code);
            text.push('}');
        }
        text.push_str("], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 5}");
        self.text = text.into();
    }

    /// How many bytes of a cell's code stand before an offset of the file.
    fn decoded(&self, code: Span, offset: u32) -> Option<usize> {
        let before = self.text.get(code.start as usize..offset as usize)?;
        serde_json::from_str::<String>(&format!("\"{before}\"")).ok().map(|text| text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook;

    fn book(cells: serde_json::Value) -> Book {
        let items: Vec<TextDocumentItem> = cells
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| {
                let item = json!({ "uri": cell[0], "languageId": cell[1], "version": 1, "text": cell[2] });
                serde_json::from_value(item).unwrap()
            })
            .collect();
        let cells: Vec<_> = items.iter().map(|item| json!({ "kind": 2, "document": item.uri })).collect();
        let document = json!({ "uri": "file:///a.ipynb", "notebookType": "jupyter-notebook", "version": 1, "cells": cells });
        Book::new(serde_json::from_value(document).unwrap(), items)
    }

    fn changed(book: &mut Book, change: serde_json::Value) {
        book.change(serde_json::from_value(json!({ "cells": change })).unwrap(), Columns::Utf16);
    }

    /// The cell and the range of a word, as numbers.
    fn place(book: &Book, word: &str) -> (String, [u32; 4]) {
        let source = notebook::read("a.ipynb", book.text().as_bytes()).unwrap();
        let at = source.text.find(word).unwrap();
        let (uri, range) = book.range(&source, Span::new(at, at + word.len()), Columns::Utf16).unwrap();
        (uri.0.clone(), [range.start.line, range.start.character, range.end.line, range.end.character])
    }

    #[test]
    fn a_place_is_told_in_its_cell() {
        let book = book(json!([
            ["a", "python", "%time x = 1\n'\"é😀\\' + y"],
            ["b", "shellscript", "echo z"],
            ["c", "python", "\tw()\r\n"]
        ]));
        assert_eq!(place(&book, "x = 1"), ("a".into(), [0, 6, 0, 11]));
        assert_eq!(place(&book, "y"), ("a".into(), [1, 10, 1, 11]));
        assert_eq!(place(&book, "w()"), ("c".into(), [0, 1, 0, 4]));
        let source = notebook::read("a.ipynb", book.text().as_bytes()).unwrap();
        assert!(!source.text.contains("echo"), "a cell of another language is none of ours");
    }

    #[test]
    fn cells_come_go_and_change() {
        let mut book = book(json!([["a", "python", "x"], ["b", "python", "y"]]));
        let added = json!([{ "kind": 2, "document": "c" }]);
        let item = json!([{ "uri": "c", "languageId": "python", "version": 1, "text": "z" }]);
        let array = json!({ "start": 0, "deleteCount": 1, "cells": added });
        changed(&mut book, json!({ "structure": { "array": array, "didOpen": item, "didClose": [{ "uri": "a" }] } }));
        let at = json!({ "line": 0, "character": 0 });
        let change = json!({ "range": { "start": at, "end": at }, "text": "\n" });
        changed(&mut book, json!({ "textContent": [{ "document": { "uri": "b", "version": 7 }, "changes": [change] }] }));
        assert!(book.cell("a").is_none());
        assert_eq!(place(&book, "z"), ("c".into(), [0, 0, 0, 1]));
        assert_eq!(place(&book, "y"), ("b".into(), [1, 0, 1, 1]));
        assert_eq!(book.cell("b").unwrap().version, 7);
        // What is said amiss does no harm.
        changed(&mut book, json!({ "structure": { "array": { "start": 9, "deleteCount": 4_000_000_000_u32 } } }));
        changed(&mut book, json!({ "data": [{ "kind": 1, "document": "b" }] }));
        let source = notebook::read("a.ipynb", book.text().as_bytes()).unwrap();
        assert_eq!(&*source.text, "z\n");
    }

    #[test]
    fn another_text_has_no_places_here() {
        let book = book(json!([["a", "python", "x"]]));
        let other = notebook::read("a.ipynb", b"{\"cells\": [{\"cell_type\": \"code\", \"source\": \"x\"}]}").unwrap();
        assert!(book.range(&other, Span::new(0, 1), Columns::Utf16).is_none());
    }
}

//! Documents that are open in the editor: their texts stand in the place of the files.

use super::books::Book;
use super::{place, uri};
use crate::discover::Open;
use crate::text::{Columns, Kind, Source};
use gen_lsp_types::{
    DidChangeNotebookDocumentParams, DidOpenNotebookDocumentParams, TextDocumentContentChangeEvent, TextDocumentItem, Uri,
    VersionedTextDocumentIdentifier,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One open document.
#[derive(Clone, Debug)]
pub struct Document {
    /// As the client spells it.
    pub uri: Uri,
    pub version: i32,
    pub text: Arc<str>,
}

/// All open documents and notebooks that are files, by their path without symbolic links.
#[derive(Debug, Default)]
pub struct Documents {
    open: BTreeMap<PathBuf, Document>,
    books: BTreeMap<PathBuf, Book>,
}

impl Documents {
    /// Whether it is a file, so that something changed for us.
    pub fn open(&mut self, item: TextDocumentItem) -> bool {
        let Some(path) = uri::path(&item.uri) else { return false };
        let document = Document { uri: item.uri, version: item.version, text: item.text.into() };
        self.open.insert(uri::real(&path), document);
        true
    }

    /// Makes changes, one after the other; each speaks of the text that the one before it left.
    pub fn change(
        &mut self,
        document: &VersionedTextDocumentIdentifier,
        changes: Vec<TextDocumentContentChangeEvent>,
        columns: Columns,
    ) -> bool {
        let uri = &document.text_document_identifier.uri;
        let Some(known) = self.open.values_mut().find(|known| known.uri == *uri) else { return false };
        for change in changes {
            known.text = changed(&known.text, change, columns);
        }
        known.version = document.version;
        true
    }

    /// Whether the file says something else than the document did.
    pub fn close(&mut self, uri: &Uri) -> bool {
        let Some(path) = self.open.iter().find(|(_, known)| known.uri == *uri).map(|(path, _)| path.clone()) else {
            return false;
        };
        let closed = self.open.remove(&path);
        closed.is_some_and(|closed| fs::read(&path).ok().as_deref() != Some(closed.text.as_bytes()))
    }

    /// Whether it is a file, so that something changed for us.
    pub fn open_book(&mut self, params: DidOpenNotebookDocumentParams) -> bool {
        let Some(path) = uri::path(&params.notebook_document.uri) else { return false };
        self.books.insert(uri::real(&path), Book::new(params.notebook_document, params.cell_text_documents));
        true
    }

    pub fn change_book(&mut self, params: DidChangeNotebookDocumentParams, columns: Columns) -> bool {
        let uri = &params.notebook_document.uri;
        let Some(book) = self.books.values_mut().find(|book| book.uri() == uri) else { return false };
        book.change(params.change, columns);
        true
    }

    pub fn close_book(&mut self, uri: &Uri) -> bool {
        let open = self.books.len();
        self.books.retain(|_, book| book.uri() != uri);
        self.books.len() < open
    }

    /// The notebook that a path names, where it is open.
    pub fn book(&self, path: &Path) -> Option<&Book> {
        self.books.get(path)
    }

    /// An open cell, and the path of its notebook.
    pub fn cell(&self, uri: &str) -> Option<(&Path, &Document)> {
        self.books.iter().find_map(|(path, book)| Some((&**path, book.cell(uri)?)))
    }

    pub fn at(&self, path: &Path) -> Option<&Document> {
        self.open.get(path)
    }

    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.open.keys().chain(self.books.keys())
    }

    pub fn texts(&self) -> Open {
        let files = self.open.iter().map(|(path, document)| (path.clone(), document.text.clone()));
        files.chain(self.books.iter().map(|(path, book)| (path.clone(), book.text().clone()))).collect()
    }
}

/// A text after one change.
pub fn changed(text: &Arc<str>, change: TextDocumentContentChangeEvent, columns: Columns) -> Arc<str> {
    match change {
        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => whole.text.into(),
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
            let source = Source::of("", Kind::Config, text.clone());
            let start = source.offset(place::of_client(part.range.start), columns) as usize;
            let end = (source.offset(place::of_client(part.range.end), columns) as usize).max(start);
            [&text[..start], &part.text, &text[end..]].concat().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Start, end, and what stands there afterwards.
    type Change<'a> = ((u32, u32), (u32, u32), &'a str);

    fn edited(text: &str, changes: &[Change], columns: Columns) -> String {
        let mut text: Arc<str> = text.into();
        for ((line, character), (end_line, end_character), new) in changes {
            let change = serde_json::json!({
                "range": {
                    "start": { "line": line, "character": character },
                    "end": { "line": end_line, "character": end_character },
                },
                "text": new,
            });
            text = changed(&text, serde_json::from_value(change).unwrap(), columns);
        }
        text.to_string()
    }

    #[test]
    fn changes_speak_of_the_text_before_them() {
        assert_eq!(edited("a\nb\n", &[((0, 1), (0, 1), "x\ny"), ((1, 0), (2, 1), "z")], Columns::Utf16), "ax\nz\n");
    }

    #[test]
    fn columns_count_what_was_agreed_upon() {
        assert_eq!(edited("'😀' b", &[((0, 5), (0, 6), "c")], Columns::Utf16), "'😀' c");
        assert_eq!(edited("'😀' b", &[((0, 7), (0, 8), "c")], Columns::Bytes), "'😀' c");
    }

    #[test]
    fn places_that_are_not_there_are_the_nearest() {
        assert_eq!(edited("a\r\nb", &[((0, 9), (0, 9), "!")], Columns::Utf16), "a!\r\nb");
        assert_eq!(edited("a", &[((7, 0), (9, 0), "!")], Columns::Utf16), "a!");
        assert_eq!(edited("ab", &[((0, 2), (0, 1), "!")], Columns::Utf16), "ab!");
    }
}

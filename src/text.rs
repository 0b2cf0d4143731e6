//! Sources, spans, lines and columns. Knows nothing of any language but how its files declare their encoding.

mod cells;
mod changes;

pub use cells::{Cell, Cells, Within};
pub use changes::Changes;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// Bytes `start..end` of a source's text (after a byte order mark was taken off).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Span { start: start as u32, end: end as u32 }
    }

    pub fn contains(&self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A file of the run, as an index into the sorted list of sources.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FileId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Python,
    /// Python in cells: the text of the source is that of its code cells.
    Notebook,
    Rust,
    /// Configuration and CI: INI, TOML, YAML, shell, make; told apart by name in `conf`.
    Config,
}

/// A line and a column, both counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// What a column counts. Terminals and editors show code points; SARIF and the language server protocol count UTF-16 code units
/// unless told otherwise (SARIF 2.1.0, "columnKind property"; LSP, "Position Encoding Kind").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Columns {
    Bytes,
    CodePoints,
    Utf16,
}

/// One file: its path and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Relative to the project, with `/` between its parts.
    pub path: Arc<str>,
    pub kind: Kind,
    /// Decoded, without byte order mark; line ends as they stand.
    pub text: Text,
    /// The text is not the file's bytes (another encoding, or a byte order mark): positions of edits cannot be trusted.
    pub decoded: bool,
    /// Of a notebook: where its text stands in the file.
    pub cells: Option<Arc<Cells>>,
}

/// A text that knows where its lines start, and is a `str` in all else.
#[derive(Clone, Debug)]
pub struct Text {
    text: Arc<str>,
    /// Byte offsets, ascending; the first is 0. Built when first asked for.
    starts: OnceLock<Arc<[u32]>>,
}

impl<T: Into<Arc<str>>> From<T> for Text {
    fn from(text: T) -> Self {
        Text { text: text.into(), starts: OnceLock::new() }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Text {
    /// Byte offsets at which lines start; the first is 0. Lines end with LF, CRLF or a lone CR, as Python, rustc (with LF and CRLF),
    /// YAML 1.2 and editors count them; never with a form feed, a vertical tab, NEL, U+2028 or U+2029, where `str::lines` of other
    /// languages and some renderers differ.
    fn line_starts(&self) -> &[u32] {
        self.starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let mut starts = vec![0];
            for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
                if bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n') {
                    starts.push(at as u32 + 1);
                }
            }
            starts.into()
        })
    }
}

/// Why bytes are no text that we can read. A guess would put wrong characters into messages and edits, so there is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotText {
    /// A zero byte, at this line: a binary file, or UTF-16 without a byte order mark.
    Zero { line: usize },
    /// Bytes that the encoding does not have.
    Invalid { encoding: String, line: Option<usize> },
    /// The coding comment names an encoding that is not known, or that cannot hold such a comment.
    Unknown { encoding: String },
    /// A UTF-8 byte order mark, and a coding comment that names another encoding: Python refuses such a file.
    Contradiction { encoding: String },
    /// Offsets are 32 bits wide.
    TooLarge,
    /// No notebook, or none of a version that is known; the reason.
    Notebook(String),
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotText::Zero { line } => write!(f, "not text: a zero byte in line {line}"),
            NotText::Invalid { encoding, line: Some(line) } => write!(f, "not valid {encoding}: line {line}"),
            NotText::Invalid { encoding, line: None } => write!(f, "not valid {encoding}"),
            NotText::Unknown { encoding } => write!(f, "its coding comment names `{encoding}`, which is not known"),
            NotText::Contradiction { encoding } => {
                write!(f, "its coding comment names `{encoding}`, but it begins with the byte order mark of UTF-8")
            }
            NotText::TooLarge => write!(f, "over 4 GiB"),
            NotText::Notebook(why) => write!(f, "not a notebook: {why}"),
        }
    }
}

impl Source {
    /// Decodes a file's bytes: UTF-8 with or without a byte order mark, UTF-16 with one, and for Python what a coding comment
    /// declares (PEP 263).
    ///
    /// # Errors
    /// Why it is not text.
    pub fn new(path: impl Into<Arc<str>>, kind: Kind, bytes: &[u8]) -> Result<Source, NotText> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(NotText::TooLarge);
        }
        let text = decode(bytes, kind)?;
        if u32::try_from(text.len()).is_err() {
            return Err(NotText::TooLarge);
        }
        if let Some(at) = memchr::memchr(0, text.as_bytes()) {
            return Err(NotText::Zero { line: line_of(&text.as_bytes()[..at]) });
        }
        let decoded = text.as_bytes() != bytes;
        Ok(Source { decoded, ..Source::of(path, kind, text) })
    }

    /// A source of text that is decoded already: an open document, a test.
    pub fn of(path: impl Into<Arc<str>>, kind: Kind, text: impl Into<Text>) -> Source {
        Source { path: path.into(), kind, text: text.into(), decoded: false, cells: None }
    }

    /// Whether two sources of one path are the same to whoever reads them.
    pub fn says_the_same(&self, other: &Source) -> bool {
        let same = |a: &Text, b: &Text| Arc::ptr_eq(&a.text, &b.text) || a.text == b.text;
        let same_cells = match (&self.cells, &other.cells) {
            (None, None) => true,
            // The cells are read out of the file alone.
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a.file() == b.file(),
            _ => false,
        };
        self.path == other.path
            && self.kind == other.kind
            && self.decoded == other.decoded
            && same_cells
            && same(&self.text, &other.text)
    }

    /// The text of a span; empty where the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The nearest span that fits the text: inside it and between characters. Its start moves back, its end on.
    pub fn fit(&self, span: Span) -> Span {
        let start = floor(&self.text, span.start as usize);
        let mut end = (span.end as usize).clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        Span::new(start, end)
    }

    /// How many lines there are: one more than there are line ends.
    pub fn line_count(&self) -> u32 {
        self.text.line_starts().len() as u32
    }

    /// The line, from 1, that holds a byte offset. A line end belongs to the line that it ends; an offset past the end is the end.
    pub fn line(&self, offset: u32) -> u32 {
        self.text.line_starts().partition_point(|start| *start <= offset) as u32
    }

    /// Where a byte offset stands. An offset inside a character is its start, one past the end is the end.
    pub fn position(&self, offset: u32, columns: Columns) -> Position {
        let offset = floor(&self.text, offset as usize);
        let line = self.line(offset as u32);
        let start = self.text.line_starts()[line as usize - 1] as usize;
        let before = &self.text[start..offset];
        let column = match columns {
            Columns::Bytes => before.len(),
            Columns::CodePoints => before.chars().count(),
            Columns::Utf16 => before.encode_utf16().count(),
        };
        Position { line, column: column as u32 + 1 }
    }

    /// The byte offset of a position. A column past the end of its line is the line's end, a line past the last is the text's end.
    pub fn offset(&self, position: Position, columns: Columns) -> u32 {
        if position.line > self.line_count() {
            return self.text.len() as u32;
        }
        let line = self.line_span(position.line);
        let text = self.slice(line);
        let wanted = position.column.saturating_sub(1) as usize;
        let inside = match columns {
            Columns::Bytes => floor(text, wanted),
            Columns::CodePoints => text.char_indices().nth(wanted).map_or(text.len(), |(at, _)| at),
            Columns::Utf16 => {
                let mut units = 0;
                let past = text.char_indices().find(|(_, c)| {
                    units += c.len_utf16();
                    units > wanted
                });
                past.map_or(text.len(), |(at, _)| at)
            }
        };
        line.start + inside as u32
    }

    /// The bytes of a line (from 1) without its line end; empty at the end of the text for a line that does not exist.
    pub fn line_span(&self, line: u32) -> Span {
        let starts = self.text.line_starts();
        let end = self.text.len();
        let Some(start) = starts.get((line as usize).wrapping_sub(1)) else { return Span::new(end, end) };
        let next = starts.get(line as usize).map_or(end, |next| *next as usize);
        let line = &self.text[*start as usize..next];
        let bare = line.strip_suffix('\n').unwrap_or(line);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        Span::new(*start as usize, *start as usize + bare.len())
    }

    /// The text of a line (from 1) without its line end, cut to at most `limit` bytes (whole characters): a line can be as long as
    /// its file.
    pub fn line_text(&self, line: u32, limit: usize) -> &str {
        let text = self.slice(self.line_span(line));
        &text[..floor(text, limit)]
    }
}

/// The greatest character boundary of `text` that is not past `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn decode(bytes: &[u8], kind: Kind) -> Result<String, NotText> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes)
        && encoding != UTF_8
    {
        return whole(encoding, encoding.name(), &bytes[mark..]);
    }
    let (text, marked) = bytes.strip_prefix(b"\xEF\xBB\xBF").map_or((bytes, false), |rest| (rest, true));
    let declared = if kind == Kind::Python { coding(text) } else { None };
    let Some(name) = declared else { return utf8(text) };
    // CPython, Parser/tokenizer: `utf-8` and `latin-1` in their usual spellings; everything else by the codec's name.
    let plain = name.to_ascii_lowercase().replace('_', "-");
    if plain == "utf-8" || plain == "utf8" || plain.starts_with("utf-8-") {
        return utf8(text);
    }
    if marked {
        return Err(NotText::Contradiction { encoding: name });
    }
    let plain = ["latin-1-", "iso-8859-1-", "iso-latin-1-"]
        .iter()
        .find(|start| plain.starts_with(**start))
        .map_or(plain.as_str(), |_| "latin-1");
    match plain {
        // The web's `latin1` and `ascii` are windows-1252 (WHATWG Encoding Standard, "Names and labels"); Python's are not.
        "latin-1" | "iso-8859-1" | "iso-latin-1" | "latin1" | "iso8859-1" | "l1" | "cp819" => {
            return Ok(encoding_rs::mem::decode_latin1(text).into_owned());
        }
        "ascii" | "us-ascii" | "646" => {
            return match text.iter().position(|byte| !byte.is_ascii()) {
                None => utf8(text),
                Some(at) => Err(NotText::Invalid { encoding: name, line: Some(line_of(&text[..at])) }),
            };
        }
        _ => {}
    }
    // A coding comment is ASCII, so a file that names UTF-16 lies about itself; decoding it would give nonsense.
    match Encoding::for_label_no_replacement(plain.as_bytes()) {
        Some(encoding) if encoding != UTF_16LE && encoding != UTF_16BE && encoding != encoding_rs::X_USER_DEFINED => {
            whole(encoding, &name, text)
        }
        _ => Err(NotText::Unknown { encoding: name }),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, NotText> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => match memchr::memchr(0, bytes) {
            Some(at) => Err(NotText::Zero { line: line_of(&bytes[..at]) }),
            None => Err(NotText::Invalid { encoding: "UTF-8".into(), line: Some(line_of(&bytes[..error.valid_up_to()])) }),
        },
    }
}

fn whole(encoding: &'static Encoding, name: &str, bytes: &[u8]) -> Result<String, NotText> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(|text| text.into_owned()).ok_or_else(|| NotText::Invalid { encoding: name.into(), line: None })
}

/// The line, from 1, that follows these bytes.
fn line_of(before: &[u8]) -> usize {
    let ends = before.iter().zip(before.iter().skip(1).chain([&0])).filter(|(byte, next)| match byte {
        b'\n' => true,
        b'\r' => **next != b'\n',
        _ => false,
    });
    ends.count() + 1
}

/// The encoding that a Python file declares: in a comment of the first line, or of the second where the first is blank or a
/// comment (PEP 263: `^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)`).
fn coding(text: &[u8]) -> Option<String> {
    let mut rest = text;
    for _ in 0..2 {
        let (line, next) = split_line(rest);
        let bare = line.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\x0C')).map_or(&[][..], |at| &line[at..]);
        match bare.first() {
            Some(b'#') => {
                if let Some(name) = cookie(bare) {
                    return Some(name);
                }
            }
            Some(_) => return None,
            None => {}
        }
        rest = next;
    }
    None
}

/// A line without its end, and what follows it.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = memchr::memchr2(b'\n', b'\r', text) else { return (text, &[]) };
    let end = if text[at..].starts_with(b"\r\n") { at + 2 } else { at + 1 };
    (&text[..at], &text[end..])
}

/// What stands after `coding:` or `coding=` in a comment.
fn cookie(comment: &[u8]) -> Option<String> {
    for at in memchr::memmem::find_iter(comment, b"coding") {
        let rest = &comment[at + b"coding".len()..];
        let Some(b':' | b'=') = rest.first() else { continue };
        let name = rest[1..].trim_ascii_start();
        let end = name.iter().position(|byte| !matches!(byte, b'-' | b'_' | b'.') && !byte.is_ascii_alphanumeric());
        let name = &name[..end.unwrap_or(name.len())];
        if !name.is_empty() {
            return Some(String::from_utf8_lossy(name).into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(bytes: &[u8]) -> Result<Source, NotText> {
        Source::new("a.py", Kind::Python, bytes)
    }

    fn at(source: &Source, offset: usize, columns: Columns) -> (u32, u32) {
        let position = source.position(offset as u32, columns);
        (position.line, position.column)
    }

    #[test]
    fn lines_end_with_lf_crlf_or_cr_and_nothing_else() {
        let text = "a\nb\r\nc\rd\x0Ce\x0Bf\u{85}g\u{2028}h\u{2029}i\n";
        let source = Source::of("a.py", Kind::Python, text);
        assert_eq!(source.line_count(), 5);
        let lines: Vec<&str> = (1..=5).map(|line| source.line_text(line, 100)).collect();
        assert_eq!(lines, ["a", "b", "c", "d\x0Ce\x0Bf\u{85}g\u{2028}h\u{2029}i", ""]);
    }

    #[test]
    fn a_new_text_has_new_lines() {
        let mut source = Source::of("a.py", Kind::Python, "a\nb\nc");
        assert_eq!(source.line_count(), 3);
        source.text = "a".into();
        assert_eq!(source.line_count(), 1);
    }

    #[test]
    fn a_line_end_belongs_to_its_line() {
        let source = Source::of("a.py", Kind::Python, "ab\r\nc");
        assert_eq!(at(&source, 2, Columns::Bytes), (1, 3));
        assert_eq!(at(&source, 3, Columns::Bytes), (1, 4));
        assert_eq!(at(&source, 4, Columns::Bytes), (2, 1));
    }

    #[test]
    fn columns_count_what_is_asked_for() {
        let source = Source::of("a.py", Kind::Python, "x = 1\ny = 'é😀'; z\n");
        let z = source.text.find('z').unwrap();
        assert_eq!(at(&source, z, Columns::Bytes), (2, 15));
        assert_eq!(at(&source, z, Columns::CodePoints), (2, 11));
        assert_eq!(at(&source, z, Columns::Utf16), (2, 12));
    }

    #[test]
    fn every_character_is_found_again_by_its_position() {
        let source = Source::of("a.py", Kind::Python, "\ta\r\n\nü😀\rb\n😀😀");
        for (offset, c) in source.text.char_indices() {
            for columns in [Columns::Bytes, Columns::CodePoints, Columns::Utf16] {
                if !matches!(c, '\n' | '\r') {
                    assert_eq!(source.offset(source.position(offset as u32, columns), columns), offset as u32);
                }
            }
        }
    }

    #[test]
    fn a_span_is_made_to_fit() {
        let source = python("é😀".as_bytes()).unwrap();
        assert_eq!(source.fit(Span { start: 1, end: 3 }), Span::new(0, 6));
        assert_eq!(source.fit(Span { start: 90, end: 80 }), Span::new(6, 6));
        assert_eq!(source.fit(Span { start: 2, end: 0 }), Span::new(2, 2));
        assert_eq!(python(b"").unwrap().fit(Span { start: 0, end: 1 }), Span::new(0, 0));
    }

    #[test]
    fn places_that_do_not_exist_are_the_nearest_that_do() {
        let source = Source::of("a.py", Kind::Python, "é\nb");
        assert_eq!(at(&source, 1, Columns::Bytes), (1, 1));
        assert_eq!(at(&source, 99, Columns::Bytes), (2, 2));
        assert_eq!(source.line_span(0), Span::new(4, 4));
        assert_eq!(source.line_span(3), Span::new(4, 4));
        assert_eq!(source.offset(Position { line: 1, column: 9 }, Columns::Utf16), 2);
        assert_eq!(source.offset(Position { line: 9, column: 1 }, Columns::Utf16), 4);
        assert_eq!(source.slice(Span::new(1, 3)), "");
        let empty = Source::of("a.py", Kind::Python, "");
        assert_eq!((empty.line_count(), at(&empty, 0, Columns::Utf16)), (1, (1, 1)));
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let source = Source::of("a.py", Kind::Python, "é".repeat(1000));
        assert_eq!(source.line_text(1, 5), "éé");
    }

    #[test]
    fn a_byte_order_mark_comes_off() {
        let source = python(b"\xEF\xBB\xBFx = 1\n").unwrap();
        assert_eq!((&*source.text, source.decoded), ("x = 1\n", true));
        let source = Source::new("a.rs", Kind::Rust, b"\xFF\xFEa\0\xE9\0").unwrap();
        assert_eq!((&*source.text, source.decoded), ("aé", true));
        let source = python(b"\xFE\xFF\0a").unwrap();
        assert_eq!((&*source.text, source.decoded), ("a", true));
        assert!(!python(b"x = '\xC3\xA9'\n").unwrap().decoded);
    }

    #[test]
    fn broken_utf16_is_refused() {
        assert!(matches!(python(b"\xFF\xFEa\0b"), Err(NotText::Invalid { .. })));
        assert!(matches!(python(b"\xFF\xFE\x00\xD8a\0"), Err(NotText::Invalid { .. })));
        // The byte order mark of UTF-32 begins with that of UTF-16.
        assert_eq!(python(b"\xFF\xFE\0\0a\0\0\0").unwrap_err(), NotText::Zero { line: 1 });
    }

    #[test]
    fn coding_comments_are_honoured() {
        let source = python(b"# -*- coding: latin-1 -*-\nx = '\xE9\x80'\n").unwrap();
        assert!(source.text.ends_with("x = 'é\u{80}'\n") && source.decoded);
        let source = python(b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n").unwrap();
        assert!(source.text.ends_with("x = '€'\n"));
        let source = python(b"\r\n# coding=EUC_JP\r\n'\xA4\xA2'").unwrap();
        assert!(source.text.ends_with("'あ'"));
        assert!(python(b"# coding: iso-latin-1-unix\n'\xE9'").unwrap().text.contains('é'));
        assert!(!python(b"# coding: latin-1\nx = 1\n").unwrap().decoded);
        assert!(python(b"# coding: utf8\nx = '\xC3\xA9'\n").unwrap().text.contains('é'));
    }

    #[test]
    fn a_comment_that_declares_nothing() {
        assert!(python(b"x = 1 # coding: latin-1\n'\xE9'").is_err());
        assert!(python(b"\n\n# coding: latin-1\n'\xE9'").is_err());
        assert!(python(b"x = 1\n# coding: latin-1\n'\xE9'").is_err());
        assert!(Source::new("a.rs", Kind::Rust, b"# coding: latin-1\n'\xE9'").is_err());
    }

    #[test]
    fn what_cannot_be_decoded_has_a_reason() {
        let why = |bytes: &[u8]| python(bytes).unwrap_err().to_string();
        assert_eq!(why(b"a\r\nb\r'\xE9'"), "not valid UTF-8: line 3");
        assert_eq!(why(b"a\n\0"), "not text: a zero byte in line 2");
        assert_eq!(why(b"\x89PNG\0"), "not text: a zero byte in line 1");
        assert_eq!(why(b"# coding: klingon\n"), "its coding comment names `klingon`, which is not known");
        assert_eq!(why(b"# coding: utf-16\n"), "its coding comment names `utf-16`, which is not known");
        assert_eq!(why(b"# coding: ascii\n'\xE9'"), "not valid ascii: line 2");
        assert_eq!(why(b"# coding: euc-jp\n'\xFF'"), "not valid euc-jp");
        assert!(why(b"\xEF\xBB\xBF# coding: latin-1\n").contains("byte order mark"));
    }
}

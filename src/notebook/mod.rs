//! Notebooks to Python: the code cells of a Jupyter file in order, as one text, with the place of each byte in the file.
//!
//! nbformat documentation, "The Notebook file format" (version 4, and version 3 with its worksheets). What IPython adds to Python is
//! taken out by [`magics`]. Cells that no tool runs (`#| eval: false`, `skip_exec`) stay as blank lines.

mod magics;

use crate::text::{Cell, Cells, Kind, NotText, Source, Span, Text};
use magics::Part;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

#[derive(Deserialize)]
struct Book<'a> {
    #[serde(borrow)]
    cells: Option<Vec<RawCell<'a>>>,
    /// Version 3.
    #[serde(borrow)]
    worksheets: Option<Vec<Sheet<'a>>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Sheet<'a> {
    #[serde(borrow)]
    cells: Vec<RawCell<'a>>,
}

#[derive(Deserialize)]
struct RawCell<'a> {
    #[serde(borrow)]
    cell_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    /// The source of a code cell of version 3.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    /// Version 3.
    #[serde(borrow)]
    language: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    kernelspec: Option<Named>,
    language_info: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    language: Option<String>,
    name: Option<String>,
}

/// Reads a notebook's bytes. One of another language has no text.
///
/// # Errors
/// Why it is no notebook.
pub fn read(path: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Source, NotText> {
    let file = Source::new(path, Kind::Notebook, bytes)?;
    let text = file.text.clone();
    let wrong = |error: serde_json::Error| NotText::Notebook(error.to_string());
    let book: Book = serde_json::from_str(&text).map_err(wrong)?;
    let sheets = book.worksheets.into_iter().flatten().flat_map(|sheet| sheet.cells);
    let cells: Vec<RawCell> = match book.cells {
        Some(cells) => cells,
        None => sheets.collect(),
    };
    let decoded = file.decoded;
    let mut program = Program { file: &text, text: String::new(), cells: Cells::new(file.clone()), found: Vec::new() };
    let mut skipped = false;
    if book.metadata.is_none_or(is_python) {
        for (n, cell) in cells.iter().enumerate() {
            let source = cell.source.or(cell.input);
            let of_python = cell.language.as_deref().is_none_or(names_python);
            match (cell.cell_type.as_deref(), source) {
                (Some("code"), Some(source)) if of_python => program.cell(n, cell.id.as_deref(), source).map_err(wrong)?,
                (Some("raw" | "markdown"), Some(source)) if n == 0 => {
                    skipped = says_skip(&program.code(source).map_err(wrong)?.text);
                }
                _ => {}
            }
        }
    }
    let Program { text, mut cells, found, .. } = program;
    cells.list = found;
    let mut source = Source { text: Text::from(text), decoded, cells: Some(Arc::new(cells)), ..file };
    let off = |cell: &Cell| cell.directives.iter().any(|(name, value)| &**name == "eval" && value.eq_ignore_ascii_case("false"));
    source.leave_out(|cell, _| skipped || off(cell));
    Ok(source)
}

fn is_python(metadata: &RawValue) -> bool {
    let metadata: Metadata = serde_json::from_str(metadata.get()).unwrap_or_default();
    let language = metadata.language_info.and_then(|info| info.name).or_else(|| metadata.kernelspec?.language);
    language.is_none_or(|language| names_python(&language))
}

fn names_python(language: &str) -> bool {
    let language = language.to_ascii_lowercase();
    language.starts_with("python") || language == "ipython"
}

/// Front matter in the first cell, as YAML or as nbdev's list, that says that nothing of the notebook is run (nbdev documentation,
/// "frontmatter").
fn says_skip(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start_matches(['-', '*', ' ']);
        line.split_once(':').is_some_and(|(key, value)| {
            key.trim() == "skip_exec"
                && matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "y" | "on" | "t")
        })
    })
}

/// The text that is put together.
struct Program<'a> {
    file: &'a str,
    text: String,
    cells: Cells,
    found: Vec<Cell>,
}

/// The source of one cell, decoded, and the bytes of the file that each stretch of it was made of.
#[derive(Default)]
struct Code {
    text: String,
    /// Where a stretch begins, its bytes, and whether it is the same there; ascending.
    from: Vec<(usize, Span, bool)>,
}

impl Program<'_> {
    fn cell(&mut self, index: usize, id: Option<&str>, source: &RawValue) -> Result<(), serde_json::Error> {
        let code = self.code(source)?;
        if code.text.trim().is_empty() {
            return Ok(());
        }
        let start = self.text.len();
        for part in magics::parts(&code.text) {
            match part {
                Part::Same(range) => self.copy(&code, range),
                Part::As(text, range) => {
                    let from = code.span(range);
                    self.cells.push(self.text.len(), from, false);
                    self.text.push_str(&text);
                }
            }
        }
        if !self.text.ends_with('\n') {
            let end = code.from.last().map_or(0, |(_, from, _)| from.end);
            self.cells.push(self.text.len(), Span { start: end, end }, false);
            self.text.push('\n');
        }
        self.found.push(Cell {
            number: index as u32 + 1,
            id: id.map(Into::into),
            span: Span::new(start, self.text.len()),
            directives: directives(&code.text),
        });
        Ok(())
    }

    fn copy(&mut self, code: &Code, range: Range<usize>) {
        let first = code.from.partition_point(|(at, ..)| *at <= range.start).saturating_sub(1);
        for (n, (at, from, same)) in code.from.iter().enumerate().skip(first).take_while(|(_, (at, ..))| *at < range.end) {
            let end = code.from.get(n + 1).map_or(code.text.len(), |(next, ..)| *next);
            let (low, high) = (range.start.max(*at), range.end.min(end));
            if low >= high {
                continue;
            }
            let place = self.text.len() + (low - range.start);
            let part = match same {
                true => Span { start: from.start + (low - at) as u32, end: from.start + (high - at) as u32 },
                false => *from,
            };
            self.cells.push(place, part, *same);
        }
        self.text.push_str(code.text.get(range).unwrap_or_default());
    }

    /// A cell's source: a text, or a list of its lines.
    fn code(&self, source: &RawValue) -> Result<Code, serde_json::Error> {
        let mut code = Code::default();
        if source.get().starts_with('[') {
            for line in serde_json::from_str::<Vec<&RawValue>>(source.get())? {
                self.decode(line, &mut code);
            }
        } else {
            self.decode(source, &mut code);
        }
        Ok(code)
    }

    /// Adds a JSON string; nothing where the value is none. The parser has checked its form.
    fn decode(&self, literal: &RawValue, code: &mut Code) {
        let literal = literal.get();
        // Borrowed from the file's text, so the distance of the two is its place.
        let base = (literal.as_ptr() as usize).wrapping_sub(self.file.as_ptr() as usize);
        let Some(inner) = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return };
        let mut at = 0;
        while at < inner.len() {
            let place = base + 1 + at;
            let plain = memchr::memchr(b'\\', &inner.as_bytes()[at..]).unwrap_or(inner.len() - at);
            if plain > 0 {
                code.from.push((code.text.len(), Span::new(place, place + plain), true));
                code.text.push_str(&inner[at..at + plain]);
                at += plain;
                continue;
            }
            let (c, width) = unescape(&inner[at..]);
            code.from.push((code.text.len(), Span::new(place, place + width), false));
            code.text.push(c);
            at += width;
        }
    }
}

impl Code {
    /// The bytes of the file of a range of the text.
    fn span(&self, range: Range<usize>) -> Span {
        let of = |offset: usize| {
            let after = self.from.partition_point(|(at, ..)| *at <= offset);
            self.from.get(after.saturating_sub(1))
        };
        let start =
            of(range.start).map_or(0, |(at, from, same)| if *same { from.start + (range.start - at) as u32 } else { from.start });
        if range.is_empty() {
            return Span { start, end: start };
        }
        let end =
            of(range.end - 1).map_or(0, |(at, from, same)| if *same { from.start + (range.end - at) as u32 } else { from.end });
        Span { start, end: end.max(start) }
    }
}

/// The character that an escape means, and how long the escape is (RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange
/// Format", 7).
fn unescape(text: &str) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match text.as_bytes().get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match unit(2) {
            Some(high @ 0xD800..0xDC00) if text.get(6..8) == Some("\\u") => match unit(8) {
                Some(low @ 0xDC00..0xE000) => {
                    let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                _ => (char::REPLACEMENT_CHARACTER, 6),
            },
            Some(code) => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            None => (char::REPLACEMENT_CHARACTER, text.len().min(2)),
        },
        Some(byte) if byte.is_ascii() => (char::from(*byte), 2),
        _ => (char::REPLACEMENT_CHARACTER, 1),
    }
}

/// The directives before the first line of code (nbdev documentation, "Directives"; Quarto documentation, "Execution Options").
fn directives(code: &str) -> Vec<(Box<str>, Box<str>)> {
    let mut found = Vec::new();
    for line in code.lines() {
        match magics::directive(line) {
            Some(text) => {
                let end = text.find(|c: char| c == ':' || c.is_whitespace()).unwrap_or(text.len());
                let (name, value) = text.split_at(end);
                found.push((name.into(), value.trim_start_matches(':').trim().into()));
            }
            None if line.trim().is_empty() => {}
            None => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Columns;

    fn book(cells: &str) -> String {
        format!("{{\"cells\": [{cells}], \"metadata\": {{}}, \"nbformat\": 4, \"nbformat_minor\": 5}}")
    }

    fn source(text: &str) -> Source {
        read("a.ipynb", text.as_bytes()).unwrap()
    }

    const CELLS: &str = concat!(
        "{\"cell_type\": \"markdown\", \"source\": [\"# one\"]},\n",
        "{\"cell_type\": \"code\", \"id\": \"ab\", \"outputs\": [{\"x\": [1]}], \"source\": [\"x = \\\"\\u00e9\\\"\\n\", \"y = 2\"]},\n",
        "{\"cell_type\": \"code\", \"source\": \"z = x\\nw = '\\ud83d\\ude00'\"}",
    );

    #[test]
    fn cells_make_one_text() {
        let source = source(&book(CELLS));
        assert_eq!(&*source.text, "x = \"é\"\ny = 2\nz = x\nw = '😀'\n");
        let cells = source.cells.as_ref().unwrap();
        assert_eq!(
            cells.list.iter().map(|cell| (cell.number, cell.id.as_deref())).collect::<Vec<_>>(),
            [(2, Some("ab")), (3, None)]
        );
    }

    #[test]
    fn every_byte_has_its_place() {
        let file = book(CELLS);
        let source = source(&file);
        let cells = source.cells.as_ref().unwrap();
        let place = |word: &str| {
            let at = source.text.find(word).unwrap();
            let span = cells.in_file(Span::new(at, at + word.len()));
            let within = source.within(at as u32).unwrap();
            (&file[span.start as usize..span.end as usize], within.cell.number, within.line)
        };
        assert_eq!(place("x = \"é\""), ("x = \\\"\\u00e9\\\"", 2, 1));
        assert_eq!(place("y = 2"), ("y = 2", 2, 2));
        assert_eq!(place("'😀'"), ("'\\ud83d\\ude00'", 3, 2));
        assert_eq!(place("y = 2\n"), ("y = 2", 2, 2));
        let start = cells.in_file(Span::new(source.text.find('z').unwrap(), source.text.find('z').unwrap()));
        assert_eq!(start.start, start.end);
        assert_eq!(cells.position(start.start, Columns::CodePoints).line, 3);
    }

    #[test]
    fn version_3_has_worksheets() {
        let text = "{\"worksheets\": [{\"cells\": [{\"cell_type\": \"code\", \"language\": \"python\", \"input\": [\"a = 1\"]}]}], \
                    \"metadata\": {\"name\": \"\"}, \"nbformat\": 3}";
        assert_eq!(&*source(text).text, "a = 1\n");
    }

    #[test]
    fn other_languages_have_no_text() {
        for metadata in
            ["{\"kernelspec\": {\"language\": \"R\", \"name\": \"ir\"}}", "{\"language_info\": {\"name\": \"julia\"}}"]
        {
            let text = format!("{{\"cells\": [{{\"cell_type\": \"code\", \"source\": \"x <- 1\"}}], \"metadata\": {metadata}}}");
            assert_eq!(&*source(&text).text, "");
        }
        let text = "{\"cells\": [{\"cell_type\": \"code\", \"source\": \"x = 1\"}], \"metadata\": {\"kernelspec\": 3}}";
        assert_eq!(&*source(text).text, "x = 1\n");
    }

    #[test]
    fn cells_that_nothing_runs_are_blank() {
        let cell = |source: &str| book(&format!("{{\"cell_type\": \"code\", \"source\": \"{source}\"}}"));
        for off in ["#| eval: false\\nx = 1", "#|eval:false\\nx = 1", "\\n# | hide\\n#|  eval: False\\nx = 1"] {
            let text = source(&cell(off)).text.to_string();
            assert!(text.trim().is_empty() && text.ends_with('\n'), "{off}: {text:?}");
        }
        for on in ["#| eval: true\\nx = 1", "#|hide\\nx = 1", "x = 1\\n#| eval: false"] {
            assert!(source(&cell(on)).text.contains("x = 1"), "{on}");
        }
        let whole = book(
            "{\"cell_type\": \"raw\", \"source\": \"---\\nskip_exec: true\\n---\"}, {\"cell_type\": \"code\", \"source\": \"x\"}",
        );
        assert_eq!(source(&whole).text.trim(), "");
    }

    #[test]
    fn directives_have_names_and_values() {
        let found = directives("#|export\n\n#| eval: false\n# comment\n#|late");
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, [("export", ""), ("eval", "false")]);
    }

    #[test]
    fn what_is_no_notebook_has_a_reason() {
        for text in
            ["", "{", "[]", "{\"cells\": 3}", "{\"cells\": [3]}", "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\"a\"}]}"]
        {
            let error = read("a.ipynb", text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("not a notebook: "), "{error}");
        }
        assert!(read("a.ipynb", b"{\"cells\": [{\"cell_type\": \"code\", \"source\": [3, null, \"a\\ud800\"]}]}").is_ok());
        assert!(read("a.ipynb", b"\xff\xff").unwrap_err().to_string().contains("UTF-8"));
    }
}

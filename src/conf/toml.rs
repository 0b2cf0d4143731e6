//! TOML with byte spans: a few questions over the `toml` crate's spanned tree.

use super::script::{Escapes, Script};
use crate::text::{FileId, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file's text and its tree. What could be read before an error is kept.
pub struct Toml<'a> {
    pub file: FileId,
    pub text: &'a str,
    root: DeTable<'a>,
}

/// A place in the tree.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    file: FileId,
    text: &'a str,
    value: &'a DeValue<'a>,
    span: (usize, usize),
}

impl<'a> Toml<'a> {
    pub fn parse(file: FileId, text: &'a str) -> Toml<'a> {
        let (root, _) = DeTable::parse_recoverable(text);
        Toml { file, text, root: root.into_inner() }
    }

    /// The item at a path of keys.
    pub fn at(&'a self, path: &[&str]) -> Option<Item<'a>> {
        let (first, rest) = path.split_first()?;
        let item = self.item(self.root.get(*first)?);
        item.at(rest)
    }

    fn item(&'a self, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        Item { file: self.file, text: self.text, value: value.get_ref(), span: (value.span().start, value.span().end) }
    }
}

impl<'a> Item<'a> {
    pub fn at(self, path: &[&str]) -> Option<Item<'a>> {
        path.iter().try_fold(self, |item, key| item.table()?.get(*key).map(|value| item.inner(value)))
    }

    fn inner(self, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        Item { value: value.get_ref(), span: (value.span().start, value.span().end), ..self }
    }

    fn table(self) -> Option<&'a DeTable<'a>> {
        match self.value {
            DeValue::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn is_table(self) -> bool {
        self.table().is_some()
    }

    /// The entries of a table in the order of the file: key, the key's place, value. Empty for anything else.
    pub fn entries(self) -> Vec<(&'a str, (FileId, Span), Item<'a>)> {
        let mut all: Vec<_> = self
            .table()
            .into_iter()
            .flat_map(|table| table.iter())
            .map(|(key, value)| {
                (key.get_ref().as_ref(), (self.file, Span::new(key.span().start, key.span().end)), self.inner(value))
            })
            .collect();
        all.sort_by_key(|(_, place, _)| place.1);
        all
    }

    /// The elements of an array; empty for anything else.
    pub fn list(self) -> Vec<Item<'a>> {
        match self.value {
            DeValue::Array(array) => array.iter().map(|value| self.inner(value)).collect(),
            _ => Vec::new(),
        }
    }

    pub fn is_list(self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    pub fn str(self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    pub fn bool(self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number, or a text that holds one.
    pub fn int(self) -> Option<i64> {
        match self.value {
            DeValue::Integer(value) => i64::from_str_radix(&value.as_str().replace('_', ""), value.radix()).ok(),
            DeValue::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The value with its quotes or brackets.
    pub fn place(self) -> (FileId, Span) {
        (self.file, Span::new(self.span.0, self.span.1))
    }

    /// The text of a string, with places.
    pub fn script(self) -> Option<Script> {
        let decoded = self.str()?;
        let raw = self.text.get(self.span.0..self.span.1)?;
        let (open, escapes) = match raw {
            _ if raw.starts_with("\"\"\"") => (3, Escapes::Backslash),
            _ if raw.starts_with("'''") => (3, Escapes::None),
            _ if raw.starts_with('"') => (1, Escapes::Backslash),
            _ if raw.starts_with('\'') => (1, Escapes::None),
            _ => (0, Escapes::None),
        };
        let inner = raw.get(open..raw.len().checked_sub(open)?)?;
        Some(Script::align(self.file, self.span.0 + open, inner, decoded, escapes))
    }

    /// A string, or the strings of a list.
    pub fn scripts(self) -> Vec<Script> {
        if self.is_list() {
            self.list().into_iter().filter_map(Item::script).collect()
        } else {
            self.script().into_iter().collect()
        }
    }

    /// A string's words, or the strings of a list.
    pub fn words(self) -> Vec<String> {
        if self.is_list() {
            self.list().into_iter().filter_map(|item| item.str().map(str::to_owned)).collect()
        } else {
            self.str().into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(text: &str, script: &Script, word: &str) -> String {
        let at = script.text.find(word).unwrap();
        let (_, span) = script.place(at..at + word.len()).unwrap();
        text[span.start as usize..span.end as usize].to_owned()
    }

    #[test]
    fn strings_have_exact_places() {
        let text = "[tool.pytest.ini_options]\naddopts = \"-n 4 \\u00e9 -q\"\nx = '''\n  a\n  b'''\ny = [\"-n\", '2']\n";
        let toml = Toml::parse(FileId(1), text);
        let options = toml.at(&["tool", "pytest", "ini_options"]).unwrap();
        let addopts = options.at(&["addopts"]).unwrap().script().unwrap();
        assert_eq!(slice(text, &addopts, "-n 4"), "-n 4");
        assert_eq!(slice(text, &addopts, "é"), "\\u00e9");
        assert_eq!(slice(text, &addopts, "-q"), "-q");
        let x = options.at(&["x"]).unwrap().script().unwrap();
        assert_eq!(x.text, "  a\n  b");
        assert_eq!(x.place(6..7).unwrap().1.start as usize, text.find("b'''").unwrap());
        let y = options.at(&["y"]).unwrap();
        assert_eq!(y.words(), ["-n", "2"]);
        let start = text.find("'2'").unwrap();
        assert_eq!(y.scripts()[1].whole(), Some((FileId(1), Span::new(start + 1, start + 2))));
    }

    #[test]
    fn a_multi_line_string_with_continuation() {
        let text = "a = \"\"\"\npytest \\\n    -n 4\n\"\"\"\n";
        let toml = Toml::parse(FileId(0), text);
        let script = toml.at(&["a"]).unwrap().script().unwrap();
        assert_eq!(script.text, "pytest -n 4\n");
        let start = text.find("-n").unwrap();
        assert_eq!(script.place(7..11).unwrap().1, Span::new(start, start + 4));
    }

    #[test]
    fn entries_come_in_the_order_of_the_file() {
        let toml = Toml::parse(FileId(0), "[t]\nz = 1\na = true\nm = \"0x\"\n");
        let entries = toml.at(&["t"]).unwrap().entries();
        assert_eq!(entries.iter().map(|(key, ..)| *key).collect::<Vec<_>>(), ["z", "a", "m"]);
        assert_eq!(entries[0].2.int(), Some(1));
        assert_eq!(entries[1].2.bool(), Some(true));
        assert_eq!(entries[0].1.1, Span::new(4, 5));
    }

    #[test]
    fn what_stands_before_an_error_is_kept() {
        let toml = Toml::parse(FileId(0), "[package]\nname = \"x\"\n[broken\n");
        assert_eq!(toml.at(&["package", "name"]).and_then(Item::str), Some("x"));
        for text in ["a = ", "[[", "a = [[[[", "\u{feff}", "a.b.c = 1\na.b = 2"] {
            Toml::parse(FileId(0), text);
        }
        let deep = format!("a = {}", "[".repeat(100_000));
        Toml::parse(FileId(0), &deep);
    }
}

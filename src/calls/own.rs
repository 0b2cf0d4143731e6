//! The project's own call tables, beside the built-in ones.

use super::{Call, Calls, Table, python, rust};
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// What is known of the libraries of both languages. By default what is built in.
#[derive(Clone, PartialEq, Debug)]
pub struct Tables {
    python: Cow<'static, Calls>,
    rust: Cow<'static, Calls>,
}

impl Default for Tables {
    fn default() -> Tables {
        Tables { python: Cow::Borrowed(python()), rust: Cow::Borrowed(rust()) }
    }
}

impl Tables {
    pub fn of(&self, is_rust: bool) -> &Calls {
        if is_rust { &self.rust } else { &self.python }
    }

    /// Adds a table of the project: its entries go before those that are there.
    pub fn add(&mut self, is_rust: bool, table: Table) {
        let calls = if is_rust { &mut self.rust } else { &mut self.python };
        calls.to_mut().put_own(table);
    }
}

/// Why a text is no table of calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where, in bytes of the text.
    pub at: usize,
    /// The keys that lead to the place: `calls."shop.save".does`.
    pub key: String,
    pub what: String,
}

impl Table {
    /// The names of its parts.
    pub const PARTS: [&str; 8] = ["star", "types", "calls", "values", "formats", "errors", "things", "programs"];

    /// Reads a file of call tables.
    ///
    /// # Errors
    /// No TOML, a field or word that is not known, an entry that contradicts itself.
    pub fn read(text: &str) -> Result<Table, Fault> {
        let document = DeTable::parse(text).map_err(|error| fault(&error, None))?;
        Table::checked(Spanned::new(document.span(), DeValue::Table(document.into_inner())))
    }

    /// Reads a table that stands inside a larger document. Faults name keys from it on.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn checked(value: Spanned<DeValue>) -> Result<Table, Fault> {
        let whole = value.clone();
        let table: Table = serde::Deserialize::deserialize(toml::de::ValueDeserializer::from(value))
            .map_err(|error: Error| fault(&error, Some(&whole)))?;
        let calls = whole.get_ref().as_table().and_then(|table| table.get("calls")?.get_ref().as_table());
        for (name, entry) in calls.into_iter().flatten() {
            if let Some(what) = table.calls.get(name.get_ref().as_ref()).and_then(Call::unsound) {
                return Err(Fault { at: entry.span().start, key: join("calls", name.get_ref()), what });
            }
        }
        Ok(table)
    }

    /// A table with one entry, which has one field.
    pub fn of(key: &str, call: Call) -> Table {
        Table { calls: [(key.to_owned(), call)].into(), ..Table::default() }
    }
}

fn fault(error: &Error, table: Option<&Spanned<DeValue>>) -> Fault {
    let span = error.span().unwrap_or_default();
    let key = table.map(|table| key_at(table.get_ref(), &span)).unwrap_or_default();
    Fault { at: span.start, key, what: error.message().to_owned() }
}

/// The keys that lead to a place.
fn key_at(value: &DeValue, at: &Range<usize>) -> String {
    let mut path = String::new();
    let mut value = value;
    while let DeValue::Table(table) = value {
        let holds = |span: Range<usize>| span.start <= at.start && at.end <= span.end;
        let inside = |value: &Spanned<DeValue>| holds(value.span()) || deep(value.get_ref(), at);
        let Some((key, inner)) = table.iter().find(|(key, inner)| holds(key.span()) || inside(inner)) else { break };
        path = join(&path, key.get_ref());
        value = inner.get_ref();
    }
    path
}

/// A table that is written under headers of its own has its parts outside its own span.
fn deep(value: &DeValue, at: &Range<usize>) -> bool {
    let DeValue::Table(table) = value else { return false };
    let holds = |span: Range<usize>| span.start <= at.start && at.end <= span.end;
    table.iter().any(|(key, inner)| holds(key.span()) || holds(inner.span()) || deep(inner.get_ref(), at))
}

fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let key = if plain { key.to_owned() } else { format!("\"{key}\"") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> (usize, String, String) {
        let fault = Table::read(text).unwrap_err();
        let line = text[..fault.at].matches('\n').count() + 1;
        (line, fault.key, fault.what)
    }

    #[test]
    fn faults_name_line_and_key() {
        let (line, key, what) = says("[calls]\n\"shop.save\" = { dos = { write = 'p' } }\n");
        assert_eq!((line, key.as_str()), (2, "calls.\"shop.save\".dos"));
        assert!(what.starts_with("unknown field `dos`"), "{what}");
        let (line, key, what) = says("[calls.\"shop.save\"]\nparams = ['p']\ndoes = { wirte = 'p' }\n");
        assert_eq!((line, key.as_str()), (3, "calls.\"shop.save\".does.wirte"));
        assert!(what.starts_with("unknown variant `wirte`"), "{what}");
        let (line, key, what) = says("[calls]\n\n'shop.save' = { params = ['p'], does = { write = 'q' } }\n");
        assert_eq!((line, key.as_str()), (3, "calls.\"shop.save\""));
        assert_eq!(what, "it speaks of the argument `q`, which is not in `params`");
        assert_eq!(says("[cals]\n").1, "cals");
        assert_eq!(says("[calls]\na = = 1\n").0, 2);
    }

    #[test]
    fn all_parts_have_their_names() {
        let named: Vec<String> = Table::PARTS.iter().map(|part| format!("`{part}`")).collect();
        let (_, _, what) = says("[no-such-part]\n");
        assert_eq!(what, format!("unknown field `no-such-part`, expected one of {}", named.join(", ")));
    }

    #[test]
    fn own_entries_go_before_ours() {
        let mut tables = Tables::default();
        tables.add(false, Table::read("[calls]\n'tempfile.TemporaryDirectory' = { gives = 'unknown' }\n").unwrap());
        assert!(tables.of(false).get("tempfile.TemporaryDirectory").unwrap().owns.is_none());
        assert!(!tables.of(false).owns("tempfile.TemporaryDirectory"));
        assert_eq!(tables.of(false).own().collect::<Vec<_>>(), ["tempfile.TemporaryDirectory"]);
        assert!(tables.of(false).get("os.path.join").is_some());
        assert_eq!(tables.of(true).own().count(), 0);
    }
}

//! JSON whose strings hold no character that would steer a terminal: a person may look at what is meant for a program.

use super::sanitized::{Shown, shown};
use serde::Serialize;
use std::io::{self, Write};

/// Writes a value with a line for each key. What text from outside may not show as it is stands as `\uXXXX`: the same to whoever reads
/// the JSON. Controls below U+0020 are escaped by JSON's own rules.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c| c != '\n' && !matches!(shown(c), Shown::Same)) {
        let (plain, from) = rest.split_at(at);
        out.write_all(plain.as_bytes())?;
        let mut chars = from.chars();
        for unit in chars.next().map(|c| c.encode_utf16(&mut [0; 2]).to_vec()).unwrap_or_default() {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = chars.as_str();
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_read_back() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}31m é\t\u{e0001}", "日本"]});
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("\\u202e") && text.contains("\\udb40\\udc01") && text.contains("é") && text.contains("日本"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}

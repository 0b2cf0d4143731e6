//! Text that may be shown: whatever came from a file, its name or a message, without the characters that could move the cursor,
//! change colours, hide text or turn its direction in a terminal or a log.

use std::fmt::{self, Display, Formatter, Write};

/// How one character is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    Same,
    Tab,
    /// Another character, one column wide.
    As(char),
    /// Its code, as `\u{202e}`.
    Escape,
}

/// How a character is shown. C0 controls have pictures in Unicode's block "Control Pictures"; bidirectional controls are those of
/// "Unicode Bidirectional Algorithm" (UAX 9), 2; the others escaped are format characters that show nothing.
pub fn shown(c: char) -> Shown {
    match c {
        '\t' => Shown::Tab,
        '\0'..='\u{1f}' => Shown::As(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => Shown::As('\u{2421}'),
        // Line ends to some programs: the picture of a new line.
        '\u{85}' | '\u{2028}' | '\u{2029}' => Shown::As('\u{2424}'),
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Shown::Escape,
        _ => Shown::Same,
    }
}

/// Columns that a character takes, roughly: two for the wide blocks of "East Asian Width" (UAX 11), one for all others, marks
/// without width included, so that a limit in columns is one in characters too.
pub fn columns(c: char) -> usize {
    match shown(c) {
        Shown::Tab => TAB,
        Shown::Escape => 6 + hex_digits(c).saturating_sub(2),
        Shown::As(_) => 1,
        Shown::Same => match c {
            '\u{1100}'..='\u{115f}'
            | '\u{2e80}'..='\u{a4cf}'
            | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe6f}'
            | '\u{ff00}'..='\u{ff60}'
            | '\u{ffe0}'..='\u{ffe6}'
            | '\u{1f300}'..='\u{1faff}'
            | '\u{20000}'..='\u{3fffd}' => 2,
            _ => 1,
        },
    }
}

fn hex_digits(c: char) -> usize {
    format!("{:x}", u32::from(c)).len()
}

/// Columns between tab stops.
pub const TAB: usize = 4;

/// Shows a text on one line, cut after a number of columns.
#[derive(Clone, Copy, Debug)]
pub struct Sanitized<'a> {
    pub text: &'a str,
    /// In columns; what is cut is shown as `…`.
    pub limit: usize,
}

/// A text for a line of its own.
pub fn sanitized(text: &str, limit: usize) -> Sanitized<'_> {
    Sanitized { text, limit }
}

impl Display for Sanitized<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let mut used = 0;
        for c in self.text.chars() {
            used += columns(c);
            if used > self.limit {
                return out.write_char('…');
            }
            match shown(c) {
                Shown::Same => out.write_char(c)?,
                Shown::Tab => out.write_char(' ')?,
                Shown::As(other) => out.write_char(other)?,
                Shown::Escape => write!(out, "{}", c.escape_unicode())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_become_visible() {
        let text = "a\u{1b}[31mb\nc\td\u{7f}\u{9b}e\u{202e}f\u{2028}g";
        assert_eq!(sanitized(text, 100).to_string(), "a␛[31mb␊c d␡\\u{9b}e\\u{202e}f␤g");
    }

    #[test]
    fn plain_text_of_any_script_stays() {
        let text = "naïve 日本語 😀 e\u{301}";
        assert_eq!(sanitized(text, 100).to_string(), text);
    }

    #[test]
    fn a_long_text_is_cut_by_columns() {
        assert_eq!(sanitized("abcdef", 3).to_string(), "abc…");
        assert_eq!(sanitized("日本語", 4).to_string(), "日本…");
        assert_eq!(sanitized("abc", 3).to_string(), "abc");
        assert_eq!(sanitized(&"\u{301}".repeat(1000), 10).to_string().chars().count(), 11);
    }

    #[test]
    fn an_escape_counts_as_long_as_it_is() {
        for c in ['\u{9b}', '\u{61c}', '\u{202e}', '\u{e0001}'] {
            assert_eq!(columns(c), c.escape_unicode().count(), "{c:?}");
        }
    }
}

//! Text taken out of a file, decoded, that still knows where each byte came from.
//!
//! A shell line may stand in a YAML block scalar, a TOML string, an INI value with continuation lines or a Makefile recipe with
//! variables from elsewhere. All become a [`Script`]: plain text for the reader, with a map back to files and bytes.

use crate::text::{FileId, Span};
use std::ops::Range;

/// What stands further apart than this, in bytes, is not one place: a variable of a Makefile and its use.
pub const FAR: usize = 512;

/// Decoded text and its map to the files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    pub text: String,
    /// Sorted by `at`, without holes: each runs to the start of the next.
    pieces: Vec<Piece>,
}

/// A stretch of the text: the bytes of the file itself where both are equally long, else something that stands for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Piece {
    /// Byte offset in the text.
    at: usize,
    file: FileId,
    start: usize,
    end: usize,
}

/// How a quoted text hides characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Escapes {
    /// Nothing but line breaks and indentation may differ.
    None,
    /// `\n`, `\u00e9`, `\` at the end of a line: TOML basic strings, YAML double quotes.
    Backslash,
    /// `''` for `'`: YAML single quotes.
    Doubled,
}

impl Script {
    /// `raw` as it stands in the file from byte `start` on.
    pub fn verbatim(file: FileId, start: usize, raw: &str) -> Script {
        let mut script = Script::default();
        script.push(file, start, raw);
        script
    }

    /// Adds bytes that stand so in the file.
    pub fn push(&mut self, file: FileId, start: usize, raw: &str) {
        if raw.is_empty() {
            return;
        }
        let at = self.text.len();
        self.text.push_str(raw);
        if let Some(last) = self.pieces.last_mut()
            && last.file == file
            && last.end == start
            && last.end - last.start == at - last.at
        {
            last.end += raw.len();
            return;
        }
        self.pieces.push(Piece { at, file, start, end: start + raw.len() });
    }

    /// Adds text that stands for the bytes of `span`: a decoded escape, a folded line break.
    pub fn push_as(&mut self, file: FileId, span: Range<usize>, text: &str) {
        if !text.is_empty() {
            self.pieces.push(Piece { at: self.text.len(), file, start: span.start, end: span.end });
            self.text.push_str(text);
        }
    }

    /// Adds a part of another script, with its places. `range` is cut to character boundaries that exist.
    pub fn append(&mut self, other: &Script, range: Range<usize>) {
        let Some(text) = other.text.get(range.clone()) else { return };
        if text.is_empty() {
            return;
        }
        let first = other.pieces.partition_point(|piece| piece.at <= range.start).saturating_sub(1);
        for (n, piece) in other.pieces.iter().enumerate().skip(first) {
            if piece.at >= range.end {
                break;
            }
            let until = other.pieces.get(n + 1).map_or(other.text.len(), |next| next.at);
            let (from, to) = (piece.at.max(range.start), until.min(range.end));
            if until - piece.at == piece.end - piece.start {
                self.push(piece.file, piece.start + (from - piece.at), &other.text[from..to]);
            } else {
                self.push_as(piece.file, piece.start..piece.end, &other.text[from..to]);
            }
        }
    }

    pub fn slice(&self, range: Range<usize>) -> Script {
        let mut script = Script::default();
        script.append(self, range);
        script
    }

    /// The part without white space at both ends.
    pub fn trim(&self) -> Script {
        let start = self.text.len() - self.text.trim_start().len();
        let end = self.text.trim_end().len();
        if start < end { self.slice(start..end) } else { Script::default() }
    }

    /// Where these bytes of the text stand. A range that crosses files, or jumps far, is cut there.
    pub fn place(&self, range: Range<usize>) -> Option<(FileId, Span)> {
        let first = self.pieces.partition_point(|piece| piece.at <= range.start).checked_sub(1)?;
        let piece = self.pieces.get(first)?;
        let start = (piece.start + (range.start - piece.at)).min(piece.end);
        let mut end = start;
        for (n, next) in self.pieces.iter().enumerate().skip(first) {
            let far = n > first && next.start > end + FAR;
            if next.at >= range.end || next.file != piece.file || next.end < end || far {
                break;
            }
            let until = self.pieces.get(n + 1).map_or(self.text.len(), |next| next.at);
            end = if until <= range.end { next.end } else { (next.start + (range.end - next.at)).min(next.end) };
        }
        Some((piece.file, Span::new(start, end)))
    }

    /// Where all of it stands.
    pub fn whole(&self) -> Option<(FileId, Span)> {
        self.place(0..self.text.len())
    }

    /// Maps `decoded` onto the bytes of the file it was decoded from (`raw`, from byte `start` on, quotes and block header taken
    /// off). Exact for every character but white space: what a decoder may drop or fold is white space alone.
    pub fn align(file: FileId, start: usize, raw: &str, decoded: &str, escapes: Escapes) -> Script {
        if raw == decoded {
            return Script::verbatim(file, start, raw);
        }
        let mut script = Script::default();
        let mut at = 0;
        let mut done = 0;
        while let Some(want) = decoded[done..].chars().next() {
            let Some(have) = raw[at..].chars().next() else { break };
            let next = done + want.len_utf8();
            if escapes == Escapes::Backslash && have == '\\' {
                let width = escape_width(&raw[at..]);
                if continues_line(&raw[at..]) {
                    at += width;
                    continue;
                }
                script.push_as(file, start + at..start + at + width, &decoded[done..next]);
                at += width;
                done = next;
            } else if have == want {
                script.push(file, start + at, &decoded[done..next]);
                at += have.len_utf8();
                if escapes == Escapes::Doubled && have == '\'' && raw[at..].starts_with('\'') {
                    at += 1;
                }
                done = next;
            } else if have.is_whitespace() {
                at += have.len_utf8();
            } else if want.is_whitespace() {
                script.push_as(file, start + at..start + at, &decoded[done..next]);
                done = next;
            } else {
                break;
            }
        }
        if done < decoded.len() {
            // Only white space may be left, unless the decoder does something unheard of: then the rest stands for the rest.
            script.push_as(file, start + at..start + raw.len().max(at), &decoded[done..]);
        }
        script
    }
}

/// Bytes of the escape at the start of `raw`, which begins with a backslash.
fn escape_width(raw: &str) -> usize {
    let Some(kind) = raw[1..].chars().next() else { return 1 };
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\r' if raw[2..].starts_with('\n') => return 3,
        _ => return 1 + kind.len_utf8(),
    };
    2 + raw[2..].bytes().take(digits).take_while(u8::is_ascii_hexdigit).count()
}

/// A backslash before the line break: both are dropped. TOML allows blanks between.
fn continues_line(raw: &str) -> bool {
    raw[1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId(3);

    fn span_of(script: &Script, word: &str) -> (u32, u32) {
        let at = script.text.find(word).unwrap();
        let (file, span) = script.place(at..at + word.len()).unwrap();
        assert_eq!(file, FILE);
        (span.start, span.end)
    }

    #[test]
    fn a_block_keeps_its_places() {
        let raw = "    pytest \\\n        -n 4\n\n    echo done\n";
        let script = Script::align(FILE, 100, raw, "pytest \\\n    -n 4\n\necho done\n", Escapes::None);
        assert_eq!(span_of(&script, "pytest"), (104, 110));
        assert_eq!(span_of(&script, "-n 4"), (121, 125));
        assert_eq!(span_of(&script, "echo"), (131, 135));
    }

    #[test]
    fn a_folded_block_keeps_its_places() {
        let raw = "  pytest\r\n  -n 4\r\n";
        let script = Script::align(FILE, 10, raw, "pytest -n 4\n", Escapes::None);
        assert_eq!(span_of(&script, "-n 4"), (22, 26));
        assert_eq!(script.text, "pytest -n 4\n");
    }

    #[test]
    fn escapes_are_one_character() {
        let raw = r"a\u00e9\tb \
            -n";
        let script = Script::align(FILE, 0, raw, "a\u{e9}\tb -n", Escapes::Backslash);
        assert_eq!(script.text, "a\u{e9}\tb -n");
        assert_eq!(span_of(&script, "b"), (9, 10));
        assert_eq!(span_of(&script, "\u{e9}"), (1, 7));
        assert_eq!(span_of(&script, "-n"), (raw.len() as u32 - 2, raw.len() as u32));
        let script = Script::align(FILE, 0, "it''s b", "it's b", Escapes::Doubled);
        assert_eq!(span_of(&script, "b"), (6, 7));
        assert_eq!(span_of(&script, "it's"), (0, 5));
    }

    #[test]
    fn slices_and_mixtures_keep_their_files() {
        let mut script = Script::verbatim(FILE, 7, "pytest ");
        script.append(&Script::verbatim(FileId(9), 50, "xx -n 4 yy"), 3..7);
        assert_eq!(script.text, "pytest -n 4");
        assert_eq!(script.place(7..11), Some((FileId(9), Span::new(53, 57))));
        assert_eq!(script.place(0..11), Some((FILE, Span::new(7, 14))));
        assert_eq!(script.slice(8..11).place(2..3), Some((FileId(9), Span::new(56, 57))));
        assert_eq!(Script::default().whole(), None);
    }

    #[test]
    fn nonsense_does_not_panic() {
        for raw in ["", "\\", "\\u", "\\\u{e9}", "é", "\\U0001F60", "  "] {
            for decoded in ["", "x", "é", " ", "\u{1F600}"] {
                for escapes in [Escapes::None, Escapes::Backslash, Escapes::Doubled] {
                    assert_eq!(Script::align(FILE, 0, raw, decoded, escapes).text, decoded);
                }
            }
        }
    }
}

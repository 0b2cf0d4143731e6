//! One linear pass over the bytes of a Rust file, before any parser sees it: the comments, which syn drops, and the nesting,
//! which syn follows by recursion until the stack ends.
//!
//! The lexical rules are those of the Rust Reference, "Comments" and "Tokens".

use std::borrow::Cow;

/// Delimiters open at once. People write fewer than 30.
const DEEPEST: usize = 200;

/// Words and signs that may stand in the open runs of tokens: a run ends at `,`, `;` or a block, so its length bounds what a
/// recursive parser does without delimiters (`!!!!x`, `a + b + …`, `x.a().b()…`, `else if …`, `&&&&T`).
const LONGEST: usize = 4000;

/// `<` that may stand open at once; a comparison counts as well, until its statement or its delimiter ends.
const ANGLES: usize = 200;

/// A comment with its marker, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Comment {
    pub start: usize,
    pub end: usize,
    /// Nothing else stands on its lines.
    pub own_line: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scan {
    pub comments: Vec<Comment>,
    /// The byte at which the file turned out to be nested too deep.
    pub too_deep: Option<usize>,
}

/// The text with a shebang line and a cargo-script front matter (Cargo Book, "Unstable features: script") made blank, byte for
/// byte, so that offsets stay true. A parser would strip them and count from behind.
pub fn blank_head(text: &str) -> Cow<'_, str> {
    let mut end = 0;
    if let Some(rest) = text.strip_prefix("#!") {
        // `#![attribute]`, even over several lines, is no shebang (Rust Reference, "Input format").
        if !rest.trim_start().starts_with('[') {
            end = text.find('\n').unwrap_or(text.len());
        }
    }
    end = front_matter(text, end).unwrap_or(end);
    let Some((head, rest)) = text.split_at_checked(end).filter(|(head, _)| !head.is_empty()) else {
        return Cow::Borrowed(text);
    };
    let blank = head.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { byte as char } else { ' ' });
    Cow::Owned(blank.chain(rest.chars()).collect())
}

/// The end of a front matter that starts at the first line with content after `from`.
fn front_matter(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let start = from + (rest.len() - rest.trim_start().len());
    let body = text.get(start..)?;
    let fence = body.len() - body.trim_start_matches('-').len();
    if fence < 3 {
        return None;
    }
    let mut at = start;
    for (number, line) in body.split_inclusive('\n').enumerate() {
        at += line.len();
        let dashes = line.trim_end();
        if number > 0 && dashes.len() == fence && dashes.bytes().all(|byte| byte == b'-') {
            return Some(at);
        }
    }
    None
}

/// Reads comments and nesting. Text that is no Rust gives some answer and never a panic.
pub fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let mut scan = Scan::default();
    let mut runs = Runs::default();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        match byte {
            b'/' if next == b'/' => {
                let mut end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
                let after = end;
                if bytes[at..end].ends_with(b"\r") {
                    end -= 1;
                }
                scan.comments.push(Comment { start: at, end, own_line: alone(bytes, at, end) });
                at = after;
            }
            b'/' if next == b'*' => {
                let end = block_comment(bytes, at);
                scan.comments.push(Comment { start: at, end, own_line: alone(bytes, at, end) });
                at = end;
            }
            b'"' => at = string(bytes, at),
            b'\'' => at = quote(text, at),
            b'r' | b'b' | b'c' if let Some(end) = prefixed(text, at) => at = end,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 128.. => {
                let end = word(bytes, at);
                runs.word(&bytes[at..end]);
                at = end;
            }
            b'0'..=b'9' => at = word(bytes, at),
            _ => {
                runs.sign(byte, next);
                at += 1;
            }
        }
        if runs.too_deep() {
            scan.too_deep.get_or_insert(at.saturating_sub(1));
            // The comments are still wanted; depth is settled.
            runs = Runs { settled: true, ..Runs::default() };
        }
    }
    scan
}

/// What is open: one run of tokens for each open delimiter.
#[derive(Default)]
struct Runs {
    /// Tokens and angle brackets of the open runs, the innermost last.
    outer: Vec<(usize, usize)>,
    here: (usize, usize),
    /// Sums over `outer`.
    tokens: usize,
    angles: usize,
    /// The last token closed a block.
    after_block: bool,
    settled: bool,
}

impl Runs {
    fn too_deep(&self) -> bool {
        !self.settled && (self.outer.len() > DEEPEST || self.tokens + self.here.0 > LONGEST || self.angles + self.here.1 > ANGLES)
    }

    fn word(&mut self, word: &[u8]) {
        // A word after a block starts something new, unless it carries on the expression.
        if self.after_block && !matches!(word, b"else" | b"as") {
            self.here = (0, 0);
        }
        self.after_block = false;
        self.here.0 += 1;
    }

    fn sign(&mut self, byte: u8, next: u8) {
        if self.settled || byte.is_ascii_whitespace() {
            return;
        }
        let after_block = std::mem::take(&mut self.after_block);
        match byte {
            b'(' | b'[' | b'{' => {
                self.outer.push(self.here);
                self.tokens += self.here.0;
                self.angles += self.here.1;
                self.here = (0, 0);
            }
            b')' | b']' | b'}' => {
                self.here = self.outer.pop().unwrap_or_default();
                self.tokens = self.tokens.saturating_sub(self.here.0);
                self.angles = self.angles.saturating_sub(self.here.1);
                self.after_block = byte == b'}';
            }
            // Generic arguments go on behind a comma.
            b',' => self.here.0 = 0,
            b';' => self.here = (0, 0),
            b'#' if after_block => self.here = (0, 0),
            b'<' => self.here = (self.here.0 + 1, self.here.1 + 1),
            b'>' => self.here.1 = self.here.1.saturating_sub(1),
            // `->` and `=>` close nothing: take the `>` back that comes next.
            b'-' | b'=' if next == b'>' => self.here = (self.here.0 + 1, self.here.1 + 1),
            _ => self.here.0 += 1,
        }
    }
}

/// Only blanks stand before and behind `start..end` on its lines.
fn alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let blank = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'\r' | 0x0c);
    let before = bytes[..start].iter().rev().find(|byte| !blank(byte)).is_none_or(|byte| *byte == b'\n');
    before && bytes[end..].iter().find(|byte| !blank(byte)).is_none_or(|byte| *byte == b'\n')
}

fn word(bytes: &[u8], at: usize) -> usize {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 128;
    bytes[at..].iter().position(|byte| !part(byte)).map_or(bytes.len(), |n| at + n)
}

/// The end of a block comment; they nest.
fn block_comment(bytes: &[u8], start: usize) -> usize {
    let mut open = 0usize;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                open += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                at += 2;
                open -= 1;
                if open == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a literal with escapes that opens at `at` with `"` or `'`.
fn string(bytes: &[u8], at: usize) -> usize {
    let Some(&mark) = bytes.get(at) else { return bytes.len() };
    let mut at = at + 1;
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'\\' => 2,
            _ if byte == mark => return at + 1,
            _ => 1,
        };
    }
    bytes.len()
}

/// A character literal, or a lifetime or label.
fn quote(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(at + 1) == Some(&b'\\') {
        return string(bytes, at);
    }
    let mut rest = text.get(at + 1..).unwrap_or_default().chars();
    match rest.next() {
        Some(c) if rest.next() == Some('\'') => at + 1 + c.len_utf8() + 1,
        _ => word(bytes, at + 1),
    }
}

/// The end of a literal with a prefix (`r"…"`, `br#"…"#`, `b'x'`, `c"…"`) or of a raw identifier.
fn prefixed(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    if matches!(bytes.get(at), Some(b'b' | b'c')) {
        at += 1;
        match bytes.get(at)? {
            b'"' => return Some(string(bytes, at)),
            b'\'' if bytes.get(start) == Some(&b'b') => return Some(quote(text, at)),
            _ => {}
        }
    }
    if bytes.get(at) != Some(&b'r') {
        return None;
    }
    at += 1;
    let hashes = bytes.get(at..)?.iter().take_while(|byte| **byte == b'#').count();
    at += hashes;
    if bytes.get(at) != Some(&b'"') {
        // `r#name` is one word.
        return (hashes == 1).then(|| word(bytes, at));
    }
    at += 1;
    loop {
        let Some(n) = memchr::memchr(b'"', bytes.get(at..)?) else { return Some(bytes.len()) };
        at += n + 1;
        if bytes.get(at..)?.iter().take(hashes).filter(|byte| **byte == b'#').count() == hashes {
            return Some(at + hashes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comments(text: &str) -> Vec<(&str, bool)> {
        scan(text).comments.iter().map(|c| (&text[c.start..c.end], c.own_line)).collect()
    }

    #[test]
    fn comments_are_found_outside_literals_only() {
        let text =
            "let a = \"// no\"; // yes\r\nlet b = r#\"/* no \" */\"#; /* y /* nested */ es */\n\t// own\nlet c = '\"'; // é\n";
        assert_eq!(comments(text), [("// yes", false), ("/* y /* nested */ es */", false), ("// own", true), ("// é", false)]);
    }

    #[test]
    fn quotes_are_characters_or_lifetimes() {
        assert_eq!(comments("fn f<'a>(x: &'a str, c: char) { c == '/' || c == '\\'' || c == 'é' } // end"), [("// end", false)]);
        assert_eq!(comments("b'\"'; b\"\\\" // no\"; c\"// no\"; br\"// no\"; r\"\\\"; // yes"), [("// yes", false)]);
        assert_eq!(comments("'a: loop { break 'a; } // x"), [("// x", false)]);
        assert_eq!(comments("let r#type = r; // x"), [("// x", false)]);
    }

    #[test]
    fn a_comment_between_code_is_not_alone() {
        assert_eq!(comments("/* a */ x\n  /* b */  \n"), [("/* a */", false), ("/* b */", true)]);
    }

    #[test]
    fn open_ends_do_not_hurt() {
        for text in ["/* /*", "\"", "'", "r#\"", "b", "r", "br#", "'\\", "b'", "\\", "c\"\\", "'é", "é'"] {
            scan(text);
        }
    }

    #[test]
    fn shebang_and_front_matter_become_blanks() {
        let text = "#!/usr/bin/env é\nfn a() {}";
        let blank = blank_head(text);
        assert_eq!(blank.len(), text.len());
        assert_eq!(blank.trim_start(), "fn a() {}");
        assert_eq!(blank_head("#![allow(x)]\n"), "#![allow(x)]\n");
        assert_eq!(blank_head("#!\n  [allow(x)]\n"), "#!\n  [allow(x)]\n");
        let script = "#!/bin/cargo\n---cargo\n[dependencies]\n---\nfn a() {}";
        let blank = blank_head(script);
        assert_eq!((blank.len(), blank.trim_start()), (script.len(), "fn a() {}"));
        assert_eq!(blank_head("#!only"), "      ");
    }

    #[test]
    fn nesting_is_refused_in_each_of_its_forms() {
        let deep = |text: &str| scan(text).too_deep.is_some();
        for (open, close) in [("(", ")"), ("{", "}"), ("[", "]"), ("Vec<", ">"), ("if a {", "}")] {
            assert!(!deep(&format!("fn f() {{ {} {} }}", open.repeat(100), close.repeat(100))), "{open}");
            assert!(deep(&format!("fn f() {{ {} {} }}", open.repeat(300), close.repeat(300))), "{open}");
        }
        for chain in ["!", "- ", "&", "|x| ", "a + ", "if a {} else ", "return ", "x = ", "a::", ".b()", "?"] {
            assert!(deep(&format!("fn f() {{ {} }}", chain.repeat(5000))), "{chain}");
        }
        assert!(deep(&format!("fn f() {}", "-> impl Fn() ".repeat(3000))));
    }

    #[test]
    fn long_files_are_not_deep_files() {
        let deep = |text: &str| scan(text).too_deep.is_some();
        assert!(!deep(&"fn f<T>(a: &T) -> Vec<T> { if a < b { c() } else { d } }\n".repeat(5000)));
        assert!(!deep(&"#[test] fn f() {} ".repeat(5000)));
        assert!(!deep(&format!("const A: &[u8] = &[{}];", "-1, 0x7f, ".repeat(5000))));
        assert!(!deep(&format!("fn f() {{ {} }}", "a(x < y); let f = |x| -> u8 { x }; ".repeat(5000))));
        assert!(!deep(&format!("fn f() {{ match x {{ {} }} }}", "A::B => { c } ".repeat(5000))));
    }
}

//! Literals: what the text between quotes, or the digits, stand for.
//!
//! Source: The Python Language Reference, "Lexical analysis", sections "String and Bytes literals" and "Numeric literals".

/// The letters before a literal's opening quote, and the quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Prefix {
    pub(super) raw: bool,
    pub(super) bytes: bool,
    /// An f-string or t-string.
    pub(super) format: bool,
}

impl Prefix {
    /// Reads an opening such as `rb'` or `f"""`.
    pub(super) fn read(opening: &str) -> Prefix {
        let mut prefix = Prefix::default();
        for letter in opening.bytes() {
            match letter.to_ascii_lowercase() {
                b'r' => prefix.raw = true,
                b'b' => prefix.bytes = true,
                b'f' | b't' => prefix.format = true,
                _ => {}
            }
        }
        prefix
    }
}

/// Appends the text that a stretch of a string literal stands for. Bytes over 127 become the characters of the same number; an
/// unknown `\N{NAME}` becomes the replacement character.
pub(super) fn decode(raw: &str, prefix: Prefix, into: &mut String) {
    let special = |b: u8| b == b'\\' || b == b'\r' || (prefix.format && (b == b'{' || b == b'}'));
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(special) {
        into.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        rest = match rest.as_bytes()[at] {
            // Line ends are `\n` in a literal, however the file is written.
            b'\r' => {
                into.push('\n');
                tail.strip_prefix('\n').unwrap_or(tail)
            }
            b'\\' if prefix.raw => {
                into.push('\\');
                tail
            }
            b'\\' => escape(tail, prefix, into),
            brace => {
                into.push(brace as char);
                tail.strip_prefix(brace as char).unwrap_or(tail)
            }
        };
    }
    into.push_str(rest);
}

/// Reads the escape whose backslash stood before `tail`; gives what follows it.
fn escape<'a>(tail: &'a str, prefix: Prefix, into: &mut String) -> &'a str {
    let Some(letter) = tail.chars().next() else {
        into.push('\\');
        return tail;
    };
    let after = &tail[letter.len_utf8()..];
    let simple = match letter {
        '\n' => return after,
        '\r' => return after.strip_prefix('\n').unwrap_or(after),
        '\\' | '\'' | '"' => letter,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '0'..='7' => return number(tail, 8, 1, 3, into),
        'x' => return number(after, 16, 2, 2, into),
        'u' if !prefix.bytes => return number(after, 16, 4, 4, into),
        'U' if !prefix.bytes => return number(after, 16, 8, 8, into),
        'N' if !prefix.bytes => {
            return match after.strip_prefix('{').and_then(|name| name.split_once('}')) {
                Some((_, after)) => {
                    into.push('\u{fffd}');
                    after
                }
                None => {
                    into.push_str("\\N");
                    after
                }
            };
        }
        // Not an escape: both characters stand for themselves.
        _ => {
            into.push('\\');
            letter
        }
    };
    into.push(simple);
    after
}

fn number<'a>(digits: &'a str, base: u32, least: usize, most: usize, into: &mut String) -> &'a str {
    let length = digits.bytes().take(most).take_while(|b| (*b as char).is_digit(base)).count();
    if length < least {
        into.push('\u{fffd}');
        return &digits[length..];
    }
    let code = u32::from_str_radix(&digits[..length], base).unwrap_or(u32::MAX);
    into.push(char::from_u32(code).unwrap_or('\u{fffd}'));
    &digits[length..]
}

/// The value of an integer literal; `None` where it is imaginary or too large.
pub(super) fn integer(digits: &str) -> Option<i64> {
    let digits = digits.replace('_', "");
    let lower = digits.to_ascii_lowercase();
    let lower = lower.trim_end_matches('l');
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        // Python 2 wrote octal numbers, and file modes above all, with a bare zero.
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.trim_start_matches('0')),
        _ => (10, lower),
    };
    if digits.is_empty() {
        return Some(0);
    }
    i64::from_str_radix(digits, base).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(opening: &str, raw: &str) -> String {
        let mut into = String::new();
        decode(raw, Prefix::read(opening), &mut into);
        into
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(text("'", r"a\n\t\\\'\x41\u00e9\U0001F600\101\0"), "a\n\t\\'Aé😀A\0");
        assert_eq!(text("'", "a\\\nb\\\r\nc"), "abc");
        assert_eq!(text("'", r"\d\é\N{BULLET}."), "\\d\\é\u{fffd}.");
        assert_eq!(text("'", "a\r\nb\rc"), "a\nb\nc");
    }

    #[test]
    fn raw_and_bytes_keep_what_is_no_escape_there() {
        assert_eq!(text("r'", r"\n\'"), r"\n\'");
        assert_eq!(text("Rb'", r"\x41"), r"\x41");
        assert_eq!(text("b'", r"\xff\u0041"), "\u{ff}\\u0041");
    }

    #[test]
    fn doubled_braces_are_one_in_format_strings_only() {
        assert_eq!(text("f'", "{{a}}"), "{a}");
        assert_eq!(text("fr'", r"{{\d}}"), r"{\d}");
        assert_eq!(text("'", "{{a}}"), "{{a}}");
    }

    #[test]
    fn broken_escapes_do_not_panic() {
        for raw in [r"\x", r"\x4", r"\u12", r"\U0011", r"\N", r"\N{", r"\N{}", "\\", r"\xé", r"\U00110000"] {
            text("'", raw);
        }
    }

    #[test]
    fn integers() {
        let cases =
            [("0", Some(0)), ("1_000", Some(1000)), ("0xFF", Some(255)), ("0b11", Some(3)), ("0o17", Some(15)), ("00", Some(0))];
        for (digits, value) in
            cases.into_iter().chain([("0777", Some(511)), ("10L", Some(10)), ("3j", None), ("9999999999999999999", None)])
        {
            assert_eq!(integer(digits), value, "{digits}");
        }
    }
}

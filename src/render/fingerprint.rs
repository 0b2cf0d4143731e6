//! Names for findings that stay the same when lines move.

use super::place::Places;
use crate::check::Report;
use crate::finding::Finding;
use crate::text::Columns;
use std::collections::{HashMap, VecDeque};

/// The key under which our own fingerprint stands in SARIF, JSON and baselines; its number changes with what goes in.
pub const KEY: &str = "isolint/v1";

/// One fingerprint for each shown finding, in the report's order: BLAKE3 (128 bits, hexadecimal) of rule, path, key, and an
/// ordinal among findings that are equal in all three. No line numbers and no message: both change for other reasons.
pub fn fingerprints(report: &Report) -> Vec<String> {
    fingerprints_of(&report.findings.iter().collect::<Vec<_>>(), report)
}

/// The same for any findings of a report.
pub fn fingerprints_of(findings: &[&Finding], report: &Report) -> Vec<String> {
    let places = Places::new(&report.sources, Columns::CodePoints);
    let mut seen: HashMap<[&str; 3], u32> = HashMap::new();
    let mut list = Vec::with_capacity(findings.len());
    for finding in findings {
        let parts = [finding.rule, path(finding, &places), finding.key.as_str()];
        let ordinal = seen.entry(parts).or_default();
        list.push(digest(&parts, *ordinal));
        *ordinal += 1;
    }
    list
}

fn path<'a>(finding: &Finding, places: &Places<'a>) -> &'a str {
    finding.labels.first().map_or("", |label| places.path(label.file))
}

fn digest(parts: &[&str], ordinal: u32) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(KEY.as_bytes());
    for part in parts {
        // The length first, so that no two lists of parts give the same bytes.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(&ordinal.to_le_bytes());
    hasher.finalize().as_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Units that a line's hash looks at.
const WINDOW: u64 = 100;
const FACTOR: u64 = 37;
/// What stands for the end of the file.
const END: u64 = 65535;

/// `primaryLocationLineHash` of every line of a text, as code scanning's upload computes it: it warns where a SARIF file says
/// otherwise (github/codeql-action, `src/fingerprints.ts`).
///
/// From each line's start, the next 100 UTF-16 units that are not space or tab, with every line end as LF and the end of the file
/// as one more unit, are the digits of a number in base 37, modulo 2^64; zeros fill up at the end. Equal numbers are told apart
/// by how many came before.
pub fn line_hashes(text: &str) -> Vec<String> {
    let mut hashes =
        LineHashes { overflow: (0..WINDOW).fold(1, |power: u64, _| power.wrapping_mul(FACTOR)), ..Default::default() };
    let mut starts_line = true;
    let mut after_cr = false;
    for unit in text.encode_utf16() {
        let is_lf_of_crlf = after_cr && unit == 10;
        after_cr = unit == 13;
        if is_lf_of_crlf || unit == 32 || unit == 9 {
            continue;
        }
        let unit = if unit == 13 { 10 } else { unit };
        hashes.read(u64::from(unit), starts_line);
        starts_line = unit == 10;
    }
    hashes.read(END, starts_line);
    while !hashes.open.is_empty() {
        hashes.read(0, false);
    }
    hashes.list
}

/// The number read so far, and the lines whose window is still open.
#[derive(Default)]
struct LineHashes {
    /// 37 to the 100th.
    overflow: u64,
    /// All units read, as one number in base 37.
    number: u64,
    read: u64,
    /// For each open line: how many units were read before it, and their number.
    open: VecDeque<(u64, u64)>,
    seen: HashMap<u64, u32>,
    list: Vec<String>,
}

impl LineHashes {
    fn read(&mut self, unit: u64, starts_line: bool) {
        if starts_line {
            self.open.push_back((self.read, self.number));
        }
        self.number = self.number.wrapping_mul(FACTOR).wrapping_add(unit);
        self.read += 1;
        if let Some((read, number)) = self.open.front().copied()
            && self.read - read == WINDOW
        {
            self.open.pop_front();
            // What was read before the line, moved up by a whole window, is taken off: the window is left.
            let hash = self.number.wrapping_sub(number.wrapping_mul(self.overflow));
            let count = self.seen.entry(hash).or_default();
            *count += 1;
            self.list.push(format!("{hash:x}:{count}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected values below were published with the algorithm (github/codeql-action, `src/fingerprints.test.ts`).

    #[test]
    fn an_empty_file_has_one_line() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
    }

    #[test]
    fn spaces_and_tabs_do_not_count() {
        let expected = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(line_hashes(" a\nb\n  \t\tc\n d"), expected);
    }

    #[test]
    fn line_ends_are_all_alike() {
        let expected = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        for [a, b, c] in [["\n"; 3], ["\r"; 3], ["\r\n"; 3], ["\r\n", "\n", "\r"]] {
            let text = format!(" hello; \t{a}world!!!{a}{b}{c}  \t\tGreetings{c} End{a}");
            assert_eq!(line_hashes(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn equal_windows_are_counted() {
        let hashes = line_hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(hashes[0], "a7f2ff13bc495cf2:1");
        assert_eq!(hashes[5], "a7f2ff13bc495cf2:6");
        assert_eq!(hashes[6], "a7f2ff1481e87703:1");
        assert_eq!(hashes.len(), 11);
    }

    /// The definition, read word by word for one line at a time.
    fn slow(text: &str) -> Vec<String> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<&str> = text.split('\n').collect();
        let mut list: Vec<String> = Vec::new();
        for n in 0..lines.len() {
            let rest = lines[n..].join("\n");
            let mut units: Vec<u16> = rest.encode_utf16().filter(|unit| *unit != 32 && *unit != 9).collect();
            units.push(65535);
            units.resize(units.len().max(100), 0);
            let hash = units[..100].iter().fold(0u64, |hash, unit| hash.wrapping_mul(37).wrapping_add(u64::from(*unit)));
            let count = list.iter().filter(|other| other.starts_with(&format!("{hash:x}:"))).count() + 1;
            list.push(format!("{hash:x}:{count}"));
        }
        list
    }

    #[test]
    fn the_rolling_hash_is_the_definition() {
        let long = "x = 😀".repeat(80);
        for text in ["é\n", "\n\n\n\n", "\t\n \r\n", "a\rb\r\nc", &long, &format!("{long}\n{long}\r\n\n{long}")] {
            assert_eq!(line_hashes(text), slow(text), "{text:?}");
        }
    }
}

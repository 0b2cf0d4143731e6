//! The text that `isolint init` writes: every key, commented out, and what was found out about the project.

use super::keys::{Key, LOCAL, WHOLE};
use crate::text::Text;
use std::fmt::Write;

/// What was found out about a project that gets its first configuration.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// "Python", "Rust".
    pub languages: Vec<&'static str>,
    pub tests: usize,
    /// As the report names them.
    pub runners: Vec<String>,
    /// Something shows how the tests are run.
    pub is_run: bool,
    /// What `isolint check` would show, notes left out.
    pub findings: usize,
}

/// Columns of a comment.
const WIDTH: usize = 100;

/// The file of the baseline that is proposed.
const BASELINE: &str = "isolint-baseline.json";

/// A configuration. `inside`: it is a part of a `pyproject.toml`.
pub fn text(found: &Found, inside: bool) -> String {
    let mut page = String::new();
    if inside {
        page.push_str("[tool.isolint]\n");
    }
    let languages = match found.languages.as_slice() {
        [] => "no code of Python or Rust".to_owned(),
        all => all.join(" and "),
    };
    comment(&mut page, "Take the `#` off what you want. `isolint schema` prints all keys for editors.");
    page.push_str("#\n");
    comment(&mut page, &format!("Found: {languages}, {}.", counted(found.tests, "test")));
    for runner in &found.runners {
        // Text of the project's files: a line break in it would end the comment.
        comment(&mut page, &format!("Tests are run by: {}", runner.replace(['\n', '\r'], " ")));
    }
    if found.tests > 0 && !found.is_run {
        comment(
            &mut page,
            "Nothing says that tests run in parallel, so collisions are warnings. If they do, say how in `run` below.",
        );
    }
    if found.findings > 0 {
        page.push_str("#\n");
        let count = counted(found.findings, "finding");
        let how = "take the `#` off the next line, and run `isolint check --write-baseline`";
        comment(&mut page, &format!("{count} now. To begin with a clean run and see only what is new: {how}."));
        let _ = writeln!(page, "#baseline = \"{BASELINE}\"");
    }
    let is_table = |example: &str| example.starts_with('[');
    for tables in [false, true] {
        let shown = |example: &str| is_table(example) == tables;
        keys(&mut page, LOCAL, inside, &shown);
        keys(&mut page, WHOLE, inside, &|example| shown(example) && !(found.findings > 0 && example.starts_with("baseline")));
    }
    page
}

fn keys<T>(page: &mut String, keys: &[Key<T>], inside: bool, shown: &dyn Fn(&str) -> bool) {
    for key in keys.iter().filter(|key| shown(key.example)) {
        page.push('\n');
        comment(page, key.text);
        for line in key.example.lines() {
            // No blank behind the sign: so settings differ from words.
            let _ = match line.strip_prefix('[').filter(|_| inside) {
                Some(head) if head.starts_with('[') => writeln!(page, "#[[tool.isolint.{}", &head[1..]),
                Some(head) => writeln!(page, "#[tool.isolint.{head}"),
                None if line.is_empty() => writeln!(page, "#"),
                None => writeln!(page, "#{line}"),
            };
        }
    }
}

/// Words as a comment, in lines that fit.
fn comment(page: &mut String, words: &str) {
    page.push_str(&wrapped(words, "# ", WIDTH));
}

/// Words in lines of at most so many columns, each behind `sign`; what stands between two backquotes stays on one line.
pub(super) fn wrapped(words: &str, sign: &str, width: usize) -> String {
    let mut units: Vec<String> = Vec::new();
    let mut open = false;
    for word in words.split_whitespace() {
        match units.last_mut().filter(|_| open) {
            Some(unit) => *unit = format!("{unit} {word}"),
            None => units.push(word.to_owned()),
        }
        open ^= word.matches('`').count() % 2 == 1;
    }
    let mut text = String::new();
    let mut line = String::new();
    for unit in units {
        if !line.is_empty() && sign.chars().count() + line.chars().count() + 1 + unit.chars().count() > width {
            let _ = writeln!(text, "{sign}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&unit);
    }
    let _ = writeln!(text, "{sign}{line}");
    text
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A `pyproject.toml` with the table behind what is there.
pub fn appended(pyproject: &Text, table: &str) -> String {
    let end = if pyproject.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if pyproject.is_empty() {
        ""
    } else if pyproject.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    format!("{}{}", &**pyproject, format!("{gap}{table}").replace('\n', end))
}

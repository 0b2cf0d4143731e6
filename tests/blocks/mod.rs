//! A text in Markdown whose fenced blocks are files: what pages of rules and the pages of `docs/facts/` have in common.
//!
//! Fenced blocks with a language are files (```` ```python file=tests/test_a.py ````); the blocks up to the next heading or line `---`
//! are one project.

use crate::project::{File, Project};
use std::fmt::Write as _;

/// The manifest of a Rust example that brings none.
const MANIFEST: &str =
    "[package]\nname = \"page\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dev-dependencies]\ntempfile = \"3\"\n";

/// What stands in a page, with its 1-based line.
pub enum Part {
    /// The level and the words of a heading.
    Heading(usize, String),
    /// A line `---`.
    Rule,
    /// A block that is a file.
    File(File),
    /// A block that cannot be used, and why.
    Wrong(String),
}

/// The parts of a page's text (front matter included, so that lines are those of the file).
pub fn parts(text: &str) -> Vec<(usize, Part)> {
    let mut parts = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut front = false;
    while let Some((at, line)) = lines.next() {
        if line == "+++" {
            front = !front;
        } else if front {
            continue;
        } else if let Some(level) = line.find(|c| c != '#').filter(|level| *level > 0 && line[*level..].starts_with(' ')) {
            parts.push((at + 1, Part::Heading(level, line[level..].trim().to_owned())));
        } else if line.trim_end() == "---" {
            parts.push((at + 1, Part::Rule));
        } else if let Some(fence) = line.strip_prefix("```") {
            let ticks = 3 + fence.len() - fence.trim_start_matches('`').len();
            let info = fence.trim_start_matches('`');
            let mut body = String::new();
            let mut closed = false;
            for (_, line) in lines.by_ref() {
                if line.trim_end() == "`".repeat(ticks) {
                    closed = true;
                    break;
                }
                let _ = writeln!(body, "{line}");
            }
            if !closed {
                parts.push((at + 1, Part::Wrong(format!("line {}: a block that is not closed", at + 1))));
            }
            match file_name(info) {
                Ok(Some(path)) => parts.push((at + 1, Part::File(File { path, text: body, above: at + 1 }))),
                Ok(None) => {}
                Err(why) => parts.push((at + 1, Part::Wrong(format!("line {}: {why}", at + 1)))),
            }
        }
    }
    parts
}

/// The path of a block: `file=…`, or what its language has by default. None: the block is prose.
pub fn file_name(info: &str) -> Result<Option<String>, String> {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or_default();
    let mut name = None;
    for word in words {
        match word.split_once('=') {
            Some(("file", path)) if !path.is_empty() => name = Some(path.to_owned()),
            _ => return Err(format!("`{word}` after the language is not `file=PATH`")),
        }
    }
    match (name, language) {
        (Some(path), _) => Ok(Some(path)),
        (None, "python") => Ok(Some("test_page.py".to_owned())),
        (None, "rust") => Ok(Some("tests/page.rs".to_owned())),
        (None, "ini" | "toml" | "yaml") => Err(format!("a block of {language} needs a name: `{language} file=…`")),
        (None, _) => Ok(None),
    }
}

/// Adds what a Rust project cannot be without: a manifest and a library to test.
pub fn imply(project: &mut Project) {
    let has = |ending: &str| project.files.iter().any(|file| file.path.ends_with(ending));
    let mut more = Vec::new();
    if has(".rs") && !has("Cargo.toml") {
        more.push(("Cargo.toml", MANIFEST));
        if !has("src/lib.rs") && !has("src/main.rs") {
            more.push(("src/lib.rs", "//! The crate under test.\n"));
        }
    }
    project.files.extend(more.into_iter().map(|(path, text)| File { path: path.into(), text: text.into(), above: 0 }));
}

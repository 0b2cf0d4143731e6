//! Writes what fuzzing begins with: `seeds FOLDER`. Inputs are the projects of the pages and of `testdata/`, as each room reads them;
//! the dictionary holds the words that our tables, pages and front ends know.

use isolint_fuzz::rooms::{MARK, ROOMS};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Longer inputs are slow to mutate, and say no more.
const LONGEST: usize = 16 << 10;

fn main() {
    let out = PathBuf::from(std::env::args().nth(1).expect("the folder to write to"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut projects = Vec::new();
    for folder in ["rules", "docs/facts"] {
        for (_, text) in files(&root.join(folder), ".md") {
            projects.extend(blocks(&text));
        }
    }
    for folder in ["met", "clean", "broken", "syntax"] {
        for case in fs::read_dir(root.join("testdata").join(folder)).expect("a folder of testdata").flatten() {
            if case.path().is_dir() {
                projects.push(files(&case.path(), ""));
            }
        }
    }
    for room in &ROOMS {
        let inputs: BTreeSet<Vec<u8>> = projects.iter().flat_map(|project| inputs(room.name, project)).collect();
        let folder = out.join("seeds").join(room.name);
        fs::create_dir_all(&folder).expect("a folder for seeds");
        for (n, bytes) in inputs.iter().filter(|bytes| bytes.len() <= LONGEST).enumerate() {
            fs::write(folder.join(format!("{n:05}")), bytes).expect("a seed");
        }
    }
    let words = words(&files(&root.join("rules"), ""), &projects);
    let quoted: String = words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    fs::write(out.join("words.dict"), quoted).expect("the dictionary");
}

/// Path and text.
type Project = BTreeMap<String, String>;

/// Files below a folder whose names end so, by their paths in it.
fn files(folder: &Path, ending: &str) -> Project {
    let mut found = Project::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).expect("a folder of the project").flatten() {
            let path = entry.path();
            if path.is_dir() {
                todo.push(path);
            } else if let (true, Ok(text)) = (path.to_string_lossy().ends_with(ending), fs::read_to_string(&path)) {
                let name = path.strip_prefix(folder).expect("it stands below").to_string_lossy().into_owned();
                found.insert(name, text);
            }
        }
    }
    found
}

/// The projects of a page: the fenced blocks between two headings.
fn blocks(text: &str) -> Vec<Project> {
    let mut projects = vec![Project::new()];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') || line == "---" {
            projects.push(Project::new());
        } else if let Some(info) = line.strip_prefix("```") {
            let body: String = lines.by_ref().take_while(|line| !line.starts_with("```")).map(|line| format!("{line}\n")).collect();
            let name = info.split_once("file=").map(|(_, name)| name.trim());
            let name = name.or(match info.trim_start_matches('`') {
                "python" => Some("test_page.py"),
                "rust" => Some("tests/page.rs"),
                _ => None,
            });
            if let (Some(name), Some(project)) = (name, projects.last_mut()) {
                project.insert(name.to_owned(), body);
            }
        }
    }
    projects.retain(|project| !project.is_empty());
    projects
}

/// What a room reads of a project.
fn inputs(room: &str, project: &Project) -> Vec<Vec<u8>> {
    let ends = |endings: &[&str]| {
        let of_kind = project.iter().filter(|(path, _)| endings.iter().any(|ending| path.ends_with(ending)));
        of_kind.map(|(_, text)| text.clone().into_bytes()).collect()
    };
    let together = |is_wanted: &dyn Fn(&str) -> bool| -> Vec<Vec<u8>> {
        let wanted: String =
            project.iter().filter(|(path, _)| is_wanted(path)).map(|(path, text)| format!("{MARK}{path}\n{text}\n")).collect();
        if wanted.is_empty() { Vec::new() } else { vec![wanted.into_bytes()] }
    };
    let is_code = |path: &str| path.ends_with(".py") || path.ends_with(".rs") || path.ends_with(".ipynb");
    let is_yaml = |path: &str| path.ends_with(".yml") || path.ends_with(".yaml");
    match room {
        "python" => ends(&[".py"]),
        "rust" => ends(&[".rs"]),
        "notebook" => {
            let mut books: Vec<Vec<u8>> = ends(&[".ipynb"]);
            books.extend(project.iter().filter(|(path, _)| path.ends_with(".py")).map(|(_, text)| book(text)));
            books
        }
        "yaml" => together(&|path| !is_code(path) && (is_yaml(path) || path.ends_with("Makefile"))),
        "ini" => together(&|path| !is_code(path) && !is_yaml(path)),
        "render" => project.iter().map(|(path, text)| report(path, text)).collect(),
        _ => together(&|_| true),
    }
}

/// Python as a notebook, a cell for each paragraph.
fn book(text: &str) -> Vec<u8> {
    let cells: Vec<serde_json::Value> = text
        .split_inclusive("\n\n\n")
        .map(|part| {
            let lines: Vec<&str> = part.split_inclusive('\n').collect();
            serde_json::json!({"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": lines})
        })
        .collect();
    serde_json::json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).to_string().into_bytes()
}

/// An input that `tests/rooms/` makes a report of: one source, two findings with labels and a fix.
fn report(path: &str, text: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    let mut add = |text: &str| {
        bytes.extend(text.replace('\0', "").bytes());
        bytes.push(0);
    };
    add(path);
    add(text);
    let kind = if path.ends_with(".rs") { 1 } else { 0 };
    bytes.extend([kind, 2]);
    for n in 0..2_u8 {
        bytes.push(2);
        for label in 0..3 {
            bytes.extend([0, 0, 20 * label + n, 0, 9]);
            if label > 0 {
                bytes.push(label);
            }
            bytes.extend(b"here\0");
        }
        bytes.extend(b"\x01a title\0\x01\x01\0\0\x05\0\x03new\0");
        bytes.extend([n * 7, n, 2]);
        bytes.extend(b"`test_a` writes `/tmp/x`\0do this\0\x01a note\0\x02tests/test_a.py::test_a\0test_b\0\x01pytest -n 2\0a key\0");
        bytes.push(n);
        if n == 1 {
            bytes.extend([0, 0, 0, 0, 3]);
        }
    }
    bytes.extend(b"\x01\0\0\0\0\x04\0\x01skipped.py\0over 2 MiB\0\x01a fault\0\x01a name\0\x01pytest -n 4\0\x01\x02\x03");
    bytes
}

/// Words of the tables, and of what the projects write.
fn words(tables: &Project, projects: &[Project]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for text in tables.iter().filter(|(path, _)| path.ends_with(".toml")).map(|(_, text)| text) {
        words.extend(text.split('"').skip(1).step_by(2).filter(|word| (2..=40).contains(&word.len())).map(str::to_owned));
    }
    for (path, text) in projects.iter().flatten() {
        words.insert(format!("\n{MARK}{path}\n"));
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '@' | '%');
        let tokens = text.split(|c: char| !is_word(c)).filter(|word| (2..=24).contains(&word.len()) && word.is_ascii());
        words.extend(tokens.map(str::to_owned));
    }
    words.extend(["\u{202e}", "\u{1b}[31m", "\r\n", "\r", "\t", "\u{feff}", "é", "😀", "::error ::x", "%0A", "]]>", "&amp;"].map(str::to_owned));
    words.retain(|word| word.len() <= 60);
    words
}

/// As libFuzzer reads a dictionary.
fn escaped(word: &str) -> String {
    word.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", byte as char),
            b' '..=b'~' => (byte as char).to_string(),
            byte => format!("\\x{byte:02x}"),
        })
        .collect()
}

//! What we have met: real hazards (`testdata/met/`) and real code that only looks like one (`testdata/clean/`).
//!
//! A case is a folder that holds a small project, rebuilt in our own words after the shape of public code, and `origin.toml`, which
//! says where that code stands. In `met` exactly the marked findings are found, of all rules; in `clean` none at all. The marks are
//! those of pages (`tests/project/mod.rs`).

mod project;

use isolint::check::check;
use project::{File, Judged, Mark, Project, config, differences};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ORIGIN: &str = "origin.toml";

/// What `origin.toml` must say.
const KEYS: [&str; 4] = ["repository", "commit", "path", "what"];

struct Case {
    /// `met/openml-split`.
    name: String,
    origin: Option<String>,
    project: Project,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The cases below `testdata/kind`, sorted by name.
fn cases(kind: &str) -> Vec<Case> {
    let mut folders: Vec<PathBuf> = fs::read_dir(root().join(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "no case below testdata/{kind}");
    folders
        .iter()
        .map(|folder| {
            let mut files = read(folder, folder);
            files.sort_by(|a, b| a.path.cmp(&b.path));
            let origin = files.iter().position(|file| file.path == ORIGIN).map(|at| files.remove(at).text);
            Case { name: format!("{kind}/{}", folder.file_name().unwrap().to_string_lossy()), origin, project: Project { files } }
        })
        .collect()
}

fn read(folder: &Path, base: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(read(&path, base));
        } else {
            let name = path.strip_prefix(base).unwrap().to_string_lossy().replace('\\', "/");
            files.push(File { path: name, text: fs::read_to_string(&path).unwrap(), above: 0 });
        }
    }
    files
}

/// What is wrong with the form of a case.
fn form(case: &Case, pages: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    match case.origin.as_deref().map(str::parse::<toml::Table>) {
        None => wrong.push(format!("has no {ORIGIN}")),
        Some(Err(error)) => wrong.push(format!("{ORIGIN}: {error}")),
        Some(Ok(table)) => {
            for key in KEYS {
                if table.get(key).and_then(|value| value.as_str()).unwrap_or_default().is_empty() {
                    wrong.push(format!("{ORIGIN} does not say `{key}`"));
                }
            }
            wrong.extend(
                table.keys().filter(|key| !KEYS.contains(&key.as_str())).map(|key| format!("{ORIGIN}: `{key}` means nothing")),
            );
        }
    }
    if case.project.files.is_empty() {
        wrong.push("has no files".to_owned());
    }
    let marks = case.project.marks();
    let clean = case.name.starts_with("clean/");
    if clean && !marks.is_empty() {
        wrong.push("a clean case has no marks".to_owned());
    }
    if !clean && !marks.keys().any(|(mark, _)| matches!(mark, Mark::Finding | Mark::Missed)) {
        wrong.push("marks nothing: it belongs to testdata/clean".to_owned());
    }
    for (_, (path, line, rule)) in marks.keys() {
        if !pages.contains(rule) {
            wrong.push(format!("{path}:{line}: there is no page `{rule}`"));
        }
    }
    wrong.into_iter().map(|why| format!("testdata/{}: {why}", case.name)).collect()
}

fn judge(kind: &str) {
    let complaints: Vec<String> = cases(kind)
        .iter()
        .flat_map(|case| {
            let report = check(case.project.sources(), &config());
            differences(&case.project, &report, Judged::All)
                .into_iter()
                .map(|why| format!("testdata/{}: {why}", case.name))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn what_was_met_is_found() {
    judge("met");
}

#[test]
fn what_is_clean_is_silent() {
    judge("clean");
}

#[test]
fn every_case_says_where_it_comes_from_and_what_belongs_there() {
    let pages: BTreeSet<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_string_lossy().strip_suffix(".md").map(str::to_owned))
        .collect();
    let complaints: Vec<String> = ["met", "clean"].into_iter().flat_map(cases).flat_map(|case| form(&case, &pages)).collect();
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn a_case_without_form_is_refused() {
    let pages = BTreeSet::from(["mktemp".to_owned()]);
    let case = |name: &str, origin: Option<&str>, text: &str| {
        let files = vec![File { path: "a.py".into(), text: text.into(), above: 0 }];
        form(&Case { name: name.into(), origin: origin.map(str::to_owned), project: Project { files } }, &pages).join("\n")
    };
    let origin = "repository = \"a/b\"\ncommit = \"c\"\npath = \"p\"\nwhat = \"w\"\n";
    assert_eq!(case("met/a", Some(origin), "x() # finding: mktemp\n"), "");
    assert_eq!(case("clean/a", Some(origin), "x()\n"), "");
    assert!(case("met/a", None, "x() # finding: mktemp\n").contains("no origin.toml"));
    assert!(case("met/a", Some("commit = \"\""), "x() # finding: mktemp\n").contains("does not say `commit`"));
    assert!(case("met/a", Some(&format!("{origin}more = 1\n")), "x() # finding: mktemp\n").contains("`more` means nothing"));
    assert!(case("met/a", Some(origin), "x()\n").contains("belongs to testdata/clean"));
    assert!(case("met/a", Some(origin), "x() # finding: mktmp\n").contains("no page `mktmp`"));
    assert!(case("clean/a", Some(origin), "x() # finding: mktemp\n").contains("has no marks"));
}

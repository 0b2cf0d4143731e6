//! What `isolint` follows: each heading of a page in `docs/facts/` is one construct of the languages or of a test runner, and its blocks
//! are a project that shows whether it is followed. A mark `missed` or `wrong` says that it is not yet.
//!
//! The table of all of them, `docs/facts.md`, is written from here.

mod blocks;
mod project;

use blocks::{Part, imply, parts};
use isolint::check::check;
use project::{Judged, Mark, Project, config, differences};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The rule that all examples speak of: it needs the whole way from the test to the path, the run and the guards.
const RULE: &str = "shared-path";

/// One construct, with the project that shows it.
struct Construct {
    page: String,
    name: String,
    line: usize,
    project: Project,
}

impl Construct {
    fn is_followed(&self) -> bool {
        !self.project.marks().keys().any(|(mark, _)| matches!(mark, Mark::Missed | Mark::Wrong))
    }
}

/// A page: its name, its title, its constructs, and what is wrong with its form.
struct Page {
    name: String,
    title: String,
    constructs: Vec<Construct>,
    wrong: Vec<String>,
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn read(name: &str, text: &str) -> Page {
    let mut page = Page { name: name.to_owned(), title: String::new(), constructs: Vec::new(), wrong: Vec::new() };
    for (line, part) in parts(text) {
        match (part, page.constructs.last_mut()) {
            (Part::Heading(1, title), _) => page.title = title,
            (Part::Heading(2, name), _) => {
                page.constructs.push(Construct { page: page.name.clone(), name, line, project: Project::default() });
            }
            (Part::File(file), Some(construct)) => construct.project.files.push(file),
            (Part::Wrong(why), _) => page.wrong.push(why),
            (_, _) => {
                page.wrong.push(format!("line {line}: a page has a title, headings of the second level, and blocks below them"))
            }
        }
    }
    for construct in &mut page.constructs {
        if construct.project.files.is_empty() {
            page.wrong.push(format!("line {}: `{}` has no example", construct.line, construct.name));
        }
        imply(&mut construct.project);
    }
    page
}

fn pages() -> Vec<Page> {
    let mut files: Vec<PathBuf> = fs::read_dir(docs().join("facts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|path| read(&path.file_stem().unwrap().to_string_lossy(), &fs::read_to_string(path).unwrap().replace("\r\n", "\n")))
        .collect()
}

#[test]
fn every_construct_is_followed_as_its_page_says() {
    let mut complaints = Vec::new();
    for page in pages() {
        complaints.extend(page.wrong.iter().map(|why| format!("docs/facts/{}.md: {why}", page.name)));
        for construct in &page.constructs {
            let report = check(construct.project.sources(), &config());
            let all = differences(&construct.project, &report, Judged::Rule(RULE));
            complaints.extend(all.into_iter().map(|why| format!("docs/facts/{}.md, {}: {why}", construct.page, construct.name)));
        }
    }
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

/// The address of a heading as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn table(pages: &[Page]) -> String {
    let mut text = String::from(
        "# What isolint follows\n\nWritten from the pages in `docs/facts/` by `BLESS=1 cargo test --test follows`; do not edit. \
         Each row is a small project that runs as a test.\n",
    );
    for page in pages {
        let _ = write!(text, "\n## {}\n\n| construct | followed |\n| --- | --- |\n", page.title);
        for construct in &page.constructs {
            let followed = if construct.is_followed() { "yes" } else { "not yet" };
            let _ = writeln!(text, "| [{}](facts/{}.md#{}) | {followed} |", construct.name, page.name, anchor(&construct.name));
        }
    }
    text
}

#[test]
fn the_table_is_what_the_pages_prove() {
    let path = docs().join("facts.md");
    let want = table(&pages());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &want).unwrap();
    }
    let have = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(have == want, "docs/facts.md is not what the pages prove: run `BLESS=1 cargo test --test follows`\n\n{want}");
}

#[test]
fn a_page_without_form_is_refused() {
    let good = "# T\n\n## one\n\n```python\nx()\n```\n\n## two\n\n```python\nx() # missed: shared-path\n```\n";
    let page = read("a", good);
    assert!(page.wrong.is_empty(), "{:?}", page.wrong);
    assert_eq!(page.constructs.iter().map(Construct::is_followed).collect::<Vec<_>>(), [true, false]);
    assert!(table(&[page]).contains("| [two](facts/a.md#two) | not yet |"));
    assert!(read("a", "# T\n\n## one\n").wrong[0].contains("has no example"));
    assert!(read("a", "# T\n\n```python\nx()\n```\n").wrong[0].contains("headings of the second level"));
    assert!(read("a", "# T\n\n## one\n\n```toml\n```\n").wrong[0].contains("needs a name"));
}

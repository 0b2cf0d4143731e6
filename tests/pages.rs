//! The pages of `rules/` are tests: what a page says is caught is found, what it says is clean is not.
//!
//! A page is front matter, a few sentences, and the sections Caught, Clean, Fixed and Limits. Fenced blocks with a language are
//! files (```` ```python file=tests/test_a.py ````); the blocks up to the next `###` heading, `##` heading or line `---` are one
//! project. `tests/project/mod.rs` has the marks.

mod project;

use isolint::check::{Report, check};
use isolint::config::Config;
use isolint::page::{self, Cure, Page};
use isolint::rules::TABLE;
use isolint::text::Source;
use project::{File, Judged, Mark, Project, config, differences};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The sections of a page, in their order.
const SECTIONS: [&str; 4] = ["Caught", "Clean", "Fixed", "Limits"];

/// The manifest of a Rust example that brings none.
const MANIFEST: &str =
    "[package]\nname = \"page\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dev-dependencies]\ntempfile = \"3\"\n";

/// One example of a page: the section it belongs to, where it starts, and its files.
struct Example {
    section: &'static str,
    /// The text of the heading above.
    heading: String,
    /// 1-based line of the heading above.
    line: usize,
    project: Project,
}

/// The examples of a page's text (front matter included, so that lines are those of the file), and what is wrong with its form.
fn examples(text: &str) -> (Vec<Example>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut examples: Vec<Example> = Vec::new();
    let mut order = Vec::new();
    let mut section = None;
    let mut lines = text.lines().enumerate();
    let mut front = false;
    while let Some((at, line)) = lines.next() {
        if line == "+++" {
            front = !front;
        } else if front {
            continue;
        } else if let Some(name) = line.strip_prefix("## ") {
            section = SECTIONS.iter().copied().find(|known| *known == name.trim());
            match section {
                Some(known) => order.push(known),
                None => wrong.push(format!("line {}: `{}` is no section; there are {}", at + 1, name, SECTIONS.join(", "))),
            }
            examples.extend(section.map(|section| Example {
                section,
                heading: String::new(),
                line: at + 1,
                project: Project::default(),
            }));
        } else if line.starts_with("### ") || line.trim_end() == "---" {
            let heading = line.strip_prefix("### ").unwrap_or_default().trim().to_owned();
            examples.extend(section.map(|section| Example { section, heading, line: at + 1, project: Project::default() }));
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
                wrong.push(format!("line {}: a block that is not closed", at + 1));
            }
            match (file_name(info), examples.last_mut(), section) {
                (Ok(Some(path)), Some(example), Some(_)) => {
                    if example.project.files.iter().any(|file| file.path == path) {
                        wrong.push(format!("line {}: the second block that is {path} in one example", at + 1));
                    }
                    example.project.files.push(File { path, text: body, above: at + 1 });
                }
                (Err(why), _, Some(_)) => wrong.push(format!("line {}: {why}", at + 1)),
                _ => {}
            }
        }
    }
    if order != SECTIONS {
        wrong.push(format!("a page has the sections {}, in this order; this one has {}", SECTIONS.join(", "), order.join(", ")));
    }
    examples.retain(|example| !example.project.files.is_empty());
    for example in &mut examples {
        imply(&mut example.project);
    }
    for section in SECTIONS {
        if order.contains(&section) && !examples.iter().any(|example| example.section == section) {
            wrong.push(format!("the section {section} has no example"));
        }
    }
    for example in &examples {
        let marks = example.project.marks();
        let has = |mark: Mark| marks.keys().any(|(known, _)| *known == mark);
        let at = format!("line {} ({})", example.line, example.section);
        match example.section {
            "Caught" if !has(Mark::Finding) => wrong.push(format!("{at}: an example that is caught marks what is found")),
            "Limits" if !has(Mark::Missed) && !has(Mark::Wrong) => {
                wrong.push(format!("{at}: an example here marks what is missed or wrong"))
            }
            "Clean" | "Fixed" if !marks.is_empty() => wrong.push(format!("{at}: an example here has no marks")),
            "Caught" if has(Mark::Missed) || has(Mark::Wrong) => {
                wrong.push(format!("{at}: what is missed or wrong belongs to Limits"))
            }
            _ => {}
        }
    }
    (examples, wrong)
}

/// The path of a block: `file=…`, or what its language has by default. None: the block is prose.
fn file_name(info: &str) -> Result<Option<String>, String> {
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
fn imply(project: &mut Project) {
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

/// Names that a mark may bear.
fn named_pages() -> BTreeSet<String> {
    page_files().into_iter().map(|(name, _)| name).collect()
}

/// The pages on disk, by name.
fn page_files() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    pages.sort();
    pages
}

/// What is wrong with the form of a page.
fn form(name: &str, text: &str, known: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    match Page::parse(Box::leak(name.into()), Box::leak(text.into())) {
        Err(why) => wrong.push(why),
        Ok(page) => {
            let title = &page.front.title;
            if title.is_empty() || title.ends_with('.') || title.starts_with(char::is_uppercase) {
                wrong.push(format!("the title is a few words in lower case without full stop, not `{title}`"));
            }
            if page.front.help.is_empty()
                || page.front.help.keys().any(|key| !["python", "rust", "config"].contains(&key.as_str()))
            {
                wrong.push("the help is for python, rust or config, one at least".to_owned());
            }
            let prose = page.body.split("\n## ").next().unwrap_or_default();
            if prose.trim().is_empty() || prose.trim_start().starts_with('#') {
                wrong.push("a page opens with a few sentences on what happens".to_owned());
            }
        }
    }
    let (examples, more) = examples(text);
    wrong.extend(more);
    for example in &examples {
        for (_, (path, line, rule)) in example.project.marks().keys() {
            if !known.contains(rule) {
                wrong.push(format!("line {} ({path}:{line}): there is no page `{rule}`", example.line));
            }
        }
        if matches!(example.section, "Caught")
            && !example.project.marks().keys().any(|(mark, (_, _, rule))| *mark == Mark::Finding && rule == name)
        {
            wrong.push(format!("line {}: an example in Caught marks a finding of `{name}`", example.line));
        }
    }
    wrong.into_iter().map(|why| format!("rules/{name}.md: {why}")).collect()
}

/// Runs the examples of a page: everything that does not behave as it says.
fn run(name: &str, text: &str, look: &dyn Fn(Vec<Source>) -> Report) -> Vec<String> {
    examples(text)
        .0
        .iter()
        .flat_map(|example| {
            let report = look(example.project.sources());
            differences(&example.project, &report, Judged::Rule(name))
                .into_iter()
                .map(|why| format!("rules/{name}.md, {} at line {}: {why}", example.section, example.line))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Holds the fixes of a rule against its page: what is caught is, once fixed, exactly the block of the same heading in Fixed, and has one
/// wherever it can be fixed.
fn fixes(name: &str, text: &str, cure: Cure) -> Vec<String> {
    let mut wrong = Vec::new();
    let (examples, _) = examples(text);
    for caught in examples.iter().filter(|example| example.section == "Caught") {
        let at = format!("rules/{name}.md, Caught at line {}", caught.line);
        let sources = Project { files: caught.project.files.iter().map(unmarked).collect() }.sources();
        let config = Config { select: vec![name.to_owned()], ..config() };
        let report = check(sources.clone(), &config);
        if cure != Cure::Safe && report.findings.iter().any(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe)) {
            wrong.push(format!("{at}: a safe fix, though the page says `{}`", cure.name()));
        }
        let outcome = isolint::check::fix(report, true, &config);
        for (finding, why) in &outcome.taken_back {
            wrong.push(format!("{at}: the fix of `{}` is taken back: {why}", finding.rule));
        }
        let again = isolint::check::fix(outcome.report.clone(), true, &config);
        if !again.changed.is_empty() {
            wrong.push(format!("{at}: fixed twice, it is not what it was when fixed once"));
        }
        let twin = examples
            .iter()
            .find(|example| example.section == "Fixed" && example.heading == caught.heading && !caught.heading.is_empty());
        let Some(twin) = twin else {
            if let Some(changed) = outcome.changed.first() {
                wrong.push(format!("{at}: has no block in Fixed; this is {} once fixed:\n{}", changed.path, changed.after));
            }
            continue;
        };
        for source in &outcome.report.sources {
            // What an example implies has no lines of its own.
            let want = twin.project.files.iter().find(|file| file.above > 0 && *file.path == *source.path);
            let changed = outcome.changed.iter().any(|changed| *changed.path == *source.path);
            match want {
                Some(want) if want.text != *source.text => wrong.push(format!(
                    "rules/{name}.md, Fixed at line {}: this is {} once fixed:\n{}",
                    twin.line, source.path, source.text
                )),
                None if changed => wrong.push(format!("{at}: {} is fixed, and not in the block in Fixed", source.path)),
                _ => {}
            }
        }
    }
    wrong
}

/// A file without its marks.
fn unmarked(file: &File) -> File {
    let mut text = String::new();
    for line in file.text.lines() {
        match project::comment_with_marks(line) {
            Some((_, true)) => {}
            Some((comment, false)) => {
                let code = &line[..line.len() - comment.len()];
                let _ = writeln!(text, "{}", code.trim_end().trim_end_matches(['#', '/']).trim_end());
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    File { text, ..file.clone() }
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn every_page_has_the_form_of_a_page() {
    let known = named_pages();
    none(&page_files().iter().flat_map(|(name, text)| form(name, text, &known)).collect::<Vec<_>>());
}

#[test]
fn every_page_of_a_rule_is_true() {
    let look = |sources| check(sources, &config());
    none(&TABLE.iter().flat_map(|rule| run(rule.name, rule.page, &look)).collect::<Vec<_>>());
}

#[test]
fn what_is_caught_is_fixed_as_the_page_says() {
    none(&page::all().iter().flat_map(|page| fixes(page.name, rule_page(page.name), page.front.fix)).collect::<Vec<_>>());
}

fn rule_page(name: &str) -> &'static str {
    TABLE.iter().find(|rule| rule.name == name).map_or("", |rule| rule.page)
}

/// `docs/rules.md`: one line per rule, by family.
fn list_of_rules(pages: &[Page]) -> String {
    let mut text = String::from(
        "# Rules\n\nWritten from the pages in `rules/` by `BLESS=1 cargo test --test pages`; do not edit. \
         `isolint explain NAME` prints a page.\n",
    );
    let families: BTreeSet<&str> = pages.iter().map(|page| page.front.family.as_str()).collect();
    for family in families {
        let _ = write!(
            text,
            "\n## {family}\n\n| rule | what is wrong | severity | for | fix | status |\n| --- | --- | --- | --- | --- | --- |\n"
        );
        for page in pages.iter().filter(|page| page.front.family == family) {
            let front = &page.front;
            let languages: Vec<&str> = front.help.keys().map(String::as_str).collect();
            let _ = writeln!(
                text,
                "| [`{name}`](../rules/{name}.md) | {} | {} | {} | {} | {} |",
                front.title,
                format!("{:?}", front.severity).to_lowercase(),
                languages.join(", "),
                front.fix.name(),
                format!("{:?}", front.status).to_lowercase(),
                name = page.name,
            );
        }
    }
    if pages.is_empty() {
        text.push_str("\nThere are none yet.\n");
    }
    text
}

#[test]
fn the_list_of_rules_is_what_the_pages_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let want = list_of_rules(page::all());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &want).unwrap();
    }
    let have = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(have == want, "docs/rules.md is not what the pages say: run `BLESS=1 cargo test --test pages`\n\n{want}");
}

mod the_runner {
    use super::*;
    use isolint::finding::{Confidence, Finding, Label, Role, Severity};
    use isolint::text::{FileId, Kind, Span};

    const FRONT: &str = "+++\ntitle = \"a bad thing\"\nfamily = \"paths\"\nseverity = \"error\"\nconfidence = \"high\"\nstatus = \"stable\"\nfix = \"advice\"\n\
        since = \"0.1.0\"\n[help]\npython = \"do not\"\n+++\nIt happens.\n";

    fn page(caught: &str, clean: &str, fixed: &str, limits: &str) -> String {
        let block = |text: &str| format!("```python\n{text}\n```\n");
        format!(
            "{FRONT}\n## Caught\n{}## Clean\n{}## Fixed\n{}## Limits\n{}",
            block(caught),
            block(clean),
            block(fixed),
            block(limits)
        )
    }

    /// A linter that dislikes every `bad` it reads in code.
    fn look(sources: Vec<Source>) -> Report {
        let mut report = Report { sources, ..Report::default() };
        for (file, source) in report.sources.iter().enumerate().filter(|(_, source)| source.kind != Kind::Config) {
            for (start, _) in source.text.match_indices("bad(") {
                let label = Label {
                    file: FileId(file as u32),
                    span: Span::new(start, start + 3),
                    text: "here".into(),
                    role: Role::Primary,
                };
                report.findings.push(Finding {
                    rule: "bad",
                    severity: Severity::Error,
                    confidence: Confidence::High,
                    message: "`bad` is bad".into(),
                    labels: vec![label],
                    help: String::new(),
                    notes: Vec::new(),
                    tests: Vec::new(),
                    reproduce: None,
                    key: String::new(),
                    remedy: None,
                    fix: None,
                });
            }
        }
        report
    }

    fn judge(text: &str) -> Vec<String> {
        let known = BTreeSet::from(["bad".to_owned()]);
        let mut wrong = form("bad", text, &known);
        wrong.extend(run("bad", text, &look));
        wrong
    }

    #[test]
    fn a_true_page_passes() {
        let text = page("bad() # finding: bad", "good()", "good()", "bad() # wrong: bad\nworse() # missed: bad");
        assert_eq!(judge(&text), Vec::<String>::new());
    }

    #[test]
    fn a_page_that_lies_fails() {
        let right = ["bad() # finding: bad", "good()", "good()", "worse() # missed: bad"];
        let cases = [
            (
                ["good() # finding: bad", right[1], right[2], right[3]],
                "Caught at line 14: line 16 (test_page.py:1): expected `bad`",
            ),
            (
                ["bad() # finding: bad\nbad()", right[1], right[2], right[3]],
                "Caught at line 14: line 17 (test_page.py:2): nothing is marked here",
            ),
            (["bad()", right[1], right[2], right[3]], "an example that is caught marks what is found"),
            (
                [right[0], "bad()", right[2], right[3]],
                "Clean at line 18: line 20 (test_page.py:1): nothing is marked here, found `bad`",
            ),
            (
                [right[0], right[1], "bad()", right[3]],
                "Fixed at line 22: line 24 (test_page.py:1): nothing is marked here, found `bad`",
            ),
            ([right[0], right[1], right[2], "bad() # missed: bad"], "is found now, and was marked as missed"),
            ([right[0], right[1], right[2], "good() # wrong: bad"], "is gone: move the example to Clean"),
            ([right[0], right[1], right[2], "bad()"], "an example here marks what is missed or wrong"),
            ([right[0], "good() # finding: bad", right[2], right[3]], "an example here has no marks"),
            (["bad() # finding: bda\nx()", right[1], right[2], right[3]], "there is no page `bda`"),
        ];
        for ([caught, clean, fixed, limits], want) in cases {
            let wrong = judge(&page(caught, clean, fixed, limits)).join("\n");
            assert!(wrong.contains(want), "{want}\nis not in\n{wrong}");
        }
    }

    #[test]
    fn a_page_without_a_section_or_an_example_fails() {
        let whole = page("bad() # finding: bad", "good()", "good()", "worse() # missed: bad");
        for section in SECTIONS {
            let wrong = judge(&whole.replace(&format!("## {section}\n"), "")).join("\n");
            assert!(wrong.contains("in this order"), "without {section}: {wrong}");
        }
        assert!(judge(&whole.replace("```python\ngood()\n```\n", "")).join("\n").contains("the section Clean has no example"));
        assert!(judge(&whole.replace("## Limits", "## Limit")).join("\n").contains("`Limit` is no section"));
        assert!(judge(&whole.replace("title = \"a bad", "title = \"A bad")).join("\n").contains("lower case"));
        assert!(judge(&whole.replace("family", "familie")).join("\n").contains("rules/bad.md: "));
        assert!(judge(&whole.replace("It happens.\n", "")).join("\n").contains("opens with a few sentences"));
        assert!(judge(whole.trim_end().trim_end_matches('`')).join("\n").contains("not closed"));
    }

    #[test]
    fn headings_and_rules_part_examples_and_blocks_of_one_are_one_project() {
        let text = format!(
            "{FRONT}```python\nbad() # prose, not an example\n```\n## Caught\n### one\n```python file=test_a.py\nbad() # finding: bad\n```\n\
             ```ini file=pytest.ini\n[pytest]\n```\n```text\nprose\n```\n### two\n```rust\nbad(); // finding: bad\n```\n---\n\
             ````python file=x/test_b.py\nbad() # finding: bad\n```\n````\n"
        );
        let (examples, _) = examples(&text);
        let names: Vec<Vec<&str>> =
            examples.iter().map(|example| example.project.files.iter().map(|file| file.path.as_str()).collect()).collect();
        assert_eq!(
            names,
            [vec!["test_a.py", "pytest.ini"], vec!["tests/page.rs", "Cargo.toml", "src/lib.rs"], vec!["x/test_b.py"]]
        );
        assert_eq!(examples[2].project.files[0].text, "bad() # finding: bad\n```\n");
    }

    #[test]
    fn a_block_says_which_file_it_is() {
        assert_eq!(file_name("python"), Ok(Some("test_page.py".into())));
        assert_eq!(file_name("python file=a/b.py"), Ok(Some("a/b.py".into())));
        assert_eq!(file_name("text diagnostic"), Err("`diagnostic` after the language is not `file=PATH`".into()));
        assert_eq!(file_name("console"), Ok(None));
        assert!(file_name("yaml").is_err());
        let twice = format!("{FRONT}## Caught\n```python\nbad() # finding: bad\n```\n```python\nbad() # finding: bad\n```\n");
        assert!(examples(&twice).1.join("\n").contains("the second block that is test_page.py"));
    }
}

//! What each room holds to, whatever bytes it is given. The fuzzer asks it of inputs that it makes up (`fuzz/`), `tests/crashes.rs` of
//! those on which it once did not hold.
//!
//! Rooms that need more than one file read an input as a small project: a line `### PATH` begins a file.

use isolint::check::{self, Report, Skipped};
use isolint::config::Config;
use isolint::discover;
use isolint::facts::trace::Programs;
use isolint::facts::{FileFacts, Gap, Why};
use isolint::finding::{Confidence, Edit, Finding, Fix, Label, Role, Severity};
use isolint::render::{self, Format, Options};
use isolint::text::{FileId, Kind, Source, Span};
use isolint::{conf, notebook, python, rules, rust};

/// A room, and what it is held to.
pub struct Room {
    pub name: &'static str,
    pub hold: fn(&[u8]),
}

pub const ROOMS: [Room; 7] = [
    Room { name: "python", hold: python },
    Room { name: "rust", hold: rust },
    Room { name: "yaml", hold: yaml },
    Room { name: "ini", hold: ini },
    Room { name: "notebook", hold: notebook },
    Room { name: "render", hold: render },
    Room { name: "fix", hold: fix },
];

/// What begins a file of a project.
pub const MARK: &str = "### ";

fn python(bytes: &[u8]) {
    if let Ok(source) = Source::new("tests/test_a.py", Kind::Python, bytes) {
        all_fit(&source, &python::lower(&source));
    }
}

fn rust(bytes: &[u8]) {
    if let Ok(source) = Source::new("tests/a.rs", Kind::Rust, bytes) {
        all_fit(&source, &rust::lower(&source));
    }
}

fn yaml(bytes: &[u8]) {
    configuration(&project(bytes, ".github/workflows/test.yml"));
}

fn ini(bytes: &[u8]) {
    configuration(&project(bytes, "tox.ini"));
}

fn notebook(bytes: &[u8]) {
    let Ok(source) = notebook::read("a.ipynb", bytes) else { return };
    all_fit(&source, &python::lower(&source));
    let Some(cells) = &source.cells else { return };
    for cell in &cells.list {
        fits(&source.text, cell.span);
    }
    // Every place of the program stands somewhere in the file.
    for at in (0..=source.text.len()).filter(|at| source.text.is_char_boundary(*at)) {
        let next = source.text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        fits(cells.file(), cells.in_file(Span::new(at, next)));
        if let Some(within) = source.within(at as u32) {
            assert!(within.line >= 1);
        }
    }
}

/// Every format of a report whose texts, names and places come from the input.
fn render(bytes: &[u8]) {
    let report = made_up(&mut Bytes { rest: bytes });
    for (name, format) in FORMATS {
        for options in [Options::default(), Options { color: true, width: 40, gaps: true, suppressed: true }] {
            let mut out = Vec::new();
            render::render(format, &report, &options, &mut out).expect("a vector takes all");
            let out = String::from_utf8(out).unwrap_or_else(|_| panic!("{name} is not UTF-8"));
            let colors = options.color && matches!(format, Format::Terminal | Format::Concise);
            harmless(name, &out, colors);
            if matches!(format, Format::Json | Format::Sarif | Format::Gitlab) {
                serde_json::from_str::<serde_json::Value>(&out).unwrap_or_else(|why| panic!("{name}: {why}"));
            }
            if format == Format::Github {
                no_stray_commands(&out);
            }
        }
    }
}

/// Every command in a job's log is one of ours: what is shown of the report stands where commands are stopped.
pub fn no_stray_commands(out: &str) {
    let mut stopped: Option<String> = None;
    for line in out.lines().filter(|line| line.starts_with("::")) {
        match (&stopped, line.strip_prefix("::stop-commands::")) {
            (Some(token), _) if line == token => stopped = None,
            (Some(_), _) => {}
            (None, Some(token)) => stopped = Some(format!("::{token}::")),
            (None, None) => {
                let ours = ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command));
                assert!(ours, "a command of somebody else's: {line}\n{out}");
            }
        }
    }
    assert_eq!(stopped, None, "commands stay stopped");
}

/// The whole pipeline: all edits apply, what parsed still parses, and a second time changes nothing.
fn fix(bytes: &[u8]) {
    let sources = project(bytes, "tests/test_a.py");
    let config = Config { preview: true, min_confidence: Confidence::Low, jobs: 1, ..Config::default() };
    let report = check::check(sources, &config);
    assert_eq!(report.faults, [""; 0]);
    for finding in &report.findings {
        for label in &finding.labels {
            fits(&report.sources[label.file.0 as usize].text, label.span);
        }
        for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
            fits(&report.sources[edit.file.0 as usize].text, edit.span);
        }
    }
    let before = unread(&report);
    let once = check::fix(report, true, &config);
    assert_eq!(once.report.faults, [""; 0]);
    assert!(unread(&once.report) <= before, "an edit broke a file: {:#?}", once.changed);
    let twice = check::fix(once.report, true, &config);
    assert_eq!(twice.changed, [], "a second time changes more");
}

const FORMATS: [(&str, Format); 9] = [
    ("terminal", Format::Terminal),
    ("concise", Format::Concise),
    ("json", Format::Json),
    ("sarif", Format::Sarif),
    ("github", Format::Github),
    ("gitlab", Format::Gitlab),
    ("junit", Format::Junit),
    ("checkstyle", Format::Checkstyle),
    ("rdjson", Format::Rdjson),
];

/// How many places of a report's sources could not be parsed.
fn unread(report: &Report) -> usize {
    report.gaps.iter().filter(|(_, gap)| gap.why == Why::Syntax).count()
}

/// Nothing that moves the cursor, changes a colour that is not ours, or turns the direction of text.
pub fn harmless(name: &str, out: &str, colors: bool) {
    let mut rest = out;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\n' || is_bidi(c)) {
        let bad = &rest[at..];
        // Our own colours: `ESC [ digits and semicolons m`.
        let code = bad.strip_prefix("\u{1b}[").filter(|_| colors);
        let end = code.and_then(|code| code.find(|c: char| !c.is_ascii_digit() && c != ';').map(|end| (code, end)));
        match end {
            Some((code, end)) if code[end..].starts_with('m') => rest = &code[end + 1..],
            _ => panic!("{name} lets {:?} through", bad.chars().next()),
        }
    }
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads configuration as the pipeline does.
fn configuration(sources: &[Source]) {
    for source in sources {
        for ignore in conf::comments::ignores(source) {
            fits(&source.text, ignore.span);
        }
    }
    let setup = conf::read(sources, &Programs::default(), &[]);
    for run in &setup.runs {
        if let Some((file, span)) = run.place {
            fits(&sources[file.0 as usize].text, span);
        }
    }
}

/// The files of an input that are of a kind that is read; what stands before the first mark is `first`.
pub fn project(bytes: &[u8], first: &str) -> Vec<Source> {
    let text = String::from_utf8_lossy(bytes);
    let mut files: Vec<(String, String)> = vec![(first.to_owned(), String::new())];
    for line in text.split_inclusive('\n') {
        match line.strip_prefix(MARK) {
            Some(path) => files.push((path.trim().to_owned(), String::new())),
            None => files.last_mut().expect("one is there").1.push_str(line),
        }
    }
    files.retain(|(_, text)| !text.is_empty());
    // The last of one name stands, as on a disk.
    let files: std::collections::BTreeMap<String, String> = files.into_iter().collect();
    let source = |(path, text): (String, String)| match discover::kind(&path)? {
        Kind::Notebook => notebook::read(path, text.as_bytes()).ok(),
        kind => Source::new(path, kind, text.as_bytes()).ok(),
    };
    files.into_iter().filter_map(source).collect()
}

/// Every place that facts name is one of the text.
fn all_fit(source: &Source, facts: &FileFacts) {
    let text = &source.text;
    let mut spans: Vec<Span> = facts.spans.clone();
    spans.extend(facts.uses.iter().map(|(_, span)| *span));
    spans.extend(facts.statements.iter().flat_map(|one| one.blocks.iter().copied().chain([one.span])));
    spans.extend(facts.ops.iter().map(|op| op.span));
    spans.extend(facts.classes.iter().flat_map(|class| [class.span, class.head]));
    spans.extend(facts.imports.iter().map(|import| import.span));
    spans.extend(facts.gaps.iter().map(|gap| gap.span));
    for unit in &facts.units {
        spans.extend([unit.span, unit.head, unit.signature, unit.inner]);
        spans.extend(unit.params.iter().map(|param| param.span));
        spans.extend(unit.marks.iter().map(|mark| mark.span));
    }
    for ignore in &facts.ignores {
        spans.push(ignore.span);
        spans.extend(ignore.rules.iter().map(|(_, span)| *span));
    }
    for span in spans {
        fits(text, span);
    }
}

fn fits(text: &str, span: Span) {
    let Span { start, end } = span;
    assert!(start <= end && end as usize <= text.len(), "{span:?} is not in {} bytes", text.len());
    let cut = |at: u32| !text.is_char_boundary(at as usize);
    assert!(!cut(start) && !cut(end), "{span:?} cuts a character");
}

/// The rest of an input that is taken apart.
struct Bytes<'a> {
    rest: &'a [u8],
}

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Up to the next zero byte.
    fn text(&mut self) -> String {
        let end = self.rest.iter().position(|byte| *byte == 0).unwrap_or(self.rest.len());
        let text = String::from_utf8_lossy(&self.rest[..end]).into_owned();
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        text
    }

    fn texts(&mut self) -> Vec<String> {
        (0..self.byte() % 4).map(|_| self.text()).collect()
    }

    /// A place in a text; with some inputs it is past its end, as after a rule's mistake.
    fn span(&mut self, text: &str) -> Span {
        let number = |bytes: &mut Self| usize::from(bytes.byte()) * 256 + usize::from(bytes.byte());
        let start = floor(text, number(self) % (text.len() + 1));
        let end = floor(text, (start + number(self)).min(text.len()));
        Span::new(start, end)
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A report made of the input's own texts, names and numbers.
fn made_up(bytes: &mut Bytes) -> Report {
    let mut report = Report::default();
    for _ in 0..=bytes.byte() % 3 {
        let (path, text) = (bytes.text(), bytes.text());
        let kind = [Kind::Python, Kind::Rust, Kind::Config, Kind::Notebook][usize::from(bytes.byte() % 4)];
        let read = match kind {
            Kind::Notebook => notebook::read(path, text.as_bytes()).ok(),
            kind => Some(Source::of(path, kind, text)),
        };
        report.sources.extend(read);
    }
    if report.sources.is_empty() {
        return report;
    }
    for _ in 0..bytes.byte() % 4 {
        let finding = made_up_finding(bytes, &report.sources);
        if bytes.flag() {
            let file = FileId(u32::from(bytes.byte()) % report.sources.len() as u32);
            let comment = bytes.span(&report.sources[file.0 as usize].text);
            report.ignored.push((finding, file, comment));
        } else {
            report.findings.push(finding);
        }
    }
    for _ in 0..bytes.byte() % 3 {
        let file = FileId(u32::from(bytes.byte()) % report.sources.len() as u32);
        let why = [Why::Syntax, Why::Macro, Why::Depth, Why::Size, Why::Encoding, Why::Unreadable];
        let why = why[usize::from(bytes.byte()) % why.len()];
        report.gaps.push((file, Gap { span: bytes.span(&report.sources[file.0 as usize].text), why }));
    }
    report.skipped = (0..bytes.byte() % 3).map(|_| Skipped { path: bytes.text(), why: bytes.text() }).collect();
    report.faults = bytes.texts();
    report.unmet = bytes.texts();
    report.runners = bytes.texts();
    report.known = usize::from(bytes.byte());
    report.untouched = usize::from(bytes.byte());
    report.tests = usize::from(bytes.byte());
    report
}

fn made_up_finding(bytes: &mut Bytes, sources: &[Source]) -> Finding {
    let place = |bytes: &mut Bytes| {
        let file = usize::from(bytes.byte()) % sources.len();
        (FileId(file as u32), bytes.span(&sources[file].text))
    };
    let mut labels = Vec::new();
    for n in 0..=bytes.byte() % 5 {
        let (file, span) = place(bytes);
        let roles = [Role::OtherEnd, Role::Derivation, Role::Evidence];
        let role = if n == 0 { Role::Primary } else { roles[usize::from(bytes.byte()) % roles.len()] };
        labels.push(Label { file, span, text: bytes.text(), role });
    }
    let fix = bytes.flag().then(|| Fix {
        title: bytes.text(),
        safe: bytes.flag(),
        edits: (0..bytes.byte() % 3)
            .map(|_| {
                let (file, span) = place(bytes);
                Edit { file, span, text: bytes.text() }
            })
            .collect(),
    });
    Finding {
        rule: rules::TABLE[usize::from(bytes.byte()) % rules::TABLE.len()].name,
        severity: [Severity::Note, Severity::Warning, Severity::Error][usize::from(bytes.byte() % 3)],
        confidence: [Confidence::Low, Confidence::Medium, Confidence::High][usize::from(bytes.byte() % 3)],
        message: bytes.text(),
        labels,
        help: bytes.text(),
        notes: bytes.texts(),
        tests: bytes.texts(),
        reproduce: bytes.flag().then(|| bytes.text()),
        key: bytes.text(),
        remedy: None,
        fix,
    }
}

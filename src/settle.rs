//! From what rules said to what is shown: levels, selection, ignores, order.

use crate::check::Report;
use crate::config::Config;
use crate::facts::{FileFacts, Ignore, IgnoreScope, Language, Shape};
use crate::finding::{Finding, Label, Role};
use crate::page::{Page, Status};
use crate::text::{FileId, Kind, Source, Span};
use std::cmp::Ordering;

/// Puts each finding where it belongs: shown, ignored by a comment, or dropped by the configuration. `facts` are those of
/// `report.sources`, in the same order. Sorts what it shows.
pub fn settle(report: &mut Report, findings: Vec<Finding>, facts: &[&FileFacts], config: &Config) {
    settle_by(report, findings, facts, config, crate::page::all());
}

fn settle_by(report: &mut Report, mut findings: Vec<Finding>, facts: &[&FileFacts], config: &Config, pages: &[Page]) {
    let covers = Covers::of(&report.sources, facts);
    findings.sort_by(|a, b| order(a, b, &report.sources));
    findings.dedup();
    let (mut shown, mut ignored) = (Vec::new(), Vec::new());
    for finding in findings {
        // Before the levels: a comment is needed as long as there is something for it to cover, at any level.
        if let Some((file, span)) = covers.covering(&finding, &report.sources, pages).into_iter().next() {
            ignored.push((finding, file, span));
        } else if is_on(&finding, config, pages) && is_asked_for(&finding, &report.sources, &config.paths) {
            shown.push(finding);
        }
    }
    report.findings = shown;
    report.ignored = ignored;
}

/// By path, place and rule; the rest only so that equal findings stand together and the order never depends on the input's.
fn order(a: &Finding, b: &Finding, sources: &[Source]) -> Ordering {
    fn place<'a>(finding: &'a Finding, sources: &'a [Source]) -> (&'a str, u32) {
        let Some(label) = finding.labels.first() else { return ("", 0) };
        (sources.get(label.file.0 as usize).map_or("", |source| &source.path), label.span.start)
    }
    let by_place = place(a, sources).cmp(&place(b, sources)).then_with(|| (a.rule, &a.key).cmp(&(b.rule, &b.key)));
    let by_text = |finding: &Finding| (finding.severity, finding.confidence, finding.message.clone(), finding.labels.clone());
    by_place.then_with(|| by_text(a).cmp(&by_text(b))).then_with(|| {
        let rest =
            |finding: &Finding| (finding.help.clone(), finding.notes.clone(), finding.tests.clone(), finding.reproduce.clone());
        rest(a).cmp(&rest(b))
    })
}

/// A name means a rule: by its name, or a former one.
fn means(name: &str, rule: &str, pages: &[Page]) -> bool {
    name == rule || pages.iter().any(|page| page.name == rule && page.front.was.iter().any(|was| was == name))
}

/// The configuration lets the rule speak, at this level.
fn is_on(finding: &Finding, config: &Config, pages: &[Page]) -> bool {
    let named = |names: &[String]| names.iter().any(|name| means(name, finding.rule, pages));
    let selected = named(&config.select);
    let preview = pages.iter().any(|page| page.name == finding.rule && page.front.status == Status::Preview);
    (selected || config.select.is_empty())
        && !named(&config.ignore)
        && (config.preview || selected || !preview)
        && finding.severity >= config.min_severity
        && finding.confidence >= config.min_confidence
}

/// Either end is in one of the paths.
fn is_asked_for(finding: &Finding, sources: &[Source], paths: &[String]) -> bool {
    paths.is_empty()
        || ends(finding).any(|label| {
            let path = sources.get(label.file.0 as usize).map_or("", |source| &source.path);
            paths.iter().any(|wanted| {
                let wanted = wanted.trim_end_matches('/');
                let rest = if matches!(wanted, "" | ".") { Some("") } else { path.strip_prefix(wanted) };
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
}

fn ends(finding: &Finding) -> impl Iterator<Item = &Label> {
    finding.labels.iter().filter(|label| matches!(label.role, Role::Primary | Role::OtherEnd))
}

/// What the ignore comments of all files cover.
pub struct Covers {
    files: Vec<Vec<Cover>>,
}

/// What one comment covers.
struct Cover {
    rules: Vec<Box<str>>,
    comment: Span,
    reach: Reach,
}

enum Reach {
    File,
    /// A line, from 1, and the definitions that begin there.
    Line(u32, Vec<Span>),
}

impl Covers {
    /// `facts` are those of `sources`, in the same order.
    pub fn of(sources: &[Source], facts: &[&FileFacts]) -> Covers {
        let files = sources.iter().enumerate().map(|(file, source)| {
            let facts = facts.get(file).copied();
            let mut ignores = facts.map_or(&[][..], |facts| &facts.ignores).to_vec();
            if source.kind == Kind::Config && ignores.is_empty() {
                ignores = in_config(source);
            }
            let definitions =
                if ignores.is_empty() { Vec::new() } else { facts.map_or_else(Vec::new, |facts| definitions(source, facts)) };
            ignores.into_iter().map(|ignore| Cover::of(ignore, source, &definitions)).collect()
        });
        Covers { files: files.collect() }
    }

    /// The comments that cover a finding, at any of its ends: file and place of each, those on the first end first, on a line
    /// before those of a file. Empty brackets cover nothing.
    pub fn covering(&self, finding: &Finding, sources: &[Source], pages: &[Page]) -> Vec<(FileId, Span)> {
        let mut found = Vec::new();
        for label in ends(finding) {
            let file = label.file.0 as usize;
            let (Some(covers), Some(source)) = (self.files.get(file), sources.get(file)) else { continue };
            let mut here: Vec<_> = covers
                .iter()
                .filter(|cover| {
                    cover.rules.iter().any(|name| means(name, finding.rule, pages)) && cover.reaches(label.span, source)
                })
                .collect();
            here.sort_by_key(|cover| (matches!(cover.reach, Reach::File), cover.comment.start));
            found.extend(here.into_iter().map(|cover| (label.file, cover.comment)));
        }
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|comment| seen.insert(*comment));
        found
    }
}

impl Cover {
    fn of(ignore: Ignore, source: &Source, definitions: &[Definition]) -> Cover {
        let reach = match ignore.scope {
            IgnoreScope::File => Reach::File,
            IgnoreScope::Line => {
                let end = source.line(ignore.span.end.saturating_sub(1).max(ignore.span.start));
                let line = if ignore.own_line { next_code_line(source, end) } else { source.line(ignore.span.start) };
                let whole = definitions.iter().filter(|definition| definition.first <= line && line <= definition.last);
                Reach::Line(line, whole.map(|definition| definition.span).collect())
            }
        };
        Cover { rules: ignore.rules.into_iter().map(|(name, _)| name).collect(), comment: ignore.span, reach }
    }

    /// A label over several lines is met at its first line and at its last: where a long call begins, and where it closes.
    fn reaches(&self, span: Span, source: &Source) -> bool {
        match &self.reach {
            Reach::File => true,
            Reach::Line(line, units) => {
                let last = source.line(span.end.saturating_sub(1).max(span.start));
                source.line(span.start) == *line || last == *line || units.iter().any(|unit| unit.contains(span))
            }
        }
    }
}

/// The first line after `line` that holds more than a comment; the line after it where there is none.
fn next_code_line(source: &Source, line: u32) -> u32 {
    let is_code = |line: &u32| {
        let text = source.line_text(*line, 256).trim_start();
        let comment = match source.kind {
            Kind::Python => text.starts_with('#'),
            Kind::Rust => text.starts_with("//"),
            Kind::Config => text.starts_with(['#', ';']),
        };
        !text.is_empty() && !comment
    };
    (line + 1..=source.line_count()).find(is_code).unwrap_or(line + 1)
}

/// A function, class, `impl` or inline module: the lines of its decorators and signature, and all of it.
struct Definition {
    first: u32,
    last: u32,
    span: Span,
}

fn definitions(source: &Source, facts: &FileFacts) -> Vec<Definition> {
    let units = facts.units.iter().skip(1).filter(|unit| unit.shape != Shape::Closure).map(|unit| {
        let params = unit.params.iter().map(|param| param.span.end).max();
        (unit.span, unit.head, params)
    });
    let classes = facts.classes.iter().map(|class| (class.span, class.head, None));
    let all = units.chain(classes);
    all.map(|(span, head, params)| {
        // From the last parameter on, one bracket is open; the annotation of that parameter may still follow.
        let (from, depth) = match params {
            Some(end) if end >= head.end => (end, 1),
            _ => (head.end, 0),
        };
        let end = signature_end(source.slice(Span { start: from, end: span.end.max(from) }), depth, facts.language);
        Definition { first: source.line(span.start), last: source.line(from + end), span }
    })
    .collect()
}

/// How far a signature goes on: to the colon, brace or semicolon that ends it, `open` brackets deep. 0 where none is near.
fn signature_end(text: &str, open: i32, language: Language) -> u32 {
    let mut depth = open;
    let mut comment = false;
    // Where clauses and default values are long at times, but not this long.
    for (at, byte) in text.bytes().enumerate().take(4096) {
        match (byte, language) {
            (b'\n' | b'\r', _) => comment = false,
            _ if comment => {}
            (b'#', Language::Python) => comment = true,
            (b'/', Language::Rust) if text.as_bytes().get(at + 1) == Some(&b'/') => comment = true,
            (b'{' | b';', Language::Rust) | (b':', Language::Python) if depth <= 0 => return at as u32,
            (b'(' | b'[' | b'{', _) => depth += 1,
            (b')' | b']' | b'}', _) => depth -= 1,
            _ => {}
        }
    }
    0
}

/// Ignore comments of a configuration or CI file: `#` (and `;` in INI files), on the line or alone above it.
fn in_config(source: &Source) -> Vec<Ignore> {
    if !source.text.contains("isolint:") {
        return Vec::new();
    }
    let mut ignores = Vec::new();
    for line in 1..=source.line_count() {
        let span = source.line_span(line);
        let text = source.slice(span);
        let Some(marker) = text.find("isolint:") else { continue };
        let before = text[..marker].trim_end_matches([' ', '\t', '#', ';']);
        let lead = text[before.len()..marker].trim_start();
        if lead.starts_with(['#', ';']) {
            let start = marker - lead.len();
            ignores.extend(Ignore::parse(&text[start..], span.start + start as u32, before.trim().is_empty()));
        }
    }
    ignores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Builder, Class, ClassId, Param, ParamKind, Unit, UnitId};
    use crate::finding::{Confidence, Severity};

    fn page(name: &'static str, status: &str, was: &str) -> Page {
        let text = format!(
            "+++\ntitle = 'x'\nfamily = 'paths'\nseverity = 'error'\nconfidence = 'high'\nstatus = '{status}'\nfix = 'advice'\nsince = '0.1'\n\
             was = [{was}]\n[help]\npython = 'x'\n+++\nbody\n"
        );
        Page::parse(name, text.leak()).unwrap()
    }

    fn pages() -> Vec<Page> {
        vec![page("mktemp", "stable", "'temp-name'"), page("shared-path", "preview", "")]
    }

    /// Sources and their facts, by hand.
    struct World {
        sources: Vec<Source>,
        facts: Vec<FileFacts>,
    }

    impl World {
        fn new() -> World {
            World { sources: Vec::new(), facts: Vec::new() }
        }

        /// Adds a file; every `isolint:` comment in it is read as a front end would.
        fn file(mut self, path: &str, kind: Kind, text: &str) -> World {
            let source = Source::of(path, kind, text);
            let language = if kind == Kind::Rust { Language::Rust } else { Language::Python };
            let mut builder = Builder::new(language);
            let marker = if kind == Kind::Rust { "//" } else { "#" };
            let mut offset = 0;
            for line in text.split_inclusive('\n') {
                if let Some(at) = line.find(marker)
                    && kind != Kind::Config
                {
                    let comment = line[at..].trim_end();
                    let own = line[..at].trim().is_empty();
                    builder.facts_mut().ignores.extend(Ignore::parse(comment, (offset + at) as u32, own));
                }
                offset += line.len();
            }
            self.facts.push(builder.finish());
            self.sources.push(source);
            self
        }

        /// Adds a unit to the last file: all of `text`, with the name `head` in it.
        fn unit(mut self, text: &str, head: &str, param: Option<&str>) -> World {
            let source = self.sources.last().unwrap();
            let start = source.text.find(text).unwrap();
            let place = |part: &str| {
                let at = start + text.find(part).unwrap();
                Span::new(at, at + part.len())
            };
            let facts = self.facts.last_mut().unwrap();
            let mut builder = Builder::new(facts.language);
            let name = builder.sym(head);
            let params = param.map(|text| Param {
                name,
                ty: None,
                default: None,
                kind: ParamKind::Plain,
                marks: Vec::new(),
                span: place(text),
            });
            let unit = Unit {
                name,
                shape: Shape::Function,
                class: None,
                parent: None,
                params: params.into_iter().collect(),
                returns: None,
                marks: Vec::new(),
                globals: Vec::new(),
                is_async: false,
                yields: false,
                body: Vec::new(),
                span: Span::new(start, start + text.len()),
                head: place(head),
                signature: Span::default(),
                inner: Span::default(),
            };
            if facts.units.is_empty() {
                let whole = Span::new(0, source.text.len());
                facts.units.push(Unit {
                    shape: Shape::Module,
                    span: whole,
                    head: Span::default(),
                    signature: Span::default(),
                    inner: Span::default(),
                    params: Vec::new(),
                    ..unit.clone()
                });
            }
            facts.units.push(unit);
            self
        }

        fn label(&self, file: u32, text: &str, role: Role) -> Label {
            let start = self.sources[file as usize].text.find(text).unwrap();
            Label { file: FileId(file), span: Span::new(start, start + text.len()), text: String::new(), role }
        }

        fn settle(&self, findings: Vec<Finding>, config: &Config) -> Report {
            let mut report = Report { sources: self.sources.clone(), ..Report::default() };
            settle_by(&mut report, findings, &self.facts.iter().collect::<Vec<_>>(), config, &pages());
            report
        }

        /// Whether the comments of the file cover a finding of `mktemp` at this text.
        fn covers(&self, text: &str) -> bool {
            let report = self.settle(vec![finding("mktemp", vec![self.label(0, text, Role::Primary)])], &Config::default());
            assert_eq!(report.findings.len() + report.ignored.len(), 1);
            report.findings.is_empty()
        }
    }

    fn finding(rule: &'static str, labels: Vec<Label>) -> Finding {
        Finding {
            rule,
            severity: Severity::Warning,
            confidence: Confidence::High,
            message: "a sentence".into(),
            labels,
            help: String::new(),
            notes: Vec::new(),
            tests: Vec::new(),
            reproduce: None,
            key: "key".into(),
            remedy: None,
            fix: None,
        }
    }

    fn python(text: &str) -> World {
        World::new().file("a.py", Kind::Python, text)
    }

    #[test]
    fn a_comment_covers_its_line() {
        let world = python("one()  # isolint: ignore[mktemp]\ntwo()\nthree(\n  3,\n)  # isolint: ignore[mktemp]\n");
        assert!(world.covers("one()"));
        assert!(!world.covers("two()"));
        assert!(world.covers("three(\n  3,\n)"));
    }

    #[test]
    fn alone_it_covers_the_next_code_line() {
        let world = python("one()\n# isolint: ignore[mktemp] why\n# more words\n\ntwo()\nthree()\n");
        assert!(!world.covers("one()"));
        assert!(world.covers("two()"));
        assert!(!world.covers("three()"));
        assert!(!python("one()\n# isolint: ignore[mktemp]").covers("one()"));
    }

    #[test]
    fn only_rules_that_are_named() {
        assert!(!python("one()  # isolint: ignore[shared-path]\n").covers("one()"));
        assert!(!python("one()  # isolint: ignore\n").covers("one()"));
        assert!(!python("one()  # isolint: ignore[]\n").covers("one()"));
        assert!(python("one()  # isolint: ignore[shared-path, mktemp]\n").covers("one()"));
        assert!(python("one()  # isolint: ignore[temp-name] by its former name\n").covers("one()"));
    }

    #[test]
    fn a_file_is_covered_from_anywhere() {
        assert!(python("one()\n# isolint: ignore-file[mktemp]\n").covers("one()"));
    }

    #[test]
    fn on_a_definition_it_covers_the_unit() {
        let on = |place: usize| {
            let mut lines = [
                "@mark",
                "@other(",
                "  1)",
                "def test_a(",
                "  p: int = f(1),",
                ") -> dict[str, int]:",
                "  one()",
                "  two()",
                "three()",
            ]
            .map(str::to_owned);
            lines[place] += "  # isolint: ignore[mktemp]";
            let text = lines.join("\n");
            let unit = text.rsplit_once('\n').unwrap().0.to_owned();
            let world = python(&text).unit(&unit, "test_a", Some("p"));
            (world.covers("one()"), world.covers("two()"), world.covers("three()"))
        };
        for place in 0..=5 {
            assert_eq!(on(place), (true, true, false), "line {place}");
        }
        assert_eq!(on(6), (true, false, false));
    }

    #[test]
    fn above_a_definition_it_covers_the_unit() {
        let text = "# isolint: ignore[mktemp]\n@mark\ndef test_a():\n  one()\ntwo()\n";
        let world = python(text).unit("@mark\ndef test_a():\n  one()", "test_a", None);
        assert!(world.covers("one()"));
        assert!(!world.covers("two()"));
        let text = "@mark\n# isolint: ignore[mktemp]\ndef test_a():\n  one()\ntwo()\n";
        assert!(python(text).unit(text.strip_suffix("\ntwo()\n").unwrap(), "test_a", None).covers("one()"));
    }

    #[test]
    fn rust_signatures_and_classes() {
        let text = "#[test]\nfn a<T>(\n  x: [T; 3],\n) where T: Copy { // isolint: ignore[mktemp]\n  one();\n}\nfn b() {}\n";
        let unit = text.split_once("\nfn b").unwrap().0;
        let world = World::new().file("a.rs", Kind::Rust, text).unit(unit, "a", Some("x"));
        assert!(world.covers("one()"));
        assert!(!world.covers("b()"));

        let text = "class TestA(Base):  # isolint: ignore[mktemp]\n  one()\ntwo()\n";
        let mut world = python(text);
        let span = Span::new(0, text.find("\ntwo").unwrap());
        let mut builder = Builder::new(Language::Python);
        let class = Class {
            name: builder.sym("TestA"),
            bases: Vec::new(),
            metaclass: None,
            extends: None,
            marks: Vec::new(),
            fields: Vec::new(),
            parent: UnitId(0),
            body: None,
            span,
            head: Span::new(6, 11),
        };
        assert_eq!(builder.class(class), ClassId(0));
        world.facts[0] = FileFacts { ignores: world.facts[0].ignores.clone(), ..builder.finish() };
        assert!(world.covers("one()"));
        assert!(!world.covers("two()"));
    }

    #[test]
    fn either_end_will_do_and_no_other_label() {
        let world = python("one()\n").file("b.py", Kind::Python, "two()  # isolint: ignore[mktemp]\n");
        let pair = |role| finding("mktemp", vec![world.label(0, "one()", Role::Primary), world.label(1, "two()", role)]);
        let report = world.settle(vec![pair(Role::OtherEnd)], &Config::default());
        assert_eq!(report.ignored.len(), 1);
        assert_eq!((report.ignored[0].1, report.ignored[0].2), (FileId(1), Span::new(7, 32)));
        for role in [Role::Derivation, Role::Evidence] {
            assert_eq!(world.settle(vec![pair(role)], &Config::default()).findings.len(), 1);
        }
    }

    #[test]
    fn all_covering_comments_are_known() {
        let world = python("# isolint: ignore-file[mktemp]\none()  # isolint: ignore[mktemp]\n");
        let finding = finding("mktemp", vec![world.label(0, "one()", Role::Primary)]);
        let covers = Covers::of(&world.sources, &world.facts.iter().collect::<Vec<_>>());
        let comments = covers.covering(&finding, &world.sources, &pages());
        assert_eq!(comments.iter().map(|(_, span)| span.start).collect::<Vec<_>>(), [38, 0]);
    }

    #[test]
    fn configuration_files_have_comments_too() {
        let text =
            "a: 1\n# isolint: ignore[mktemp]\nb: 2\nc: 3 # isolint: ignore[mktemp] why\nd: 'see isolint: ignore[mktemp]'\n";
        let world = World::new().file(".github/workflows/a.yml", Kind::Config, text);
        assert!(!world.covers("a: 1"));
        assert!(world.covers("b: 2"));
        assert!(world.covers("c: 3"));
        assert!(!world.covers("d: "));
    }

    #[test]
    fn levels() {
        let world = python("one()\n");
        let at = |severity, confidence| {
            let finding = finding("mktemp", vec![world.label(0, "one()", Role::Primary)]);
            Finding { severity, confidence, ..finding }
        };
        let all = vec![
            at(Severity::Note, Confidence::High),
            at(Severity::Warning, Confidence::Medium),
            at(Severity::Error, Confidence::Low),
        ];
        let count = |config: Config| world.settle(all.clone(), &config).findings.len();
        assert_eq!(count(Config::default()), 2);
        assert_eq!(count(Config { min_confidence: Confidence::Low, ..Config::default() }), 3);
        assert_eq!(count(Config { min_severity: Severity::Warning, ..Config::default() }), 1);
        assert_eq!(count(Config { min_confidence: Confidence::High, min_severity: Severity::Error, ..Config::default() }), 0);
    }

    #[test]
    fn selection_and_preview() {
        let world = python("one()\n");
        let all: Vec<_> =
            ["mktemp", "shared-path"].map(|rule| finding(rule, vec![world.label(0, "one()", Role::Primary)])).into();
        let rules = |config: Config| {
            let report = world.settle(all.clone(), &config);
            report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(rules(Config::default()), ["mktemp"]);
        assert_eq!(rules(Config { preview: true, ..Config::default() }), ["mktemp", "shared-path"]);
        assert_eq!(rules(Config { select: names(&["shared-path"]), ..Config::default() }), ["shared-path"]);
        assert_eq!(rules(Config { select: names(&["temp-name"]), ..Config::default() }), ["mktemp"]);
        assert_eq!(rules(Config { ignore: names(&["temp-name"]), preview: true, ..Config::default() }), ["shared-path"]);
        let both = Config { select: names(&["mktemp"]), ignore: names(&["mktemp"]), ..Config::default() };
        assert!(rules(both).is_empty());
    }

    #[test]
    fn either_end_in_the_paths() {
        let world = python("one()\n").file("sub/b.py", Kind::Python, "two()\n").file("sub2/c.py", Kind::Python, "three()\n");
        let pair = finding("mktemp", vec![world.label(0, "one()", Role::Primary), world.label(1, "two()", Role::OtherEnd)]);
        let shown = |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            world.settle(vec![pair.clone()], &Config { paths, ..Config::default() }).findings.len()
        };
        assert_eq!(shown(&[]), 1);
        assert_eq!(shown(&["a.py"]), 1);
        assert_eq!(shown(&["sub/b.py"]), 1);
        assert_eq!(shown(&["sub"]), 1);
        assert_eq!(shown(&["sub/"]), 1);
        assert_eq!(shown(&["sub2"]), 0);
        assert_eq!(shown(&["su"]), 0);
        assert_eq!(shown(&["sub2", "."]), 1);
    }

    #[test]
    fn order_never_depends_on_the_input() {
        let world = python("one()\ntwo()\n").file("b.py", Kind::Python, "three()\n");
        let at = |file, text, key: &str| Finding {
            key: key.into(),
            ..finding("mktemp", vec![world.label(file, text, Role::Primary)])
        };
        let sorted = vec![at(0, "one()", "k"), at(0, "two()", "a"), at(0, "two()", "b"), at(1, "three()", "a")];
        let mut mixed = sorted.clone();
        mixed.reverse();
        mixed.swap(0, 2);
        mixed.extend(sorted.clone());
        assert_eq!(world.settle(mixed, &Config::default()).findings, sorted);
    }

    #[test]
    fn places_that_do_not_exist_do_no_harm() {
        let world = python("one()\n");
        let label = Label { file: FileId(9), span: Span::new(500, 900), text: String::new(), role: Role::Primary };
        let far = Label { file: FileId(0), ..label.clone() };
        let findings = vec![finding("mktemp", vec![label]), finding("mktemp", vec![far]), finding("mktemp", Vec::new())];
        assert_eq!(world.settle(findings, &Config::default()).findings.len(), 3);
    }
}

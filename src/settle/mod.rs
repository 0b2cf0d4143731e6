//! From what rules said to what is shown: levels, selection, ignores, order.

mod ignores;
mod unused;

use crate::check::Report;
use crate::config::{Config, Level};
use crate::facts::{FileFacts, Shape};
use crate::finding::{Finding, Label, Role};
use crate::page::{Page, Status};
use crate::text::{Changes, FileId, Source, Span};
use ignores::Covers;
use std::cmp::Ordering;
use std::collections::BTreeSet;

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
    let mut needed = BTreeSet::new();
    let mut sort = |finding: Finding, needed: &mut BTreeSet<(FileId, Span)>| {
        // Before the levels: a comment is needed as long as there is something for it to cover, at any level.
        let comments = covers.covering(&finding, &report.sources, pages);
        needed.extend(covers.naming(finding.rule, &comments, pages));
        if let Some((file, span)) = comments.into_iter().next() {
            ignored.push((finding, file, span));
        } else {
            shown.push(finding);
        }
    };
    for finding in findings {
        sort(finding, &mut needed);
    }
    // Where a rule broke down, nobody knows what its comments are for.
    if report.faults.is_empty() {
        for finding in unused::findings(&covers, &needed.clone(), &report.sources, pages) {
            sort(finding, &mut needed);
        }
        shown.sort_by(|a, b| order(a, b, &report.sources));
    }
    if let Some(baseline) = &config.baseline {
        let rest = baseline.split(shown, &report.sources);
        (shown, report.known, report.stale) = (rest.new, rest.known, rest.stale);
    }
    // After the baseline: an entry is stale where nothing in the whole project needs it, at any level.
    // At its own level: what the configuration says of it is put into the finding.
    let wanted = |finding: &mut Finding| {
        is_on(finding, &report.sources, config, pages) && is_asked_for(finding, &report.sources, &config.paths)
    };
    shown.retain_mut(wanted);
    ignored.retain_mut(|(finding, ..)| wanted(finding));
    if let Some(changes) = &config.changes {
        let all = shown.len();
        shown.retain(|finding| finding.labels.iter().any(|label| is_touched(label, &report.sources, facts, changes)));
        report.untouched = all - shown.len();
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

/// The configuration lets the rule speak at the place of the finding, at the level that it gives it.
fn is_on(finding: &mut Finding, sources: &[Source], config: &Config, pages: &[Page]) -> bool {
    let place = finding.labels.first().and_then(|label| sources.get(label.file.0 as usize));
    let scope = config.scope(place.map_or("", |source| &source.path));
    let rule = finding.rule;
    match scope.levels.get(rule) {
        Some(Level::At(severity)) => finding.severity = *severity,
        Some(Level::Off) => return false,
        None => {}
    }
    let named = |names: &[String]| names.iter().any(|name| means(name, rule, pages));
    let (selected, also) = (named(&scope.select), named(&scope.also));
    let preview = pages.iter().any(|page| page.name == rule && page.front.status == Status::Preview);
    (selected || also || scope.select.is_empty())
        && !named(&scope.ignore)
        && (scope.preview || selected || also || !preview)
        && finding.severity >= scope.min_severity
        && finding.confidence >= scope.min_confidence
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

/// The change touches the place, or the innermost function or method around it. What stands in no function is a place of its own.
fn is_touched(label: &Label, sources: &[Source], facts: &[&FileFacts], changes: &Changes) -> bool {
    let file = label.file.0 as usize;
    let (Some(source), Some(facts)) = (sources.get(file), facts.get(file)) else { return false };
    let is_function = |shape| !matches!(shape, Shape::Module | Shape::ClassBody | Shape::Closure);
    let around = facts.units.iter().filter(|unit| is_function(unit.shape) && unit.span.contains(label.span));
    let unit = around.map(|unit| unit.span).min_by_key(|span| span.end - span.start);
    changes.touch(source, unit.unwrap_or(label.span))
}

fn ends(finding: &Finding) -> impl Iterator<Item = &Label> {
    finding.labels.iter().filter(|label| matches!(label.role, Role::Primary | Role::OtherEnd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Builder, Class, ClassId, Param, ParamKind, Unit, UnitId};
    use crate::facts::{Ignore, Language};
    use crate::finding::{Confidence, Severity};
    use crate::text::Kind;

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
                if let Some(at) = line.find(marker) {
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
                params: params.into_iter().collect(),
                head: place(head),
                ..Unit::new(name, Shape::Function, Span::new(start, start + text.len()))
            };
            if facts.units.is_empty() {
                facts.units.push(Unit::new(name, Shape::Module, Span::new(0, source.text.len())));
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

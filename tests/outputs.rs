//! Every output format over reports made by hand: exact places, a schema, and hostile input.

use isolint::check::{Report, Skipped, check};
use isolint::config::Local;
use isolint::discover::{self, Opened, Origin};
use isolint::facts::{Gap, Why};
use isolint::finding::{Confidence, Finding, Label, Role, Severity};
use isolint::render::{Format, Options, fingerprint, render};
use isolint::text::{FileId, Kind, Source, Span};
use serde_json::Value;
use std::path::Path;

fn source(path: &str, text: &str) -> Source {
    Source::of(path, Kind::Python, text)
}

/// A label on the `nth` (0-based) place where `what` stands in a source.
fn label(sources: &[Source], file: u32, what: &str, nth: usize, role: Role, text: &str) -> Label {
    let (start, _) = sources[file as usize].text.match_indices(what).nth(nth).unwrap();
    Label { file: FileId(file), span: Span::new(start, start + what.len()), text: text.to_owned(), role }
}

fn finding(rule: &'static str, severity: Severity, message: &str, labels: Vec<Label>) -> Finding {
    Finding {
        rule,
        severity,
        confidence: Confidence::High,
        message: message.to_owned(),
        labels,
        help: String::new(),
        notes: Vec::new(),
        tests: Vec::new(),
        reproduce: None,
        key: String::new(),
        remedy: None,
        fix: None,
    }
}

/// A report with one error that says `m` at these labels.
fn one(sources: Vec<Source>, labels: Vec<Label>) -> Report {
    Report { findings: vec![finding("r", Severity::Error, "m", labels)], sources, ..Report::default() }
}

/// A collision over four files, with CRLF, a tab, non-ASCII text, and a path with a space and an accent.
fn collision() -> Report {
    let sources = vec![
        source(".github/workflows/test.yml", "jobs:\n  test:\n    run: pytest -n 4\n"),
        source("tests/conftest.py", "import os\n\nOUT = os.path.join(\"/tmp\", \"out.json\")\n"),
        source("tésts/a b.py", "# 😀\r\ndef test_save():\r\n\topen(\"/tmp/é😀.json\", \"w\").write(\"x\")\r\n"),
        source("tésts/c.py", "def test_load():\n    assert open(OUT).read()\n"),
    ];
    let mut clash = finding(
        "shared-path",
        Severity::Error,
        "`test_save` and `test_load` can meet at `/tmp/{name}.json`",
        vec![
            label(&sources, 2, "open(\"/tmp/é😀.json\", \"w\").write", 0, Role::Primary, "written here"),
            label(&sources, 3, "open(OUT)", 0, Role::OtherEnd, "read here by `test_load[x]`"),
            label(&sources, 1, "os.path.join(\"/tmp\", \"out.json\")", 0, Role::Derivation, "the name is made here"),
            label(&sources, 0, "pytest -n 4", 0, Role::Evidence, "four workers run them at once"),
        ],
    );
    clash.help = "write below `tmp_path`".to_owned();
    clash.notes = vec!["`test_load` fails with `JSONDecodeError` when it reads half a file".to_owned()];
    clash.tests = (0..7).map(|n| format!("tésts/c.py::test_load[{n}]")).collect();
    clash.reproduce = Some("pytest -n 2 'tésts/a b.py' tésts/c.py".to_owned());
    clash.key = "/tmp/{name}.json".to_owned();
    let mut weak = finding("no-such-page", Severity::Note, "a note", vec![label(&sources, 3, "assert", 0, Role::Primary, "")]);
    weak.confidence = Confidence::Low;
    let ignored = (finding("ignored-rule", Severity::Error, "hidden", weak.labels.clone()), FileId(3), Span::default());
    Report {
        findings: vec![clash, weak.clone(), weak],
        ignored: vec![ignored],
        gaps: vec![
            (FileId(1), Gap { span: Span::new(0, 9), why: Why::Syntax }),
            (FileId(3), Gap { span: Span::new(4, 13), why: Why::Macro }),
        ],
        known: 0,
        untouched: 0,
        stale: Vec::new(),
        skipped: vec![Skipped { path: "data/big file.py".to_owned(), why: "larger than 2 MiB".to_owned() }],
        unmet: Vec::new(),
        faults: Vec::new(),
        tests: 12,
        runners: vec!["pytest -n 4 (.github/workflows/test.yml:3)".to_owned()],
        sources,
    }
}

fn text(format: Format, report: &Report, options: &Options) -> String {
    let mut out = Vec::new();
    render(format, report, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(format: Format, report: &Report) -> String {
    text(format, report, &Options::default())
}

fn json(format: Format, report: &Report) -> Value {
    serde_json::from_str(&plain(format, report)).unwrap()
}

// --- Terminal ---

const COLLISION: &str = "\
error[shared-path]: `test_save` and `test_load` can meet at `/tmp/{name}.json`
   ╭─[ tésts/a b.py:3:2 ]
   │
 3 │     open(\"/tmp/é😀.json\", \"w\").write(\"x\")
   │     ────────────────┬───────────────
   │                     ╰───────────────── written here
   │
   ├─[ tésts/c.py:2:12 ]
   │
 2 │     assert open(OUT).read()
   │            ────┬────
   │                ╰────── read here by `test_load[x]`
   │
   ├─[ tests/conftest.py:3:7 ]
   │
 3 │ OUT = os.path.join(\"/tmp\", \"out.json\")
   │       ────────────────┬───────────────
   │                       ╰───────────────── the name is made here
   │
   ├─[ .github/workflows/test.yml:3:10 ]
   │
 3 │     run: pytest -n 4
   │          ─────┬─────
   │               ╰─────── four workers run them at once
───╯
  note: `test_load` fails with `JSONDecodeError` when it reads half a file
  help: write below `tmp_path`
  tests: tésts/c.py::test_load[0]
         tésts/c.py::test_load[1]
         tésts/c.py::test_load[2]
         tésts/c.py::test_load[3]
         tésts/c.py::test_load[4]
         and 2 more
  reproduce: pytest -n 2 'tésts/a b.py' tésts/c.py

note[no-such-page]: a note
";

#[test]
fn terminal_shows_both_ends_and_what_to_do() {
    let shown = plain(Format::Terminal, &collision());
    assert!(shown.starts_with(COLLISION), "{shown}");
    let end = "\ndata/big file.py: skipped: larger than 2 MiB\n\
        3 findings (1 error, 2 notes) in 4 files, 12 tests, 1 runner: pytest -n 4 (.github/workflows/test.yml:3), 2 gaps \
        (--gaps names them), 1 ignored, 1 skipped\nMore on a rule: isolint explain shared-path\n";
    assert!(shown.ends_with(end), "{shown}");
}

/// Takes `ESC [ … m` out, and the blanks that then end a line.
fn uncoloured(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let mut plain = pieces.next().unwrap().to_owned();
    for piece in pieces {
        plain.push_str(piece.split_once('m').unwrap().1);
    }
    plain.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn colours_come_only_when_asked() {
    let report = collision();
    let options = Options { color: true, ..Options::default() };
    for format in [Format::Terminal, Format::Concise] {
        let without = plain(format, &report);
        assert!(!without.contains('\u{1b}'));
        let with = text(format, &report, &options);
        assert!(with.contains("\u{1b}[1;31merror[shared-path]\u{1b}[0m"), "{with}");
        assert_eq!(uncoloured(&with), without);
        assert!(!with.contains("o\u{1b}[0m\u{1b}[31mp"), "a colour that goes on is not started anew\n{with}");
    }
}

#[test]
fn without_findings_there_is_one_line() {
    let report = Report { findings: Vec::new(), ignored: Vec::new(), skipped: Vec::new(), ..collision() };
    let line =
        "No findings in 4 files, 12 tests, 1 runner: pytest -n 4 (.github/workflows/test.yml:3), 2 gaps (--gaps names them)\n";
    assert_eq!(plain(Format::Terminal, &report), line);
    assert_eq!(plain(Format::Concise, &report), line);
}

#[test]
fn gaps_are_named_when_asked() {
    let options = Options { gaps: true, ..Options::default() };
    let shown = text(Format::Concise, &collision(), &options);
    assert!(shown.contains("\ntests/conftest.py:1:1: gap: does not parse\ntésts/c.py:1:5: gap: a macro"), "{shown}");
}

#[test]
fn line_numbers_are_those_of_the_editor() {
    for separator in ["\u{c}", "\u{b}", "\u{85}", "\u{2028}", "\u{2029}", "\u{1b}[2J"] {
        let sources = vec![source("a.py", &format!("x = 1{separator}\ny{separator} = HERE{separator}\n"))];
        let labels = vec![label(&sources, 0, "HERE", 0, Role::Primary, "here")];
        let shown = plain(Format::Terminal, &one(sources, labels));
        let mut rows = shown.lines().skip_while(|row| !row.starts_with(" 2 │ y"));
        let before =
            rows.next().unwrap_or_else(|| panic!("{separator:?}\n{shown}")).split("HERE").next().unwrap().chars().count();
        assert_eq!(rows.next().unwrap().chars().position(|c| c == '─'), Some(before), "{separator:?}\n{shown}");
    }
}

#[test]
fn lone_carriage_returns_end_lines() {
    let sources = vec![source("a.py", "a\rb\r  HERE\r")];
    let labels = vec![label(&sources, 0, "HERE", 0, Role::Primary, "")];
    let report = one(sources, labels);
    assert!(plain(Format::Terminal, &report).contains("\n 3 │   HERE\n"));
    assert!(plain(Format::Concise, &report).starts_with("a.py:3:3: error[r] m\n"));
}

#[test]
fn labels_of_one_file_stand_in_one_snippet_from_top_to_bottom() {
    let sources = vec![source("a.py", "first\nx = 1\nsecond third\n")];
    let labels = vec![
        label(&sources, 0, "third", 0, Role::Primary, "the primary"),
        label(&sources, 0, "first", 0, Role::Derivation, "a step"),
        label(&sources, 0, "second", 0, Role::OtherEnd, "the other"),
    ];
    let shown = plain(Format::Terminal, &one(sources, labels));
    assert_eq!(shown.matches("[ a.py:").count(), 1, "{shown}");
    assert!(shown.contains("[ a.py:3:8 ]"), "the heading is the primary's place\n{shown}");
    let rows = ["first", "a step", "second third", "the other", "the primary"].map(|what| shown.find(what).unwrap());
    assert!(rows.is_sorted(), "{shown}");
}

#[test]
fn a_line_of_ten_megabytes_is_cut() {
    let half = "é\u{301}x\t".repeat(900_000);
    let sources = vec![source("a.py", &format!("{half}HERE{half}"))];
    let len = sources[0].text.len();
    assert!(len > 10_000_000);
    let here = label(&sources, 0, "HERE", 0, Role::Primary, "written here");
    let whole = Label { span: Span::new(0, len), ..here.clone() };
    let end = Label { span: Span::new(len, len), ..here.clone() };
    for label in [&here, &whole, &end] {
        let shown = plain(Format::Terminal, &one(sources.clone(), vec![label.clone()]));
        assert!(shown.len() < 4096, "{} bytes\n{shown}", shown.len());
        assert!(shown.contains("written here"), "{shown}");
        let options = Options { color: true, ..Options::default() };
        assert!(text(Format::Terminal, &one(sources.clone(), vec![label.clone()]), &options).len() < 6000);
    }
    let shown = plain(Format::Terminal, &one(sources, vec![here, whole]));
    assert!(shown.contains(&format!("[ a.py:1:{} ]", 900_000 * 4 + 1)), "{shown}");
    assert_eq!(shown.matches("[ a.py:1:").count(), 2, "places that do not fit into one window are two snippets\n{shown}");
}

#[test]
fn a_narrow_terminal_cuts_lines() {
    let sources = vec![source("a.py", &format!("{}HERE{}", "a ".repeat(70), "b ".repeat(70)))];
    let labels = vec![label(&sources, 0, "HERE", 0, Role::Primary, "x")];
    let shown = text(Format::Terminal, &one(sources, labels), &Options { width: 80, ..Options::default() });
    assert!(shown.lines().take(6).all(|line| line.chars().count() <= 80), "{shown}");
    let row = shown.lines().find(|row| row.contains("HERE")).unwrap();
    assert!(row.contains("│ …") && row.ends_with('…'), "{shown}");
}

#[test]
fn a_span_of_many_lines_shows_its_first() {
    let sources = vec![source("a.py", "def f():\r\n    a\r\n    b\r\n")];
    for (start, end, place) in [(0, 20, "1:1"), (8, 12, "1:9"), (9, 10, "1:10"), (24, 24, "4:1"), (99, 99, "4:1")] {
        let span = Span::new(start, end);
        let label = Label { file: FileId(0), span, text: "all of it".to_owned(), role: Role::Primary };
        let shown = plain(Format::Terminal, &one(sources.clone(), vec![label]));
        assert_eq!(shown.matches("all of it").count(), 1, "{start}..{end}\n{shown}");
        assert!(shown.contains(&format!("[ a.py:{place} ]\n")), "{start}..{end}\n{shown}");
    }
}

#[test]
fn a_finding_without_places_is_still_shown() {
    let stray = Label { file: FileId(9), span: Span::new(3, 900), text: "nowhere".to_owned(), role: Role::Primary };
    for labels in [Vec::new(), vec![stray]] {
        let report = one(Vec::new(), labels);
        assert!(plain(Format::Terminal, &report).starts_with("error[r]: m\n\n1 finding (1 error)"));
        assert!(plain(Format::Concise, &report).starts_with("error[r] m\n1 finding (1 error)"));
        assert_eq!(json(Format::Json, &report)["findings"][0]["message"], "m");
        valid(&json(Format::Sarif, &report));
    }
}

// --- Concise ---

#[test]
fn concise_is_one_line_each() {
    let shown = plain(Format::Concise, &collision());
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "tésts/a b.py:3:2: error[shared-path] `test_save` and `test_load` can meet at `/tmp/{name}.json`");
    assert_eq!(lines[1], "tésts/c.py:2:5: note[no-such-page] a note");
    assert_eq!(lines.len(), 5, "{shown}");
}

#[test]
fn a_message_cannot_forge_a_line() {
    let mut report = collision();
    report.findings[0].message = "a\nb.py:1:1: error[x] forged\u{1b}[2K\u{202e}".to_owned();
    let shown = plain(Format::Concise, &report);
    assert!(shown.contains("error[shared-path] a␊b.py:1:1: error[x] forged␛[2K\\u{202e}\n"), "{shown}");
    assert_eq!(shown.lines().count(), 5);
}

// --- JSON ---

#[test]
fn json_has_exact_places_and_a_stable_order() {
    let report = collision();
    let document = json(Format::Json, &report);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&document), "version tool findings gaps skipped faults summary");
    let first = &document["findings"][0];
    let expected = "rule severity confidence message path line column endLine endColumn start end \
        labels help notes tests reproduce fingerprint url fix";
    assert_eq!(keys(first), expected);
    assert_eq!(keys(&first["labels"][0]), "role text path line column endLine endColumn start end");
    let place =
        |value: &Value| ["line", "column", "endLine", "endColumn", "start", "end"].map(|key| value[key].as_u64().unwrap());
    let text = &report.sources[2].text;
    let (start, end) = (text.find("open").unwrap(), text.find("(\"x\")").unwrap());
    assert_eq!(place(first), [3, 2, 3, 33, start as u64, end as u64]);
    assert_eq!(first["labels"][1]["role"], "other-end");
    assert_eq!(first["labels"][1]["path"], "tésts/c.py");
    assert_eq!(place(&first["labels"][1]), [2, 12, 2, 21, 28, 37]);
    assert_eq!(first["fingerprint"], fingerprint::fingerprints(&report)[0]);
    assert_eq!(document["version"], 1);
    assert_eq!(document["gaps"][1]["why"], "macro");
    assert_eq!(place(&document["gaps"][1]), [1, 5, 1, 14, 4, 13]);
    assert_eq!(document["summary"]["errors"], 1);
    assert_eq!(document["summary"]["notes"], 2);
    assert_eq!(document["summary"]["ignored"], 1);
    assert_eq!(document["skipped"][0]["path"], "data/big file.py");
}

// --- Fingerprints ---

#[test]
fn fingerprints_do_not_know_lines_and_tell_equals_apart() {
    let report = collision();
    let prints = fingerprint::fingerprints(&report);
    assert_eq!(prints.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    assert!(prints.iter().all(|print| print.len() == 32));
    let mut moved = collision();
    for source in &mut moved.sources {
        source.text = format!("# moved\n\n{}", source.text).into();
    }
    for label in moved.findings.iter_mut().flat_map(|finding| &mut finding.labels) {
        label.span = Span { start: label.span.start + 9, end: label.span.end + 9 };
    }
    moved.findings[0].message = "said in other words".to_owned();
    assert_eq!(fingerprint::fingerprints(&moved), prints);
    moved.findings[0].key = "/tmp/other".to_owned();
    assert_ne!(fingerprint::fingerprints(&moved)[0], prints[0]);
    moved.sources[3].path = "moved.py".into();
    assert_ne!(fingerprint::fingerprints(&moved)[1], prints[1]);
}

// --- SARIF ---

/// The official schema, with its two malformed patterns repaired (`testdata/schema/README.md`).
fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: std::sync::OnceLock<jsonschema::Validator> = std::sync::OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = include_str!("../testdata/schema/sarif-2.1.0.json");
        let malformed = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
        assert_eq!(text.matches(malformed).count(), 2);
        let schema = serde_json::from_str(&text.replace(malformed, "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$")).unwrap();
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    })
}

fn valid(log: &Value) {
    let errors: Vec<String> = schema().iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{log:#}");
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let good = json(Format::Sarif, &collision());
    valid(&good);
    let wrong = |pointer: &str, value: Value| {
        let mut log = good.clone();
        *log.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        assert!(!schema().is_valid(&log), "{pointer}");
    };
    wrong("/version", "2.2.0".into());
    wrong("/runs/0/columnKind", "bytes".into());
    wrong("/runs/0/results/0/level", "fatal".into());
    wrong("/runs/0/results/0/locations/0/physicalLocation/region/startLine", 0.into());
    wrong("/runs/0/results/0/locations/0/physicalLocation/region/startColumn", 0.into());
    wrong("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", "a b|<>.py".into());
    wrong("/runs/0/results/0/relatedLocations/0/id", "one".into());
    wrong("/runs/0/results/0/codeFlows/0/threadFlows/0/locations", Value::Array(Vec::new()));
    wrong("/runs/0/tool/driver/name", Value::Null);
    wrong("/runs/0/tool/driver/rules/0/help", serde_json::json!({}));
    wrong("/runs/0/invocations/0/executionSuccessful", "yes".into());
    let mut log = good.clone();
    log["runs"][0]["results"][0]["colour"] = "red".into();
    assert!(!schema().is_valid(&log));
}

#[test]
fn sarif_results_have_exact_places_and_links() {
    let report = collision();
    let log = json(Format::Sarif, &report);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3, "the ignored finding is left out");
    assert_eq!((&results[2]["ruleId"], &results[2]["ruleIndex"]), (&"no-such-page".into(), &1.into()));
    let result = &results[0];
    assert_eq!(result["level"], "error");
    assert_eq!(
        result["message"]["text"],
        "`test_save` and `test_load` can meet at `/tmp/{name}.json`. \
         The other end: [read here by `test_load\\[x\\]`](1). \
         How it gets there: [the name is made here](2). \
         Why it is believed: [four workers run them at once](3). \
         What to do: Write below `tmp_path`."
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "t%C3%A9sts/a%20b.py");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    // The emoji takes two UTF-16 units, so the end is one further than in code points.
    assert_eq!(place["region"], serde_json::json!({"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 34}));
    let related = result["relatedLocations"].as_array().unwrap();
    assert_eq!(related.iter().map(|location| location["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(related[0]["physicalLocation"]["artifactLocation"]["uri"], "t%C3%A9sts/c.py");
    assert!(related.iter().all(|location| location["message"]["text"].is_string()));
    let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    let file = |step: &Value| step.pointer("/location/physicalLocation/artifactLocation/uri").unwrap().clone();
    assert_eq!(steps.iter().map(file).collect::<Vec<_>>(), ["tests/conftest.py", "t%C3%A9sts/a%20b.py"]);
    assert!(results[1].get("codeFlows").is_none() && results[1].get("relatedLocations").is_none());
    assert_eq!(result["properties"]["confidence"], "high");
    assert_eq!(result["properties"]["tests"].as_array().unwrap().len(), 7);
    let prints = &result["partialFingerprints"];
    assert_eq!(prints["isolint/v1"], fingerprint::fingerprints(&report)[0]);
    assert_eq!(prints["primaryLocationLineHash"], fingerprint::line_hashes(&report.sources[2].text)[2]);
}

#[test]
fn sarif_names_the_rules_that_fired_and_what_was_not_read() {
    let log = json(Format::Sarif, &collision());
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert_eq!(run["automationDetails"]["id"], "isolint/");
    assert!(run["originalUriBaseIds"]["%SRCROOT%"].is_object());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.iter().map(|rule| rule["id"].clone()).collect::<Vec<_>>(), ["shared-path", "no-such-page"]);
    for rule in rules {
        for pointer in ["/shortDescription/text", "/fullDescription/text", "/help/text", "/help/markdown", "/name"] {
            assert!(rule.pointer(pointer).and_then(Value::as_str).is_some_and(|text| !text.is_empty()), "{pointer} {rule:#}");
        }
        assert!(rule["properties"]["tags"].is_array());
    }
    assert_eq!(rules[1]["properties"]["precision"], "low");
    assert_eq!(rules[1]["properties"]["problem.severity"], "recommendation");
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let notes = invocation["toolExecutionNotifications"].as_array().unwrap();
    let said: Vec<(&str, &str)> =
        notes.iter().map(|note| (note["descriptor"]["id"].as_str().unwrap(), note["level"].as_str().unwrap())).collect();
    assert_eq!(said, [("skipped", "warning"), ("gap", "warning"), ("gap", "note")]);
}

#[test]
fn a_fault_makes_the_run_unsuccessful() {
    let report = Report { faults: vec!["rule x: boom".to_owned()], ..collision() };
    let log = json(Format::Sarif, &report);
    valid(&log);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"][0]["level"], "error");
}

#[test]
fn a_decoded_file_has_no_line_hash() {
    let mut report = collision();
    report.sources[2].decoded = true;
    let log = json(Format::Sarif, &report);
    valid(&log);
    assert!(log["runs"][0]["results"][0]["partialFingerprints"].get("primaryLocationLineHash").is_none());
    assert!(log["runs"][0]["results"][1]["partialFingerprints"]["primaryLocationLineHash"].is_string());
}

#[test]
fn too_many_results_lose_those_that_cost_least() {
    let mut report = collision();
    let (error, note) = (report.findings[0].clone(), report.findings[1].clone());
    report.findings = std::iter::repeat_n(note, 25_000).chain([error]).collect();
    let log = json(Format::Sarif, &report);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert_eq!(results[24_999]["level"], "error");
    let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(notes.last().unwrap()["message"]["text"], "1 of the findings is left out: a run takes 25000.");
}

#[test]
fn an_empty_report_is_valid_everywhere() {
    valid(&json(Format::Sarif, &Report::default()));
    assert_eq!(json(Format::Json, &Report::default())["findings"], Value::Array(Vec::new()));
}

// --- Hostile input ---

/// SplitMix64 ("Fast Splittable Pseudorandom Number Generators", Steele, Lea and Flood).
struct Random(u64);

const PIECES: [&str; 36] = [
    "a",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\u{c}",
    "\u{b}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{1b}[31m",
    "\u{1b}]0;x\u{7}",
    "\u{0}",
    "\u{1}",
    "\u{1}0:1:1 ]",
    "\u{9b}2J",
    "\u{7f}",
    "\u{202e}",
    "\u{2066}",
    "\u{200f}",
    "\u{61c}",
    "\u{feff}",
    "\u{200d}",
    "é",
    "日本",
    "😀",
    "e\u{301}\u{301}",
    "\u{e0041}",
    "\u{3000}",
    "\u{a0}",
    "def test_x():",
    "open(\"/tmp/x\")",
    "{0}",
    "](1)",
    "\u{ffff}",
];

const ROLES: [Role; 4] = [Role::Primary, Role::OtherEnd, Role::Derivation, Role::Evidence];

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn text(&mut self, pieces: usize) -> String {
        (0..self.below(pieces + 1)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    fn texts(&mut self, count: usize, pieces: usize) -> Vec<String> {
        (0..self.below(count)).map(|_| self.text(pieces)).collect()
    }

    /// Backward spans and spans that cut characters too.
    fn span(&mut self, limit: usize) -> Span {
        let start = self.below(limit);
        let end = if self.below(8) == 0 { self.below(limit) } else { start + self.below(20) };
        Span::new(start, end)
    }

    fn finding(&mut self, sources: &[Source]) -> Finding {
        let mut labels = Vec::new();
        for _ in 0..self.below(16) {
            let file = self.below(sources.len() + 1);
            let len = sources.get(file).map_or(0, |source| source.text.len());
            let (span, text, role) = (self.span(len + 3), self.text(8), ROLES[self.below(4)]);
            labels.push(Label { file: FileId(file as u32), span, text, role });
        }
        let mut finding = finding("some-rule", Severity::Warning, &self.text(30), labels);
        finding.help = self.text(30);
        finding.notes = self.texts(12, 30);
        finding.tests = self.texts(12, 9);
        finding.reproduce = Some(self.text(9));
        finding
    }

    fn report(&mut self) -> Report {
        let size = if self.below(10) == 0 { 2000 } else { 40 };
        let mut report = Report::default();
        for _ in 0..self.below(4) {
            report.sources.push(source(&self.text(6), &self.text(size)));
        }
        for _ in 0..1 + self.below(3) {
            report.findings.push(self.finding(&report.sources));
        }
        for _ in 0..self.below(3) {
            report.gaps.push((FileId(self.below(4) as u32), Gap { span: self.span(90), why: Why::Syntax }));
        }
        report.skipped.push(Skipped { path: self.text(5), why: self.text(5) });
        report.faults.push(self.text(5));
        report.runners.push(self.text(5));
        report
    }
}

/// What no terminal may get: control characters but the line feed, and what hides text or turns its direction.
fn is_dangerous(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[test]
fn hostile_reports_do_no_harm() {
    let mut random = Random(2026);
    for round in 0..3000 {
        let report = random.report();
        let options = Options { width: random.below(300), gaps: true, color: false, suppressed: true };
        let shown = text(Format::Terminal, &report, &options);
        assert_eq!(shown.chars().find(|c| is_dangerous(*c)), None, "round {round}\n{shown}");
        assert!(shown.len() < 32768 * report.findings.len(), "round {round}: {} bytes", shown.len());
        let shown = text(Format::Concise, &report, &options);
        assert_eq!(shown.chars().find(|c| is_dangerous(*c)), None, "round {round}\n{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < 8192), "round {round}");
        assert!(shown.lines().count() <= report.findings.len() + report.gaps.len() + 3, "round {round}\n{shown}");
        if round % 20 == 0 {
            let coloured = text(Format::Terminal, &report, &Options { color: true, ..options });
            let without = text(Format::Terminal, &report, &options);
            assert_eq!(uncoloured(&coloured), uncoloured(&without), "round {round}");
            json(Format::Json, &report);
            valid(&json(Format::Sarif, &report));
        }
    }
}

#[test]
fn hostile_lines_keep_their_numbers() {
    let mut random = Random(7);
    for round in 0..2000 {
        let (before, after) = (random.text(60), random.text(20));
        let sources = vec![source("a.py", &format!("{before}HERE{after}"))];
        let labels = vec![label(&sources, 0, "HERE", 0, Role::Primary, "x")];
        let line = before.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() + 1;
        let shown = plain(Format::Terminal, &one(sources, labels));
        let row = shown.lines().find(|row| row.contains("HERE")).unwrap_or_else(|| panic!("round {round}\n{shown}"));
        assert_eq!(row.split('│').next().unwrap().trim(), line.to_string(), "round {round}\n{shown}");
        assert!(shown.contains(&format!("[ a.py:{line}:")), "round {round}\n{shown}");
    }
}

#[test]
fn hostile_findings_of_full_length_are_bounded() {
    let long = "日\u{202e}".repeat(100_000);
    let sources: Vec<Source> = (0..40).map(|n| source(&format!("{n}{long}"), &long)).collect();
    let place = |n| Label { file: FileId(n), span: Span::new(6, 90_000), text: long.clone(), role: Role::Derivation };
    let mut report = one(sources, (0..40).map(place).collect());
    let finding = &mut report.findings[0];
    finding.message = long.clone();
    finding.help = long.clone();
    finding.notes = vec![long.clone(); 40];
    finding.tests = vec![long.clone(); 40];
    finding.reproduce = Some(long.clone());
    let shown = plain(Format::Terminal, &report);
    assert!(shown.len() < 65536, "{} bytes", shown.len());
    assert!(shown.contains("and 36 more places"));
    assert!(plain(Format::Concise, &report).len() < 16384);
}

fn written(format: Format, report: &Report) -> String {
    let mut out = Vec::new();
    render(format, report, &Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A file whose name would be a command, and a message that would end its own.
fn forged() -> Report {
    let sources = vec![source("::error file=x,line=1::a.py", "x = 1\ny = 2\n")];
    let mut report = one(sources.clone(), vec![label(&sources, 0, "y", 0, Role::Primary, "")]);
    report.findings[0].message = "100 %\n::error::forged, with: colons".to_owned();
    report
}

#[test]
fn github_annotations_cannot_be_forged() {
    let text = written(Format::Github, &forged());
    let lines: Vec<&str> = text.lines().collect();
    let word = lines[0].strip_prefix("::stop-commands::").unwrap();
    let end = lines.iter().position(|line| *line == format!("::{word}::")).unwrap();
    assert_eq!(
        lines[end + 1..],
        [
            "::error title=isolint%3A r,file=%3A%3Aerror file=x%2Cline=1%3A%3Aa.py,line=2,endLine=2,col=1,endColumn=2::100 %25␊::error::forged, with: colons"
        ]
    );
}

#[test]
fn github_shows_ten_of_a_level_and_says_all() {
    let mut report = collision();
    let first = report.findings[0].clone();
    report.findings = vec![first; 12];
    let text = written(Format::Github, &report);
    assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    assert_eq!(text.lines().filter(|line| line.contains("error[shared-path]")).count(), 12);
    assert!(text.contains("%0Atésts/c.py:2: read here by `test_load[x]`"), "{text}");
}

#[test]
fn gitlab_has_a_fingerprint_of_its_own_for_each() {
    let issues: Value = serde_json::from_str(&written(Format::Gitlab, &collision())).unwrap();
    let issues = issues.as_array().unwrap();
    assert_eq!(issues.len(), 3);
    assert_eq!(issues[0]["severity"], "critical");
    assert_eq!(issues[0]["location"]["path"], "tésts/a b.py");
    assert_eq!(issues[0]["location"]["lines"]["begin"], 3);
    let prints: std::collections::BTreeSet<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), 3);
}

#[test]
fn rdjson_counts_columns_in_bytes_and_names_the_other_end() {
    let document: Value = serde_json::from_str(&written(Format::Rdjson, &collision())).unwrap();
    assert_eq!(document["source"]["name"], "isolint");
    let first = &document["diagnostics"][0];
    assert_eq!(first["severity"], "ERROR");
    assert_eq!(first["code"]["value"], "shared-path");
    let range = &first["location"]["range"];
    assert_eq!((&range["start"]["column"], &range["end"]["column"]), (&2.into(), &37.into()));
    assert_eq!(first["related_locations"][0]["location"]["path"], "tésts/c.py");
}

#[test]
fn junit_is_read_back() {
    let read = |report: &Report| quick_junit::Report::deserialize_from_str(&written(Format::Junit, report)).unwrap();
    let report = read(&collision());
    assert_eq!((report.tests, report.failures), (3, 1), "notes fail nothing");
    assert_eq!(report.test_suites.len(), 2);
    let none = read(&Report::default());
    assert_eq!((none.tests, none.failures), (1, 0));
    read(&forged());
}

#[test]
fn checkstyle_is_well_formed() {
    use quick_xml::events::Event;
    for report in [collision(), forged(), Report::default()] {
        let text = written(Format::Checkstyle, &report);
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut errors = 0;
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Empty(tag) if tag.name().as_ref() == "error" => {
                    let names: Vec<String> =
                        tag.attributes().map(|attribute| attribute.unwrap().key.as_ref().to_owned()).collect();
                    assert_eq!(names, ["line", "column", "severity", "message", "source"]);
                    errors += 1;
                }
                _ => {}
            }
        }
        assert_eq!(errors, report.findings.len(), "{text}");
    }
}

// --- Notebooks ---

/// Two cells of a notebook, with an escape in the line that is spoken of; the second has an identity.
const NOTEBOOK: &str = "{\n \"cells\": [\n  {\"cell_type\": \"markdown\", \"source\": [\"# é\"]},\n  {\"cell_type\": \"code\", \"source\": \
    [\"import os\"]},\n  {\"cell_type\": \"code\", \"id\": \"ab\",\n   \"source\": [\"x = 1\\n\",\n    \"open(\\\"é.json\\\", \\\"w\\\")\\n\"]}\n ]\n}\n";

/// A finding in a notebook, with its other end in another cell.
fn in_notebook() -> Report {
    let sources = vec![isolint::notebook::read("nbs/a b.ipynb", NOTEBOOK.as_bytes()).unwrap()];
    assert_eq!(&*sources[0].text, "import os\nx = 1\nopen(\"é.json\", \"w\")\n");
    let labels = vec![
        label(&sources, 0, "open(\"é.json\", \"w\")", 0, Role::Primary, "written here"),
        label(&sources, 0, "import os", 0, Role::OtherEnd, "and here"),
    ];
    let mut report = one(sources, labels);
    report.gaps = vec![(FileId(0), Gap { span: Span::new(10, 11), why: Why::Syntax })];
    report
}

#[test]
fn people_are_told_the_cell_and_its_line() {
    let report = in_notebook();
    let drawn = "\
error[r]: m
   ╭─[ nbs/a b.ipynb: cell 3, line 2 ]
   │
 2 │ open(\"é.json\", \"w\")
   │ ─────────┬─────────
   │          ╰─────────── written here
   │
   ├─[ nbs/a b.ipynb: cell 2, line 1 ]
   │
 1 │ import os
   │ ────┬────
   │     ╰────── and here
───╯
";
    let page = plain(Format::Terminal, &report);
    assert!(page.starts_with(drawn), "{page}");
    let lines = text(Format::Concise, &report, &Options { gaps: true, ..Options::default() });
    assert!(lines.starts_with("nbs/a b.ipynb: cell 3, line 2: error[r] m\nnbs/a b.ipynb: cell 3, line 1: gap: "), "{lines}");
}

#[test]
fn programs_get_the_bytes_of_the_file_and_the_cell() {
    let report = in_notebook();
    let place = &json(Format::Json, &report)["findings"][0];
    let (start, end) = (place["start"].as_u64().unwrap() as usize, place["end"].as_u64().unwrap() as usize);
    assert_eq!(&NOTEBOOK[start..end], "open(\\\"é.json\\\", \\\"w\\\")");
    let at = |key: &str| place[key].as_u64().unwrap();
    assert_eq!((at("line"), at("column"), at("endLine"), at("endColumn")), (7, 6, 7, 29));
    assert_eq!(place["cell"], serde_json::json!({ "number": 3, "id": "ab", "line": 2, "endLine": 2 }));
    let labels = place["labels"].as_array().unwrap();
    assert_eq!(labels[1]["cell"], serde_json::json!({ "number": 2, "line": 1, "endLine": 1 }));

    let log = json(Format::Sarif, &report);
    valid(&log);
    let result = &log["runs"][0]["results"][0];
    let location = &result["locations"][0];
    let region = serde_json::json!({ "startLine": 7, "startColumn": 6, "endLine": 7, "endColumn": 29 });
    assert_eq!(location["physicalLocation"]["region"], region);
    let logical = serde_json::json!([{ "name": "cell 3", "fullyQualifiedName": "nbs/a b.ipynb: cell 3", "kind": "cell" }]);
    assert_eq!(location["logicalLocations"], logical);
    assert_eq!(location["properties"], serde_json::json!({ "cell": 3, "cellId": "ab", "line": 2, "endLine": 2 }));
    // Code scanning hashes the lines of the file.
    let hashes = fingerprint::line_hashes(NOTEBOOK);
    assert_eq!(result["partialFingerprints"]["primaryLocationLineHash"], hashes[6].as_str());
}

/// The services that we read beside GitHub's, from the project to the report.
#[test]
fn projects_of_gitlab_and_forgejo_come_out_in_sarif() {
    for (name, workflow, rule) in [
        ("gitlab-uncapped", ".gitlab-ci.yml", "uncapped-workers"),
        ("gitlab-uncapped", "ci/nightly.yml", "uncapped-workers"),
        ("gitlab-uncapped", ".gitlab-ci.yml", "cap-lost-in-transit"),
        ("forgejo-uncapped", ".forgejo/workflows/ci.yml", "uncapped-workers"),
        ("forgejo-uncapped", ".forgejo/workflows/ci.yml", "masked-test-failure"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/met").join(name);
        for entry in walkdir::WalkDir::new(&from).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
            let to = folder.path().join(entry.path().strip_prefix(&from).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(entry.path(), to).unwrap();
        }
        let project = discover::locate(&[folder.path().to_owned()]).unwrap();
        let Opened { mut config, found, .. } = project.open(Origin::Nowhere, &[], 0).unwrap();
        config.put(Local { preview: Some(true), ..Local::default() });
        let log = json(Format::Sarif, &check(found.sources, &config));
        valid(&log);
        let results = log["runs"][0]["results"].as_array().unwrap();
        let place = |result: &Value| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == workflow;
        let found = results.iter().find(|result| result["ruleId"] == rule && place(result));
        let found = found.unwrap_or_else(|| panic!("{name}: no {rule} in {workflow}: {results:#?}"));
        assert!(!found["relatedLocations"].as_array().unwrap().is_empty(), "{name}: the chain is shown: {found:#}");
    }
}

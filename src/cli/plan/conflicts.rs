//! The plan of test files, as text, JSON and a graph.

use isolint::check::Report;
use isolint::facts::trace::Place;
use isolint::plan::{Blocker, Group, Means, Plan, Verdict};
use isolint::render::sanitized::sanitized;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The version of the JSON form: it changes only when a key changes its meaning or goes.
const VERSION: u32 = 1;

/// Doubts of one file, and tests of one group, that the text names; the rest is counted.
const NAMED: usize = 4;

/// For people: verdicts, what to repair first, and what keeps tests apart until then.
pub fn text(plan: &Plan, report: &Report) -> String {
    let mut page = String::new();
    let width = plan.files.iter().map(|file| file.path.chars().count()).max().unwrap_or(0).min(60);
    for file in &plan.files {
        let verdict = match &file.verdict {
            Verdict::Safe => "safe beside any other".to_owned(),
            Verdict::Blocked(by) => format!("blocked by {}", numbers(by)),
            Verdict::Unknown(doubts) => {
                let mut all: Vec<String> = doubts
                    .iter()
                    .take(NAMED)
                    .map(|doubt| format!("{} ({})", shown(&doubt.text), at(report, doubt.place)))
                    .collect();
                if doubts.len() > NAMED {
                    all.push(format!("{} more", doubts.len() - NAMED));
                }
                format!("unknown: {}", all.join("; "))
            }
        };
        let _ = writeln!(page, "{:width$}  {:>9}  {verdict}", shown(&file.path), tests(file.tests));
    }
    if !plan.blockers.is_empty() {
        let _ = writeln!(page, "\nWhat to repair, first what frees most tests:");
    }
    for (n, blocker) in plan.blockers.iter().enumerate() {
        let finding = &blocker.finding;
        let held = format!("holds back {} in {}", tests(blocker.tests.len()), files(blocker.files.len()));
        let place = at(report, (finding.primary().file, finding.primary().span));
        let _ = writeln!(page, "{:>3}. frees {}, {held}: {place}", n + 1, tests(blocker.frees));
        let _ = writeln!(page, "     {}: {}", finding.rule, shown(&finding.message));
    }
    if !plan.groups.is_empty() {
        let _ = writeln!(page, "\nWhat keeps those apart that meet, until it is repaired:");
    }
    for group in &plan.groups {
        let _ = writeln!(page, "  {} at {}: {}", meet(group.tests.len()), numbers(&group.blockers), advice(group));
        for test in group.tests.iter().take(NAMED) {
            let _ = writeln!(page, "      {}", shown(test));
        }
        if group.tests.len() > NAMED {
            let _ = writeln!(page, "      and {} more", group.tests.len() - NAMED);
        }
    }
    let [safe, blocked, unknown] = counts(plan);
    if !page.is_empty() {
        page.push('\n');
    }
    let _ = writeln!(page, "{}: {safe} safe, {blocked} blocked, {unknown} unknown", files(plan.files.len()));
    page
}

/// For programs.
pub fn json(plan: &Plan, report: &Report) -> String {
    let place = |place: Place| {
        let source = report.sources.get(place.0.0 as usize);
        json!({ "path": source.map_or("", |source| &*source.path), "line": source.map_or(0, |source| source.line(place.1.start)) })
    };
    let file = |file: &isolint::plan::TestFile| {
        let mut value = json!({ "path": file.path, "tests": file.tests, "verdict": word(&file.verdict) });
        match &file.verdict {
            Verdict::Safe => {}
            Verdict::Blocked(by) => value["blockers"] = json!(by),
            Verdict::Unknown(doubts) => {
                let all = doubts.iter().map(|doubt| json!({ "place": place(doubt.place), "text": doubt.text }));
                value["doubts"] = all.collect();
            }
        }
        value
    };
    let blocker = |(n, blocker): (usize, &Blocker)| {
        let finding = &blocker.finding;
        json!({
            "number": n, "rule": finding.rule, "message": finding.message, "key": finding.key,
            "place": place((finding.primary().file, finding.primary().span)),
            "frees": blocker.frees, "files": blocker.files, "tests": blocker.tests,
        })
    };
    let group = |group: &Group| json!({ "name": group.name, "means": means(group.means), "advice": advice(group), "blockers": group.blockers, "tests": group.tests });
    let [safe, blocked, unknown] = counts(plan);
    let whole = json!({
        "version": VERSION,
        "files": plan.files.iter().map(file).collect::<Value>(),
        "blockers": plan.blockers.iter().enumerate().map(blocker).collect::<Value>(),
        "groups": plan.groups.iter().map(group).collect::<Value>(),
        "counts": { "safe": safe, "blocked": blocked, "unknown": unknown },
    });
    format!("{whole:#}\n")
}

/// For Graphviz: test files, and what those that are held back meet at.
pub fn dot(plan: &Plan, report: &Report) -> String {
    let mut page = "graph isolint {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n".to_owned();
    for file in &plan.files {
        let colour = match file.verdict {
            Verdict::Safe => "palegreen",
            Verdict::Blocked(_) => "lightsalmon",
            Verdict::Unknown(_) => "lightgrey",
        };
        let _ = writeln!(page, "  {} [fillcolor={colour}, tooltip={}];", quoted(&file.path), quoted(word(&file.verdict)));
    }
    for (n, blocker) in plan.blockers.iter().enumerate() {
        let finding = &blocker.finding;
        let label = format!("{}. {}\n{}", n + 1, finding.rule, at(report, (finding.primary().file, finding.primary().span)));
        let _ = writeln!(page, "  blocker{n} [shape=ellipse, fillcolor=white, label={}];", quoted(&label));
        for file in plan.files.iter().filter(|file| matches!(&file.verdict, Verdict::Blocked(by) if by.contains(&n))) {
            let _ = writeln!(page, "  {} -- blocker{n};", quoted(&file.path));
        }
    }
    page.push_str("}\n");
    page
}

/// A quoted identifier of the DOT language: quotes and backslashes are escaped, and a line's end is `\n`.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.lines().map(shown).collect::<Vec<_>>().join("\\n"))
}

/// How many files are safe, blocked and unknown.
fn counts(plan: &Plan) -> [usize; 3] {
    ["safe", "blocked", "unknown"].map(|one| plan.files.iter().filter(|file| word(&file.verdict) == one).count())
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Safe => "safe",
        Verdict::Blocked(_) => "blocked",
        Verdict::Unknown(_) => "unknown",
    }
}

fn means(means: Means) -> &'static str {
    match means {
        Means::XdistGroup { .. } => "xdist-group",
        Means::Serial => "serial",
        Means::FileSerial => "file-serial",
        Means::NextestGroup => "nextest-group",
        Means::Nothing => "nothing",
    }
}

/// What to write, in one line.
fn advice(group: &Group) -> String {
    let name = &group.name;
    match group.means {
        Means::XdistGroup { heeded: true } => format!("`@pytest.mark.xdist_group(\"{name}\")` on each"),
        Means::XdistGroup { heeded: false } => {
            format!(
                "`@pytest.mark.xdist_group(\"{name}\")` on each, and `--dist loadgroup` beside `-n` (pytest-xdist 2.5 or later)"
            )
        }
        Means::Serial => {
            let key = name.replace('-', "_");
            format!("`#[serial({key})]` of the crate serial_test on each")
        }
        Means::FileSerial => {
            let key = name.replace('-', "_");
            format!(
                "`#[file_serial({key})]` of the crate serial_test (feature `file_locks`) on each; `#[serial]` does nothing under nextest"
            )
        }
        Means::NextestGroup => {
            let tests = group
                .tests
                .iter()
                .map(|test| format!("test(={})", test.split_once("::").map_or(test.as_str(), |(_, rest)| rest)));
            let filter = tests.collect::<Vec<_>>().join(" | ");
            format!(
                "in .config/nextest.toml `[test-groups]` with `{name} = {{ max-threads = 1 }}`, and an entry `[[profile.default.overrides]]` \
                 with `filter = '{filter}'` and `test-group = '{name}'`"
            )
        }
        Means::Nothing => "their runners share no mark for it; repair it, or run them apart".to_owned(),
    }
}

/// Numbers of blockers, as the list of them counts: from 1.
fn numbers(all: &BTreeSet<usize>) -> String {
    all.iter().map(|n| (n + 1).to_string()).collect::<Vec<_>>().join(", ")
}

fn tests(n: usize) -> String {
    if n == 1 { "1 test".to_owned() } else { format!("{n} tests") }
}

fn meet(n: usize) -> String {
    if n == 1 { "1 test that meets itself".to_owned() } else { format!("{n} tests that meet") }
}

fn files(n: usize) -> String {
    if n == 1 { "1 test file".to_owned() } else { format!("{n} test files") }
}

fn at(report: &Report, (file, span): Place) -> String {
    report.sources.get(file.0 as usize).map_or(String::new(), |source| format!("{}:{}", source.path, source.line(span.start)))
}

fn shown(text: &str) -> String {
    sanitized(text, 400).to_string()
}

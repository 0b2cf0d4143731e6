//! A set-up for many tests that acts as if it ran once: each worker runs it.

use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Finding, Label, Role, Severity};
use crate::link::{Meeting, Phase, Suite, Test, TestEffect, UnitRef, changes};
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    // What one set-up does to several paths is one matter.
    let mut all: BTreeMap<UnitRef, Vec<Case>> = BTreeMap::new();
    for meeting in suite.meetings.iter().filter(|meeting| meeting.wide) {
        let case = Case::of(suite, meeting);
        all.entry(case.unit).or_default().push(case);
    }
    for mut cases in all.into_values() {
        cases.sort_by_key(|case| case.severity() != Severity::Error);
        found.push(finding(suite, &cases));
    }
}

/// A meeting, seen from the set-up.
struct Case<'s> {
    meeting: &'s Meeting,
    /// The set-up, and the test that it ran for.
    test: &'s Test,
    one: &'s TestEffect,
    unit: UnitRef,
    /// What another process does at the same place.
    other: &'s Test,
    two: &'s TestEffect,
}

impl<'s> Case<'s> {
    fn of(suite: &'s Suite, meeting: &'s Meeting) -> Self {
        let end = |(test, effect): (usize, usize)| (&suite.tests[test], &suite.tests[test].effects[effect]);
        let (first, second) = (end(meeting.first), end(meeting.second));
        let is_setup = |end: &TestEffect| end.phase == Phase::WideSetup && changes(end.effect.verb);
        let ((test, one), (other, two)) = if is_setup(first.1) { (first, second) } else { (second, first) };
        Case { meeting, test, one, unit: setup(suite, one), other, two }
    }

    /// Each run of the set-up meets the next run of it.
    fn repeats(&self, suite: &Suite) -> bool {
        self.two.phase == Phase::WideSetup && setup(suite, self.two) == self.unit
    }

    fn severity(&self) -> Severity {
        let takes = matches!(self.one.effect.verb, Verb::Delete | Verb::DeleteTree);
        let breaks = matches!(self.two.effect.verb, Verb::Read | Verb::Database | Verb::Create | Verb::MakeDir);
        if self.meeting.run.is_some() && (takes || breaks) { Severity::Error } else { Severity::Warning }
    }
}

/// The unit that runs once in each process: the fixture or hook, or the one that calls the initialiser.
fn setup(suite: &Suite, one: &TestEffect) -> UnitRef {
    let within = one.within;
    if one.effect.once && suite.is_test_code(within) {
        let site = one.effect.via.first().copied().unwrap_or(one.effect.site);
        return suite.owner(suite.unit_at(site));
    }
    within
}

fn finding(suite: &Suite, cases: &[Case]) -> Finding {
    let case = &cases[0];
    let (one, two) = (&case.one.effect, &case.two.effect);
    let rust = suite.language(case.unit.0) == Language::Rust;
    let process = if rust { "test process" } else { "worker" };
    let name = suite.unit_name(case.unit);
    let path = &case.meeting.path;
    let more = if cases.len() > 1 { format!(" and {} more", cases.len() - 1) } else { String::new() };
    let does = words::verb(one.verb);
    let meets = if !case.repeats(suite) {
        let who = match case.two.phase {
            Phase::WideSetup => suite.unit_name(setup(suite, case.two)),
            _ => words::short(case.other).to_owned(),
        };
        format!("while `{who}` {} it in another one", words::verb(two.verb))
    } else if one.verb == two.verb {
        "and so does the next one".to_owned()
    } else {
        format!("and the next one {} it", words::verb(two.verb))
    };
    let message = format!("`{name}` runs once in each {process}, not once: each {does} `{path}`{more}, {meets}");
    let mut labels =
        vec![words::label(suite, one.site, format!("{} here in each {process}", words::done(one.verb)), Role::Primary)];
    let seen = |labels: &[Label], label: &Label| labels.iter().any(|old| old.file == label.file && old.span == label.span);
    let mut ends =
        vec![words::label(suite, two.site, format!("{} here in another {process}", words::done(two.verb)), Role::OtherEnd)];
    for case in &cases[1..] {
        let effect = &case.one.effect;
        ends.push(words::label(suite, effect.site, format!("also {} here", words::done(effect.verb)), Role::OtherEnd));
    }
    for label in ends {
        if labels.len() < 8 && !seen(&labels, &label) {
            labels.push(label);
        }
    }
    for effect in [one, two] {
        let more = words::derivation(suite, effect, &labels);
        labels.extend(more);
    }
    let mut notes = Vec::new();
    match &case.meeting.run {
        Some(run) => {
            if let Some((file, span)) = run.place {
                labels.push(Label { file, span, text: "this run has several of them".to_owned(), role: Role::Evidence });
            }
            notes.push(format!("`{}` starts several processes, and each of them has its own set-up", run.text));
        }
        None => notes.push("no parallel run is configured here: it would run once in each worker of `pytest -n 2`".to_owned()),
    }
    notes.push(format!("expect {}", case.meeting.symptom));
    let help = if rust {
        "give each test its own `tempfile::tempdir()`: nextest runs every test in a process of its own, and an initialiser that runs once \
         runs once in each of them"
    } else if matches!(one.verb, Verb::Delete | Verb::DeleteTree) {
        "make the folder with `tmp_path_factory.mktemp(…)`, which is new for each worker and needs no clean-up, or put `worker_id` into the \
         name"
    } else {
        "put it below `tmp_path_factory.mktemp(…)` or `worker_id` into the name; to do it once for all workers, check and write it under one \
         `FileLock` in `tmp_path_factory.getbasetemp().parent`"
    };
    Finding {
        rule: "session-fixture-per-worker",
        severity: case.severity(),
        confidence: words::confidence(&[one, two]),
        message,
        labels,
        help: help.to_owned(),
        notes,
        tests: words::names(case.meeting.tests.iter().map(|test| &suite.tests[*test])),
        reproduce: Some(words::reproduce(suite, case.test, case.other)),
        key: format!("{name} {path}"),
        remedy: None,
        fix: None,
    }
}

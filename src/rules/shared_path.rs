//! Two tests that may run at once reach one path, and at least one changes it.

use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::{Meeting, Phase, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for meeting in suite.meetings.iter().filter(|meeting| !meeting.wide) {
        found.push(finding(suite, meeting));
    }
}

fn finding(suite: &Suite, meeting: &Meeting) -> Finding {
    let (a, b) = (&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
    let (one, two) = (&a.effects[meeting.first.1], &b.effects[meeting.second.1]);
    let who = |test: &str, phase: Phase| match phase {
        Phase::Body => format!("`{test}`"),
        Phase::Teardown => format!("the tear-down of `{test}`"),
        Phase::Setup | Phase::WideSetup => format!("the set-up of `{test}`"),
    };
    let path = &meeting.path;
    // Two tests of one name stand in two files.
    let names =
        if words::short(a) == words::short(b) { (a.name.as_str(), b.name.as_str()) } else { (words::short(a), words::short(b)) };
    let what = match (words::verb(one.effect.verb), words::verb(two.effect.verb)) {
        (first, second) if first == second && meeting.with_itself => format!("each {first} it"),
        (first, second) if first == second => format!("both {} it", words::plural(one.effect.verb)),
        (first, second) => format!("one {first} it, {} {second} it", if meeting.with_itself { "another" } else { "the other" }),
    };
    let message = if meeting.with_itself {
        format!("instances of `{}` can reach `{path}` at the same time: {what}", words::short(a))
    } else {
        format!("`{}` and `{}` can reach `{path}` at the same time: {what}", names.0, names.1)
    };
    let mut labels = vec![words::label(
        suite,
        one.effect.site,
        format!("{} here by {}", words::done(one.effect.verb), who(words::short(a), one.phase)),
        Role::Primary,
    )];
    let other = words::label(
        suite,
        two.effect.site,
        format!("{} here by {}", words::done(two.effect.verb), who(words::short(b), two.phase)),
        Role::OtherEnd,
    );
    let same_place = other.span == labels[0].span && other.file == labels[0].file;
    if !same_place {
        labels.push(other);
    } else if !meeting.with_itself {
        // One place, reached from two tests: their heads are the two ends.
        for test in [a, b] {
            let head = suite.file(test.unit.0).unit(test.unit.1).head;
            labels.push(Label {
                file: test.unit.0,
                span: head,
                text: format!("reached from `{}`", words::short(test)),
                role: Role::OtherEnd,
            });
        }
    } else {
        let head = suite.file(a.unit.0).unit(a.unit.1).head;
        labels.push(Label {
            file: a.unit.0,
            span: head,
            text: "several instances of this test run".to_owned(),
            role: Role::OtherEnd,
        });
    }
    // Every further place that changes the path is an end too.
    for &test in &meeting.tests {
        for effect in &suite.tests[test].effects {
            let counts = effect.effect.on == meeting.place
                && crate::link::changes(effect.effect.verb)
                && effect.effect.verb != Verb::MakeDir;
            let site = effect.effect.site;
            if counts && labels.len() < 8 && !labels.iter().any(|label| label.file == site.file && label.span == suite.span(site))
            {
                let text = format!("also {} here by `{}`", words::done(effect.effect.verb), words::short(&suite.tests[test]));
                labels.push(words::label(suite, site, text, Role::OtherEnd));
            }
        }
    }
    let mut more = words::derivation(suite, &one.effect, &labels);
    labels.append(&mut more);
    let mut more = words::derivation(suite, &two.effect, &labels);
    labels.append(&mut more);
    let mut notes = Vec::new();
    match &meeting.run {
        Some(run) => match run.place {
            Some((file, span)) => {
                labels.push(Label { file, span, text: "this run lets them overlap".to_owned(), role: Role::Evidence });
                notes.push(format!("`{}` lets them overlap, and no guard that both hold keeps them apart", run.text));
            }
            None if run.declared => {
                notes.push(format!("`{}` lets them overlap, and no guard that both hold keeps them apart", run.text))
            }
            None => notes.push("`cargo test` runs the tests of one binary as threads of one process".to_owned()),
        },
        None => notes.push("no parallel run is configured here: they would collide under `pytest -n 2`".to_owned()),
    }
    notes.extend(words::alike(&meeting.place).map(str::to_owned));
    notes.push(format!("expect {}", meeting.symptom));
    let deletes =
        matches!(one.effect.verb, Verb::Delete | Verb::DeleteTree | Verb::Write | Verb::Update | Verb::WriteTree | Verb::Create);
    let severity = if meeting.run.is_some() && deletes { Severity::Error } else { Severity::Warning };
    let help = match suite.language(a.unit.0) {
        _ if a.is_notebook() || b.is_notebook() => words::OWN_FOLDER,
        Language::Python if a.class.is_some() && a.unit.1 != b.unit.1 => {
            "give each test a directory of its own (`tmp_path`, or `self.enterContext(tempfile.TemporaryDirectory())`) and put the file there"
        }
        Language::Python => "take the `tmp_path` fixture and put the file below it; copy an input in before it is changed",
        Language::Rust => "hold a `tempfile::tempdir()` for the life of each test and put the file below it",
    };
    Finding {
        rule: "shared-path",
        severity,
        confidence: words::confidence(&[&one.effect, &two.effect]).min(Confidence::High),
        message,
        labels,
        help: help.to_owned(),
        notes,
        tests: words::names(meeting.tests.iter().map(|test| &suite.tests[*test])),
        reproduce: Some(words::reproduce_meeting(suite, meeting)),
        key: path.clone(),
        remedy: words::own_directory(suite, &meeting.tests, &[&meeting.place]),
        fix: None,
    }
}

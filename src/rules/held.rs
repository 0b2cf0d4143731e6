//! Ports and named things that tests take or make: what two rules say in the same way.

use super::words;
use crate::calls::{Reach, Verb};
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::{Effect, Meeting, Phase, Realm, Suite, changes, has_fixed_name, is_far, is_shared};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule says of its things.
pub struct Speech {
    pub rule: &'static str,
    pub is: fn(&Realm) -> bool,
    /// What is done, for one who does it and for two: "binds", "bind".
    pub does: fn(Verb) -> (&'static str, &'static str),
    /// What becomes of it, as a participle: "bound".
    pub done: fn(Verb) -> &'static str,
    pub help: fn(&Suite, &Effect) -> String,
    pub alone: &'static str,
}

/// All findings of a rule: meetings of tests, and what one test does by itself.
pub fn check(suite: &Suite, speech: &Speech, found: &mut Vec<Finding>) {
    let mut met: BTreeSet<String> = BTreeSet::new();
    for meeting in &suite.encounters {
        let ends = [meeting.first, meeting.second].map(|(test, effect)| &suite.tests[test].state[effect].effect);
        if meeting.place.realm().is_some_and(speech.is) && has_fixed_name(&meeting.place) && !ends.into_iter().any(gives_way) {
            met.insert(meeting.place.key());
            found.push(of_meeting(suite, speech, meeting));
        }
    }
    let mut alone: BTreeMap<String, Vec<(usize, &Effect)>> = BTreeMap::new();
    for (t, test) in suite.tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for one in &test.state {
            let effect = &one.effect;
            if effect.on.realm().is_some_and(speech.is) && is_exposed(effect) && !met.contains(&effect.on.key()) {
                alone.entry(effect.on.key()).or_default().push((t, effect));
            }
        }
    }
    found.extend(alone.values().filter_map(|all| of_one(suite, speech, all)));
}

/// Whether it is prepared for a thing that somebody else has: it takes the next one.
fn gives_way(effect: &Effect) -> bool {
    effect.catches(&["OSError", "IOError", "EnvironmentError"])
}

/// Whether a test surely takes or makes a thing under a name that everybody knows, and nobody is kept out.
fn is_exposed(effect: &Effect) -> bool {
    !effect.flagged
        && !effect.expected
        && !effect.one_of
        && changes(effect.verb)
        && !is_far(effect)
        && !gives_way(effect)
        && is_shared(&effect.on)
        && has_fixed_name(&effect.on)
        && !effect.guards.iter().any(|lock| lock.reach == Reach::Host)
}

fn of_meeting(suite: &Suite, speech: &Speech, meeting: &Meeting) -> Finding {
    let (a, b) = (&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
    let (one, two) = (&a.state[meeting.first.1], &b.state[meeting.second.1]);
    let (singular, plural) = (speech.does)(one.effect.verb);
    let names = if words::short(a) == words::short(b) { (&*a.name, &*b.name) } else { (words::short(a), words::short(b)) };
    let path = &meeting.path;
    let message = if meeting.wide || one.phase == Phase::WideSetup {
        let within = suite.unit_name(one.within);
        format!("`{within}` {singular} {path}, and runs once in each worker")
    } else if meeting.with_itself {
        format!("instances of `{}` can run at the same time, and each {singular} {path}", words::short(a))
    } else {
        format!("`{}` and `{}` can run at the same time, and both {plural} {path}", names.0, names.1)
    };
    let mut labels =
        vec![words::label(suite, one.effect.site, format!("{} here", (speech.done)(one.effect.verb)), Role::Primary)];
    let other = words::label(suite, two.effect.site, format!("and {} here", (speech.done)(two.effect.verb)), Role::OtherEnd);
    if other.span != labels[0].span || other.file != labels[0].file {
        labels.push(other);
    }
    for test in [a, b] {
        let head = suite.file(test.unit.0).unit(test.unit.1).head;
        let text = format!("reached from `{}`", words::short(test));
        if !labels.iter().any(|label| label.file == test.unit.0 && label.span == head) {
            labels.push(Label { file: test.unit.0, span: head, text, role: Role::OtherEnd });
        }
    }
    further(suite, speech, &meeting.tests, &one.effect, &mut labels);
    let mut notes = vec![words::overlap(meeting, &mut labels)];
    notes.push(format!("expect {}", meeting.symptom));
    let certain = meeting.run.is_some() && !meeting.wide;
    Finding {
        severity: if certain { Severity::Error } else { Severity::Warning },
        confidence: words::confidence(&[&one.effect, &two.effect]),
        reproduce: Some(words::reproduce(suite, a, b)),
        ..finding(suite, speech, &one.effect, message, labels, notes, &meeting.tests)
    }
}

/// Every further place that takes the thing.
fn further(suite: &Suite, speech: &Speech, tests: &[usize], effect: &Effect, labels: &mut Vec<Label>) {
    for one in tests.iter().flat_map(|test| &suite.tests[*test].state) {
        let site = one.effect.site;
        let new = |labels: &[Label]| !labels.iter().any(|label| label.file == site.file && label.span == suite.span(site));
        if one.effect.on == effect.on && changes(one.effect.verb) && labels.len() < 8 && new(labels) {
            labels.push(words::label(suite, site, format!("and {} here", (speech.done)(one.effect.verb)), Role::OtherEnd));
        }
    }
    let more = words::derivation(suite, effect, labels);
    labels.extend(more);
}

/// What nobody meets in this run: tests that are kept apart, or a single one.
fn of_one(suite: &Suite, speech: &Speech, all: &[(usize, &Effect)]) -> Option<Finding> {
    let (first, effect) = *all.first()?;
    let tests: BTreeSet<usize> = all.iter().map(|(test, _)| *test).collect();
    let tests: Vec<usize> = tests.into_iter().collect();
    let (singular, plural) = (speech.does)(effect.verb);
    let path = effect.on.show();
    let message = match tests.len() {
        1 => format!("`{}` {singular} {path}", words::short(&suite.tests[first])),
        n => format!("{n} tests {plural} {path}"),
    };
    let mut labels = vec![words::label(suite, effect.site, format!("{} here", (speech.done)(effect.verb)), Role::Primary)];
    further(suite, speech, &tests, effect, &mut labels);
    let notes = vec![speech.alone.to_owned()];
    Some(Finding {
        severity: Severity::Note,
        confidence: words::confidence(&[effect]),
        ..finding(suite, speech, effect, message, labels, notes, &tests)
    })
}

fn finding(
    suite: &Suite,
    speech: &Speech,
    effect: &Effect,
    message: String,
    labels: Vec<Label>,
    notes: Vec<String>,
    tests: &[usize],
) -> Finding {
    Finding {
        rule: speech.rule,
        severity: Severity::Note,
        confidence: Confidence::High,
        message,
        labels,
        help: (speech.help)(suite, effect),
        notes,
        tests: words::names(tests.iter().map(|test| &suite.tests[*test])),
        reproduce: None,
        key: effect.on.show(),
        remedy: None,
        fix: None,
    }
}

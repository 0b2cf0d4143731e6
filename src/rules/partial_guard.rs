//! Some tests that touch one thing hold a guard, and others do not.

use super::{left, words};
use crate::facts::UnitId;
use crate::finding::{Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Lapse, Meeting, Realm, Suite, UnitRef, changes};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut all: BTreeMap<(UnitRef, Realm), Vec<(&Meeting, Lapse)>> = BTreeMap::new();
    for realm in [Realm::Environment, Realm::WorkingDirectory] {
        for meeting in left::raced(suite, &realm) {
            if let Some(lapse) = suite.lapse(meeting).map(|lapse| plainest(suite, meeting, lapse)) {
                let bare = suite.tests[lapse.bare.0].unit;
                all.entry((bare, realm.clone())).or_default().push((meeting, lapse));
            }
        }
    }
    found.extend(all.into_values().map(|one| finding(suite, &one)));
}

/// Of the tests without the guard, the one that speaks of the thing by its name: what it asserts surely hangs on it.
fn plainest(suite: &Suite, meeting: &Meeting, mut lapse: Lapse) -> Lapse {
    let named = |test: &usize| speaks_of(suite, *test, meeting);
    let other = lapse.more.iter().copied().find(named).filter(|_| lapse.other.is_none() && !named(&lapse.bare.0));
    let at = other.and_then(|test| suite.tests[test].state.iter().position(|one| *one.effect.on == *meeting.place));
    if let (Some(test), Some(at)) = (other, at) {
        lapse.more.retain(|one| *one != test);
        lapse.more.push(lapse.bare.0);
        lapse.bare = (test, at);
    }
    lapse
}

/// Whether a test names the thing, and nowhere guards it: one that does knows where it has to.
fn speaks_of(suite: &Suite, test: usize, meeting: &Meeting) -> bool {
    let test = &suite.tests[test];
    let span = suite.file(test.unit.0).unit(test.unit.1).span;
    let named = suite.sources[test.unit.0.0 as usize].slice(span).contains(meeting.path.trim_start_matches('$'));
    named && !test.state.iter().any(|one| *one.effect.on == *meeting.place && !one.effect.guards.is_empty())
}

/// Many tests pass a line of the product that reads a variable, and few depend on it. A mark says that its test's neighbours do; a lock
/// that a test takes for itself does not.
fn confidence(suite: &Suite, meeting: &Meeting, lapse: &Lapse) -> Confidence {
    let [holder, bare] = [lapse.holder, lapse.bare].map(|(test, at)| &suite.tests[test].state[at].effect);
    let in_product = !suite.is_test_code(suite.unit_at(bare.site));
    match lapse.guard.is_none() && in_product && !speaks_of(suite, lapse.bare.0, meeting) {
        true => Confidence::Low,
        false => words::confidence(&[holder, bare]),
    }
}

/// The finding for one test that lacks the guard of others.
fn finding(suite: &Suite, all: &[(&Meeting, Lapse)]) -> Finding {
    let (meeting, lapse) = &all[0];
    let (holder, bare) = (&suite.tests[lapse.holder.0], &suite.tests[lapse.bare.0]);
    let (one, two) = (&holder.state[lapse.holder.1].effect, &bare.state[lapse.bare.1].effect);
    let guard = lapse.guard.as_ref().map_or("a lock".to_owned(), |guard| format!("`{guard}`"));
    let thing = if meeting.path.contains(' ') { meeting.path.clone() } else { format!("`{}`", meeting.path) };
    let how = |changes: bool| if changes { "changes" } else { "relies on" };
    let lacks = match &lapse.other {
        Some(other) => format!("is under `{other}`"),
        None => "holds no guard".to_owned(),
    };
    let (name, other) = (words::short(bare), words::short(holder));
    let message = format!("`{name}` {} {thing} and {lacks}, but `{other}` holds {guard} for it", how(changes(two.verb)));
    let head = suite.file(bare.unit.0).unit(bare.unit.1).head;
    let text = format!("this test does not hold {guard}");
    let mut labels = vec![
        Label { file: bare.unit.0, span: head, text, role: Role::Primary },
        words::label(suite, two.site, format!("`{name}` {} {thing} here", how(changes(two.verb))), Role::OtherEnd),
    ];
    if one.site != two.site {
        let text = format!("`{other}` {} it here, below {guard}", how(changes(one.verb)));
        labels.push(words::label(suite, one.site, text, Role::OtherEnd));
    }
    if let Some(span) = lapse.mark {
        labels.push(Label { file: holder.unit.0, span, text: format!("the guard of `{other}`"), role: Role::Evidence });
    }
    let more: BTreeSet<usize> = all.iter().flat_map(|(_, lapse)| lapse.more.iter().copied()).collect();
    for &test in more.iter().take(4) {
        let test = &suite.tests[test];
        let head = suite.file(test.unit.0).unit(test.unit.1).head;
        labels.push(Label { file: test.unit.0, span: head, text: "nor does this one".to_owned(), role: Role::OtherEnd });
    }
    let tests = more.iter().copied().chain([lapse.bare.0, lapse.holder.0]).map(|test| &suite.tests[test]);
    Finding {
        rule: "partial-guard",
        severity: Severity::Error,
        confidence: confidence(suite, meeting, lapse),
        message,
        labels,
        help: match (&lapse.guard, &lapse.other) {
            (Some(guard), Some(_)) => format!("use one key in all tests that touch it: `{guard}`"),
            (Some(guard), None) => format!("mark every test that sets or reads it `{guard}`"),
            (None, _) => "take the same lock in every test that sets or reads it, before it is touched".to_owned(),
        },
        notes: vec![
            "a guard keeps apart only the tests that hold it: the others run beside them, as threads of one process".to_owned(),
            format!("expect {}", meeting.symptom),
        ],
        tests: words::names(tests),
        reproduce: Some(words::reproduce(suite, holder, bare)),
        key: format!("{} {}", bare.name, meeting.path),
        remedy: remedy(suite, lapse, &more),
        fix: None,
    }
}

/// The mark of a test is for those that stand beside it: there its name means the same.
fn remedy(suite: &Suite, lapse: &Lapse, more: &BTreeSet<usize>) -> Option<Remedy> {
    let mark = lapse.mark.filter(|_| lapse.other.is_none())?;
    let (file, holder) = suite.tests[lapse.holder.0].unit;
    let parent = |unit: UnitId| suite.file(file).unit(unit).parent;
    let beside = |unit: &UnitRef| unit.0 == file && parent(unit.1) == parent(holder);
    let bare = suite.tests[lapse.bare.0].unit;
    let more = more.iter().map(|test| suite.tests[*test].unit).filter(beside);
    let tests: BTreeSet<UnitId> = more.chain([bare]).map(|unit| unit.1).collect();
    beside(&bare).then(|| Remedy::CopyMark { file, mark, tests: tests.into_iter().collect() })
}

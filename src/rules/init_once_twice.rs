//! Two tests of one process set up what a process sets up once: the second call fails.

use super::left::is_nextest_only;
use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::{Effect, Phase, Realm, Suite};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut all: BTreeMap<String, Vec<(usize, &Effect)>> = BTreeMap::new();
    for (t, test) in suite.tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for one in test.state.iter().filter(|one| one.phase != Phase::WideSetup && fails_twice(&one.effect)) {
            let binary = match suite.language(test.unit.0) {
                Language::Rust => test.group.0,
                Language::Python => 0,
            };
            all.entry(format!("{binary} {}", one.effect.on.key())).or_default().push((t, &one.effect));
        }
    }
    found.extend(all.values().filter_map(|calls| finding(suite, calls)));
}

/// Whether the call surely happens, and its failure is surely felt.
fn fails_twice(effect: &Effect) -> bool {
    let sure = !effect.maybe && !effect.flagged && !effect.one_of && !effect.expected && !effect.once;
    let library = matches!(effect.on.realm(), Some(Realm::Library(_)));
    effect.verb == Verb::Create && library && sure && effect.caught.is_empty() && effect.spread.is_none()
}

fn finding(suite: &Suite, calls: &[(usize, &Effect)]) -> Option<Finding> {
    let &(first, effect) = calls.first()?;
    let one = &suite.tests[first];
    let &(second, other) = calls.iter().find(|(t, _)| *t != first && suite.share_process(one, &suite.tests[*t]))?;
    let two = &suite.tests[second];
    let rust = suite.language(one.unit.0) == Language::Rust;
    if rust && is_nextest_only(suite) {
        return None;
    }
    let tests: BTreeSet<usize> = calls.iter().map(|(t, _)| *t).collect();
    let mut labels = vec![words::label(suite, effect.site, format!("called here for `{}`", words::short(one)), Role::Primary)];
    if other.site == effect.site {
        for test in [one, two] {
            let head = suite.file(test.unit.0).unit(test.unit.1).head;
            let text = format!("reached from `{}`", words::short(test));
            labels.push(Label { file: test.unit.0, span: head, text, role: Role::OtherEnd });
        }
    }
    let mut seen = BTreeSet::from([effect.site]);
    for (t, more) in calls {
        if labels.len() < 8 && seen.insert(more.site) {
            let text = format!("called again here for `{}`", words::short(&suite.tests[*t]));
            labels.push(words::label(suite, more.site, text, Role::OtherEnd));
        }
    }
    let (name, process) = (&effect.call, if rust { "test binary" } else { "process" });
    let help = if rust {
        "call the variant that takes a second call well (`try_init`) and drop its result with `.ok()`, or call it in one \
         `std::sync::Once` that all tests use"
    } else {
        "do it once in a fixture with `scope=\"session\"`, or use a context of its own: `multiprocessing.get_context(…)`"
    };
    let reproduce = if rust { words::reproduce(suite, one, two) } else { format!("pytest {} {}", one.name, two.name) };
    Some(Finding {
        rule: "init-once-twice",
        severity: Severity::Error,
        confidence: Confidence::High,
        message: format!("{} tests of one {process} call `{name}`, which works once: the second call fails", tests.len()),
        labels,
        help: help.to_owned(),
        notes: vec![format!("`{}` and `{}` each pass when run alone", words::short(one), words::short(two))],
        tests: words::names(tests.iter().map(|test| &suite.tests[*test])),
        reproduce: Some(reproduce),
        key: format!("{} {name}", effect.on.show()),
        remedy: None,
        fix: None,
    })
}

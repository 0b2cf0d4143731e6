//! A test asserts that a setting of its process has the value that a fresh process has.

use super::words;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Effect, Site, Suite, Test};
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut all: BTreeMap<Site, Vec<(&Test, &Effect)>> = BTreeMap::new();
    for test in suite.tests.iter().filter(|test| !test.skipped && !test.unmet) {
        for one in suite.found_settings(test) {
            let effect = &one.effect;
            if suite.is_test_code(suite.unit_at(effect.site)) {
                // Several assertions of one test are one matter.
                let first = effect.via.first().copied().unwrap_or(effect.site);
                let here = all.values().flatten().any(|(other, known)| other.name == test.name && known.on == effect.on);
                if !here {
                    all.entry(first).or_default().push((test, effect));
                }
            }
        }
    }
    found.extend(all.iter().map(|(site, users)| finding(suite, *site, users)));
}

fn finding(suite: &Suite, site: Site, users: &[(&Test, &Effect)]) -> Finding {
    let (test, effect) = users[0];
    let what = thing(effect);
    let mut labels = vec![words::label(suite, site, format!("{what} is taken for that of a fresh process"), Role::Primary)];
    let more = words::derivation(suite, effect, &labels);
    labels.extend(more);
    Finding {
        rule: "ambient-state",
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        message: format!("`{}` asserts on {what}, and does not set it", words::short(test)),
        labels,
        help: "set it at the start of the test and put it back, or compare with what it was when the test began".to_owned(),
        notes: vec!["another test of the process, a plugin, a debugger or the shell may have changed it before".to_owned()],
        tests: words::names(users.iter().map(|(test, _)| *test)),
        reproduce: None,
        key: format!("{} {}", suite.path(test.unit.0), words::short(test)),
        remedy: None,
        fix: None,
    }
}

/// The setting in words.
fn thing(effect: &Effect) -> String {
    let name = effect.on.show();
    match name.as_str() {
        name if name.starts_with("signal") => "the handler of a signal".to_owned(),
        "threads" => "the number of threads of the process".to_owned(),
        "child processes" => "the child processes of the process".to_owned(),
        name => format!("`{name}`"),
    }
}

//! A sleep that hopes that work beside the test has come far enough.

use super::doubtful;
use super::words;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Site, Suite, hopes};
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut all: BTreeMap<Site, (Finding, Vec<String>)> = BTreeMap::new();
    for test in suite.tests.iter().filter(|test| !test.skipped) {
        for hope in hopes(&test.events) {
            let [start, sleep, assertion] = [hope.start, hope.sleep, hope.assertion].map(|event| event.site);
            let ours = |site: Site| suite.is_test_code(suite.unit_at(site)) && !suite.is_beside(site.file);
            // What product code starts by itself may need a time of its own: an interval, a lease.
            if ![start, sleep, assertion].into_iter().all(ours)
                || doubtful::speaks_of(suite, test.unit, &|name| name == "start_paused")
            {
                continue;
            }
            let unit = suite.unit_at(sleep);
            // A closure that is made before runs when it is called, if it is.
            if suite.unit_at(assertion) == unit && suite.span(assertion).start < suite.span(sleep).start {
                continue;
            }
            let known = all.get(&sleep).map(|(known, _)| known.confidence);
            let shared = known.is_none_or(|known| known == Confidence::Low) && suite.is_about_work(&hope);
            if known.is_none() || shared {
                let labels = vec![
                    words::label(suite, sleep, "this is meant to be long enough", Role::Primary),
                    words::label(suite, start, "the work starts here", Role::Evidence),
                    words::label(suite, assertion, "and is asserted on here", Role::OtherEnd),
                ];
                let finding = Finding {
                    rule: "sleep-as-sync",
                    severity: Severity::Warning,
                    // Another question may be answered in its own good time, or holds before the work begins.
                    confidence: if shared { Confidence::Medium } else { Confidence::Low },
                    message: format!(
                        "`{}` sleeps and hopes that the work it started has come far enough",
                        suite.unit_name(suite.owner(unit))
                    ),
                    labels,
                    help: "wait for what is asserted: an event, a result, a channel, or a loop that asks until a long time-out"
                        .to_owned(),
                    notes: vec!["on a busy machine the work starts late, and a longer sleep only makes that rarer".to_owned()],
                    tests: Vec::new(),
                    reproduce: None,
                    key: suite.unit_name(unit),
                    remedy: None,
                    fix: None,
                };
                let tests = all.remove(&sleep).map_or(Vec::new(), |(_, tests)| tests);
                all.insert(sleep, (finding, tests));
            }
            all.entry(sleep).and_modify(|(_, tests)| tests.push(test.name.clone()));
        }
    }
    found.extend(all.into_values().map(|(mut finding, mut tests)| {
        tests.sort();
        tests.dedup();
        finding.tests = tests;
        finding
    }));
}

//! A sleep that hopes that work beside the test has come far enough.

use super::doubtful;
use super::words;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Beat, Event, Suite};
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut all: BTreeMap<_, (Finding, Vec<String>)> = BTreeMap::new();
    for test in suite.tests.iter().filter(|test| !test.skipped) {
        for [start, sleep, assertion] in hurried(&test.events) {
            let ours = |event: &Event| suite.is_test_code(suite.unit_at(event.site)) && !suite.is_beside(event.site.file);
            // What product code starts by itself may need a time of its own: an interval, a lease.
            if ![start, sleep, assertion].into_iter().all(ours)
                || doubtful::speaks_of(suite, test.unit, &|name| name == "start_paused")
            {
                continue;
            }
            let unit = suite.unit_at(sleep.site);
            // A closure that is made before runs when it is called, if it is.
            if suite.unit_at(assertion.site) == unit && suite.span(assertion.site).start < suite.span(sleep.site).start {
                continue;
            }
            let entry = all.entry(sleep.site).or_insert_with(|| {
                let labels = vec![
                    words::label(suite, sleep.site, "this is meant to be long enough", Role::Primary),
                    words::label(suite, start.site, "the work starts here", Role::Evidence),
                    words::label(suite, assertion.site, "and is asserted on here", Role::OtherEnd),
                ];
                let finding = Finding {
                    rule: "sleep-as-sync",
                    severity: Severity::Warning,
                    confidence: Confidence::Medium,
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
                (finding, Vec::new())
            });
            entry.1.push(test.name.clone());
        }
    }
    found.extend(all.into_values().map(|(mut finding, mut tests)| {
        tests.sort();
        tests.dedup();
        finding.tests = tests;
        finding
    }));
}

/// Where work is started, a sleep follows, and an assertion with no wait between. Once the work is told to end, to wait
/// for its end does not make up for the time that it was given.
fn hurried(events: &[Event]) -> Vec<[&Event; 3]> {
    let mut out = Vec::new();
    let mut started: Option<&Event> = None;
    let mut slept: Option<(&Event, &Event)> = None;
    let mut ended = false;
    for event in events {
        match event.beat {
            Beat::Start => started = Some(event),
            Beat::Sleep => {
                slept = started.map(|start| (start, event)).or(slept);
                ended = false;
            }
            Beat::Wait if slept.is_some() && ended => {}
            Beat::Wait => (started, slept) = (None, None),
            Beat::End => ended = slept.is_some(),
            Beat::Assert => {
                if let Some((start, sleep)) = slept.take() {
                    out.push([start, sleep, event]);
                }
            }
        }
    }
    out
}

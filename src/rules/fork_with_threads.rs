//! A process is forked while a thread of the same function runs.

use super::words;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Fork, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for fork in suite.forks.iter().filter(|fork| !suite.is_beside(fork.unit.0) && !is_meant(suite, fork)) {
        found.push(finding(suite, fork));
    }
}

/// A test of what a fork does beside threads.
fn is_meant(suite: &Suite, fork: &Fork) -> bool {
    let name = suite.unit_name(suite.owner(fork.unit)).to_ascii_lowercase();
    suite.is_test_code(fork.unit) && (name.contains("fork") || name.contains("deadlock"))
}

fn finding(suite: &Suite, fork: &Fork) -> Finding {
    let name = suite.unit_name(suite.owner(fork.unit));
    let mut notes = vec![
        "the child has a copy of every lock as it is at that moment, and not the threads that would release them: it may wait for ever"
            .to_owned(),
    ];
    if !fork.asked {
        notes.push("`fork` is what `multiprocessing` does on Linux before Python 3.14".to_owned());
    }
    Finding {
        rule: "fork-with-threads",
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        message: format!("`{name}` forks a process while its thread runs"),
        labels: vec![
            words::label(suite, fork.fork, "forks here", Role::Primary),
            words::label(suite, fork.thread, "the thread runs from here on", Role::OtherEnd),
        ],
        help: "start the process before the thread, or make it with `multiprocessing.get_context(\"spawn\")`".to_owned(),
        notes,
        tests: Vec::new(),
        reproduce: None,
        key: name,
        remedy: None,
        fix: None,
    }
}

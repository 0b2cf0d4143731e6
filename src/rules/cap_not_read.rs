//! A variable or option that looks like a cap, and that nothing reads.

use super::caps;
use crate::facts::run::Runner;
use crate::facts::trace::{Command, Place, Variable};
use crate::finding::{Confidence, Finding, Role};
use crate::link::Suite;
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for unread in &suite.setup.unread {
        let labels = vec![caps::at(unread.place, "nothing reads it", Role::Primary)];
        found.push(caps::finding("cap-not-read", labels, unread.why.clone(), unread.instead.clone(), unread.what.clone()));
    }
    // All commands that see one setting.
    let mut seen: BTreeMap<Place, (&Variable, Vec<&Command>)> = BTreeMap::new();
    for (command, _) in caps::in_jobs(suite) {
        for variable in &command.env {
            seen.entry(variable.place).or_insert((variable, Vec::new())).1.push(command);
        }
    }
    for (variable, commands) in seen.values() {
        found.extend(unread(suite, variable, commands));
    }
}

fn unread(suite: &Suite, variable: &Variable, commands: &[&Command]) -> Option<Finding> {
    variable.value.as_deref()?.trim().parse::<u32>().ok()?;
    let name = variable.name.as_str();
    let all = |runner: Runner| commands.iter().all(|command| command.runner == runner);
    // A variable that was filled in is read.
    let read = commands.iter().any(|command| command.chain.iter().any(|link| link.place == variable.place));
    if read {
        return None;
    }
    let first = commands.first()?;
    match name {
        "RUST_TEST_THREADS" if all(Runner::Nextest) && !suite.setup.doctests => Some(finding(
            variable,
            first,
            "nextest starts a process for each test and does not read it",
            "set `NEXTEST_TEST_THREADS` instead",
            Confidence::High,
        )),
        "NEXTEST_TEST_THREADS" if all(Runner::CargoTest) => {
            Some(finding(variable, first, "`cargo test` does not read it", "set `RUST_TEST_THREADS` instead", Confidence::High))
        }
        "PYTEST_XDIST_AUTO_NUM_WORKERS"
            if commands.iter().all(|command| command.program == "pytest") && commands.iter().any(|command| command.literal) =>
        {
            Some(finding(
                variable,
                first,
                "`-n` with a number of its own does not ask for it",
                "write `-n auto`, or drop the variable",
                Confidence::Medium,
            ))
        }
        _ => {
            // One letter off from a name that is read, and that nobody sets.
            let meant =
                commands.iter().flat_map(|command| command.count.knobs()).find(|knob| *knob != name && is_near(knob, name))?;
            Some(finding(
                variable,
                first,
                &format!("the name that is read is `{meant}`"),
                &format!("did you mean `{meant}`?"),
                Confidence::High,
            ))
        }
    }
}

fn finding(variable: &Variable, command: &Command, why: &str, help: &str, confidence: Confidence) -> Finding {
    let name = &variable.name;
    let labels = vec![
        caps::at(variable.place, format!("`{name}` is set here"), Role::Primary),
        caps::at(command.place, "and not read here", Role::Evidence),
    ];
    let message = format!("`{name}` caps nothing: {why}");
    let mut finding = caps::finding("cap-not-read", labels, message, help.to_owned(), name.clone());
    finding.confidence = confidence;
    finding
}

/// At most two letters apart, in names that are long enough for that to be no chance.
fn is_near(a: &str, b: &str) -> bool {
    if a.len() < 8 || a.len().abs_diff(b.len()) > 2 || b.len() > 64 || a.len() > 64 {
        return false;
    }
    let (a, b): (Vec<u8>, Vec<u8>) = (a.bytes().collect(), b.bytes().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut left = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (left + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            left = above;
        }
    }
    row[b.len()] <= 2
}

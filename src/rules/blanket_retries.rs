//! Every test that fails is run again: what a collision does is not seen.

use super::caps;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::Suite;
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (command, _) in caps::in_jobs(suite) {
        let Some((many, place)) = command.retries else { continue };
        if !seen.insert(place) {
            continue;
        }
        let mut labels = vec![caps::at(place, "for every test", Role::Primary)];
        labels.extend(caps::chain(command, &labels));
        let times = if many == 1 { "once".to_owned() } else { format!("up to {many} times") };
        let message =
            format!("`{}` runs every failed test again, {times}: tests that disturb each other pass in the end", command.program);
        let help = "retry the few tests that need it, by name, and mend the others".to_owned();
        let mut finding = caps::finding("blanket-retries", labels, message, help, command.program.clone());
        finding.severity = Severity::Note;
        finding.confidence = Confidence::Medium;
        found.push(finding);
    }
}

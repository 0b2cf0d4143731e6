//! A cap that is set, and dropped on the way to the runner that would read it.

use super::caps;
use crate::facts::trace::{Bound, Command, Lost};
use crate::finding::{Finding, Remedy, Role, Severity};
use crate::link::Suite;
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (command, _) in caps::in_jobs(suite) {
        for lost in &command.lost {
            let set = lost.variable.value.as_deref().and_then(|value| value.trim().parse::<u32>().ok());
            // Where the number is the same without it, nothing is lost.
            if set.is_some_and(|number| command.count.bound() != Bound::At(number))
                && seen.insert((lost.variable.place, lost.place))
            {
                found.push(finding(command, lost));
            }
        }
    }
}

fn finding(command: &Command, lost: &Lost) -> Finding {
    let name = &lost.variable.name;
    let how = match lost.by {
        "tox" => "tox lets only the variables of `pass_env` through",
        "sudo" => "sudo starts with a fresh environment",
        "docker compose" => "the service gets only what its `environment` names",
        "cibuildwheel" => "on Linux the container gets only what `environment-pass` names",
        "env -i" => "`env -i` starts with an empty environment",
        "ssh" => "another host has an environment of its own",
        _ => "the container gets only what `-e` names",
    };
    let mut labels = vec![
        caps::at(lost.variable.place, format!("`{name}` is set here"), Role::Primary),
        caps::at(lost.place, format!("and dropped here: {how}"), Role::OtherEnd),
    ];
    labels.push(caps::at(command.place, "this would read it", Role::Evidence));
    labels.extend(caps::chain(command, &labels));
    let help = caps::letting_through(lost.by, name);
    let message = format!("`{name}` is set and does not reach `{}`: {} drops it", command.program, lost.by);
    let mut finding = caps::finding("cap-lost-in-transit", labels, message, help, format!("{name} {}", lost.by));
    finding.severity = Severity::Error;
    if lost.by == "tox" {
        finding.remedy = Some(Remedy::LetThrough { section: lost.place, name: name.clone() });
    }
    finding
}

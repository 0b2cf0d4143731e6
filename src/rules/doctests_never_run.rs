//! Examples in documentation that no command of CI runs.

use super::caps;
use crate::facts::run::Runner;
use crate::finding::{Finding, Role};
use crate::link::Suite;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let setup = suite.setup;
    let rust = || {
        caps::in_jobs(suite).filter(|(command, _)| {
            matches!(command.runner, Runner::CargoTest | Runner::Nextest) || command.program.starts_with("cargo")
        })
    };
    if setup.doctests || rust().any(|(command, _)| command.doctests) {
        return;
    }
    let (Some((command, _)), Some((name, example))) = (rust().next(), setup.examples.first()) else { return };
    let mut labels = vec![
        caps::at(command.place, "runs tests, and no examples of documentation", Role::Primary),
        caps::at(*example, format!("the first example of `{name}`"), Role::OtherEnd),
    ];
    labels.extend(caps::chain(command, &labels));
    let message = match setup.examples.len() {
        1 => format!("the examples in the documentation of `{name}` never run in CI"),
        more => format!("the examples in the documentation of `{name}` and {} more crates never run in CI", more - 1),
    };
    let help = "add a step `cargo test --workspace --doc`".to_owned();
    found.push(caps::finding("doctests-never-run", labels, message, help, name.clone()));
}

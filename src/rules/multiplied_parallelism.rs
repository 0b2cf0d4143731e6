//! Parallel runs that each start parallel tests.

use super::caps;
use crate::facts::trace::{Beside, Bound, Command, Count, Machine};
use crate::finding::{Confidence, Finding, Role};
use crate::link::Suite;
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut groups: BTreeMap<_, Vec<(&Command, &Beside)>> = BTreeMap::new();
    for (command, _) in caps::in_jobs(suite) {
        if let Some(beside) = &command.beside {
            groups.entry((command.job, beside.place)).or_default().push((command, beside));
        }
    }
    for commands in groups.values() {
        let inner = commands.iter().filter(|(command, _)| !matches!(command.count.bound(), Bound::At(0 | 1) | Bound::Unknown));
        let (Some((command, beside)), true) = (inner.rev().max_by_key(|(command, _)| command.count.bound()), commands.len() > 1)
        else {
            continue;
        };
        // Two known numbers are a choice.
        let open = |bound: Bound| matches!(bound, Bound::Cpus(_));
        if open(command.count.bound()) || open(beside.count.bound()) {
            found.push(finding(command, beside, commands.len()));
        }
    }
}

fn finding(command: &Command, beside: &Beside, runs: usize) -> Finding {
    let mut labels = vec![caps::at(beside.place, format!("`{}` runs {runs} of them at once", beside.tool), Role::Primary)];
    labels.push(caps::at(command.place, format!("and each starts {} workers", command.count), Role::OtherEnd));
    labels.extend(caps::chain(command, &labels));
    let machine = Machine { name: "", cpus: 16, quota: 16 };
    let outer = beside.count.on(&machine).unwrap_or(2).min(u32::try_from(runs).unwrap_or(u32::MAX));
    let product = Count::Product(vec![Count::Number(outer), command.count.clone()]).on(&machine);
    let message =
        format!("`{}` starts several runs of `{}`, and each starts a worker for each CPU", beside.tool, command.program);
    let help = format!("give `{}` a small number where `{}` runs it, or run one after the other", command.program, beside.tool);
    let mut finding =
        caps::finding("multiplied-parallelism", labels, message, help, format!("{} {}", beside.tool, command.program));
    finding.confidence = Confidence::Medium;
    if let Some(product) = product {
        finding.notes.push(format!("on a machine of 16 CPUs these are {product} workers"));
    }
    finding
}

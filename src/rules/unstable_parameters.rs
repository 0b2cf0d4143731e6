//! Ids of tests that are other ones in every process.

use super::words;
use crate::calls::Discriminator::{self, *};
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::Suite;
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    const WHAT: &[(&[Discriminator], &str)] = &[
        (&[Rand, Seedrng], "a random number"),
        (&[Pid, Tid], "the id of the process"),
        (&[Objid], "a hash or an address"),
        (&[Worker, Slot], "the name of the worker"),
        (&[Ns, Ms, Sec], "the time"),
    ];
    let mut seen = BTreeSet::new();
    for (unit, summary) in suite.units() {
        for one in &summary.unstable {
            let Some((_, what)) = WHAT.iter().find(|(some, _)| some.iter().any(|part| one.mix.has(*part))) else { continue };
            if suite.is_beside(unit.0) || !seen.insert((unit.0, one.value)) {
                continue;
            }
            let (tests, run) = words::collected(suite, unit.0, one.mark);
            let in_workers = run.is_some();
            let mut labels = vec![Label { file: unit.0, span: one.value, text: format!("holds {what}"), role: Role::Primary }];
            labels.extend(run);
            found.push(Finding {
                rule: "unstable-parameters",
                severity: if in_workers { Severity::Error } else { Severity::Warning },
                confidence: Confidence::High,
                message: format!("the ids of these tests hold {what}, so every process has other tests"),
                labels,
                help: "give constants as parameters, and make what is random inside the test".to_owned(),
                notes: vec![
                    "xdist stops with `Different tests were collected`; a failed test cannot be run again by its name".to_owned(),
                ],
                tests,
                reproduce: None,
                key: suite.unit_name(unit),
                remedy: None,
                fix: None,
            });
        }
    }
}

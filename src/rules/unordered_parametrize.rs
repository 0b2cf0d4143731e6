//! Parameters of tests that come in another order in every worker.

use super::{doubtful, words};
use crate::finding::{Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Chance, Elements, Parameters, Suite, UnitRef};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (unit, summary) in suite.units() {
        for one in &summary.parameters {
            if !seen.insert((unit.0, one.value)) || suite.is_beside(unit.0) {
                continue;
            }
            let chance = doubtful::chance(one.of.chance, false);
            let (tests, run) = words::collected(suite, unit.0, one.mark);
            let in_workers = run.is_some();
            let mut labels = vec![Label {
                file: unit.0,
                span: one.value,
                text: "these come in no fixed order".to_owned(),
                role: Role::Primary,
            }];
            if one.of.span != one.value || one.of.file != unit.0 {
                labels.push(Label {
                    file: one.of.file,
                    span: one.of.span,
                    text: format!("the order comes from {chance}"),
                    role: Role::Derivation,
                });
            }
            labels.extend(run);
            // A folder gives all workers of one machine the same order, as long as nobody changes it.
            let severity = if in_workers && one.of.chance == Chance::Hash { Severity::Error } else { Severity::Warning };
            found.push(Finding {
                rule: "unordered-parametrize",
                severity,
                confidence: Confidence::High,
                message: format!("parameters of tests are taken from {chance}, in no fixed order"),
                labels,
                help: if one.display { "write a list: `[...]`" } else { "sort them: `sorted(...)`" }.to_owned(),
                notes: vec![
                    "under xdist, other orders in other workers stop the run, or some tests run twice and others never"
                        .to_owned(),
                ],
                tests,
                reproduce: None,
                key: suite.unit_name(unit),
                remedy: remedy(unit, one),
                fix: None,
            });
        }
    }
}

/// A folder is sorted where it is listed, so that what is made of its names keeps their order; a set where it stands.
fn remedy(unit: UnitRef, one: &Parameters) -> Option<Remedy> {
    let listed = one.of.chance == Chance::Listing;
    let value = if listed { one.of.span } else { one.value };
    if listed && one.of.file != unit.0 || one.of.chance == Chance::Completion {
        return None;
    }
    // What a comprehension makes of the elements may have no order.
    let safe = one.display || listed || one.of.elements == Elements::Texts && one.of.span == one.value;
    Some(Remedy::GiveOrder { file: unit.0, value, display: one.display, safe })
}

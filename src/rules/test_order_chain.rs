//! A test needs what another test left in a variable of their class or module.

use super::words;
use crate::facts::run::{Dist, Runner, Workers};
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::{Chain, Shelf, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    found.extend(suite.chains.iter().map(|chain| finding(suite, chain)));
}

fn finding(suite: &Suite, chain: &Chain) -> Finding {
    let giver = &suite.tests[chain.giver.0];
    let (first, site) = chain.takers[0];
    let taker = &suite.tests[first];
    let (name, shelf) = (
        &chain.name,
        match chain.shelf {
            Shelf::Class => "class",
            Shelf::Module => "module",
        },
    );
    let mut labels: Vec<Label> =
        vec![words::label(suite, site, format!("needs `{name}`, which this test does not set"), Role::Primary)];
    for &(test, site) in chain.takers.iter().skip(1).take(5) {
        let text = format!("so does `{}`", words::short(&suite.tests[test]));
        labels.push(words::label(suite, site, text, Role::OtherEnd));
    }
    labels.push(words::label(suite, chain.giver.1, format!("only `{}` sets it, here", words::short(giver)), Role::OtherEnd));
    // Where a run hands single tests to its workers, the two may be apart.
    let apart = suite
        .parallel_run(taker)
        .filter(|run| matches!(run.runner, Runner::Xdist(Dist::Load | Dist::WorkSteal)) && run.workers != Workers::One);
    if let Some((file, span)) = apart.and_then(|run| run.place) {
        let text = "this run gives the two to different workers".to_owned();
        labels.push(Label { file, span, text, role: Role::Evidence });
    }
    let more = match chain.takers.len() {
        1 => "needs".to_owned(),
        n => format!("and {} more need", n - 1),
    };
    let (one, two) = (words::short(taker), words::short(giver));
    Finding {
        rule: "test-order-chain",
        severity: if apart.is_some() { Severity::Error } else { Severity::Warning },
        confidence: Confidence::High,
        message: format!("`{one}` {more} `{name}`, which `{two}` leaves in their {shelf}"),
        labels,
        help: format!("make `{name}` in a fixture with `scope=\"{shelf}\"` that both ask for, or join the tests into one"),
        notes: vec![format!("`{one}` fails when it is run alone, when `{two}` fails, or in another order")],
        tests: words::names(chain.takers.iter().map(|(test, _)| &suite.tests[*test]).chain([giver])),
        reproduce: Some(words::alone(suite, taker)),
        key: format!("{} {name}", suite.path(taker.unit.0)),
        remedy: None,
        fix: None,
    }
}

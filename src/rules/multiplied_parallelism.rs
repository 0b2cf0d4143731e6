//! Parallel runs that each start parallel tests, and parallel tests that each start a pool of all CPUs.

use super::{caps, words};
use crate::facts::run::Run;
use crate::facts::trace::{Beside, Bound, Command, Count, Machine};
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Phase, Suite, Test, TestPool};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    runs(suite, found);
    pools(suite, found);
}

fn runs(suite: &Suite, found: &mut Vec<Finding>) {
    let mut groups: BTreeMap<_, Vec<(&Command, &Beside)>> = BTreeMap::new();
    for (command, _) in caps::in_jobs(suite) {
        if let Some(beside) = &command.beside {
            groups.entry((command.job, beside.place)).or_default().push((command, beside));
        }
    }
    for commands in groups.values() {
        let runs = commands.iter().map(|(_, beside)| beside.runs).fold(commands.len(), usize::max);
        let inner = commands.iter().filter(|(command, _)| !matches!(command.count.bound(), Bound::At(0 | 1) | Bound::Unknown));
        let (Some((command, beside)), true) = (inner.rev().max_by_key(|(command, _)| command.count.bound()), runs > 1) else {
            continue;
        };
        // Two known numbers are a choice.
        let open = |bound: Bound| matches!(bound, Bound::Cpus(_));
        if open(command.count.bound()) || open(beside.count.bound()) {
            found.push(finding(command, beside, runs));
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

/// A pool that a test starts while its run carries out others.
struct Started<'s> {
    test: &'s Test,
    pool: &'s TestPool,
    run: &'s Run,
}

fn pools(suite: &Suite, found: &mut Vec<Finding>) {
    // The pools of one file are one matter.
    let mut files: BTreeMap<_, Vec<Started>> = BTreeMap::new();
    for test in suite.tests.iter().filter(|test| !test.skipped && !test.alone) {
        let Some(run) = suite.parallel_run(test) else { continue };
        for pool in test.pools.iter().filter(|one| !is_capped(suite, run, &one.pool.call)) {
            files.entry(pool.pool.site.file).or_default().push(Started { test, pool, run });
        }
    }
    for mut started in files.into_values() {
        started.sort_by_key(|one| (one.pool.phase != Phase::WideSetup, one.pool.pool.site));
        found.extend(pool_finding(suite, &started));
    }
}

/// A variable that those who count CPUs read is set where the tests run.
fn is_capped(suite: &Suite, run: &Run, call: &str) -> bool {
    let read: &[&str] = match call.split(['.', ':']).next() {
        Some("rayon") => &["RAYON_NUM_THREADS"],
        Some("joblib" | "sklearn") => &["LOKY_MAX_CPU_COUNT", "PYTHON_CPU_COUNT"],
        _ => &["PYTHON_CPU_COUNT"],
    };
    let is_it =
        |command: &&Command| Some(command.place) == run.place || command.chain.iter().any(|link| Some(link.place) == run.place);
    suite
        .setup
        .commands
        .iter()
        .filter(is_it)
        .any(|command| command.env.iter().any(|variable| read.contains(&variable.name.as_str())))
}

fn pool_finding(suite: &Suite, started: &[Started]) -> Option<Finding> {
    let first = started.first()?;
    let (site, run) = (first.pool.pool.site, first.run);
    let mut labels = vec![words::label(suite, site, "starts a worker for each CPU", Role::Primary)];
    let others: BTreeSet<_> = started.iter().map(|one| one.pool.pool.site).filter(|other| *other != site).collect();
    labels.extend(others.into_iter().take(6).map(|other| words::label(suite, other, "and so does this", Role::OtherEnd)));
    labels.extend(run.place.map(|place| caps::at(place, "this run has several workers", Role::Evidence)));
    let name = suite.unit_name(suite.owner(suite.unit_at(site)));
    let tests = words::names(started.iter().map(|one| one.test));
    let wide = first.pool.phase == Phase::WideSetup;
    let message = format!("`{name}` starts a worker for each CPU, and `{}` runs several tests at once", run.text);
    let call = &first.pool.pool.call;
    let help = match suite.is_test_code(suite.unit_at(site)) {
        true => format!("give `{call}` a small number, such as 2"),
        false => format!("let the caller say how many `{call}` starts, and say 2 in the tests"),
    };
    let mut finding = caps::finding("multiplied-parallelism", labels, message, help, name);
    (finding.severity, finding.confidence) = match wide || tests.len() > 2 {
        true => (Severity::Warning, Confidence::Medium),
        false => (Severity::Note, Confidence::Low),
    };
    if wide {
        finding.notes.push("it runs once in each worker: each of them has such a pool".to_owned());
    }
    finding.tests = tests;
    Some(finding)
}

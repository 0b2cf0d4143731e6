//! Parallel test jobs that may hang until the service gives up.

use super::caps;
use crate::facts::Language;
use crate::facts::run::{Runner, below};
use crate::facts::trace::{Bound, Command, Host, Job, Place, Service};
use crate::finding::{Confidence, Finding, Remedy, Role, Severity};
use crate::link::Suite;
use crate::text::FileId;
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut files: BTreeMap<FileId, Vec<(&Job, &Command)>> = BTreeMap::new();
    for (n, job) in suite.setup.jobs.iter().enumerate() {
        // GitLab, CircleCI and Azure end a job after an hour or less.
        if job.timeout.is_some() || !matches!(job.service, Service::GitHub | Service::Forge) {
            continue;
        }
        let commands = || suite.setup.commands.iter().filter(|command| command.job == Some(n) && !is_empty(suite, command));
        let parallel = commands().find(|command| !matches!(command.count.bound(), Bound::At(0 | 1) | Bound::Unknown));
        if let Some(command) = parallel
            && commands().all(|command| command.timeout.is_none())
        {
            files.entry(job.file).or_default().push((job, command));
        }
    }
    // Another job of the project has a limit: the lesson was learnt there.
    let limit = suite.setup.jobs.iter().find_map(|job| Some((job, job.timeout.as_ref()?)));
    for jobs in files.values() {
        found.push(finding(jobs, limit));
    }
}

/// Whether it runs the tests of crates that have none.
fn is_empty(suite: &Suite, command: &Command) -> bool {
    let inside = |path: &str| command.scopes.iter().any(|scope| below(path, scope).is_some());
    command.runner.is_rust()
        && suite.setup.crates.iter().any(|package| inside(&package.dir))
        && !suite.tests.iter().any(|test| suite.language(test.unit.0) == Language::Rust && inside(suite.path(test.unit.0)))
}

fn finding(jobs: &[(&Job, &Command)], limit: Option<(&Job, &(String, Place))>) -> Finding {
    let (first, command) = jobs[0];
    let mut labels = vec![caps::at((first.file, first.head), "runs tests in parallel, and has no time limit", Role::Primary)];
    labels.extend(jobs[1..].iter().map(|(job, _)| caps::at((job.file, job.head), "so does this one", Role::OtherEnd)));
    labels.push(caps::at(command.place, "the tests", Role::Evidence));
    let mut slow: Vec<Place> = jobs.iter().filter_map(|(_, command)| command.slow_only).collect();
    slow.sort();
    slow.dedup();
    labels.extend(slow.iter().map(|place| caps::at(*place, "tells of slow tests, and does not end them", Role::Evidence)));
    if let Some((job, (text, place))) = limit {
        labels.push(caps::at(*place, format!("job `{}` has a limit: {text}", job.name), Role::Evidence));
    }
    let hours = if first.service == Service::Forge { "three" } else { "six" };
    let names: Vec<String> = jobs.iter().map(|(job, _)| format!("`{}`", job.name)).collect();
    let message = match names.as_slice() {
        [one] => format!("{one} runs tests in parallel without a time limit: a test that hangs costs {hours} hours"),
        [one, ..] => format!(
            "{one} and {} more run tests in parallel without a time limit: a test that hangs costs {hours} hours",
            names.len() - 1
        ),
        [] => String::new(),
    };
    let minutes = limit.and_then(|(_, (text, _))| text.parse::<u32>().ok()).unwrap_or(30);
    let mut help = format!("give the job `timeout-minutes: {minutes}`");
    if !slow.is_empty() {
        help.push_str(", or nextest's `slow-timeout` a `terminate-after`");
    }
    let mut finding = caps::finding("missing-timeout", labels, message, help, names.join(" "));
    finding.remedy = Some(Remedy::LimitJobs { jobs: jobs.iter().map(|(job, _)| (job.file, job.head)).collect(), minutes });
    let uncapped =
        jobs.iter().any(|(job, command)| matches!(job.host, Host::Own(_)) && matches!(command.count.bound(), Bound::Cpus(_)));
    finding.severity =
        if uncapped || limit.is_some_and(|(job, _)| job.file == first.file) { Severity::Warning } else { Severity::Note };
    // Threads of `cargo test` alone hang less often than processes do.
    let threads = jobs.iter().all(|(_, command)| command.runner == Runner::CargoTest);
    finding.confidence = if limit.is_some() || !slow.is_empty() {
        Confidence::High
    } else if threads {
        Confidence::Low
    } else {
        Confidence::Medium
    };
    finding
}

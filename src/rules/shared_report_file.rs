//! Runs that go on at once and write one report.

use super::caps;
use crate::facts::trace::{Artifact, Command, Job, Place};
use crate::finding::{Finding, Role};
use crate::link::Suite;
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for job in suite.setup.jobs.iter().filter(|job| job.many) {
        for one in job.artifacts.iter().filter(|one| !one.name.contains("${{")) {
            found.push(artifact(job, &one.name, one.place));
        }
    }
    artifacts_of_jobs(suite, found);
    let mut reports: BTreeMap<_, Vec<(&Command, Place)>> = BTreeMap::new();
    for (command, _) in caps::in_jobs(suite) {
        if let Some(beside) = &command.beside {
            for (path, place) in &command.reports {
                reports.entry((command.job, beside.place, path.as_str())).or_default().push((command, *place));
            }
        }
    }
    for ((_, _, path), commands) in &reports {
        match commands.as_slice() {
            [(first, place), (_, other), ..] => found.push(report(first, path, *place, *other)),
            // One command of several runs.
            [(only, place)] if only.beside.as_ref().is_some_and(|beside| beside.runs > 1) => {
                found.push(report(only, path, *place, *place));
            }
            _ => {}
        }
    }
}

/// Jobs of one workflow whose artifacts have one name: the service refuses all but the first (actions/upload-artifact, "Breaking
/// Changes" of its fourth version).
fn artifacts_of_jobs(suite: &Suite, found: &mut Vec<Finding>) {
    let mut groups: BTreeMap<_, Vec<(&Job, &Artifact)>> = BTreeMap::new();
    // A condition may leave one of them out.
    for job in suite.setup.jobs.iter().filter(|job| !job.narrow && !job.many) {
        for one in job.artifacts.iter().filter(|one| !one.joins && !one.name.contains("${{")) {
            groups.entry((job.file, one.name.as_str())).or_default().push((job, one));
        }
    }
    for ((_, name), all) in &groups {
        let (first, one) = all[0];
        let Some((other, two)) = all.iter().find(|(job, _)| job.head != first.head) else { continue };
        let labels = vec![
            caps::at(one.place, "this name", Role::Primary),
            caps::at(two.place, format!("and the same in job `{}`", other.name), Role::OtherEnd),
        ];
        let message = format!("`{}` and `{}` upload their files as `{name}`: the second is refused", first.name, other.name);
        let help = format!("put the job into the name, as in `{name}-{}`", first.name);
        found.push(caps::finding("shared-report-file", labels, message, help, format!("{} {name}", first.name)));
    }
}

fn artifact(job: &Job, name: &str, place: Place) -> Finding {
    let labels = vec![
        caps::at(place, "the same name in every instance", Role::Primary),
        caps::at((job.file, job.head), "a matrix makes several of this job", Role::Evidence),
    ];
    let message = format!("every instance of `{}` uploads its files as `{name}`: all but one are refused or lost", job.name);
    let help = format!("put what sets the instances apart into the name, as in `{name}-${{{{ matrix.os }}}}`");
    caps::finding("shared-report-file", labels, message, help, format!("{} {name}", job.name))
}

fn report(command: &Command, path: &str, place: Place, other: Place) -> Finding {
    let beside = command.beside.as_ref();
    let tool = beside.map_or("", |beside| beside.tool.as_str());
    let mut labels = vec![caps::at(place, "written by each run", Role::Primary)];
    if other != place {
        labels.push(caps::at(other, "and by this one", Role::OtherEnd));
    }
    labels.extend(beside.map(|beside| caps::at(beside.place, "starts them at once", Role::Evidence)));
    labels.extend(caps::chain(command, &labels));
    let message = format!("several runs under `{tool}` write `{path}` at once: the last one wins");
    let help = match tool {
        "tox -p" => "put `{env_name}` into the name of the file".to_owned(),
        _ => "give each run a file of its own".to_owned(),
    };
    caps::finding("shared-report-file", labels, message, help, path.to_owned())
}

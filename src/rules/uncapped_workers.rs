//! A job of CI that starts a worker for each CPU, on a machine whose size is not known.

use super::caps::{self, Sibling};
use crate::facts::run::Runner;
use crate::facts::trace::{Bound, Command, Cpu, Host, Job, Part, Service};
use crate::finding::{Confidence, Finding, Remedy, Role, Severity};
use crate::link::Suite;
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (command, job) in caps::in_jobs(suite) {
        let Bound::Cpus(cpu) = command.count.bound() else { continue };
        let known = caps::sibling(suite.setup, command);
        if let Some(confidence) = confidence(job, command, cpu, known.as_ref())
            && seen.insert((job.file, job.head, command.program.clone()))
        {
            found.push(finding(job, command, cpu, known, confidence));
        }
    }
}

/// How sure it is that the number of CPUs is not what the job wants; none where it is.
fn confidence(job: &Job, command: &Command, cpu: Cpu, known: Option<&Sibling>) -> Option<Confidence> {
    // What sees the quota is held by it.
    if matches!(job.host, Host::Known(_)) || cpu == Cpu::Quota && job.quota.is_some() {
        return None;
    }
    let rust = matches!(command.runner, Runner::CargoTest | Runner::Nextest);
    match (&job.host, known) {
        (Host::Own(_), Some(_)) => Some(Confidence::High),
        // On gitlab.com two CPUs, elsewhere what the administrator has.
        (Host::Unstated, Some(_)) if job.service == Service::GitLab => Some(Confidence::Medium),
        (_, Some(_)) => Some(Confidence::Low),
        // Threads of Rust tests are cheap, and see a container's quota: no news on a machine of one's own.
        _ if rust => None,
        (Host::Own("a label whose size is not known"), None) | (Host::Unstated, None) => Some(Confidence::Low),
        (Host::Own(_), None) => Some(Confidence::Medium),
        (Host::Known(_), None) => None,
    }
}

fn finding(job: &Job, command: &Command, cpu: Cpu, known: Option<Sibling>, confidence: Confidence) -> Finding {
    let mut labels =
        vec![caps::at((job.file, job.head), format!("nothing in job `{}` caps its workers", job.name), Role::Primary)];
    labels.extend(caps::chain(command, &labels));
    if let Some(known) = &known {
        labels.push(caps::at(known.place, format!("job `{}` has a cap of {}", known.job, known.number), Role::Evidence));
    }
    let knobs = command.count.knobs();
    let number = known.as_ref().map_or(4, |known| known.number);
    // CI is set by every service, and is no number.
    let open = knobs.iter().copied().find(|name| *name != "CI");
    let variable = known.as_ref().and_then(|known| known.variable.as_deref()).or(open);
    // What the job sets does not come to the runner.
    let stop = command.stops.iter().find(|stop| Some(stop.name.as_str()) == variable);
    labels.extend(stop.map(|stop| caps::at(stop.place, format!("`{}` would not come through here", stop.name), Role::Evidence)));
    let place = match job.service {
        Service::GitLab | Service::Azure => "variables",
        Service::Circle => "environment",
        _ => "env",
    };
    let help = match (variable, &known) {
        (Some(variable), _) if let Some(stop) = stop => {
            let through = caps::letting_through(stop.by, variable);
            format!(
                "give `{}` a number where it is called, or set `{variable}: \"{number}\"` in the `{place}` of job `{}` and {through}",
                command.program, job.name
            )
        }
        (Some(variable), Some(known)) => {
            format!("set `{variable}: \"{number}\"` in the `{place}` of job `{}`, the number of job `{}`", job.name, known.job)
        }
        (Some(variable), None) => format!("set `{variable}: \"{number}\"` in the `{place}` of job `{}`", job.name),
        (None, Some(known)) => format!("give `{}` the number of job `{}`: {number}", command.program, known.job),
        (None, None) => format!("give `{}` a number that the machine can bear", command.program),
    };
    let contained = job.container.is_some() && cpu != Cpu::Quota;
    let own = matches!(job.host, Host::Own(_));
    let aggravated = [contained, own, job.timeout.is_none() && command.timeout.is_none(), known.is_some()];
    let message = format!("`{}` starts a `{}` worker for each CPU of its machine", job.name, command.program);
    let mut finding = caps::finding("uncapped-workers", labels, message, help, format!("{} {}", job.name, command.program));
    if aggravated.iter().filter(|one| **one).count() >= 2 {
        finding.severity = Severity::Error;
    }
    finding.confidence = confidence;
    let option = command.chain.iter().rev().find(|link| link.what == Part::Option).map(|link| link.place);
    finding.remedy = match variable.filter(|_| stop.is_none()) {
        Some(name) => Some(Remedy::SetVariable {
            job: (job.file, job.head),
            word: place,
            name: name.to_owned(),
            value: format!("\"{number}\""),
        }),
        None => option.map(|option| Remedy::GiveNumber { option, number }),
    };
    if let Host::Own(why) = job.host {
        finding.notes.push(format!("it runs on {why}: on a host of 32 CPUs these are {} workers", on_32(command)));
    }
    if contained {
        let asks =
            command.chain.iter().rev().find(|link| link.what == Part::Expression).map(|link| format!(" (`{}`)", link.text));
        finding.notes.push(format!("a container's CPU quota is not seen by what counts here{}", asks.unwrap_or_default()));
    }
    finding
}

fn on_32(command: &Command) -> u32 {
    let machine = crate::facts::trace::Machine { name: "", cpus: 32, quota: 32 };
    command.count.on(&machine).unwrap_or(32)
}

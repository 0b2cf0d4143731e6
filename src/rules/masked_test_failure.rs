//! Tests whose failure a pipe hides.

use super::caps;
use crate::facts::trace::{Command, Service};
use crate::finding::{Confidence, Finding, Remedy, Role, Severity};
use crate::link::Suite;
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for command in &suite.setup.commands {
        if let Some((place, reader)) = &command.masked
            && seen.insert(*place)
        {
            found.push(finding(suite, command, *place, reader));
        }
    }
}

/// Programs that copy what they read, and succeed whatever it says.
const COPY: [&str; 14] =
    ["tee", "cat", "tail", "head", "sed", "awk", "gawk", "less", "more", "ts", "tr", "cut", "column", "sponge"];

fn finding(suite: &Suite, command: &Command, place: (crate::text::FileId, crate::text::Span), reader: &str) -> Finding {
    let mut labels = vec![caps::at(place, format!("the status of the whole is that of `{reader}`"), Role::Primary)];
    labels.push(caps::at(command.place, "that these tests fail is not seen", Role::Evidence));
    labels.extend(caps::chain(command, &labels));
    let job = command.job.and_then(|job| suite.setup.jobs.get(job));
    let help = match job.map(|job| job.service) {
        Some(Service::GitHub | Service::Forge) => {
            "give the step `shell: bash`, which sets `pipefail`, or begin the script with `set -o pipefail`"
        }
        _ => "begin the script with `set -o pipefail`",
    };
    let message = match job {
        Some(job) => {
            format!("`{}` stays green when its tests fail: `{reader}` is last in the pipe, and `pipefail` is not set", job.name)
        }
        None => format!("a failure of `{}` is lost: `{reader}` is last in the pipe, and `pipefail` is not set", command.program),
    };
    let key = format!("{} {reader}", job.map_or("", |job| &job.name));
    let mut finding = caps::finding("masked-test-failure", labels, message, help.to_owned(), key);
    finding.severity = Severity::Error;
    finding.remedy = Some(Remedy::FailWithPipes { pipe: place });
    finding.confidence = match (COPY.contains(&reader), job) {
        (true, Some(_)) => Confidence::High,
        (true, None) => Confidence::Medium,
        // A program that reads results may well fail with them.
        (false, _) => Confidence::Low,
    };
    finding
}

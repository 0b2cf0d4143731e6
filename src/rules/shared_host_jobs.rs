//! Jobs that share what only one of them should have: a cache that machines of several kinds restore, a name on their host, a
//! temporary folder that each of them removes.

use super::caps;
use crate::facts::trace::{Cache, Claim, Claimed, Command, Crossing, Job, Place};
use crate::finding::{Confidence, Finding, Role};
use crate::link::Suite;
use std::collections::BTreeMap;

/// What is built for one machine, by its folder's name.
const BUILT: [&str; 9] = [".tox", ".nox", "venv", "target", "node_modules", "site-packages", "conda", "build", ".cargo/bin"];
/// What is built for one interpreter.
const OF_PYTHON: [&str; 3] = ["venv", "virtualenvs", "site-packages"];

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for job in &suite.setup.jobs {
        found.extend(job.caches.iter().filter_map(|cache| crossed(job, cache)));
    }
    names(suite, found);
    temps(suite, found);
}

fn crossed(job: &Job, cache: &Cache) -> Option<Finding> {
    let crossing = cache.crosses.as_ref()?;
    let folders: &[&str] = if matches!(crossing, Crossing::Pythons(_)) { &OF_PYTHON } else { &BUILT };
    let built = folders.iter().find(|built| cache.path.contains(**built))?;
    let (what, help, kinds) = match crossing {
        Crossing::Architectures(one, other) => {
            (format!("runs on `{one}` and on `{other}`"), "${{ runner.arch }}".to_owned(), "architectures")
        }
        Crossing::Systems(one, other) => {
            (format!("runs on `{one}` and on `{other}`"), "${{ runner.os }}".to_owned(), "operating systems")
        }
        Crossing::Pythons(axis) => {
            (format!("runs with each interpreter of `{axis}`"), format!("${{{{ matrix.{axis} }}}}"), "interpreters")
        }
    };
    let labels = vec![
        caps::at(cache.place, format!("one key for several {kinds}"), Role::Primary),
        caps::at((job.file, job.head), what, Role::Evidence),
    ];
    let message =
        format!("`{}` keeps `{built}` under a key that does not tell {kinds} apart: one restores what the other built", job.name);
    let help = format!("put `{help}` into `key` and `restore-keys`");
    Some(caps::finding("shared-host-jobs", labels, message, help, format!("{} {}", job.name, cache.key)))
}

/// Names on a host, where several jobs, or instances of one, may be on it at once.
fn names(suite: &Suite, found: &mut Vec<Finding>) {
    let setup = suite.setup;
    let jobs = &setup.jobs;
    let temps = setup.commands.iter().filter_map(|command| {
        let (name, place) = command.basetemp.clone().filter(|(name, _)| name.starts_with(['/', '~']))?;
        Some(Claim { job: command.job?, what: Claimed::Temp, name, place })
    });
    let ports = jobs.iter().enumerate().flat_map(|(job, one)| {
        let claim = move |(name, place): &(String, Place)| Claim { job, what: Claimed::Port, name: name.clone(), place: *place };
        one.ports.iter().map(claim)
    });
    let mut groups: BTreeMap<_, Vec<Claim>> = BTreeMap::new();
    for claim in setup.claims.iter().cloned().chain(temps).chain(ports) {
        if let Some(job) = jobs.get(claim.job).filter(|job| job.shares_host && !job.queued) {
            let host = job.labels.as_ref().map(|(labels, _)| labels.clone());
            groups.entry((host, claim.what, claim.name.clone())).or_default().push(claim);
        }
    }
    for claims in groups.values() {
        let other = claims.iter().find(|claim| claim.job != claims[0].job);
        if other.is_some() || jobs[claims[0].job].many {
            found.push(named(&claims[0], other, jobs));
        }
    }
}

fn named(claim: &Claim, other: Option<&Claim>, jobs: &[Job]) -> Finding {
    let (job, name) = (&jobs[claim.job], &claim.name);
    let mut labels = vec![caps::at(claim.place, "one name for the whole host", Role::Primary)];
    match other {
        Some(other) => labels.push(caps::at(other.place, format!("`{}` takes it too", jobs[other.job].name), Role::OtherEnd)),
        None => labels.push(caps::at((job.file, job.head), "a matrix makes several of this job", Role::Evidence)),
    }
    labels.extend(job.labels.iter().map(|(_, place)| caps::at(*place, "they run on a host of one's own", Role::Evidence)));
    let who = match other {
        Some(other) => format!("`{}` and `{}`", job.name, jobs[other.job].name),
        None => format!("the instances of `{}`", job.name),
    };
    let message = match claim.what {
        Claimed::Container => format!("{who} start a container with the name `{name}`: on one host only the first gets it"),
        Claimed::Port => format!("{who} publish the port `{name}`: on one host only the first gets it"),
        Claimed::Folder => format!("{who} remove `{name}`: on one host one takes it away from the other"),
        Claimed::Temp => {
            format!(
                "{who} give pytest `{name}` for its temporary files, and it removes that first: on one host one deletes the other's"
            )
        }
    };
    let help = match claim.what {
        Claimed::Container => "leave `--name` out, or put `${{ github.run_id }}` and the job into it",
        Claimed::Port => "let the system choose: name only the container's port, and ask for the other",
        Claimed::Folder => "use a folder below `$RUNNER_TEMP`, which each runner has for itself",
        Claimed::Temp => "drop `--basetemp`, or put it below `${{ runner.temp }}`",
    };
    let mut finding = caps::finding("shared-host-jobs", labels, message, help.to_owned(), format!("{} {name}", job.name));
    finding.confidence = Confidence::Medium;
    finding
}

/// Runs that one tool starts at once, each of which removes the same folder first.
fn temps(suite: &Suite, found: &mut Vec<Finding>) {
    let mut groups: BTreeMap<_, Vec<(&Command, Place)>> = BTreeMap::new();
    for (command, _) in caps::in_jobs(suite) {
        if let (Some(beside), Some((name, place))) = (&command.beside, &command.basetemp) {
            groups.entry((command.job, beside.place, name.as_str())).or_default().push((command, *place));
        }
    }
    for ((_, _, name), commands) in &groups {
        let (first, place) = commands[0];
        let Some(beside) = first.beside.as_ref().filter(|beside| commands.len().max(beside.runs) > 1) else { continue };
        let mut labels = vec![caps::at(place, "each run removes it first", Role::Primary)];
        let other = commands.iter().map(|(_, place)| *place).find(|other| *other != place);
        labels.extend(other.map(|other| caps::at(other, "and so does this one", Role::OtherEnd)));
        labels.push(caps::at(beside.place, format!("`{}` runs several at once", beside.tool), Role::Evidence));
        labels.extend(caps::chain(first, &labels));
        let message =
            format!("several runs under `{}` give pytest `{name}` for its temporary files: one deletes the other's", beside.tool);
        let help = match beside.tool.as_str() {
            "tox -p" => "use `--basetemp={env_tmp_dir}`, or drop the option",
            _ => "drop `--basetemp`, or give each run a folder of its own",
        };
        found.push(caps::finding("shared-host-jobs", labels, message, help.to_owned(), (*name).to_owned()));
    }
}

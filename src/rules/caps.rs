//! What the rules on parallelism share: labels of a chain, and which job knows better.

use crate::facts::run::Setup;
use crate::facts::trace::{Bound, Command, Job, Link, Part, Place};
use crate::finding::{Finding, Label, Role};
use crate::link::Suite;
use std::collections::BTreeSet;

pub fn at(place: Place, text: impl Into<String>, role: Role) -> Label {
    Label { file: place.0, span: place.1, text: text.into(), role }
}

/// The commands that a job was seen to run, with their jobs.
pub fn in_jobs<'s>(suite: &'s Suite) -> impl Iterator<Item = (&'s Command, &'s Job)> {
    let setup = suite.setup;
    setup.commands.iter().filter_map(|command| Some((command, setup.jobs.get(command.job?)?)))
}

/// A link of the chain in words.
pub fn words(link: &Link) -> String {
    match link.what {
        Part::Job => format!("job `{}`", link.text),
        Part::Step => "this step".to_owned(),
        Part::Command => "runs this".to_owned(),
        Part::Recipe => link.text.clone(),
        Part::Script => "this script".to_owned(),
        Part::Option => "this option says how many".to_owned(),
        Part::Variable => format!("`{}`", link.text),
        Part::Function => format!("asks `{}`", link.text),
        Part::Expression => "counts CPUs here".to_owned(),
    }
}

/// The chain as labels; places that are cited already are left out.
pub fn chain(command: &Command, cited: &[Label]) -> Vec<Label> {
    let mut seen: BTreeSet<Place> = cited.iter().map(|label| (label.file, label.span)).collect();
    command
        .chain
        .iter()
        .filter(|link| seen.insert(link.place))
        .map(|link| at(link.place, words(link), Role::Derivation))
        .collect()
}

/// A job that caps what another does not: its name, the number, the variable that says so, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sibling {
    pub job: String,
    pub number: u32,
    pub variable: Option<String>,
    pub place: Place,
}

/// Somebody has learnt the lesson in one place: another job sets a variable that this command would read, or gives the same
/// runner a number.
pub fn sibling(setup: &Setup, command: &Command) -> Option<Sibling> {
    let knobs = command.count.knobs();
    let small = |text: &str| text.trim().parse::<u32>().ok().filter(|n| (1..=64).contains(n));
    let others = || setup.jobs.iter().enumerate().filter(|(n, _)| Some(*n) != command.job);
    let by_variable = others().find_map(|(_, job)| {
        let variable = job.env.iter().find(|variable| knobs.contains(&variable.name.as_str()))?;
        let number = small(variable.value.as_deref()?)?;
        Some(Sibling { job: job.name.clone(), number, variable: Some(variable.name.clone()), place: variable.place })
    });
    by_variable.or_else(|| {
        let commands = setup
            .commands
            .iter()
            .filter(|other| other.job.is_some() && other.job != command.job && other.program == command.program);
        commands
            .filter_map(|other| {
                let job = setup.jobs.get(other.job?)?;
                let Bound::At(number @ 2..=64) = other.count.bound() else { return None };
                let link = other.chain.iter().rev().find(|link| matches!(link.what, Part::Variable | Part::Option))?;
                let variable = (link.what == Part::Variable)
                    .then(|| link.text.split_once('=').map(|(name, _)| name.to_owned()))
                    .flatten()
                    .filter(|name| knobs.contains(&name.as_str()));
                Some(Sibling { job: job.name.clone(), number, variable, place: link.place })
            })
            .min_by_key(|sibling| (sibling.variable.is_none(), sibling.number))
    })
}

/// What lets a variable through.
pub fn letting_through(by: &str, name: &str) -> String {
    match by {
        "tox" => format!("add `{name}` to `pass_env`"),
        "sudo" => format!("use `sudo --preserve-env={name}`"),
        "docker compose" => format!("add `{name}` to the `environment` of the service"),
        "cibuildwheel" => format!("add `{name}` to `environment-pass` of `[tool.cibuildwheel.linux]`"),
        "env -i" | "ssh" => format!("set `{name}` behind `{by}`"),
        by => format!("give `{by}` the option `-e {name}`"),
    }
}

/// A finding with no tests of its own.
pub fn finding(rule: &'static str, labels: Vec<Label>, message: String, help: String, key: String) -> Finding {
    Finding {
        rule,
        severity: crate::finding::Severity::Warning,
        confidence: crate::finding::Confidence::High,
        message,
        labels,
        help,
        notes: Vec::new(),
        tests: Vec::new(),
        reproduce: None,
        key,
        remedy: None,
        fix: None,
    }
}

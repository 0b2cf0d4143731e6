//! `plan --workers`: how many workers each test job starts, and how that number comes about.

use isolint::facts::run::{Runner, Setup};
use isolint::facts::trace::{Command, Count, Host, Job, Link, Machine, Part, Place};
use isolint::render::sanitized::sanitized;
use isolint::text::Source;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The machines that a count is worked out for.
const MACHINES: [Machine; 4] = [
    Machine { name: "hosted, 4 CPUs", cpus: 4, quota: 4 },
    Machine { name: "quota of 2 on 64", cpus: 64, quota: 2 },
    Machine { name: "own, 32 CPUs", cpus: 32, quota: 32 },
    Machine { name: "laptop, 8 CPUs", cpus: 8, quota: 8 },
];

/// The table, for people.
pub fn table(sources: &[Source], setup: &Setup) -> String {
    let mut page = String::new();
    let mut jobs = 0;
    let mut unknown = 0;
    let mut all = 0;
    for (n, job) in setup.jobs.iter().enumerate() {
        let mut seen = BTreeSet::new();
        let commands: Vec<&Command> = setup
            .commands
            .iter()
            .filter(|command| command.job == Some(n) && seen.insert((command.place, command.count.clone())))
            .collect();
        if commands.is_empty() {
            continue;
        }
        jobs += 1;
        let _ = writeln!(page, "{}  job `{}`: {}", at(sources, (job.file, job.head)), shown(&job.name), machine(job));
        for command in commands {
            all += 1;
            let numbers = MACHINES.map(|machine| workers(command, &machine));
            unknown += usize::from(numbers.iter().any(Option::is_none));
            let _ = writeln!(page, "  {} → {}", shown(&command.program), shown(&count(command)));
            let cells = MACHINES
                .iter()
                .zip(numbers)
                .map(|(machine, number)| format!("{}: {}", machine.name, number.unwrap_or_else(|| "unknown".to_owned())));
            let _ = writeln!(page, "    {}", cells.collect::<Vec<_>>().join(" · "));
            for link in &command.chain {
                let _ = writeln!(page, "    {} {}", at(sources, link.place), words(link));
            }
            if let Some(beside) = &command.beside {
                let _ = writeln!(page, "    {} with others at once: `{}`", at(sources, beside.place), beside.tool);
            }
            for lost in &command.lost {
                let _ =
                    writeln!(page, "    {} `{}` is lost here: {}", at(sources, lost.place), shown(&lost.variable.name), lost.by);
            }
        }
        page.push('\n');
    }
    let _ = writeln!(page, "{jobs} test jobs, {all} test commands, {unknown} with an unknown number of workers");
    page
}

/// Workers that run tests: none started by the runner is one by one.
fn workers(command: &Command, machine: &Machine) -> Option<String> {
    match (command.runner, &command.count) {
        (Runner::Sequential, count) if *count != Count::Unknown => Some("1".to_owned()),
        (_, Count::Any(all)) => {
            let mut numbers = all.iter().map(|count| Some(count.on(machine)?.max(1))).collect::<Option<Vec<u32>>>()?;
            numbers.sort_unstable();
            Some(format!("{} to {}", numbers.first()?, numbers.last()?))
        }
        (_, count) => count.on(machine).map(|number| number.max(1).to_string()),
    }
}

fn count(command: &Command) -> String {
    match command.runner {
        Runner::Sequential if command.count != Count::Unknown => "one by one".to_owned(),
        _ => command.count.to_string(),
    }
}

fn machine(job: &Job) -> String {
    let labels = job.labels.as_ref().map(|(labels, _)| shown(labels)).unwrap_or_default();
    let host = match &job.host {
        Host::Known(cpus) => format!("at most {cpus} CPUs"),
        Host::Own(why) => (*why).to_owned(),
        Host::Unstated => "a machine that is not told".to_owned(),
    };
    let inside = job.container.as_ref().map(|(image, _)| format!(", in `{}`", shown(image))).unwrap_or_default();
    if labels.is_empty() { format!("{host}{inside}") } else { format!("{labels}, {host}{inside}") }
}

fn words(link: &Link) -> String {
    let kind = match link.what {
        Part::Job => "job",
        Part::Step => "step",
        Part::Command => "command",
        Part::Recipe | Part::Script => "through",
        Part::Option => "option",
        Part::Variable => "variable",
        Part::Function => "function",
        Part::Expression => "expression",
    };
    format!("{kind}: {}", shown(&link.text))
}

fn at(sources: &[Source], (file, span): Place) -> String {
    sources.get(file.0 as usize).map_or(String::new(), |source| format!("{}:{}", source.path, source.line(span.start)))
}

fn shown(text: &str) -> String {
    sanitized(text, 160).to_string()
}

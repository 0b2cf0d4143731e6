//! `plan`: which test files may run beside any other, or how many workers each test job starts.

mod conflicts;
mod workers;

use super::{Failure, output, warn};
use clap::{Args, ValueEnum};
use isolint::check;
use isolint::discover::{self, Origin};
use std::path::PathBuf;

/// The flags of `isolint plan`.
#[derive(Args, Debug)]
pub struct Plan {
    /// Files and folders to give verdicts on; the current folder where none is named.
    ///
    /// The project around them is always analysed whole.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// For each test job the number of workers, on machines of several sizes, with the chain that leads to it.
    #[arg(long, conflicts_with_all = ["output_format", "preview"])]
    workers: bool,
    /// The form of the plan.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Form::Text)]
    output_format: Form,
    /// Findings of rules in preview hold tests back, too; without it they make a file unknown.
    #[arg(long)]
    preview: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Form {
    /// For people.
    Text,
    /// Our own, versioned.
    Json,
    /// A graph of test files and what they meet at, for Graphviz.
    Dot,
}

impl Plan {
    pub fn run(&self) -> Result<u8, Failure> {
        let project = discover::locate(&self.paths)?;
        let opened = project.open(Origin::Project, &[], 0)?;
        if self.workers {
            let (sources, setup) = check::setup(opened.found.sources, &opened.config);
            output::print(workers::table(&sources, &setup).as_bytes())?;
            return Ok(0);
        }
        let preview = self.preview || opened.config.scope("").preview;
        let (report, plan) = check::conflicts(opened.found.sources, &opened.config, preview);
        for fault in &report.faults {
            warn(&format!("error: internal error: {fault}; please report it (isolint {})", env!("CARGO_PKG_VERSION")));
        }
        let filter = project.filter();
        let asked = |path: &str| filter.iter().any(|wanted| path.strip_prefix(wanted.as_str()).is_some_and(is_end_of_part));
        let plan = if filter.is_empty() { plan } else { plan.only(&asked) };
        let page = match self.output_format {
            Form::Text => conflicts::text(&plan, &report),
            Form::Json => conflicts::json(&plan, &report),
            Form::Dot => conflicts::dot(&plan, &report),
        };
        output::print(page.as_bytes())?;
        Ok(if report.faults.is_empty() { 0 } else { super::FAILED })
    }
}

/// What follows a path's part: nothing, or what is below it.
fn is_end_of_part(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

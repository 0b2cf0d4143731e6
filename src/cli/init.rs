//! `init`: a first configuration.

use super::{Failure, output, warn};
use clap::Args;
use isolint::check::{Report, check};
use isolint::config::init;
use isolint::discover::{self, Opened, Origin};
use isolint::finding::Severity;
use isolint::text::{Kind, Source};
use std::path::PathBuf;

/// The file that is written.
const FILE: &str = "isolint.toml";

/// The flags of `isolint init`.
#[derive(Args, Debug)]
pub struct Init {
    /// A folder of the project; the current one where none is named.
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Add a table `[tool.isolint]` to the project's pyproject.toml, and write no file of its own.
    #[arg(long)]
    pyproject: bool,
}

impl Init {
    /// Writes the file, unless there is a configuration.
    pub fn run(&self) -> Result<u8, Failure> {
        let paths: Vec<PathBuf> = self.path.iter().cloned().collect();
        let project = discover::locate(&paths)?;
        if let Some((name, _)) = project.configuration()? {
            return Err(refused(&project, name, "it configures isolint already; edit it, or take its table out first"));
        }
        let Opened { config, found, .. } = project.open(Origin::Project, &[], 0)?;
        let is_plain = |source: &&Source| &*source.path == "pyproject.toml" && !source.decoded;
        let pyproject = found.sources.iter().find(is_plain).map(|source| source.text.clone());
        let report = check(found.sources, &config);
        let text = init::text(&learnt(&report), self.pyproject);
        let (name, text) = match (self.pyproject, pyproject) {
            (false, _) => (FILE, text),
            (true, Some(pyproject)) => ("pyproject.toml", init::appended(&pyproject, &text)),
            (true, None) => {
                return Err(refused(
                    &project,
                    "pyproject.toml",
                    "there is none in plain UTF-8; leave `--pyproject` out to get an isolint.toml",
                ));
            }
        };
        let path = project.root.join(name);
        output::write_file(&path, text.as_bytes())?;
        warn(&format!("{}: written; every key is in it, commented out", path.display()));
        Ok(0)
    }
}

fn refused(project: &discover::Project, name: &str, why: &str) -> Failure {
    Failure::Init { path: project.root.join(name).display().to_string(), why: why.to_owned() }
}

fn learnt(report: &Report) -> init::Found {
    let has = |is: fn(&Source) -> bool| report.sources.iter().any(is);
    let python = has(|source| matches!(source.kind, Kind::Python | Kind::Notebook)).then_some("Python");
    let rust = has(|source| source.kind == Kind::Rust).then_some("Rust");
    init::Found {
        languages: python.into_iter().chain(rust).collect(),
        tests: report.tests,
        runners: report.runners.clone(),
        // Rust's tests always run as threads; of Python's, somebody has to say it.
        is_run: python.is_none() || report.runners.iter().any(|runner| runner.ends_with(')')),
        findings: report.findings.iter().filter(|finding| finding.severity > Severity::Note).count(),
    }
}

//! The command line: flags in, a report and an exit status out. The only room that knows clap.

mod baseline;
mod check;
mod fix;
mod git;
mod output;
mod pages;
mod plan;
mod show;

use clap::{CommandFactory, Parser, Subcommand};
use isolint::render::sanitized::sanitized;
use isolint::{config, discover};
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit status of a run that found something.
const FOUND: u8 = 1;

/// The exit status of a run that could not do its work.
pub const FAILED: u8 = 2;

/// Finds what makes Python and Rust tests collide, flake or exhaust a machine when they run in parallel.
#[derive(Parser, Debug)]
#[command(name = "isolint", version, max_term_width = 100)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Check a project.
    ///
    /// The project that holds the paths is analysed whole: the nearest folder above them with `.git`, else the topmost with a
    /// manifest. Findings with neither end in one of the paths are left out of the report.
    ///
    /// Exit status: 0 nothing to report (notes alone are nothing), 1 findings, 2 the work could not be done.
    Check(Box<check::Check>),
    /// Show how the tests are run.
    Plan(plan::Plan),
    /// Explain a rule: what it finds, why it matters, what to do.
    Explain {
        /// The name of a rule, as reports print it.
        name: String,
    },
    /// List the rules.
    Rules {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what is read out of one Python or Rust file.
    Facts { file: PathBuf },
    /// Print a completion script for a shell.
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// Why a command could not do its work. Each names the thing and the next step.
#[derive(Debug)]
enum Failure {
    /// A path, a glob or a configuration file.
    World(discover::Wrong),
    /// What changed is not known.
    Git(git::Wrong),
    /// A name on the command line that no rule has.
    Rule(String),
    /// Standard output or the output file.
    Write { to: String, error: io::Error },
    /// A baseline that cannot be read, or may not be written.
    Baseline { path: String, why: String },
    /// A baseline is asked for, and none is named.
    NoBaseline,
    /// The reader of our output went away: nobody is there to be told.
    NoReader,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::World(wrong) => write!(f, "{wrong}"),
            Failure::Git(wrong) => write!(f, "{wrong}"),
            Failure::Rule(what) => write!(f, "{what}"),
            Failure::Write { to, error } => write!(f, "cannot write to {to}: {error}; name another with --output-file"),
            Failure::Baseline { path, why } => write!(f, "the baseline {path}: {why}"),
            Failure::NoBaseline => {
                write!(f, "no baseline is named: add `--baseline FILE`, or `baseline = \"FILE\"` to the configuration")
            }
            Failure::NoReader => write!(f, "nobody reads the output"),
        }
    }
}

impl From<discover::Wrong> for Failure {
    fn from(wrong: discover::Wrong) -> Self {
        Failure::World(wrong)
    }
}

impl From<git::Wrong> for Failure {
    fn from(wrong: git::Wrong) -> Self {
        Failure::Git(wrong)
    }
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let result = match Line::parse().command {
        Command::Check(check) => check.run(),
        Command::Plan(plan) => plan.run(),
        Command::Explain { name } => pages::explain(&name),
        Command::Rules { json } => pages::rules(json),
        Command::Facts { file } => show::facts(&file),
        Command::Completions { shell } => completions(shell),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(Failure::NoReader) => ExitCode::SUCCESS,
        Err(failure) => {
            warn(&format!("error: {failure}"));
            ExitCode::from(FAILED)
        }
    }
}

fn completions(shell: clap_complete::Shell) -> Result<u8, Failure> {
    // Into memory first: the generator panics where its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Line::command(), "isolint", &mut script);
    output::print(&script)?;
    Ok(0)
}

/// Refuses a name on the command line that no rule has.
fn rule(name: &str) -> Result<(), Failure> {
    match config::unknown_rule(name, &config::rule_names()) {
        Some(what) => Err(Failure::Rule(what)),
        None => Ok(()),
    }
}

/// A line for people, beside the output. What stands in names of files and in messages cannot steer their terminal.
fn warn(line: &str) {
    // Where standard error is closed, there is nobody to tell.
    let _ = writeln!(io::stderr(), "{}", sanitized(line, 4096));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Line::command().debug_assert();
    }
}

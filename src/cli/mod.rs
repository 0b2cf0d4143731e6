//! The command line: flags in, a report and an exit status out. The only room that knows clap.

mod baseline;
mod check;
mod fix;
mod git;
mod init;
mod lsp;
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

const EXAMPLES: &str = "Examples:
  isolint check                                  Check the project around the current folder
  isolint check tests --output-format concise    Only what touches `tests`, one line each
  isolint check --fix                            Mend what can be mended safely
  isolint check --changed-since origin/main      Only what a branch touches
  isolint plan                                   Which test files may run in parallel
  isolint explain shared-path                    What a rule finds, and what to do";

/// What a manual page is a part of.
const SOURCE: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Finds what makes Python and Rust tests collide, flake or exhaust a machine when they run in parallel.
#[derive(Parser, Debug)]
#[command(name = "isolint", version, max_term_width = 100, after_help = EXAMPLES)]
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
    /// Say which test files may run beside any other, what holds the rest back, and how many workers CI starts.
    Plan(plan::Plan),
    /// Explain a rule: what it finds, why it matters, what to do.
    Explain {
        /// The name of a rule, as reports print it.
        name: String,
    },
    /// List the rules, with their severity and what they find.
    Rules {
        /// Print the list as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show what is read out of one Python or Rust file, for those who work on isolint.
    Facts {
        /// A `.py`, `.ipynb` or `.rs` file.
        file: PathBuf,
    },
    /// Write a first configuration, with all keys commented out and what was found out about the project.
    Init(init::Init),
    /// Print the JSON schema of the configuration, for editors.
    Schema,
    /// Serve an editor: findings while the code is written, over standard input and output.
    Lsp(lsp::Lsp),
    /// Print a manual page, for `man`.
    ///
    /// `isolint man > isolint.1` is the page of the program, `isolint man check > isolint-check.1` that of a command.
    Man {
        /// The command; the program itself where none is named.
        command: Option<String>,
    },
    /// Print a completion script for a shell.
    ///
    /// Put it where the shell looks for completions, as `isolint completions bash > ~/.local/share/bash-completion/completions/isolint`.
    Completions {
        /// The shell that is to know our flags.
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
    /// A manual page is asked for, and there is no such command.
    NoCommand(String),
    /// Standard input.
    Input(io::Error),
    /// Standard output or the output file.
    Write { to: String, error: io::Error },
    /// A baseline that cannot be read, or may not be written.
    Baseline { path: String, why: String },
    /// There is a configuration already, or none to add a table to.
    Init { path: String, why: String },
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
            Failure::NoCommand(name) => write!(f, "there is no command `{name}`; `isolint --help` lists all"),
            Failure::Input(error) => write!(f, "cannot read standard input: {error}"),
            Failure::Write { to, error } => write!(f, "cannot write to {to}: {error}; name another with --output-file"),
            Failure::Baseline { path, why } => write!(f, "the baseline {path}: {why}"),
            Failure::Init { path, why } => write!(f, "{path}: {why}"),
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
        Command::Init(init) => init.run(),
        Command::Schema => pages::schema(),
        Command::Lsp(lsp) => lsp.run(),
        Command::Man { command } => man(command.as_deref()),
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

/// Prints the manual page of the program, or of a command.
fn man(command: Option<&str>) -> Result<u8, Failure> {
    // `isolint help` is no command that one looks up.
    let mut line = Line::command().disable_help_subcommand(true);
    line.build();
    let page = match command {
        None => line,
        Some(name) => match line.find_subcommand(name) {
            Some(command) => command.clone().version(env!("CARGO_PKG_VERSION")),
            None => return Err(Failure::NoCommand(name.to_owned())),
        },
    };
    let mut text = Vec::new();
    let written = clap_mangen::Man::new(page).source(SOURCE).render(&mut text);
    written.map_err(|error| Failure::Write { to: "memory".into(), error })?;
    output::print(&text)?;
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

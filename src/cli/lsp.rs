//! `lsp`: the language server.

use super::Failure;
use clap::Args;
use isolint::discover::Wrong;
use isolint::lsp::{self, Options};
use std::path::PathBuf;

/// The exit status where the client hangs up without a word ("Language Server Protocol Specification", "Exit Notification").
const HUNG_UP: u8 = 1;

#[derive(Args, Debug)]
pub struct Lsp {
    /// Read this configuration file instead of the project's.
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    config: Option<PathBuf>,
    /// Read no configuration file.
    #[arg(long)]
    isolated: bool,
    /// Turn on rules in preview.
    #[arg(long)]
    preview: bool,
    /// Threads; as many as the process may use where it is left out.
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// Speak over standard input and output. There is nothing else, but some editors say so.
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    /// Serves until the client leaves.
    pub fn run(self) -> Result<u8, Failure> {
        // Editors start us anywhere, and the file is told of by its path.
        let real = |path: PathBuf| path.canonicalize().map_err(|error| Wrong::Path { path: path.clone(), error });
        let config = self.config.map(real).transpose()?;
        let options = Options { config, isolated: self.isolated, preview: self.preview, jobs: self.jobs };
        Ok(if lsp::run(options) { 0 } else { HUNG_UP })
    }
}

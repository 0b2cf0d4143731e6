//! What a user may set.

use crate::finding::{Confidence, Severity};

/// The settings of one run, from the command line and the configuration file.
#[derive(Clone, Debug)]
pub struct Config {
    /// Only these rules; empty for all that are on.
    pub select: Vec<String>,
    pub ignore: Vec<String>,
    pub min_severity: Severity,
    pub min_confidence: Confidence,
    /// Rules in preview are on.
    pub preview: bool,
    /// Globs of paths that are not looked at.
    pub exclude: Vec<String>,
    /// Only findings with an end in one of these paths (relative to the project; a folder covers all below) are shown; empty for all.
    pub paths: Vec<String>,
    /// Threads; 0 for as many as the process may use.
    pub jobs: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            select: Vec::new(),
            ignore: Vec::new(),
            min_severity: Severity::Note,
            min_confidence: Confidence::Medium,
            preview: false,
            exclude: Vec::new(),
            paths: Vec::new(),
            jobs: 0,
        }
    }
}

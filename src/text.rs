//! Sources, spans, lines and columns. Knows nothing of any language.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Bytes `start..end` of a source's text (after a byte order mark was taken off).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Span { start: start as u32, end: end as u32 }
    }

    pub fn contains(&self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A file of the run, as an index into the sorted list of sources.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FileId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Python,
    Rust,
    /// Configuration and CI: INI, TOML, YAML, shell, make; told apart by name in `conf`.
    Config,
}

/// One file: its path and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Relative to the project, with `/` between its parts.
    pub path: Arc<str>,
    pub kind: Kind,
    /// Decoded, without byte order mark; line ends as they stand.
    pub text: Arc<str>,
    /// The text is not the file's bytes (another encoding, or a byte order mark): positions of edits cannot be trusted.
    pub decoded: bool,
}

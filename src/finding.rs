//! What a rule says: a sentence, places that prove it, and what to do.

use crate::text::{FileId, Span};
use serde::{Deserialize, Serialize};

/// What it costs when it is true.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// How sure we are: the weakest fact cited.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// Why a place is cited.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The place to look at first; a finding has one, and it comes first.
    Primary,
    /// The other end of a collision.
    OtherEnd,
    /// A step in how the thing got its name, or how the code is reached.
    Derivation,
    /// Why it is believed: the runner's setting, the check before the act.
    Evidence,
}

/// A place and what happens there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Label {
    pub file: FileId,
    pub span: Span,
    /// A few words, lower case, no full stop.
    pub text: String,
    pub role: Role,
}

/// One cause, with all the tests it affects.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// A rule's name; its page has title, help and family.
    pub rule: &'static str,
    pub severity: Severity,
    pub confidence: Confidence,
    /// One sentence for a tired reader, with names in backquotes, no full stop.
    pub message: String,
    /// The first is [`Role::Primary`].
    pub labels: Vec<Label>,
    /// What to do, in words, for this very place.
    pub help: String,
    /// More to know: the symptom to expect, why the runner lets the two overlap.
    pub notes: Vec<String>,
    /// Names of the tests affected, sorted: `tests/test_a.py::test_x`, `a::tests::x`.
    pub tests: Vec<String>,
    /// A command that lets a person see it.
    pub reproduce: Option<String>,
    /// What the finding is about, without line numbers: the path's template, the unit. Part of the fingerprint.
    pub key: String,
}

impl Finding {
    pub fn primary(&self) -> &Label {
        &self.labels[0]
    }
}

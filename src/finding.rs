//! What a rule says: a sentence, places that prove it, and what to do.

use crate::facts::trace::Place;
use crate::facts::{Site, UnitId};
use crate::text::{FileId, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

impl Confidence {
    /// The next lower one.
    pub fn lower(self) -> Self {
        match self {
            Confidence::High => Confidence::Medium,
            Confidence::Medium | Confidence::Low => Confidence::Low,
        }
    }
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
    /// What is to be done, as data; `remedy` makes edits of it.
    pub remedy: Option<Remedy>,
    /// The edits, where `remedy` knows them. Filled in when the finding is shown.
    pub fix: Option<Fix>,
}

/// What a rule wants done: an intent, and the operations it speaks of. How it is written is for `remedy`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Make the directory, whether it is there or not; the check is not needed.
    AcceptExisting { act: Act, check: Site },
    /// Delete, whether it is there or not; the check is not needed.
    AcceptMissing { act: Act, check: Site },
    /// Create the file in one step that fails where it is there.
    CreateExclusively { act: Act, check: Site },
    /// Repeat the check where the lock is held.
    CheckInside { act: Act, check: Site },
    /// Write a unique temporary in the same directory, and put it in the file's place, wherever a function writes the path. `suffix` is
    /// the literal end of the path.
    PublishAtomically { writes: Vec<Act>, suffix: Option<String> },
    /// Let tests work in a directory of their own: what they call writes into the working directory.
    EnterDirectory { tests: Vec<(FileId, UnitId)> },
    /// Let the paths of tests begin in a directory of their own; with `copy`, copy the inputs there that something is written beside.
    /// Where the tests are not seen to make what they delete, only a path that a variable holds is moved (`made` is false).
    OwnDirectory { uses: Vec<Use>, copy: bool, made: bool },
    /// Make these changes of one test through pytest's `monkeypatch`, which puts them back, or register a clean-up of a `unittest` case.
    PutBack { changes: Vec<Site> },
    /// Put these changes back however what stands between ends: `restores` are the statements that do so now.
    RestoreLastly { changes: Vec<Site>, restores: Vec<Site> },
    /// Bind the owner of a temporary, which goes at the end of the statement that makes it.
    HoldOwner { made: Site },
    /// Make a temporary in the directory into which it is moved.
    MakeBeside { made: Site, moved: Act },
    /// The first of these that can be written.
    FirstOf(Vec<Remedy>),
    /// Set a variable in the environment of a CI job, which the service calls `word`. The value is written as it is to stand there.
    SetVariable { job: Place, word: &'static str, name: String, value: String },
    /// Give jobs of one workflow a time limit.
    LimitJobs { jobs: Vec<Place>, minutes: u32 },
    /// Let a variable through to what a section of tox runs.
    LetThrough { section: Place, name: String },
    /// Let a script fail with any command of a pipe; this stands behind the pipe.
    FailWithPipes { pipe: Place },
    /// Give the elements of a value an order: a list where it is written with braces (`display`), sorted elsewhere. `safe` where they can
    /// surely be sorted.
    GiveOrder { file: FileId, value: Span, display: bool, safe: bool },
    /// Write a number where an option asks for all CPUs.
    GiveNumber { option: Place, number: u32 },
    /// Make the file or directory when its name is chosen. `first` is what makes it now.
    ReserveName { name: Site, first: Option<Act>, directory: bool },
    /// Give a temporary a name that no other writer has: what is `written` and then `moved` onto its target.
    UniqueName { written: Site, moved: Act },
    /// Names of rules in an ignore comment: another one, or none; without any name the comment goes.
    RenameIgnored { file: FileId, comment: Span, changes: Vec<(Span, Option<String>)> },
    /// Put the mark of one test on others of its file.
    CopyMark { file: FileId, mark: Span, tests: Vec<UnitId> },
    /// Catch these errors too. `caught` are the last names of those that the handler catches now.
    WidenHandler { file: FileId, handler: Span, caught: Vec<String>, missed: Vec<String> },
}

/// An operation and the library call that it is, as the call tables name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    pub site: Site,
    pub call: Arc<str>,
}

/// A call that is handed a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    pub site: Site,
    /// The literal parts of the path: its definition ends in one of them.
    pub parts: Vec<String>,
}

/// Edits that belong together: all are made, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, in a few words.
    pub title: String,
    /// The code means the same afterwards, but for the hazard; else somebody has to look.
    pub safe: bool,
    /// Sorted by file and place; they do not overlap.
    pub edits: Vec<Edit>,
}

/// Bytes of a source's text, and what stands there afterwards.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edit {
    pub file: FileId,
    pub span: Span,
    pub text: String,
}

impl Finding {
    pub fn primary(&self) -> &Label {
        &self.labels[0]
    }
}

//! A path is checked, and then acted on as if the answer still held.

use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Effect, FreshKind, Known, Root, Suite, UnitRef};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (unit, summary) in suite.units() {
        for effect in &summary.effects {
            // The check and the act in one function, or the act one call below the check.
            if effect.via.len() > 1 || effect.flagged || effect.expected || is_private(effect) {
                continue;
            }
            let Some(known) = effect.known.iter().rev().find(|known| known.on == effect.on) else { continue };
            let Some(case) = case(effect, known) else { continue };
            let anchor = effect.via.first().copied().unwrap_or(effect.site);
            if known.site.file == anchor.file && seen.insert(anchor) {
                found.extend(finding(suite, unit, effect, known, case));
            }
        }
    }
}

/// What is wrong between a check and an act.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    MakeDir,
    Remove,
    /// The check stands outside the lock, and is not repeated inside.
    OutsideLock,
    /// A lock file made by hand.
    LockFile,
}

fn case(effect: &Effect, known: &Known) -> Option<Case> {
    let catches = |names: &[&str]| {
        effect
            .caught
            .iter()
            .any(|caught| &**caught == "*" || names.iter().any(|name| caught.rsplit(['.', ':']).next() == Some(name)))
    };
    let host = |guards: &[crate::link::Lock]| guards.iter().any(|lock| lock.reach == crate::calls::Reach::Host);
    if host(&effect.guards) {
        let waited = effect.guards.iter().any(|lock| lock.reach == crate::calls::Reach::Host && !known.guards.contains(lock));
        let changes = matches!(effect.verb, Verb::Write | Verb::Publish | Verb::WriteTree | Verb::Database);
        return (waited && changes && !known.exists).then_some(Case::OutsideLock);
    }
    if !effect.guards.is_empty() {
        return None;
    }
    match (effect.verb, known.exists) {
        (Verb::MakeDir, false)
            if !effect.tolerant
                && !catches(&[
                    "FileExistsError",
                    "OSError",
                    "IOError",
                    "EnvironmentError",
                    "Exception",
                    "BaseException",
                    "error",
                ]) =>
        {
            Some(Case::MakeDir)
        }
        (Verb::Delete | Verb::DeleteTree, true)
            if !effect.tolerant
                && !catches(&[
                    "FileNotFoundError",
                    "OSError",
                    "IOError",
                    "EnvironmentError",
                    "Exception",
                    "BaseException",
                    "error",
                ]) =>
        {
            Some(Case::Remove)
        }
        (Verb::Write | Verb::Append, false) if is_lock_file(effect) && !catches(&["FileExistsError"]) => Some(Case::LockFile),
        _ => None,
    }
}

/// A file that is made for others to find: its name ends as lock files do.
fn is_lock_file(effect: &Effect) -> bool {
    let name = effect.on.name().as_literal().unwrap_or_default().to_ascii_lowercase();
    name.ends_with("lock") || name.ends_with(".pid")
}

fn is_private(effect: &Effect) -> bool {
    match &effect.on.root {
        Root::Fresh(fresh) => fresh.kind != FreshKind::Name,
        _ => false,
    }
}

fn finding(suite: &Suite, unit: UnitRef, effect: &Effect, known: &Known, case: Case) -> Option<Finding> {
    let owner = suite.owner(unit);
    let test_code = suite.is_test_code(unit);
    let path = effect.on.show();
    let name = suite.unit_name(owner);
    let language = suite.language(unit.0);
    let (message, help, note) = match (case, language) {
        (Case::MakeDir, Language::Python) => (
            format!("`{name}` makes the directory `{path}` after checking that it is missing"),
            "call `os.makedirs(path, exist_ok=True)` or `Path.mkdir(parents=True, exist_ok=True)` without the check",
            "a second process that passes the check at the same time gets `FileExistsError`",
        ),
        (Case::MakeDir, Language::Rust) => (
            format!("`{name}` makes the directory `{path}` after checking that it is missing"),
            "call `fs::create_dir_all(path)` without the check",
            "a second process that passes the check at the same time gets `AlreadyExists`",
        ),
        (Case::Remove, Language::Python) => (
            format!("`{name}` removes `{path}` after checking that it is there"),
            "remove it without the check: `Path.unlink(missing_ok=True)`, `shutil.rmtree(path, ignore_errors=True)` or `contextlib.suppress(FileNotFoundError)`",
            "a second process that passes the check at the same time gets `FileNotFoundError`",
        ),
        (Case::Remove, Language::Rust) => (
            format!("`{name}` removes `{path}` after checking that it is there"),
            "remove it without the check, and take `ErrorKind::NotFound` for success",
            "a second process that passes the check at the same time gets `NotFound`",
        ),
        (Case::OutsideLock, _) => (
            format!("`{name}` checks `{path}` before it takes the lock, and does not look again inside"),
            "repeat the check inside the lock",
            "who waited for the lock does the work again, over a file that others already use",
        ),
        (Case::LockFile, Language::Python) => (
            format!("`{name}` takes the lock file `{path}` by looking for it and then creating it"),
            "create it with `open(path, \"x\")`, or use `filelock.FileLock`",
            "two processes that look at the same time both take the lock",
        ),
        (Case::LockFile, Language::Rust) => (
            format!("`{name}` takes the lock file `{path}` by looking for it and then creating it"),
            "create it with `File::create_new`, or lock it with `File::lock`",
            "two processes that look at the same time both take the lock",
        ),
    };
    // A removal by who owns the path harms nobody; whether it is shared is not known where the path is a caller's.
    let owned = matches!(effect.on.root, Root::Of(_));
    let confidence = match case {
        Case::Remove if owned && !test_code => Confidence::Low,
        _ => Confidence::Medium,
    };
    let anchor = effect.via.first().copied().unwrap_or(effect.site);
    let mut labels = vec![words::label(suite, anchor, format!("{} here", words::done(effect.verb)), Role::Primary)];
    labels.push(words::label(suite, known.site, "checked here; the answer may be old by then", Role::Evidence));
    let more = words::derivation(suite, effect, &labels);
    labels.extend(more);
    Some(Finding {
        rule: "check-then-act",
        severity: Severity::Warning,
        confidence,
        message,
        labels,
        help: help.to_owned(),
        notes: vec![note.to_owned()],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {path}"),
    })
}

//! A path is checked, and then acted on as if the answer still held.

use super::in_place::{anchor, is_of_others};
use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Act, Confidence, Finding, Remedy, Role, Severity};
use crate::link::{Effect, Known, Piece, Place, Root, Site, Suite, Summary, Term, UnitRef, is_shared};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    // The check and the act in one function; then the act one call below the check, where it was not said already.
    for calls in [0, 1] {
        for (unit, summary) in suite.units() {
            let test_code = suite.is_test_code(unit);
            for effect in summary.effects.iter().filter(|effect| effect.via.len() == calls && anchor(effect).file == unit.0) {
                if !test_code {
                    look(suite, unit, effect, &mut seen, found);
                    continue;
                }
                // In test code the tests say which path it is, and whether it is anybody else's.
                for (test, effect) in suite.in_tests(effect.site).filter(|(test, _)| !test.skipped) {
                    // What a notebook keeps in its own project is its own, where no other comes by it.
                    let others = !(test.is_notebook() && effect.on.root == Root::Project);
                    let others = others && is_shared(&effect.on) && !effect.one_of && !suite.repeats_per_worker(effect.site);
                    if others && effect.via.len() == calls {
                        look(suite, unit, effect, &mut seen, found);
                    }
                }
            }
        }
    }
}

fn look(suite: &Suite, unit: UnitRef, effect: &Effect, seen: &mut BTreeSet<Site>, found: &mut Vec<Finding>) {
    let own = effect.on.is_private() || suite.is_of_object(anchor(effect));
    if effect.flagged || effect.expected || own || suite.is_locked_by_callers(effect.site) {
        return;
    }
    if let Some(again) = remade(suite.summary(unit), effect).filter(|_| seen.insert(effect.site)) {
        found.push(replaced(suite, unit, effect, again));
        return;
    }
    let Some(known) = effect.known.iter().rev().find(|known| known.on == effect.on && !known.refused) else { return };
    let path = suite.show(&effect.on, unit);
    let Some(case) = case(effect, known, &path) else { return };
    // An act inside a call, and a check inside that call too, are the callee's own matter.
    let own = if effect.via.is_empty() { known.site.file == unit.0 } else { suite.stands_in(known.site, unit) };
    if own && !seen.contains(&effect.site) && seen.insert(anchor(effect)) {
        seen.insert(effect.site);
        found.push(finding(suite, unit, effect, known, case, path));
    }
}

/// Where a path that could not be made, since it is there, is made once more after this deletion.
fn remade(summary: &Summary, effect: &Effect) -> Option<Site> {
    let makes = |other: &&Effect| {
        other.verb == Verb::Create && other.on == effect.on && other.via.is_empty() && other.guards == effect.guards
    };
    let deletes = effect.verb == Verb::Delete && effect.via.is_empty() && effect.guards.is_empty();
    let mut all = summary.effects.iter().filter(|_| deletes).filter(makes);
    let tried = all.clone().any(|other| other.site < effect.site && (other.dominates(effect) || other.accepts_existing()));
    all.find(|other| tried && effect.site < other.site && effect.dominates(other)).map(|other| other.site)
}

fn replaced(suite: &Suite, unit: UnitRef, effect: &Effect, again: Site) -> Finding {
    let name = suite.unit_name(suite.owner(unit));
    let path = suite.show(&effect.on, unit);
    let mut labels = vec![
        words::label(suite, effect.site, "removed here", Role::Primary),
        words::label(suite, again, "and made again here", Role::OtherEnd),
    ];
    labels.extend(words::derivation(suite, effect, &labels));
    Finding {
        rule: "check-then-act",
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        message: format!("`{name}` removes `{path}` to make it again, and in between it is missing"),
        labels,
        help:
            "make it under a name of its own in the same directory, and rename it onto the path: a rename replaces what is there"
                .to_owned(),
        notes: vec![
            "a second process that does the same at that time gets an error, and one that looks finds nothing".to_owned(),
        ],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {path} again"),
        remedy: None,
        fix: None,
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
    /// A file made where there was none.
    File,
}

fn case(effect: &Effect, known: &Known, path: &str) -> Option<Case> {
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
        (Verb::MakeDir, false) if !effect.accepts_existing() => Some(Case::MakeDir),
        (Verb::Delete | Verb::DeleteTree, true) if !effect.accepts_missing() => Some(Case::Remove),
        (Verb::Write | Verb::Append, false) if is_lock_file(path) && !effect.catches(&["FileExistsError"]) => {
            Some(Case::LockFile)
        }
        (Verb::Write, false) if !effect.catches(&["FileExistsError"]) && effect.format.is_none() => Some(Case::File),
        _ => None,
    }
}

/// A file that is made for others to find: its name, or that of the parameter that holds it, ends as lock files do.
fn is_lock_file(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["lock", ".lck", ".pid"].iter().any(|end| path.ends_with(end)) && !path.ends_with("block")
}

fn remedy(effect: &Effect, known: &Known, case: Case) -> Remedy {
    let (act, check) = (Act { site: effect.site, call: effect.call.clone() }, known.site);
    match case {
        Case::MakeDir => Remedy::AcceptExisting { act, check },
        Case::Remove => Remedy::AcceptMissing { act, check },
        Case::OutsideLock => Remedy::CheckInside { act, check },
        Case::LockFile | Case::File => Remedy::CreateExclusively { act, check },
    }
}

/// A path that the caller hands over, one of a fixed name below it, or one of the folder that the program was started in: as a rule that of
/// one run. What a caller's folder is filled with by names that are not written here is merged into what others may have made.
fn is_chosen(place: &Place) -> bool {
    let fixed = place.segments.iter().flatten().all(|piece| matches!(piece, Piece::Lit(_)));
    match &place.root {
        root @ Root::Of(term) => match base(term) {
            Term::Param(_) | Term::Captured(_) => fixed && fields(root) == 0,
            // What a program answered, or a call that is not known.
            _ => true,
        },
        root => matches!(root, Root::Cwd | Root::Start | Root::Project),
    }
}

/// What a field, or a field of a field, is read of; of a path below one, the same.
fn base(term: &Term) -> &Term {
    match term.plain() {
        Term::Field(inner, _) => base(inner),
        Term::Path(place) => match &place.root {
            Root::Of(inner) => base(inner),
            _ => term,
        },
        other => other,
    }
}

/// How many fields lie between what the unit was given and a path. The parent and the stem of a path are written as fields too.
fn fields(root: &Root) -> usize {
    fn within(term: &Term) -> usize {
        match term.plain() {
            Term::Field(base, name) => usize::from(!name.starts_with('<')) + within(base),
            Term::Path(place) => fields(&place.root),
            _ => 0,
        }
    }
    match root {
        Root::Of(term) => within(term),
        _ => 0,
    }
}

fn finding(suite: &Suite, unit: UnitRef, effect: &Effect, known: &Known, case: Case, path: String) -> Finding {
    let owner = suite.owner(unit);
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
        (Case::File, Language::Python) => (
            format!("`{name}` creates `{path}` after checking that it is missing"),
            "create it with `open(path, \"x\")` and take `FileExistsError` for success, or write a temporary file and `os.replace` it",
            "a second process that passes the check at the same time writes over it, or reads it half written",
        ),
        (Case::File, Language::Rust) => (
            format!("`{name}` creates `{path}` after checking that it is missing"),
            "create it with `File::create_new` and take `AlreadyExists` for success",
            "a second process that passes the check at the same time writes over it, or reads it half written",
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
    // Whether a path that a caller or a field holds is anybody else's is not known here; a directory is made to be shared more often
    // than not.
    let confidence = match case {
        _ if suite.is_beside(unit.0) => Confidence::Low,
        // The body of a file that nobody imports: a program of its own.
        _ if effect.via.is_empty() && unit.1.0 == 0 && !suite.imports.is_imported(unit.0) => Confidence::Low,
        // What an object deep in another one holds is the working directory of that application, more often than not.
        Case::MakeDir if fields(&effect.on.root) > 1 => Confidence::Low,
        // Whether two do this at once, nobody can say.
        Case::MakeDir | Case::Remove | Case::File
            if is_chosen(&effect.on) && !suite.is_test_code(unit) && !is_of_others(suite, unit, effect) =>
        {
            Confidence::Low
        }
        // Which path it is, nobody can say; a lock around the act says that others are there.
        Case::MakeDir | Case::Remove | Case::LockFile | Case::File if !path.contains(char::is_alphanumeric) => Confidence::Low,
        Case::Remove | Case::File if matches!(effect.on.root, Root::Of(_)) => Confidence::Low,
        _ => Confidence::Medium,
    };
    let anchor = anchor(effect);
    let mut labels = vec![words::label(suite, anchor, format!("{} here", words::done(effect.verb)), Role::Primary)];
    labels.push(words::label(suite, known.site, "checked here; the answer may be old by then", Role::Evidence));
    let more = words::derivation(suite, effect, &labels);
    labels.extend(more);
    Finding {
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
        remedy: effect.via.is_empty().then(|| remedy(effect, known, case)),
        fix: None,
    }
}

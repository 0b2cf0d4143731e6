//! What modules do to the world when they are imported: files, the environment, the working directory, host names, seeds.

use super::words;
use crate::calls::Verb;
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::{Effect, Realm, Suite, has_fixed_name, is_shared, left_at_import};
use crate::text::FileId;
use std::collections::BTreeMap;

/// What kind of thing is done, in the order in which it is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    File,
    WorkingDirectory,
    Environment,
    HostName,
    Seed,
}

/// Generators that all code of a process draws from.
const SEEDS: &[&str] = &["random", "numpy.random", "torch.seed"];

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let tests = suite.imports.loaded_by(suite.tests.iter().map(|test| test.unit.0));
    for (unit, summary) in suite.units().filter(|(unit, _)| unit.1.0 == 0) {
        let file = unit.0;
        let path = suite.path(file);
        let of_tests = suite.is_test_file(file);
        let runs =
            if of_tests { tests.contains(&file) || path.ends_with("conftest.py") } else { suite.imports.is_imported(file) };
        if !path.ends_with(".py") || !runs || suite.is_beside(file) {
            continue;
        }
        let mut all: BTreeMap<Kind, Vec<&Effect>> = BTreeMap::new();
        let files = summary.effects.iter().filter(|effect| of_tests && is_left(effect));
        let looks = summary.state.iter().filter(|effect| effect.verb == Verb::Read && !effect.flagged && !effect.expected);
        for effect in files.chain(left_at_import(summary)).chain(looks) {
            if let Some(kind) = kind(effect, of_tests) {
                all.entry(kind).or_default().push(effect);
            }
        }
        for (kind, effects) in all {
            found.push(finding(suite, file, kind, &effects, of_tests));
        }
    }
}

/// A file outside of fresh directories is written, made or deleted.
fn is_left(effect: &Effect) -> bool {
    let verb = matches!(
        effect.verb,
        Verb::Write
            | Verb::Create
            | Verb::Append
            | Verb::Update
            | Verb::Publish
            | Verb::Delete
            | Verb::DeleteTree
            | Verb::WriteTree
            | Verb::MakeDir
    );
    verb && !effect.flagged
        && !effect.expected
        && !effect.leave
        && !effect.one_of
        && is_shared(&effect.on)
        && has_fixed_name(&effect.on)
}

fn kind(effect: &Effect, of_tests: bool) -> Option<Kind> {
    // Several calls away, or on one of several ways of what is called: it may not happen here.
    if effect.via.len() > 1 || effect.maybe && !effect.via.is_empty() {
        return None;
    }
    match effect.on.realm() {
        None => Some(Kind::File),
        Some(Realm::WorkingDirectory) if effect.verb != Verb::Read && !effect.maybe => Some(Kind::WorkingDirectory),
        Some(Realm::Environment) if effect.verb != Verb::Read && effect.on.literal().is_some_and(|name| !name.is_empty()) => {
            Some(Kind::Environment)
        }
        Some(Realm::Named(kind)) if &**kind == "host name" => Some(Kind::HostName),
        // A draw at import is no seed.
        Some(Realm::Library(name)) if of_tests && effect.verb != Verb::Read && SEEDS.contains(&&**name) => Some(Kind::Seed),
        _ => None,
    }
}

fn finding(suite: &Suite, file: FileId, kind: Kind, effects: &[&Effect], of_tests: bool) -> Finding {
    let path = suite.path(file);
    let effect = effects[0];
    let first = of_tests && (path.ends_with("conftest.py") || path.ends_with("__init__.py"));
    let set_where_missing = effects.iter().all(|effect| effect.verb == Verb::Create);
    let name = effect.on.show();
    let more = if effects.len() > 1 { format!(" and {} more", effects.len() - 1) } else { String::new() };
    let what = match kind {
        Kind::File => format!("{} `{name}`{more}", words::verb(effect.verb)),
        Kind::WorkingDirectory => "changes the working directory".to_owned(),
        Kind::Environment if matches!(effect.verb, Verb::Delete | Verb::DeleteTree) => format!("unsets `{name}`{more}"),
        Kind::Environment => format!("sets `{name}`{more}"),
        Kind::HostName => "looks up host names".to_owned(),
        Kind::Seed => format!("seeds `{name}`"),
    };
    let severity = match kind {
        Kind::Seed => Severity::Note,
        Kind::Environment if !of_tests || first || set_where_missing => Severity::Note,
        _ => Severity::Warning,
    };
    let labels: Vec<Label> = effects
        .iter()
        .take(4)
        .enumerate()
        .map(|(n, effect)| {
            let role = if n == 0 { Role::Primary } else { Role::Derivation };
            let here = effect.via.first().copied().unwrap_or(effect.site);
            words::label(suite, here, "done when this file is imported", role)
        })
        .collect();
    let note = match kind {
        Kind::HostName => {
            "a look-up waits for the network, or fails, for everybody who imports the module; the answer stays for the process"
        }
        Kind::Seed => "the seed is set while pytest collects: what a test draws depends on the tests that drew before it",
        _ if of_tests => {
            "pytest imports test files while it collects: this happens in every worker, and for tests that are not chosen"
        }
        _ => "it happens to whoever imports the module first, and stays for the rest of the process",
    };
    let help = match (kind, of_tests) {
        (Kind::HostName, _) => "look it up in a function, on first use",
        (Kind::Seed, _) => "seed in a fixture that the tests use, or draw from a generator of the test's own",
        (Kind::Environment, true) => {
            "set it in a fixture with `monkeypatch.setenv`; for a library that reads it at import, in `pytest_configure`"
        }
        (Kind::Environment, false) => "leave the environment to the program's entry point, and hand the value on",
        (_, true) => "do it in a fixture, below `tmp_path`",
        (_, false) => "do it in a function, when it is needed",
    };
    Finding {
        rule: "import-time-effect",
        severity,
        // Loaded before all tests that see it, and in every worker alike: what it sets is the same for all of them. A default is the same
        // whoever sets it first.
        confidence: if kind == Kind::Environment && (first || set_where_missing) {
            Confidence::Low
        } else {
            words::confidence(&[effect])
        },
        message: format!("`{path}` {what} when it is imported"),
        labels,
        help: help.to_owned(),
        notes: vec![note.to_owned()],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{path} {name}"),
        remedy: None,
        fix: None,
    }
}

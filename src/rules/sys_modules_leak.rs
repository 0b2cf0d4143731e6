//! Modules that a test puts into `sys.modules`, or takes out, and leaves so.

use super::words;
use crate::calls::Verb;
use crate::finding::{Finding, Label, Role, Severity};
use crate::link::{Effect, Leak, Phase, Restored, Suite, Test, is_stand_in, left_at_import, loaded_name, replaces_module};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    at_import(suite, found);
    for leak in suite.leaks.iter().filter(|leak| leak.restored == Restored::Never) {
        let Some(name) = loaded_name(&leak.place) else { continue };
        let (test, change) = (&suite.tests[leak.change.0], &suite.tests[leak.change.0].state[leak.change.1]);
        if !replaces_module(&change.effect) || change.phase == Phase::WideSetup || is_stand_in(&change.effect) {
            continue;
        }
        let victim = victim(suite, leak, &name);
        // A module of the project is loaded a second time, even where no other test is seen to use it. Where no file imports it, these
        // tests take out what they loaded themselves.
        let imported = || suite.imports.importers(&name).next().is_some();
        if victim.is_some() || change.effect.verb == Verb::Delete && is_product(suite, &name) && imported() {
            found.push(in_body(suite, leak, &name, test, &change.effect, victim));
        }
    }
}

/// What test files do when they are imported.
fn at_import(suite: &Suite, found: &mut Vec<Finding>) {
    let test_files: BTreeSet<FileId> = suite.tests.iter().map(|test| test.unit.0).collect();
    for (unit, summary) in suite.units().filter(|(unit, _)| unit.1.0 == 0 && suite.is_test_file(unit.0)) {
        let mut by_name: BTreeMap<String, &Effect> = BTreeMap::new();
        for effect in left_at_import(summary).filter(|effect| replaces_module(effect) && !is_stand_in(effect)) {
            if let Some(name) = loaded_name(&effect.on) {
                by_name.entry(name).or_insert(effect);
            }
        }
        // Who loads this file has the stub on purpose.
        let meant = |file: FileId| {
            file == unit.0 || suite.imports.loaded_by(suite.conftests(file).into_iter().chain([file])).contains(&unit.0)
        };
        let mut hurt: Vec<(&str, &Effect, FileId)> = Vec::new();
        for (name, effect) in &by_name {
            let users = users(suite, name);
            let other = test_files
                .iter()
                .find(|file| !meant(**file) && suite.imports.loaded_by([**file]).iter().any(|one| users.contains(one)));
            hurt.extend(other.map(|other| (name.as_str(), *effect, *other)));
        }
        if let Some(finding) = of_file(suite, unit.0, &hurt) {
            found.push(finding);
        }
    }
}

fn is_product(suite: &Suite, name: &str) -> bool {
    suite.imports.file(name).is_some_and(|file| !suite.is_test_file(file))
}

/// Files that import a module when they are imported, and its own file.
fn users(suite: &Suite, name: &str) -> BTreeSet<FileId> {
    suite.imports.importers(name).chain(suite.imports.file(name)).collect()
}

fn of_file(suite: &Suite, file: FileId, hurt: &[(&str, &Effect, FileId)]) -> Option<Finding> {
    let &(name, effect, other) = hurt.first()?;
    let more = if hurt.len() > 1 { format!(" and {} more", hurt.len() - 1) } else { String::new() };
    let (path, other_path) = (suite.path(file), suite.path(other));
    let does = if effect.verb == Verb::Delete { "takes `{}` out of" } else { "puts a stub for `{}` into" }.replace("{}", name);
    let labels: Vec<Label> = hurt
        .iter()
        .take(6)
        .enumerate()
        .map(|(n, (name, effect, _))| {
            let role = if n == 0 { Role::Primary } else { Role::Derivation };
            words::label(suite, effect.site, format!("`sys.modules[\"{name}\"]` is changed here, at import"), role)
        })
        .collect();
    let first = |file: FileId| suite.tests.iter().find(|test| test.unit.0 == file && !test.skipped);
    let reproduce = first(file).zip(first(other)).map(|(a, b)| format!("pytest {} {}", a.name, b.name));
    Some(Finding {
        rule: "sys-modules-leak",
        severity: Severity::Error,
        confidence: words::confidence(&[effect]),
        message: format!("`{path}` {does} `sys.modules`{more} when it is imported, and `{other_path}` imports that module too"),
        labels,
        help: "put it there in a fixture with `monkeypatch.setitem(sys.modules, …)`, and import what needs it inside".to_owned(),
        notes: vec![
            "pytest imports all test files before the first test runs: what is imported after this file gets the stub, and keeps it"
                .to_owned(),
        ],
        tests: words::names(suite.tests.iter().filter(|test| test.unit.0 == other).take(16)),
        reproduce,
        key: format!("{path} {name}"),
        remedy: None,
        fix: None,
    })
}

/// A test that meets what a leak leaves: it loads the module itself, or its file has done so.
fn victim<'s>(suite: &'s Suite, leak: &Leak, name: &str) -> Option<&'s Test> {
    let users = users(suite, name);
    let other = |t: &usize, test: &Test| {
        !leak.tests.contains(t) && !test.skipped && suite.language(test.unit.0) == crate::facts::Language::Python
    };
    let mut loads: BTreeMap<FileId, bool> = BTreeMap::new();
    let mut loads = |file: FileId| {
        *loads.entry(file).or_insert_with(|| suite.imports.loaded_by([file]).iter().any(|one| users.contains(one)))
    };
    let reads = |test: &Test| {
        test.state.iter().any(|one| one.effect.verb == Verb::Read && loaded_name(&one.effect.on).as_deref() == Some(name))
    };
    let mut others = suite.tests.iter().enumerate().filter(|(t, test)| other(t, test)).map(|(_, test)| test);
    others.clone().find(|test| reads(test)).or_else(|| others.find(|test| loads(test.unit.0)))
}

fn in_body(suite: &Suite, leak: &Leak, name: &str, test: &Test, effect: &Effect, victim: Option<&Test>) -> Finding {
    let does = if effect.verb == Verb::Delete { "takes `{}` out of" } else { "puts a stub for `{}` into" }.replace("{}", name);
    let by = words::short(test);
    let used = victim.map(|victim| format!("; `{}` uses that module", words::short(victim))).unwrap_or_default();
    let mut labels = vec![words::label(suite, effect.site, format!("`sys.modules[\"{name}\"]` is changed here"), Role::Primary)];
    let more = words::derivation(suite, effect, &labels);
    labels.extend(more);
    let again = if effect.verb == Verb::Delete {
        "the next import makes a second copy of the module: what others imported before is the old one, and patches of one do not reach \
         the other"
    } else {
        "whatever is imported while the stub is there keeps it"
    };
    Finding {
        rule: "sys-modules-leak",
        severity: if victim.is_some() { Severity::Warning } else { Severity::Note },
        confidence: words::confidence(&[effect]),
        message: format!("`{by}` {does} `sys.modules` and leaves it so{used}"),
        labels,
        help: "use `monkeypatch.setitem(sys.modules, …)`, `monkeypatch.delitem(sys.modules, …)` or `patch.dict(sys.modules)`: they put it \
               back however the test ends"
            .to_owned(),
        notes: vec![again.to_owned()],
        tests: words::names(leak.tests.iter().map(|test| &suite.tests[*test])),
        reproduce: victim.map(|victim| format!("pytest {} {}", test.name, victim.name)),
        key: format!("{name} {}", suite.path(effect.site.file)),
        remedy: None,
        fix: None,
    }
}

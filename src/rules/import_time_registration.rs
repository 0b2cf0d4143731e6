//! Modules whose import changes what belongs to another module or to a library.

use super::words;
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::{Realm, Registration, Suite};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};

/// Modules that fill one container before it is taken for a register of plug-ins.
const MEANT: usize = 2;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    // One module's patches of a library are one matter, where no test is known to feel any of them.
    let mut patches: BTreeMap<FileId, usize> = BTreeMap::new();
    let mut all: Vec<&Registration> = suite.registrations.iter().filter(|one| !one.complete).collect();
    all.sort_by_key(|one| (one.module, one.effects[0].site));
    for one in all {
        let library = one.effects[0].on.realm().is_some_and(Realm::is_of_library);
        let product = !suite.is_test_file(one.module) && !suite.is_beside(one.module) && suite.imports.is_imported(one.module);
        // A registry that nobody looks at as a whole is no concern of anybody; a library's is everybody's.
        // Where many modules fill a container, that is what it is for.
        let meant =
            suite.registrations.iter().filter(|other| other.container == one.container && !other.readers.is_empty()).count()
                > MEANT;
        // What has run before all tests is the same for each of them; and a file in a folder that no import can name is for another
        // program, unless a test loads it all the same.
        let named = suite.module_name(one.module).split('.').all(is_identifier);
        let product = product && !one.first && (named || !one.importers.is_empty());
        let felt = !one.victims.is_empty() || product && (library || !one.readers.is_empty() && !meant);
        if !felt {
            continue;
        }
        let new = finding(suite, one);
        match patches.get(&one.module).and_then(|at| found.get_mut(*at)) {
            Some(first) if one.victims.is_empty() && new.confidence == first.confidence => {
                first.notes.push(format!("it changes `{}` too", one.container.show()));
            }
            _ => {
                if one.victims.is_empty() {
                    patches.entry(one.module).or_insert(found.len());
                }
                found.push(new);
            }
        }
    }
}

/// Whether an import can name it (The Python Language Reference, "Identifiers").
fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

fn finding(suite: &Suite, one: &Registration) -> Finding {
    let effect = &one.effects[0];
    let what = one.container.show();
    let module = suite.module_name(one.module);
    let importers = one.importers.len();
    let mut labels: Vec<Label> = Vec::new();
    for effect in &one.effects {
        // The place in the module itself: a decorator, a class, a call.
        let here = effect.via.first().copied().unwrap_or(effect.site);
        let role = if labels.is_empty() { Role::Primary } else { Role::Derivation };
        let label = words::label(suite, here, format!("`{what}` is changed here, when `{module}` is imported"), role);
        if labels.len() < 4 && labels.iter().all(|old| old.span != label.span) {
            labels.push(label);
        }
    }
    let more = words::derivation(suite, effect, &labels);
    labels.extend(more);
    if !effect.via.is_empty() {
        labels.push(words::label(suite, effect.site, format!("this changes `{what}`"), Role::Derivation));
    }
    let mut notes = Vec::new();
    let victim = one.victims.first().map(|&(test, effect)| (&suite.tests[test], &suite.tests[test].state[effect].effect));
    let message = match victim {
        Some((test, _)) => {
            let more = if one.victims.len() > 1 { format!(" and {} more", one.victims.len() - 1) } else { String::new() };
            format!("importing `{module}` changes `{what}`, and `{}`{more} depends on all that is in it", words::short(test))
        }
        None => format!("importing `{module}` changes `{what}` for the whole process"),
    };
    let mut reproduce = None;
    if let Some((test, read)) = victim {
        labels.push(words::label(
            suite,
            read.site,
            format!("all of `{what}` is read here, for a test that does not load `{module}`"),
            Role::OtherEnd,
        ));
        if let Some(other) = one.importers.iter().map(|test| &suite.tests[*test]).find(|other| other.name != test.name) {
            notes
                .push(format!("`{}` imports it: which of the two runs alone, or first, decides the result", words::short(other)));
            reproduce = Some(format!("pytest {} {}", other.name, test.name));
        }
    } else {
        for site in one.readers.iter().take(2) {
            labels.push(words::label(suite, *site, "all of it is read here, whoever was imported before", Role::OtherEnd));
        }
        if importers > 0 {
            notes.push(format!("{} load it, directly or through other modules", words::count(importers, "test")));
        }
    }
    let tests: BTreeSet<usize> = one.victims.iter().map(|(test, _)| *test).collect();
    Finding {
        rule: "import-time-registration",
        severity: if one.victims.is_empty() { Severity::Note } else { Severity::Warning },
        // A table of the project's own, and no test that can feel it: a hunch.
        confidence: if victim.is_none() && matches!(one.container.realm(), Some(Realm::Variable(_))) {
            Confidence::Low
        } else {
            Confidence::Medium
        },
        message,
        labels,
        help: "move it into a function that is called by those who want it (`setup(app)`, `register()`), and let tests name the list that \
               they need"
            .to_owned(),
        notes,
        tests: words::names(tests.iter().map(|test| &suite.tests[*test])),
        reproduce,
        key: format!("{module} {what}"),
        remedy: None,
        fix: None,
    }
}

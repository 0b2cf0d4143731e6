//! Tests that rely on all that a registry holds, or empty it, while imports elsewhere fill it.

use super::words;
use crate::calls::Verb;
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::link::{Leak, Registration, Restored, Site, Suite, Test};
use std::collections::BTreeMap;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    asserted(suite, found);
    emptied(suite, found);
    unfilled(suite, found);
}

/// Tests of Rust that look something up in a registry of the process, which only other tests fill.
fn unfilled(suite: &Suite, found: &mut Vec<Finding>) {
    for one in &suite.unfilled {
        let (first, site) = one.reads[0];
        let (victim, filler) = (&suite.tests[first], &suite.tests[one.filler.0]);
        let mut labels = vec![words::label(suite, site, format!("`{}` is asked here", one.name), Role::Primary)];
        for &(test, _) in &one.reads {
            let test = &suite.tests[test];
            let head = suite.file(test.unit.0).unit(test.unit.1).head;
            let text = format!("`{}` fills nothing", words::short(test));
            labels.push(Label { file: test.unit.0, span: head, text, role: Role::OtherEnd });
        }
        let fills = format!("`{}` fills it here, for all that run later", words::short(filler));
        labels.push(words::label(suite, one.filler.1, fills, Role::OtherEnd));
        labels.push(words::label(suite, one.made, "one for the whole process, and empty at first", Role::Evidence));
        let does = match one.reads.len() {
            1 => "looks up".to_owned(),
            n => format!("and {} more look up", n - 1),
        };
        found.push(Finding {
            rule: "ambient-registry",
            severity: Severity::Warning,
            confidence: Confidence::Medium,
            message: format!("`{}` {does} what only other tests put into `{}`", words::short(victim), one.name),
            labels,
            help:
                "fill the registry in this test too, in a helper with `std::sync::Once`, or hand the test a registry of its own"
                    .to_owned(),
            notes: vec![format!(
                "`{}` passes after `{}`, and fails when it is run alone",
                words::short(victim),
                words::short(filler)
            )],
            tests: words::names(one.reads.iter().map(|(test, _)| &suite.tests[*test])),
            reproduce: Some(words::alone(suite, victim)),
            key: format!("{} {}", one.name, suite.path(victim.unit.0)),
            remedy: None,
            fix: None,
        });
    }
}

/// A test, its effect that reads a container, and a module that fills it.
type Case<'s> = (usize, usize, &'s Registration);

/// A test whose result depends on which modules were imported before.
fn asserted(suite: &Suite, found: &mut Vec<Finding>) {
    // Several modules may fill what one test reads.
    let mut all: BTreeMap<(Site, String), Vec<Case>> = BTreeMap::new();
    for one in &suite.registrations {
        for &(test, effect) in &one.victims {
            let read = &suite.tests[test].state[effect].effect;
            let here = read.via.first().copied().unwrap_or(read.site);
            all.entry((here, one.container.show())).or_default().push((test, effect, one));
        }
    }
    for ((here, what), cases) in all {
        let (test, effect, polluter) = cases[0];
        let (test, read) = (&suite.tests[test], &suite.tests[test].state[effect].effect);
        let module = suite.module_name(polluter.module);
        let depends = if read.asserted { "asserts on all that" } else { "asserts what is printed by all that" };
        let mut labels = vec![words::label(suite, here, format!("all of `{what}` is read from here"), Role::Primary)];
        if read.site != here {
            labels.push(words::label(suite, read.site, "read as a whole here", Role::Derivation));
        }
        let mut seen = Vec::new();
        for (_, _, one) in &cases {
            if !seen.contains(&one.module) && seen.len() < 4 {
                seen.push(one.module);
                let effect = &one.effects[0];
                let at = effect.via.first().copied().unwrap_or(effect.site);
                labels.push(words::label(
                    suite,
                    at,
                    format!("filled here, when `{}` is imported", suite.module_name(one.module)),
                    Role::OtherEnd,
                ));
            }
        }
        let other = polluter.importers.iter().map(|test| &suite.tests[*test]).find(|other| other.name != test.name);
        let mut notes = vec![format!("`{module}` is not imported by this test, and others import it")];
        notes.extend(other.map(|other| format!("`{}` loads it in the same process", words::short(other))));
        found.push(Finding {
            rule: "ambient-registry",
            severity: Severity::Warning,
            confidence: Confidence::Medium,
            message: format!("`{}` {depends} `{what}` holds, and importing `{module}` adds to it", words::short(test)),
            labels,
            help: "pin it: hand the test the very list that it needs, or set the registry to a copy with `monkeypatch.setattr`"
                .to_owned(),
            notes,
            tests: words::names(cases.iter().map(|(test, _, _)| &suite.tests[*test])),
            reproduce: other.map(|other| format!("pytest {} {}", other.name, test.name)),
            key: format!("{what} {}", suite.path(test.unit.0)),
            remedy: None,
            fix: None,
        });
    }
}

/// A test that takes out what only an import puts in: a second import does nothing, since the module is loaded.
fn emptied(suite: &Suite, found: &mut Vec<Finding>) {
    for leak in suite.leaks.iter().filter(|leak| leak.restored == Restored::Never) {
        let test = &suite.tests[leak.change.0];
        let effect = &test.state[leak.change.1].effect;
        if !takes_away(effect.verb, &leak.place) || !suite.is_test_file(effect.site.file) {
            continue;
        }
        let Some((polluter, reader)) = filled(suite, leak) else { continue };
        let (what, module) = (polluter.container.show(), suite.module_name(polluter.module));
        let by = words::short(test);
        let mut labels: Vec<Label> = vec![words::label(suite, effect.site, format!("taken out of `{what}` here"), Role::Primary)];
        let fill = &polluter.effects[0];
        let at = fill.via.first().copied().unwrap_or(fill.site);
        labels.push(words::label(suite, at, format!("put in here, once, when `{module}` is imported"), Role::OtherEnd));
        let more = words::derivation(suite, effect, &labels);
        labels.extend(more);
        found.push(Finding {
            rule: "ambient-registry",
            severity: Severity::Warning,
            confidence: words::confidence(&[effect]),
            message: format!("`{by}` takes out of `{what}` what importing `{module}` put in, and nothing puts it back"),
            labels,
            help: "work on a copy, or let the change be put back: `monkeypatch.delitem`, `monkeypatch.setattr`, `patch.dict`"
                .to_owned(),
            notes: vec![format!(
                "`{}` reads it later in the same process; an import does not fill it again",
                words::short(reader)
            )],
            tests: words::names(leak.tests.iter().map(|test| &suite.tests[*test])),
            reproduce: Some(format!("pytest {} {}", test.name, reader.name)),
            key: format!("{what} {}", suite.path(effect.site.file)),
            remedy: None,
            fix: None,
        });
    }
}

fn takes_away(verb: Verb, place: &crate::link::Place) -> bool {
    verb == Verb::DeleteTree || verb == Verb::Delete && place.segments.len() > 1
}

/// Who fills the container at import, with what is taken out, and a test that reads it.
fn filled<'s>(suite: &'s Suite, leak: &Leak) -> Option<(&'s Registration, &'s Test)> {
    let reader = leak.victims.first().map(|(test, _)| &suite.tests[*test])?;
    let is_product = |one: &Registration| {
        suite.imports.is_imported(one.module) && !suite.is_test_file(one.module) && !suite.is_beside(one.module)
    };
    let puts = |one: &&Registration| is_product(one) && one.effects.iter().any(|effect| leak.place.touches(&effect.on));
    Some((suite.registrations.iter().find(puts)?, reader))
}

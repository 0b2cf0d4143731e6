//! The path of a temporary file or directory outlives the object that removes it.

use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Remedy, Role, Severity};
use crate::link::{Effect, FreshKind, Gone, Root, Site, Suite, UnitRef, When};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let elsewhere = uses_by_maker(suite);
    let called: BTreeSet<UnitRef> = suite.units().flat_map(|(_, summary)| summary.needs.iter().copied()).collect();
    let mut seen: BTreeSet<Site> = BTreeSet::new();
    for (unit, summary) in suite.units() {
        // In the unit itself: what it does behind the end of the owner.
        let here = summary.effects.iter().filter_map(|effect| Some((effect, effect.gone.as_ref()?)));
        for (effect, gone) in here.filter(|(effect, gone)| suite.stands_in(gone.made, unit) && relies(effect, gone)) {
            if seen.insert(gone.made) {
                found.push(finding(suite, unit, gone, Some(anchor(effect, unit, suite))));
            }
        }
        // Everybody else comes too late.
        for gone in &summary.gone {
            let uses = elsewhere.get(&gone.made).map_or(&[][..], Vec::as_slice);
            let late: Vec<&Effect> = uses.iter().copied().filter(|effect| !made_within(suite, effect, unit)).collect();
            let relied = late.iter().find(|effect| relies(effect, gone));
            // Callers that are seen, and do nothing with what they are given, want its text alone.
            let unseen = late.is_empty() && !called.contains(&unit);
            let handed_out = gone.returned.is_some() && (unseen || relied.is_some()) && !is_meant(suite, unit);
            if (relied.is_some() || handed_out) && seen.insert(gone.made) {
                found.push(finding(suite, unit, gone, relied.map(|effect| effect.site)));
            }
        }
    }
}

/// What is done to new files and directories, by the call that made their owner.
fn uses_by_maker<'s>(suite: &'s Suite) -> BTreeMap<Site, Vec<&'s Effect>> {
    let mut all: BTreeMap<Site, Vec<&'s Effect>> = BTreeMap::new();
    let of_units = suite.units().flat_map(|(_, summary)| &summary.effects);
    let of_tests = suite.tests.iter().filter(|test| !test.skipped).flat_map(|test| &test.effects).map(|one| &one.effect);
    for effect in of_units.chain(of_tests) {
        if let Root::Fresh(fresh) = &effect.on.root
            && let Some(made) = fresh.site.filter(|_| fresh.kind == FreshKind::Object)
        {
            all.entry(made).or_default().push(effect);
        }
    }
    all
}

fn made_within(suite: &Suite, effect: &Effect, unit: UnitRef) -> bool {
    effect.via.iter().chain([&effect.site]).any(|site| suite.stands_in(*site, unit))
}

fn anchor(effect: &Effect, unit: UnitRef, suite: &Suite) -> Site {
    effect.via.iter().copied().find(|site| suite.stands_in(*site, unit)).unwrap_or(effect.site)
}

/// Whether it matters that the path is gone: to look whether it is there, to remove it and to expect a failure do not.
fn relies(effect: &Effect, gone: &Gone) -> bool {
    let changes = matches!(
        effect.verb,
        Verb::Write
            | Verb::Append
            | Verb::Create
            | Verb::Update
            | Verb::MakeDir
            | Verb::WriteTree
            | Verb::Publish
            | Verb::Database
    );
    // Who drops it by hand and reads it then wants to see what a missing file does.
    let reads = matches!(effect.verb, Verb::Read | Verb::List) && !matches!(gone.when, When::Asked(_));
    (changes || reads) && !effect.expected
}

/// Words of functions that want the path of something that is not there.
const WORDS: &[&str] =
    &["missing", "nonexist", "non_exist", "not_exist", "notexist", "absent", "deleted", "removed", "invalid", "unused", "gone"];

fn is_meant(suite: &Suite, unit: UnitRef) -> bool {
    let name = suite.unit_name(suite.owner(unit)).to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

fn finding(suite: &Suite, unit: UnitRef, gone: &Gone, used: Option<Site>) -> Finding {
    let name = suite.unit_name(suite.owner(unit));
    let language = suite.language(unit.0);
    let when = match gone.when {
        When::Statement => "at the end of this statement",
        When::Block => "at the end of its block",
        When::Return => "when the function returns",
        When::Rebound(_) => "when its variable is bound again",
        When::Asked(_) => "when it is dropped",
    };
    let mut labels = vec![words::label(suite, gone.made, format!("made here, and removed {when}"), Role::Primary)];
    if let When::Rebound(site) | When::Asked(site) = gone.when {
        labels.push(words::label(suite, site, "removed here", Role::Evidence));
    }
    if let Some(returned) = gone.returned {
        labels.push(words::label(suite, returned, "its path is handed out here", Role::Evidence));
    }
    if let Some(used) = used {
        labels.push(words::label(suite, used, "its path is used here", Role::OtherEnd));
    }
    let message = match used {
        Some(_) => format!("`{name}` makes a temporary file or directory that is gone before its path is used"),
        None => format!("`{name}` gives the path of a temporary file or directory that is gone by then"),
    };
    let (help, note) = match language {
        Language::Python => (
            "keep the object as long as its path is used: inside its `with` block, or in a name with `addCleanup(tmp.cleanup)`; in a test take `tmp_path`",
            "once the object is gone, its name is free: what is written there is cleaned up by nobody, and another process may have it",
        ),
        Language::Rust => (
            "bind the guard to a name that lives as long as the path is used, or return the guard itself",
            "once the guard is dropped, its name is free: what is written there is cleaned up by nobody, and another process may have it",
        ),
    };
    Finding {
        rule: "tempdir-dropped-early",
        severity: Severity::Error,
        confidence: Confidence::High,
        message,
        labels,
        help: help.to_owned(),
        notes: vec![note.to_owned()],
        tests: Vec::new(),
        reproduce: None,
        key: name,
        // A path that is handed out needs an owner that is handed out with it.
        remedy: (gone.when == When::Statement && gone.returned.is_none()).then_some(Remedy::HoldOwner { made: gone.made }),
        fix: None,
    }
}

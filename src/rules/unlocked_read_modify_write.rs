//! A shared file is read, changed and written back, and nobody else is kept out.

use super::in_place::{anchor, is_exposed, names};
use super::words;
use crate::calls::{Reach, Verb};
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Effect, Root, Site, Suite, UnitRef, has_fixed_name, is_shared, moves};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let met: BTreeSet<&str> = suite.meetings.iter().map(|meeting| meeting.path.as_str()).collect();
    // How many locks are held where a call reaches a write, at most.
    let mut locks: BTreeMap<Site, usize> = BTreeMap::new();
    for effect in suite.units().flat_map(|(_, summary)| &summary.effects).filter(|effect| !effect.via.is_empty()) {
        let most = locks.entry(effect.site).or_default();
        *most = effect.guards.len().max(*most);
    }
    let mut seen: BTreeSet<Site> = BTreeSet::new();
    // The read and the write in one function; then one call below it.
    for calls in [0, 1] {
        for (unit, summary) in suite.units() {
            // Tests that meet at a file are `shared-path`'s matter.
            if suite.is_test_code(unit) {
                continue;
            }
            let all = &summary.effects;
            let here = all.iter().filter(|effect| effect.via.len() == calls && suite.stands_in(anchor(effect), unit));
            for write in here.filter(|effect| {
                is_exposed(effect, all) && !suite.is_of_object(anchor(effect)) && !met.contains(effect.on.show().as_str())
            }) {
                let Some(read) = read_before(write, all) else { continue };
                let Some(writers) = writers(suite, unit, write, read) else { continue };
                // A caller that takes a lock knows what it is for.
                let held = locks.get(&write.site).is_some_and(|most| *most > write.guards.len());
                if !held && !seen.contains(&write.site) && seen.insert(anchor(write)) {
                    seen.insert(write.site);
                    found.push(finding(suite, unit, write, read, writers));
                }
            }
        }
    }
}

/// The read of the same path that the written content is made of, with no lock that both hold.
fn read_before<'s>(write: &Effect, all: &'s [Effect]) -> Option<&'s Effect> {
    let made_of: Vec<Site> = match write.verb {
        Verb::Write => write.made_of.clone(),
        // What is renamed onto the path was written under another name before.
        Verb::Publish => {
            let moved = moves(all).find(|moved| std::ptr::eq(moved.to, write))?.from;
            let written = all.iter().filter(|other| matches!(other.verb, Verb::Write | Verb::Create) && other.on == moved.on);
            written.flat_map(|other| other.made_of.iter().copied()).collect()
        }
        _ => return None,
    };
    all.iter().find(|read| {
        read.verb == Verb::Read
            && read.on == write.on
            && read.via.len() <= 1
            && anchor(read) != anchor(write)
            && made_of.contains(&anchor(read))
            && !read.guards.iter().any(|lock| write.guards.contains(lock))
    })
}

/// Why there is more than one who writes.
#[derive(Clone, Copy, PartialEq)]
enum Writers {
    /// The function runs in several threads or processes at once.
    Pool,
    /// Every process of the program has the same path.
    Everyone,
    /// Somebody thought of readers: the file is replaced whole, or one of the two takes a lock.
    Thought,
    /// Only its name speaks for it.
    Named,
}

/// Words of files that several processes add to.
const SHARED: &[&str] = &[
    "registry", "index", "counter", "history", "manifest", "ledger", "cache", "queue", "stats", "state", "metadata", "sequence",
];

/// Words of files that hold a number that only grows.
const COUNTERS: &[&str] = &["counter", "sequence", "next_id", "next-id", "last_id", "serial_number"];

fn writers(suite: &Suite, unit: UnitRef, write: &Effect, read: &Effect) -> Option<Writers> {
    // A record that is taken apart, changed and put together again; of plain text only a count is one.
    if read.format.is_none() && !names(suite, unit, write, COUNTERS) {
        return None;
    }
    let fixed = is_shared(&write.on) && has_fixed_name(&write.on);
    if fixed && suite.is_spread(write.site) {
        return Some(Writers::Pool);
    }
    // Below the home directory, or one that the environment names, the same key is the same file for every process of the user.
    let everyone = match write.on.root {
        Root::Home | Root::Setting(_) => has_fixed_name(&write.on) && !write.on.segments.is_empty(),
        Root::Temp | Root::Abs => fixed,
        _ => false,
    };
    if everyone {
        return Some(Writers::Everyone);
    }
    if !names(suite, unit, write, SHARED) {
        return None;
    }
    let host = |effect: &Effect| effect.guards.iter().any(|lock| lock.reach == Reach::Host);
    Some(if write.verb == Verb::Publish || host(write) || host(read) { Writers::Thought } else { Writers::Named })
}

fn finding(suite: &Suite, unit: UnitRef, write: &Effect, read: &Effect, writers: Writers) -> Finding {
    let name = suite.unit_name(suite.owner(unit));
    let path = suite.show(&write.on, unit);
    let mut labels = vec![words::label(suite, anchor(write), "written back here", Role::Primary)];
    labels.push(words::label(suite, anchor(read), "read here", Role::OtherEnd));
    let more = words::derivation(suite, write, &labels);
    labels.extend(more);
    let confidence = match writers {
        _ if suite.is_beside(unit.0) => Confidence::Low,
        Writers::Pool => Confidence::High,
        Writers::Everyone | Writers::Thought => Confidence::Medium,
        Writers::Named => Confidence::Low,
    };
    let whole = if write.verb == Verb::Publish { "; to replace the file whole does not help here" } else { "" };
    let help = match suite.language(unit.0) {
        Language::Python => {
            "hold one lock from the read to the write (`with filelock.FileLock(str(path) + \".lock\"):`), or let each process write a file of its own and merge them at the end"
        }
        Language::Rust => {
            "hold one lock from the read to the write (`File::lock` on a lock file beside it), or let each process write a file of its own and merge them at the end"
        }
    };
    Finding {
        rule: "unlocked-read-modify-write",
        severity: if writers == Writers::Pool { Severity::Error } else { Severity::Warning },
        confidence,
        message: format!("`{name}` reads `{path}`, changes it and writes it back without a lock"),
        labels,
        help: help.to_owned(),
        notes: vec![format!(
            "of two processes that read it at the same time, the second to write undoes what the first one wrote{whole}"
        )],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {path}"),
        remedy: None,
        fix: None,
    }
}

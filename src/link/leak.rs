//! What a test leaves changed in its process, and who meets it there: the second of the two predicates (the first is `overlap.rs`).
//!
//! A test pollutes another one when both run in one process, the first changes something that belongs to the process and does not put it
//! back however it ends, and the second reads it before it sets it itself (Gruber et al. 2021, "An Empirical Study of Flaky Tests in
//! Python"; Zhang et al. 2014, "Empirically revisiting the test independence assumption").

use super::overlap::{applies, changes};
use super::place::{Place, Realm};
use super::state::is_named;
use super::suite::{Phase, Test, TestEffect};
use super::term::{Site, Term};
use crate::calls::Verb;
use crate::facts::run::{Runner, Setup};
use crate::facts::{FileFacts, Language};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether what a test changes is as before when the next one starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Restored {
    Never,
    /// By a statement that a failure in between skips.
    IfItPasses,
    Always,
}

/// Something of the process that tests leave changed, at one place in the source.
#[derive(Clone, PartialEq, Debug)]
pub struct Leak {
    pub place: Arc<Place>,
    /// A test and its effect in [`Test::state`], as indexes: the change.
    pub change: (usize, usize),
    pub restored: Restored,
    /// What puts it back when the test passes: an effect of the same test.
    pub restore: Option<usize>,
    /// All tests that leave it so, sorted.
    pub tests: Vec<usize>,
    /// Tests of the same process, and their effects: they read it before they set it.
    pub victims: Vec<(usize, usize)>,
}

/// Victims that are named.
const VICTIMS: usize = 16;

/// All leaks, one for each place in the source and name, in the order of the sites.
pub(super) fn leaks(tests: &[Test], setup: &Setup, facts: &[Arc<FileFacts>]) -> Vec<Leak> {
    let mut found: BTreeMap<(Site, String), Leak> = BTreeMap::new();
    for (t, test) in tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for e in 0..test.state.len() {
            let Some((restored, restore)) = left(&test.state, e) else { continue };
            let effect = &test.state[e].effect;
            let leak = found.entry((effect.site, effect.on.key())).or_insert_with(|| Leak {
                place: effect.on.clone(),
                change: (t, e),
                restored,
                restore,
                tests: Vec::new(),
                victims: Vec::new(),
            });
            // The worst of its tests is told.
            if restored < leak.restored {
                (leak.change, leak.restored, leak.restore) = ((t, e), restored, restore);
            }
            leak.tests.push(t);
        }
    }
    let mut out: Vec<Leak> = found.into_values().collect();
    let readers = readers(tests);
    for leak in &mut out {
        leak.tests.dedup();
        let near = readers.get(&bucket(&leak.place)).into_iter().flatten();
        let mut victims: Vec<(usize, usize)> = near
            .copied()
            .filter(|&(u, e)| {
                let read = &tests[u].state[e].effect;
                let other = leak.tests.iter().any(|&t| t != u && share_process(&tests[t], &tests[u], setup, facts));
                other && read.on.touches(&leak.place) && !is_set_before(&tests[u].state, e)
            })
            .collect();
        victims.dedup_by_key(|(u, _)| *u);
        victims.truncate(VICTIMS);
        leak.victims = victims;
    }
    out
}

/// How a change that a test makes is left; none where it is none of its own that lasts.
fn left(state: &[TestEffect], at: usize) -> Option<(Restored, Option<usize>)> {
    let one = &state[at];
    let effect = &one.effect;
    let of_process = effect.on.realm().is_some_and(Realm::is_of_process);
    if !of_process || !changes(effect.verb) || effect.expected || effect.flagged || effect.one_of || !is_named(&effect.on) {
        return None;
    }
    if effect.undone || ends(one) || effect.verb == Verb::Create && effect.tolerant {
        return None;
    }
    // What comes after a first change of one's own continues it, or takes it back.
    if state[..at].iter().any(|before| changes(before.effect.verb) && before.effect.on.touches(&effect.on)) {
        return None;
    }
    let covers = |later: &TestEffect| {
        changes(later.effect.verb)
            && later.effect.site != effect.site
            && later.effect.on.root == effect.on.root
            && effect.on.segments.starts_with(&later.effect.on.segments)
    };
    let later = || state.iter().enumerate().skip(at + 1).filter(|(_, later)| covers(later));
    if later().any(|(_, later)| ends(later)) {
        return None;
    }
    match later().next_back() {
        Some((i, last)) if puts_back(one, last) => Some((Restored::IfItPasses, Some(i))),
        _ => Some((Restored::Never, None)),
    }
}

/// Part of what runs however the test ends.
fn ends(one: &TestEffect) -> bool {
    one.effect.leave || one.effect.assured || one.phase == Phase::Teardown
}

/// Whether the last change takes back the first one: it removes what was set, or sets what is no literal, which may be what was there
/// before.
fn puts_back(first: &TestEffect, last: &TestEffect) -> bool {
    let is_literal = |value: &Term| value.as_literal().is_some() || matches!(value, Term::Int(_) | Term::Bool(_));
    match (first.effect.verb, last.effect.verb) {
        (Verb::Delete | Verb::DeleteTree, Verb::Delete | Verb::DeleteTree) => false,
        (_, Verb::Delete | Verb::DeleteTree) => true,
        _ => !last.effect.value.as_ref().is_some_and(is_literal),
    }
}

/// Whether a test sets what it reads, before it reads it.
pub(super) fn is_set_before(state: &[TestEffect], at: usize) -> bool {
    let read = &state[at].effect;
    let sets = |verb: Verb| matches!(verb, Verb::Write | Verb::Delete | Verb::DeleteTree);
    state[..at].iter().any(|before| {
        sets(before.effect.verb)
            && before.effect.on.root == read.on.root
            && read.on.segments.starts_with(&before.effect.on.segments)
    })
}

/// What places that touch have in common: the realm, as a text.
fn bucket(place: &Place) -> String {
    Place { root: place.root.clone(), segments: Vec::new() }.key()
}

/// The effects that read something of the process, by realm.
fn readers(tests: &[Test]) -> BTreeMap<String, Vec<(usize, usize)>> {
    let mut out: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (t, test) in tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for (e, one) in test.state.iter().enumerate() {
            if matches!(one.effect.verb, Verb::Read | Verb::List) && !one.effect.expected {
                out.entry(bucket(&one.effect.on)).or_default().push((t, e));
            }
        }
    }
    out
}

/// Whether two tests may run in one process, one after the other.
pub(super) fn share_process(a: &Test, b: &Test, setup: &Setup, facts: &[Arc<FileFacts>]) -> bool {
    let language = |test: &Test| facts[test.unit.0.0 as usize].language;
    if language(a) != language(b) {
        return false;
    }
    match language(a) {
        Language::Python => true,
        Language::Rust => {
            a.group == b.group && setup.runs.iter().any(|run| run.runner == Runner::CargoTest && applies(run, a, facts))
        }
    }
}

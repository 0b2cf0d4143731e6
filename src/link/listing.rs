//! Listings that decide an assertion, and who changes the folder meanwhile.

use super::eval::Eval;
use super::overlap::{Ask, counts, is_shared, meets};
use super::place::Place;
use super::suite::{Test, TestEffect};
use super::term::Piece;
use crate::calls::Verb;
use crate::facts::run::{Run, Setup, fnmatch};
use crate::facts::{Arg, Comparison, FileFacts, OpId, V, Value, What};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An assertion on what is in a folder, and another test that puts something there or takes it away.
#[derive(Clone, PartialEq, Debug)]
pub struct Listing {
    /// The test that lists, and its effect.
    pub first: (usize, usize),
    /// The one that changes the folder.
    pub second: (usize, usize),
    /// The run that lets them overlap; none where no run of this project does yet.
    pub run: Option<Run>,
}

/// Steps followed from an assertion back to a listing.
const STEPS: usize = 12;

/// Functions and methods that keep what a listing says as a whole: as many, in another order, without some.
const KEEPS: &[&str] = &[
    "len",
    "list",
    "set",
    "sorted",
    "tuple",
    "frozenset",
    "Counter",
    "filter",
    "map",
    "next",
    "count",
    "collect",
    "unwrap",
    "expect",
    "flatten",
    "filter_map",
    "flat_map",
    "into_iter",
    "iter",
    "by_ref",
    "cloned",
    "copied",
    "is_empty",
    "is_none",
    "all",
];

impl Eval<'_, '_> {
    /// An assertion: the listings that it holds only for, if nobody else changes the folder.
    pub(super) fn asserted(&mut self, cond: V) {
        self.asserted_globals(cond);
        self.asserted_setting(cond);
        let mut found = Vec::new();
        self.exactly(cond, &mut found);
        self.decided_by(&found, self.is_snapshot(cond));
    }

    /// Listings that an assertion holds only for. A folder may change between the two looks of a snapshot; a registry does not.
    fn decided_by(&mut self, found: &[OpId], snapshot: bool) {
        for effect in self.effects.iter_mut().filter(|effect| effect.verb == Verb::List && effect.via.is_empty()) {
            let decides = effect.site.file == self.file && found.contains(&effect.site.op);
            effect.asserted |= decides && !(snapshot && effect.on.is_state());
        }
    }

    /// unittest's own assertions (Python documentation, "unittest").
    pub(super) fn asserted_by_call(&mut self, method: &str, args: &[Arg]) {
        let mut found = Vec::new();
        let snapshot = self.is_snapshot_call(args);
        self.asserted_setting_by_call(method, args);
        match method {
            "assertTrue" => {
                if let Some(arg) = args.first() {
                    self.asserted(arg.value);
                }
                return;
            }
            "assertEqual"
            | "assertEquals"
            | "assertListEqual"
            | "assertCountEqual"
            | "assertItemsEqual"
            | "assertSetEqual"
            | "assertSequenceEqual"
            | "assertFalse"
            | "assertEmpty"
            | "assertLen" => {
                args.iter().take(2).for_each(|arg| self.sources(arg.value, 0, &mut found));
                if !snapshot {
                    args.iter().take(2).for_each(|arg| self.asserted_global(arg.value, 0));
                }
            }
            _ => return,
        }
        self.decided_by(&found, snapshot);
    }

    /// Listings whose whole content decides a condition. One more entry does not change `x in listing`, `any(…)` or `len(…) > 0`.
    fn exactly(&self, cond: V, out: &mut Vec<OpId>) {
        match self.facts.value(cond) {
            Value::Compare(Comparison::Equal | Comparison::Is, a, b) => {
                self.sources(*a, 0, out);
                self.sources(*b, 0, out);
            }
            Value::Not(inner) => self.sources(*inner, 0, out),
            Value::And(all) => all.iter().for_each(|one| self.exactly(*one, out)),
            Value::Result(op) => {
                if let What::Call { callee, .. } = &self.facts.op(*op).what
                    && self.facts.last_name(*callee).is_some_and(|name| matches!(name, "all" | "is_empty" | "is_none"))
                {
                    self.sources(cond, 0, out);
                }
            }
            _ => {}
        }
    }

    /// The calls that a value is put together from.
    fn sources(&self, value: V, depth: usize, out: &mut Vec<OpId>) {
        if depth > STEPS {
            return;
        }
        let next = depth + 1;
        match self.facts.value(value) {
            Value::Name(name) => {
                if let Some(op) = self.state.stored.get(name)
                    && let What::Store { value, .. } = &self.facts.op(*op).what
                {
                    self.sources(*value, next, out);
                }
            }
            Value::Binary(_, a, b) => {
                self.sources(*a, next, out);
                self.sources(*b, next, out);
            }
            // The elements of a comprehension.
            Value::List(all) | Value::Set(all) => {
                for one in all {
                    if let Value::Name(name) = self.facts.value(*one)
                        && let Some(op) = self.state.stored.get(name)
                        && let What::Store { value, .. } = &self.facts.op(*op).what
                        && let Value::Item(listing, _) = self.facts.value(*value)
                    {
                        self.sources(*listing, next, out);
                    }
                }
            }
            Value::Result(op) => {
                let What::Call { callee, args } = &self.facts.op(*op).what else { return };
                out.push(*op);
                if !self.facts.last_name(*callee).is_some_and(|name| KEEPS.contains(&name)) {
                    return;
                }
                if let Value::Attr(base, _) = self.facts.value(*callee) {
                    self.sources(*base, next, out);
                } else {
                    args.iter().for_each(|arg| self.sources(arg.value, next, out));
                }
            }
            _ => {}
        }
    }
}

/// The folder that is listed, and the pattern of names, where there is one.
fn folder(place: &Place) -> Option<(Place, Option<String>)> {
    let wild = |segment: &Vec<Piece>| matches!(segment.as_slice(), [Piece::Lit(text)] if text.contains(['*', '?']));
    match place.segments.iter().position(wild) {
        None => Some((place.clone(), None)),
        Some(at) if at + 1 == place.segments.len() => {
            let [Piece::Lit(pattern)] = place.segments[at].as_slice() else { return None };
            let folder = Place { root: place.root.clone(), segments: place.segments[..at].to_vec() };
            Some((folder, Some(pattern.to_string())))
        }
        Some(_) => None,
    }
}

/// Whether an effect is a listing that an assertion depends on, of a folder that others can reach.
pub fn is_asserted_listing(one: &TestEffect) -> bool {
    let effect = &one.effect;
    if effect.verb != Verb::List || !effect.asserted || effect.flagged || effect.expected || effect.one_of {
        return false;
    }
    folder(&effect.on).is_some_and(|(folder, _)| is_shared(&folder.child(Piece::Lit("x".into()))))
}

/// For each listing that decides an assertion, the first test that may change the folder meanwhile.
pub(super) fn listings(tests: &[Test], setup: &Setup, facts: &[Arc<FileFacts>]) -> Vec<Listing> {
    let mut changed: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (t, test) in tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for (e, one) in test.effects.iter().enumerate() {
            let alters = matches!(
                one.effect.verb,
                Verb::Write | Verb::WriteTree | Verb::Create | Verb::Publish | Verb::MakeDir | Verb::Delete | Verb::DeleteTree
            );
            if alters
                && counts(one)
                && let Some(parent) = one.effect.on.parent()
            {
                changed.entry(parent.key()).or_default().push((t, e));
            }
        }
    }
    let mut out: Vec<Listing> = Vec::new();
    for (t, test) in tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for (e, one) in test.effects.iter().enumerate().filter(|(_, one)| is_asserted_listing(one)) {
            let Some((folder, pattern)) = folder(&one.effect.on) else { continue };
            let fits = |&&(t, e): &&(usize, usize)| {
                let name = tests[t].effects[e].effect.on.name().as_literal();
                match (&pattern, name) {
                    (None, _) => true,
                    (Some(pattern), Some(name)) => fnmatch(pattern, &name),
                    (Some(_), None) => false,
                }
            };
            let here = changed.get(&folder.key()).map_or(&[][..], Vec::as_slice);
            let met = here.iter().filter(fits).find_map(|&second| {
                let chance = meets(second, (t, e), tests, setup, facts, Ask::Harm)?;
                Some(Listing { first: (t, e), second, run: chance.run.cloned() })
            });
            out.extend(met);
        }
    }
    out
}

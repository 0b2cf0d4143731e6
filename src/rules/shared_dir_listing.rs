//! An assertion on what is in a folder, where others put something meanwhile.

use super::words;
use crate::facts::Language;
use crate::finding::{Finding, Label, Role, Severity};
use crate::link::{Effect, Listing, Root, Site, Suite, Test, UnitRef, is_asserted_listing};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    // Before and after in one function are one matter.
    let mut all: BTreeMap<(UnitRef, String), Case> = BTreeMap::new();
    let key = |effect: &Effect| (suite.unit_at(effect.site), effect.on.show());
    for listing in &suite.listings {
        let (test, effect) = listing.first;
        let effect = &suite.tests[test].effects[effect].effect;
        let case = all.entry(key(effect)).or_insert_with(|| Case::new(suite, listing.first));
        case.tests.insert(test);
        case.again.insert(effect.site);
        case.changed.get_or_insert(listing);
    }
    // The system's temp directory needs no second test: everyone on the host writes there.
    for (t, test) in suite.tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
        for (e, one) in test.effects.iter().enumerate().filter(|(_, one)| is_asserted_listing(one)) {
            let on = &one.effect.on;
            let top =
                on.segments.is_empty() || on.segments.len() == 1 && on.literal().is_some_and(|name| name.contains(['*', '?']));
            if on.root == Root::Temp && top {
                let case = all.entry(key(&one.effect)).or_insert_with(|| Case::new(suite, (t, e)));
                case.tests.insert(t);
                case.again.insert(one.effect.site);
            }
        }
    }
    found.extend(all.into_values().map(|case| case.finding(suite)));
}

/// One folder that a function lists, with the tests that do so.
struct Case<'s> {
    test: &'s Test,
    effect: &'s Effect,
    /// All places that list it.
    again: BTreeSet<Site>,
    tests: BTreeSet<usize>,
    changed: Option<&'s Listing>,
}

impl<'s> Case<'s> {
    fn new(suite: &'s Suite, (test, effect): (usize, usize)) -> Self {
        let test = &suite.tests[test];
        Case { test, effect: &test.effects[effect].effect, again: BTreeSet::new(), tests: BTreeSet::new(), changed: None }
    }

    fn finding(&self, suite: &Suite) -> Finding {
        let path = self.effect.on.show();
        let who = words::short(self.test);
        let mut labels = vec![words::label(suite, self.effect.site, "all that is in it counts here", Role::Primary)];
        for site in self.again.iter().filter(|site| **site != self.effect.site).take(4) {
            labels.push(words::label(suite, *site, "and here", Role::Evidence));
        }
        let mut notes = Vec::new();
        let message = match self.changed {
            Some(listing) => {
                let other = &suite.tests[listing.second.0];
                let effect = &other.effects[listing.second.1].effect;
                let name = effect.on.show();
                labels.push(words::label(
                    suite,
                    effect.site,
                    format!("`{name}` is {} here", words::done(effect.verb)),
                    Role::OtherEnd,
                ));
                if let Some((file, span)) = listing.run.as_ref().and_then(|run| run.place) {
                    labels.push(Label { file, span, text: "this run lets them overlap".to_owned(), role: Role::Evidence });
                }
                if listing.run.is_none() {
                    notes.push("no parallel run is configured here: they would collide under `pytest -n 2`".to_owned());
                }
                let verb = words::verb(effect.verb);
                format!("`{who}` asserts what is in `{path}`, while `{}` {verb} `{name}`", words::short(other))
            }
            None => format!("`{who}` asserts what is in `{path}`, the temp directory that everyone on this host shares"),
        };
        notes.push("expect an entry too many, or one that is gone".to_owned());
        let more = words::derivation(suite, self.effect, &labels);
        labels.extend(more);
        let help = match suite.language(self.effect.site.file) {
            Language::Python => "let the code work in `tmp_path` and list that; or look for the names that this test made",
            Language::Rust => {
                "let the code work in a `tempfile::tempdir()` and list that; or look for the names that this test made"
            }
        };
        Finding {
            rule: "shared-dir-listing",
            severity: Severity::Warning,
            confidence: words::confidence(&[self.effect]),
            message,
            labels,
            help: help.to_owned(),
            notes,
            tests: words::names(self.tests.iter().map(|test| &suite.tests[*test])),
            reproduce: None,
            key: path,
            remedy: None,
            fix: None,
        }
    }
}

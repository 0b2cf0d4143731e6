//! A test changes a list, dict or set that belongs to a module or class, and another test asserts on what it holds.

use super::left::{by_unit, does};
use super::unrestored_patch::is_patch;
use crate::calls::Verb;
use crate::finding::{Finding, Severity};
use crate::link::{Effect, Leak, Phase, Place, Realm, Restored, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for left in by_unit(suite, |leak, effect| is_shared(suite, leak, effect)) {
        let effect = left.first(suite);
        let message = format!(
            "{} {} {}, which other tests assert on, and leaves it so",
            left.subject(suite),
            does(effect.verb),
            left.things()
        );
        let help = "make it anew for each test in a fixture, or put it back with `monkeypatch.setitem` or `monkeypatch.setattr`";
        let mut finding = left.finding(suite, "shared-global", message, help);
        (finding.severity, finding.remedy) = (Severity::Warning, None);
        found.push(finding);
    }
}

/// Whether a test surely leaves a variable changed, and an assertion of another test surely depends on it.
fn is_shared(suite: &Suite, leak: &Leak, effect: &Effect) -> bool {
    let body = suite.tests[leak.change.0].state[leak.change.1].phase == Phase::Body;
    let sure = body && !effect.maybe && effect.spread.is_none() && effect.caught.is_empty();
    sure && leak.restored == Restored::Never
        && matches!(leak.place.realm(), Some(Realm::Variable(_)))
        && !is_patch(leak, effect)
        && leak.victims.iter().any(|&(test, at)| {
            let state = &suite.tests[test].state;
            let read = &state[at].effect;
            // Who changes it too may well assert on the change alone.
            let own = |effect: &Effect| crate::link::changes(effect.verb) && effect.on.touches(&leak.place);
            read.asserted
                && !read.maybe
                && !leak.tests.contains(&test)
                && is_felt(effect, &read.on)
                && !state[..at].iter().any(|before| own(&before.effect))
        })
}

/// Whether a change reaches what is asserted: all of the thing, or the very item.
fn is_felt(effect: &Effect, asserted: &Place) -> bool {
    let whole = effect.on.root == asserted.root && effect.on.segments.starts_with(&asserted.segments);
    let replaced = matches!(effect.verb, Verb::Write | Verb::DeleteTree) && effect.on.touches(asserted);
    whole || replaced
}

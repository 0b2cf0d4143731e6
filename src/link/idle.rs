//! Removals that never come about: of what nobody has to do with, or of what went before with the folder that it stood in. Who looks first
//! whether a thing is there does nothing where it is not.

use super::place::{Place, Root};
use super::suite::{Test, TestEffect};
use super::summary::{Effect, Summary};
use super::term::{Piece, Site};
use crate::calls::Verb;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Takes what never comes about out of what tests do.
pub(super) fn leave_out(tests: &mut [Test], summaries: &[Vec<Arc<Summary>>]) {
    let mut asked: HashSet<Arc<Place>> = HashSet::new();
    for test in tests.iter_mut() {
        let gone = gone_before(&test.effects);
        let mut at = 0;
        test.effects.retain(|_| {
            at += 1;
            !gone.contains(&(at - 1))
        });
        // A path that stands in a variable may have gone elsewhere too.
        let spelt_out =
            test.effects.iter().map(|one| &one.effect).filter(|effect| looks_first(effect) && effect.steps.is_empty());
        asked.extend(spelt_out.map(|effect| effect.on.clone()));
    }
    asked.retain(|on| name(on).is_some());
    if asked.is_empty() {
        return;
    }
    let of_units = summaries.iter().flatten().flat_map(|summary| &summary.effects);
    let all: Vec<&Effect> = tests.iter().flat_map(|test| test.effects.iter().map(|one| &one.effect)).chain(of_units).collect();
    let checks: HashSet<Site> =
        all.iter().filter(|effect| looks_first(effect)).flat_map(|effect| &effect.known).map(|known| known.site).collect();
    // Who reads a thing, or asserts that it is there, knows of somebody who makes it.
    let others = all.iter().filter(|effect| !is_removal(effect.verb) && !checks.contains(&effect.site));
    let makers: HashSet<(&Place, bool)> = others.map(|effect| (&*effect.on, effect.verb == Verb::WriteTree)).collect();
    let made = |on: &Arc<Place>| makers.iter().any(|(maker, tree)| may_make(maker, *tree, on));
    let never: HashSet<Arc<Place>> = asked.iter().filter(|on| !made(on)).cloned().collect();
    for test in tests {
        test.effects.retain(|one| !looks_first(&one.effect) || !one.effect.steps.is_empty() || !never.contains(&one.effect.on));
    }
}

fn makes(verb: Verb) -> bool {
    use Verb::{Append, Create, Database, MakeDir, Publish, Update, Write, WriteTree};
    matches!(verb, Write | Append | Update | Publish | Create | MakeDir | WriteTree | Database)
}

fn is_removal(verb: Verb) -> bool {
    matches!(verb, Verb::Delete | Verb::DeleteTree)
}

/// Takes away what it has seen to be there.
fn looks_first(effect: &Effect) -> bool {
    is_removal(effect.verb) && effect.known.iter().rev().find(|known| known.on == effect.on).is_some_and(|known| known.exists)
}

/// Indexes of removals below a folder that the test has surely removed before, with nothing made there since.
fn gone_before(effects: &[TestEffect]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for (at, one) in effects.iter().enumerate().filter(|(_, one)| looks_first(&one.effect)) {
        let is_around = |other: &Effect| lies_below(&one.effect.on, &other.on);
        let gone = effects[..at].iter().rposition(|other| {
            let effect = &other.effect;
            let for_sure = !effect.maybe || looks_first(effect);
            effect.verb == Verb::DeleteTree && is_around(effect) && for_sure && !effect.one_of && other.within == one.within
        });
        let Some(gone) = gone else { continue };
        let again = |other: &TestEffect| makes(other.effect.verb) && may_make(&other.effect.on, true, &one.effect.on);
        if !effects[gone..at].iter().any(again) {
            found.insert(at);
        }
    }
    found
}

fn lies_below(on: &Place, folder: &Place) -> bool {
    on.root == folder.root && on.segments.len() > folder.segments.len() && on.segments.starts_with(&folder.segments)
}

fn literal(segment: &[Piece]) -> Option<&str> {
    match segment {
        [Piece::Lit(text)] => Some(text),
        _ => None,
    }
}

fn name(place: &Place) -> Option<&str> {
    literal(place.segments.last()?)
}

/// Folders that may be one.
fn kind(root: &Root) -> u8 {
    match root {
        Root::Cwd | Root::Start | Root::Project => 0,
        Root::Abs | Root::Temp | Root::Home | Root::Setting(_) | Root::Run => 1,
        Root::Of(_) => 2,
        Root::Fresh(_) | Root::State(_) => 3,
    }
}

/// Whether who makes the first place may make the second one, or something in it. A name decides, wherever it stands.
fn may_make(maker: &Place, tree: bool, on: &Place) -> bool {
    let named = maker.segments.iter().any(|segment| literal(segment).is_some() && literal(segment) == name(on));
    if named {
        return true;
    }
    if kind(&maker.root) != kind(&on.root) {
        return false;
    }
    let shared = maker.segments.iter().zip(&on.segments).all(|(a, b)| match (literal(a), literal(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    });
    shared && maker.root == on.root && (tree || maker.segments.len() >= on.segments.len())
}
